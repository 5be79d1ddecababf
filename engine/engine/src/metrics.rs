//! What was committed, counted, and how lanes stand: OpenMetrics text for Prometheus.
//!
//! Counters begin at zero with each engine, as Prometheus expects. The writer counts what each
//! transaction holds once it is durable, so a counter never says more than the store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mllp_pipeline::{CommitOutcome, Event, Failure, LaneId, Record, Stage, Transaction, What};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::certificates::Certificate;
use crate::engine::Engine;
use crate::error::Error;
use crate::names::Names;
use crate::status::Status;

/// Seconds that a partner takes to answer, and a commit.
const SECONDS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connection {
    connection: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    connection: String,
    failure: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lane {
    stage: &'static str,
    connection: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Shown {
    stage: &'static str,
    connection: String,
    whose: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    /// The counters of each lane, by its number.
    lanes: HashMap<LaneId, Counters>,
    commits: Histogram,
    uncommitted: Counter,
    standing: Mutex<Standing>,
}

/// Counters of one lane: those that its stage has.
struct Counters {
    /// Whether it is the lane of an outbound.
    leaves: bool,
    received: Counter,
    refused: Counter,
    duplicates: Counter,
    delivered: Counter,
    took: Histogram,
    /// By the place of the failure class.
    failed: [Counter; Failure::ALL.len()],
    dead: Counter,
    held: Counter,
    possibly_sent: Counter,
}

/// Gauges, set whenever somebody asks.
struct Standing {
    depth: Family<Lane, Gauge>,
    bytes: Family<Lane, Gauge>,
    in_flight: Family<Connection, Gauge>,
    ready: Family<Lane, Gauge>,
    stalled: Family<Lane, Gauge>,
    waiting: Gauge,
    writes: Gauge,
    valid_until: Family<Shown, Gauge>,
}

impl Metrics {
    pub(crate) fn new(names: &Names) -> Metrics {
        let mut registry = Registry::with_prefix("fastmllp");
        let families = Families::register(&mut registry);
        let mut lanes = HashMap::new();
        for stage in [Stage::Ingress, Stage::Routed, Stage::Outbound] {
            for (lane, name) in names.of_stage(stage) {
                lanes.insert(lane, families.of(stage, &name));
            }
        }
        let (commits, uncommitted) = (Histogram::new(SECONDS), Counter::default());
        let help = "Transactions of the store that are durable, and what they took";
        registry.register_with_unit("commit", help, Unit::Seconds, commits.clone());
        let help = "Transactions of the store that failed, and are tried again";
        registry.register("commits_failed", help, uncommitted.clone());
        let standing = Mutex::new(Standing::register(&mut registry));
        Metrics { registry, lanes, commits, uncommitted, standing }
    }

    /// Counts what a transaction holds, if it is durable.
    pub(crate) fn count(&self, transaction: &Transaction, outcome: &CommitOutcome, took: Duration) {
        if !matches!(outcome, CommitOutcome::Committed(_)) {
            self.uncommitted.inc();
            return;
        }
        self.commits.observe(took.as_secs_f64());
        for record in &transaction.records {
            match record {
                Record::Message(new) => {
                    let Some(its) = self.lanes.get(&new.inbound) else { continue };
                    its.received.inc();
                    // Not what waits for the verdict of its deliveries: it is not answered yet.
                    if !new.accepted && !new.acknowledgment.0.is_empty() {
                        its.refused.inc();
                    }
                    if new.duplicate_of.is_some() {
                        its.duplicates.inc();
                    }
                }
                Record::Event(event) => self.count_event(event),
                Record::Dead { lane, .. } => {
                    let _ = self.lanes.get(lane).map(|it| it.dead.inc());
                }
                _ => {}
            }
        }
    }

    fn count_event(&self, event: &Event) {
        let of = |lane| self.lanes.get(lane);
        match &event.what {
            What::Delivered { outbound, milliseconds, .. } => {
                if let Some(its) = of(outbound) {
                    its.delivered.inc();
                    its.took.observe(*milliseconds as f64 / 1000.0);
                }
            }
            What::Attempt { outbound: lane, failure, .. } | What::Failed { lane, failure, .. } => {
                let place = Failure::ALL.iter().position(|it| it == failure);
                if let (Some(its), Some(place)) = (of(lane), place) {
                    its.failed[place].inc();
                }
            }
            What::Held { outbound, .. } => {
                let _ = of(outbound).map(|it| it.held.inc());
            }
            What::PossiblySent { outbound } => {
                let _ = of(outbound).map(|it| it.possibly_sent.inc());
            }
            _ => {}
        }
    }

    /// Messages that a lane has seen end in ERROR: that an inbound refused, that a function failed on, whose
    /// delivery is dead.
    pub(crate) fn ended_in_error(&self, lane: LaneId) -> u64 {
        let Some(its) = self.lanes.get(&lane) else { return 0 };
        // Of an outbound these are attempts, and what counts is which delivery is not tried again.
        let failed = if its.leaves { 0 } else { its.failed.iter().map(Counter::get).sum() };
        its.refused.get() + failed + its.dead.get()
    }

    /// All of it as OpenMetrics text.
    pub(crate) fn text(&self, status: &Status, certificates: Vec<Certificate>) -> String {
        let mut text = String::new();
        // Two that ask at a time would see half of each other's gauges.
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.set(status);
        standing.set_certificates(certificates);
        // A String takes everything.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

impl Engine {
    /// What was stored, delivered and refused since the start, and how lanes stand, in the text format of
    /// OpenMetrics, version 1.0: what Prometheus reads. Names begin with `fastmllp_`.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the engine has ended.
    pub fn metrics(&self) -> Result<String, Error> {
        Ok(self.metrics.text(&self.status()?, self.certificates()))
    }
}

type Histograms = Family<Connection, Histogram, fn() -> Histogram>;

/// The counters of all lanes.
struct Families {
    received: Family<Connection, Counter>,
    refused: Family<Connection, Counter>,
    duplicates: Family<Connection, Counter>,
    functions: Family<Failed, Counter>,
    delivered: Family<Connection, Counter>,
    took: Histograms,
    attempts: Family<Failed, Counter>,
    dead: Family<Connection, Counter>,
    held: Family<Connection, Counter>,
    possibly_sent: Family<Connection, Counter>,
}

impl Families {
    fn register(registry: &mut Registry) -> Families {
        let mut counter = |name: &str, help: &str| {
            let family = Family::default();
            registry.register(name, help, family.clone());
            family
        };
        let received = counter("received", "Messages of an inbound that are stored");
        let refused = counter("refused", "Messages of an inbound that are stored and refused");
        let duplicates = counter("duplicates", "Messages of an inbound that had come before");
        let delivered = counter("delivered", "Deliveries that the partner took");
        let dead = counter("dead", "Deliveries that are not tried again");
        let held = counter("held", "Deliveries that wait for an operator");
        let help = "Deliveries that a crash may have let the partner get twice";
        let possibly_sent = counter("possibly_sent", help);
        let mut failed = |name: &str, help: &str| {
            let family = Family::default();
            registry.register(name, help, family.clone());
            family
        };
        let functions = failed("functions_failed", "Messages on which a function failed");
        let attempts = failed("attempts_failed", "Attempts to deliver that failed");
        let took = Histograms::new_with_constructor(|| Histogram::new(SECONDS));
        let help = "From the first byte of a delivery to its answer";
        registry.register_with_unit("delivery", help, Unit::Seconds, took.clone());
        Families {
            received,
            refused,
            duplicates,
            functions,
            delivered,
            took,
            attempts,
            dead,
            held,
            possibly_sent,
        }
    }

    /// Those of a lane; what its stage does not have is counted for nobody.
    fn of(&self, stage: Stage, name: &str) -> Counters {
        let connection = Connection { connection: name.to_owned() };
        let (arrives, leaves) = (stage == Stage::Ingress, stage == Stage::Outbound);
        let counter = |family: &Family<Connection, Counter>, has: bool| {
            if has { family.get_or_create_owned(&connection) } else { Counter::default() }
        };
        let failures = if leaves { &self.attempts } else { &self.functions };
        Counters {
            leaves,
            received: counter(&self.received, arrives),
            refused: counter(&self.refused, arrives),
            duplicates: counter(&self.duplicates, arrives),
            delivered: counter(&self.delivered, leaves),
            took: match leaves {
                true => self.took.get_or_create_owned(&connection),
                false => Histogram::new(SECONDS),
            },
            failed: Failure::ALL.map(|it| {
                let (connection, failure) = (name.to_owned(), it.name());
                failures.get_or_create_owned(&Failed { connection, failure })
            }),
            dead: counter(&self.dead, leaves),
            held: counter(&self.held, leaves),
            possibly_sent: counter(&self.possibly_sent, leaves),
        }
    }
}

impl Standing {
    fn register(registry: &mut Registry) -> Standing {
        let standing = Standing {
            depth: Family::default(),
            bytes: Family::default(),
            in_flight: Family::default(),
            ready: Family::default(),
            stalled: Family::default(),
            waiting: Gauge::default(),
            writes: Gauge::default(),
            valid_until: Family::default(),
        };
        let help = "Messages or deliveries in a lane that are not done";
        registry.register("lane_depth", help, standing.depth.clone());
        let help = "Length of their bodies";
        registry.register_with_unit("lane", help, Unit::Bytes, standing.bytes.clone());
        let help = "Deliveries that are with the partner";
        registry.register("in_flight", help, standing.in_flight.clone());
        let help = "1: the lane goes on now, and an outbound reaches its partner";
        registry.register("lane_ready", help, standing.ready.clone());
        let help = "1: the lane has work and has got nothing done for too long";
        registry.register("lane_stalled", help, standing.stalled.clone());
        let help = "Messages that were received and are not committed";
        registry.register("uncommitted", help, standing.waiting.clone());
        let help = "1: the store writes";
        registry.register("store_writes", help, standing.writes.clone());
        let help = "Until when a certificate in use is valid, in seconds since 1970";
        let certificates = standing.valid_until.clone();
        registry.register_with_unit("certificate_valid_until", help, Unit::Seconds, certificates);
        standing
    }

    fn set_certificates(&self, certificates: Vec<Certificate>) {
        self.valid_until.clear();
        for Certificate { connection, stage, whose, valid_until } in certificates {
            let label = Shown { stage, connection, whose: whose.name() };
            self.valid_until.get_or_create(&label).set((valid_until / 1000) as i64);
        }
    }

    fn set(&self, status: &Status) {
        // A lane without a place in the graph is there as long as something is in it.
        self.depth.clear();
        self.bytes.clear();
        self.ready.clear();
        self.stalled.clear();
        for lane in &status.lanes {
            let connection = lane.name.clone();
            let label = Lane { stage: lane.stage, connection };
            self.depth.get_or_create(&label).set(lane.depth as i64);
            self.bytes.get_or_create(&label).set(lane.bytes as i64);
            self.ready.get_or_create(&label).set(i64::from(lane.ready));
            self.stalled.get_or_create(&label).set(i64::from(lane.stalled_for > 0));
            if lane.stage == Stage::Outbound.name() {
                let label = Connection { connection: lane.name.clone() };
                self.in_flight.get_or_create(&label).set(i64::from(lane.in_flight));
            }
        }
        self.waiting.set(status.waiting as i64);
        self.writes.set(i64::from(status.store.trouble.is_none()));
    }
}
