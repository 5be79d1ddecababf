//! Log records: one for each change of state, with the connection's name as a field, and never a
//! payload.
//!
//! What happens to single messages is in their journeys. Where many of them may fail one after the
//! other, the first, the second, the fourth, the eighth and so on are reported.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use log::{debug, error, info, warn};
use mllp_io::{Incident, Loss, TurnedAway};
use mllp_pipeline::{
    CallFailure, End, Event, Fact, Failure, LaneId, Record, Side, StoreState, Switch, Transaction,
    What,
};
use mllp_store::StoreError;

use crate::error::Error;
use crate::names::Names;
use crate::outages::{Outage, Outages};

/// What was reported so far.
pub(crate) struct Notices {
    names: Arc<Names>,
    store: StoreState,
    /// Whether each outbound was reached when that was last reported.
    reached: BTreeMap<LaneId, bool>,
    outages: Outages,
    /// Failed attempts of each outbound since the last success.
    failing: BTreeMap<LaneId, u64>,
    /// Calls of each router and handler that have failed through our own fault, since the last success.
    broken: BTreeMap<LaneId, u64>,
    /// How often something has happened that concerns single messages.
    counts: BTreeMap<(&'static str, LaneId), u64>,
    full: BTreeMap<LaneId, bool>,
}

impl Notices {
    pub(crate) fn new(names: Arc<Names>) -> Self {
        Notices {
            names,
            store: StoreState::default(),
            reached: BTreeMap::new(),
            outages: Outages::default(),
            failing: BTreeMap::new(),
            broken: BTreeMap::new(),
            counts: BTreeMap::new(),
            full: BTreeMap::new(),
        }
    }

    /// Something has happened.
    pub(crate) fn fact(&mut self, fact: &Fact, now: u64) {
        match fact {
            Fact::Ready { lane, ready } => self.ready(*lane, *ready, now),
            Fact::Failed { lane, failure, .. } => self.failed(*lane, *failure),
            Fact::Delivered { lane, .. } => self.delivered(*lane),
            Fact::Decided { lane, decision, failure, .. } => match decision.end {
                End::Completed => self.delivered(*lane),
                End::GivenUp(_) => self.failed(*lane, *failure),
            },
            Fact::Hours { lane, open } => self.hours(*lane, *open),
            _ => {}
        }
    }

    /// A router or a handler has come back.
    pub(crate) fn called(&mut self, lane: LaneId, fact: &Fact) {
        match fact {
            Fact::Routed { results, .. } => {
                results.iter().for_each(|it| self.result(lane, it.as_ref().err()));
            }
            Fact::Transformed { results, .. } => {
                results.iter().for_each(|it| self.result(lane, it.as_ref().err()));
            }
            _ => {}
        }
    }

    fn result(&mut self, lane: LaneId, failure: Option<&CallFailure>) {
        let Some(CallFailure { failure, note }) = failure else {
            if let Some(failures) = self.broken.remove(&lane) {
                let name = self.names.of(lane);
                info!(connection = name.as_str(), failures = failures; "the function runs again");
            }
            return;
        };
        let name = self.names.of(lane);
        let (why, error) = (failure.name(), note.0.as_str());
        if *failure == Failure::Infrastructure {
            let failures = self.broken.entry(lane).or_default();
            *failures += 1;
            if *failures == 1 {
                warn!(connection = name.as_str(), failure = why, error = error;
                    "the worker has failed, and is asked again");
            }
        } else if let Some(count) = self.count("function", lane) {
            warn!(connection = name.as_str(), failure = why, error = error, messages = count;
                "the function has failed");
        }
    }

    fn ready(&mut self, lane: LaneId, ready: bool, now: u64) {
        if !ready {
            self.outages.begin(lane, now);
        }
        if self.reached.insert(lane, ready) == Some(ready) {
            return;
        }
        let name = self.names.of(lane);
        let connection = name.as_str();
        match (ready, self.outages.of(lane).and_then(|it| it.why.as_ref())) {
            (true, _) => info!(connection = connection; "connected"),
            (false, Some(why)) => warn!(connection = connection, reason:% = why; "lost"),
            (false, None) => warn!(connection = connection; "lost"),
        }
    }

    /// A connection could not be opened, or is over. Whether that matters is seen by what follows: a
    /// partner may close a connection after each message.
    pub(crate) fn lost(&mut self, lane: LaneId, why: Loss, now: u64) {
        let name = self.names.of(lane);
        let connection = name.as_str();
        debug!(connection = connection, reason:% = why; "no connection");
        // A partner that was never reached cannot be lost.
        if matches!(why, Loss::NotReached(_) | Loss::NotReady(_))
            && !self.reached.contains_key(&lane)
        {
            self.reached.insert(lane, false);
            warn!(connection = connection, reason:% = why; "not connected");
        }
        self.outages.lost(lane, why, now);
    }

    /// A connection is open.
    pub(crate) fn connected(&mut self, lane: LaneId) {
        self.outages.end(lane);
    }

    /// An outbound that could not be reached is dialed again after this.
    pub(crate) fn dials(&mut self, lane: LaneId, after: Duration, now: u64) {
        self.outages.dials(lane, now.saturating_add(after.as_millis() as u64));
    }

    /// Since when and why an outbound is not connected, if it is not.
    pub(crate) fn outage(&self, lane: LaneId) -> Option<&Outage> {
        self.outages.of(lane)
    }

    /// A peer of an inbound does what brings no message.
    pub(crate) fn happened(&mut self, inbound: LaneId, peer: SocketAddr, incident: Incident) {
        let what = match incident {
            Incident::Protocol(_) => "protocol",
            Incident::Lost(_) => "lost",
            Incident::Outside(_) => "outside",
            Incident::AnswersLost(_) => "answers lost",
            Incident::Expired(_) => "expired",
        };
        if let Some(count) = self.count(what, inbound) {
            let name = self.names.of(inbound);
            warn!(connection = name.as_str(), peer:% = peer, reason:% = incident, peers = count;
                "trouble with a peer");
        }
    }

    /// A listener could not accept a connection.
    pub(crate) fn not_accepted(&mut self, inbound: LaneId, error: &io::Error) {
        if let Some(count) = self.count("accept", inbound) {
            let name = self.names.of(inbound);
            error!(connection = name.as_str(), reason:% = error, attempts = count;
                "no connection can be accepted");
        }
    }

    /// A listener has turned a peer away.
    pub(crate) fn turned_away(&mut self, inbound: LaneId, peer: SocketAddr, why: &TurnedAway) {
        let what = match why {
            TurnedAway::NotAllowed => "not allowed",
            TurnedAway::TooMany => "too many",
            TurnedAway::Handshake(_) => "handshake",
        };
        if let Some(count) = self.count(what, inbound) {
            let name = self.names.of(inbound);
            warn!(connection = name.as_str(), peer:% = peer, reason:% = why, peers = count;
                "a peer was turned away");
        }
    }

    fn failed(&mut self, lane: LaneId, failure: Failure) {
        let failures = self.failing.entry(lane).or_default();
        *failures += 1;
        let name = self.names.of(lane);
        let (connection, failure) = (name.as_str(), failure.name());
        match *failures {
            1 => warn!(connection = connection, failure = failure; "a delivery has failed"),
            _ => debug!(connection = connection, failure = failure, failures = *failures;
                "a delivery has failed again"),
        }
    }

    fn hours(&self, lane: LaneId, open: bool) {
        let name = self.names.of(lane);
        match open {
            true => info!(connection = name.as_str(); "inside of its schedule"),
            false => info!(connection = name.as_str(); "outside of its schedule"),
        }
    }

    fn delivered(&mut self, lane: LaneId) {
        if let Some(failures) = self.failing.remove(&lane) {
            let name = self.names.of(lane);
            info!(connection = name.as_str(), failures = failures; "deliveries succeed again");
        }
    }

    /// These records are about to be written.
    pub(crate) fn commit(&mut self, transaction: &Transaction) {
        let mut inbound = LaneId(0);
        for record in &transaction.records {
            match record {
                Record::Message(new) => inbound = new.inbound,
                // It follows its message.
                Record::Event(Event { message, what: What::SameControlId { of }, .. }) => {
                    if let Some(count) = self.count("same_control_id", inbound) {
                        let name = self.names.of(inbound);
                        warn!(connection = name.as_str(), message = message.0, of = of.0,
                            messages = count; "a control ID has come again with other bytes");
                    }
                }
                Record::Event(Event { message, what: What::Dead { lane, failure }, .. }) => {
                    if let Some(count) = self.count("dead", *lane) {
                        let (name, failure) = (self.names.of(*lane), failure.name());
                        warn!(connection = name.as_str(), failure = failure, message = message.0,
                            messages = count; "a delivery is dead");
                    }
                }
                _ => {}
            }
        }
    }

    /// Counts something that concerns one message. `Some` if this one is to be reported.
    fn count(&mut self, what: &'static str, lane: LaneId) -> Option<u64> {
        let count = self.counts.entry((what, lane)).or_default();
        *count += 1;
        count.is_power_of_two().then_some(*count)
    }

    /// A side of a lane was stopped, paused, or set going.
    pub(crate) fn switched(&self, switch: &Switch) {
        let name = self.names.of(switch.lane);
        let side = match switch.side {
            Side::Input => "input",
            Side::Output => "output",
        };
        info!(connection = name.as_str(), side = side, state = switch.flow.name();
            "the lane is switched");
    }

    /// How the store stands.
    pub(crate) fn store(&mut self, state: StoreState) {
        let before = std::mem::replace(&mut self.store, state);
        match (before.trouble, state.trouble) {
            (before, now) if before == now => {}
            (_, Some(why)) => {
                warn!(state = state.name(), reason = why.name(); "the store does not take everything");
            }
            (_, None) => info!(state = state.name(); "the store writes again"),
        }
    }

    /// Whether a lane is full that has a capacity.
    pub(crate) fn is_full(&mut self, lane: LaneId, is_full: bool) {
        if self.full.insert(lane, is_full).unwrap_or(false) == is_full {
            return;
        }
        let name = self.names.of(lane);
        match is_full {
            true => warn!(connection = name.as_str(); "the lane is full"),
            false => info!(connection = name.as_str(); "the lane has room again"),
        }
    }
}

/// An inbound listens.
pub(crate) fn listening(inbound: &str, address: std::net::SocketAddr) {
    info!(connection = inbound, address:% = address; "listening");
}

/// An inbound that is wanted cannot listen. It is tried again until it can.
pub(crate) fn not_listening(inbound: &str, address: std::net::SocketAddr, error: &io::Error) {
    let kind = error.kind();
    warn!(connection = inbound, address:% = address, error:? = kind; "cannot listen");
}

/// The process of an inbound runs.
pub(crate) fn connector_runs(inbound: &str) {
    info!(connection = inbound; "the connector runs");
}

/// The process of an inbound has ended, and nobody wanted that: so many in a row.
pub(crate) fn connector_lost(inbound: &str, why: &str, failures: u32) {
    if failures.is_power_of_two() {
        warn!(connection = inbound, reason = why, failures = failures; "the connector has ended");
    }
}

/// A connector has written a line of the log: 0 is an error, 1 a warning, 2 a change of state.
pub(crate) fn said(connection: &str, level: u8, text: &str) {
    let level = match level {
        0 => log::Level::Error,
        1 => log::Level::Warn,
        2 => log::Level::Info,
        _ => log::Level::Debug,
    };
    // A record is one line.
    let text: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    log::log!(level, connection = connection; "{text}");
}

/// A job of an operator that an earlier life has begun cannot go on now.
pub(crate) fn job_waits(why: &Error) {
    warn!(error:% = why; "a job cannot go on: give it again with its key");
}

/// The engine is told to stop.
pub(crate) fn stopping() {
    info!("stopping");
}

/// It has stopped.
pub(crate) fn stopped(result: &Result<(), crate::error::Error>) {
    match result {
        Ok(()) => info!("stopped"),
        Err(why) => warn!(reason:% = why; "stopped"),
    }
}

/// The store has come to its end, and the engine with it.
pub(crate) fn ended(why: &StoreError) {
    error!(status = why.exit_status(), reason:% = why; "the store has come to its end");
}
