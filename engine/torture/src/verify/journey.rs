//! What the journey of a message says of its deliveries, and of what operators have done with them.

use mllp_pipeline::{Failure, LaneId, What};

use super::kept::Stored;

/// All deliveries of a message to one outbound.
pub(crate) struct Passage {
    pub(crate) outbound: LaneId,
    /// The handler that has sent it; `None`: an operator alone.
    pub(crate) handler: Option<LaneId>,
    /// How often a handler has sent it.
    pub(crate) sent: u32,
    /// How often an operator has appended it again: as another delivery, and as the one that was held.
    pub(crate) replayed: u32,
    pub(crate) released: u32,
    pub(crate) delivered: u32,
    /// Why each delivery that was given up was, and how often it had been tried.
    pub(crate) dead: Vec<(Failure, u32)>,
    /// How often an operator has ended one.
    pub(crate) cancelled: u32,
    /// How often one has left its lane to wait for an operator.
    pub(crate) held: u32,
    /// Attempts that have failed, and crashes after which it may have been sent before, since a
    /// delivery has begun.
    tried: u32,
    /// Attempts that have failed.
    pub(crate) attempts: u32,
    /// Those where it is unknown whether the partner took the message.
    pub(crate) unsure: u32,
    /// Crashes after which it may have been sent before.
    pub(crate) possibly_sent: u32,
}

impl Passage {
    const fn new(outbound: LaneId) -> Passage {
        Passage {
            outbound,
            handler: None,
            sent: 0,
            replayed: 0,
            released: 0,
            delivered: 0,
            dead: Vec::new(),
            cancelled: 0,
            held: 0,
            tried: 0,
            attempts: 0,
            unsure: 0,
            possibly_sent: 0,
        }
    }

    /// Whether an operator or a failure has taken one out of its lane.
    pub(crate) fn was_taken_out(&self) -> bool {
        !self.dead.is_empty() || self.cancelled + self.held > 0
    }

    /// How many rows it has in its lane.
    pub(crate) const fn rows(&self) -> u32 {
        self.sent + self.replayed + self.released
    }

    /// How many deliveries have come to an end.
    pub(crate) fn ended(&self) -> u32 {
        self.delivered + self.dead.len() as u32 + self.cancelled
    }

    /// How often it is listed as possibly sent twice.
    pub(crate) const fn listed(&self) -> u32 {
        self.unsure + self.possibly_sent
    }
}

/// What an operator has done with a message.
pub(crate) struct Act {
    pub(crate) kind: Kind,
    /// The lane to which it was appended, or in which it was cancelled.
    pub(crate) lane: LaneId,
    /// The reason that was given.
    pub(crate) reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Replayed,
    Released,
    Cancelled,
}

impl Stored {
    /// Takes the next line of its journey.
    pub(crate) fn take(&mut self, what: What) {
        match what {
            What::Routed { inbound: None, handlers } => self.routed = Some(handlers),
            What::Failed { .. } => {
                self.failed += 1;
                self.has_failed = true;
            }
            What::Transformed { handler, outbounds } => {
                for outbound in outbounds {
                    let passage = self.to(outbound);
                    passage.handler = Some(handler);
                    passage.sent += 1;
                }
            }
            What::Attempt { outbound, failure, .. } => {
                let passage = self.to(outbound);
                passage.attempts += 1;
                passage.tried += 1;
                let is_unsure = matches!(failure, Failure::NoReply | Failure::Transport);
                passage.unsure += u32::from(is_unsure);
            }
            What::PossiblySent { outbound } => {
                let passage = self.to(outbound);
                passage.possibly_sent += 1;
                passage.tried += 1;
            }
            What::Delivered { outbound, .. } => {
                let passage = self.to(outbound);
                passage.delivered += 1;
                passage.tried = 0;
            }
            What::Dead { lane, failure } => {
                let passage = self.to(lane);
                let tried = std::mem::take(&mut passage.tried);
                passage.dead.push((failure, tried));
            }
            What::Held { outbound, .. } => {
                let passage = self.to(outbound);
                passage.held += 1;
                passage.tried = 0;
            }
            other => self.take_act(other),
        }
    }

    /// Takes a line that an operator has caused; any other says nothing here.
    fn take_act(&mut self, what: What) {
        match what {
            What::Released { outbound, by, .. } => {
                self.to(outbound).released += 1;
                self.act(Kind::Released, outbound, by.reason.0);
            }
            What::Replayed { to, by, .. } => {
                if to == self.inbound {
                    self.rerouted += 1;
                    self.has_failed = false;
                } else {
                    self.to(to).replayed += 1;
                }
                self.act(Kind::Replayed, to, by.reason.0);
            }
            What::Cancelled { lane, by } => {
                let passage = self.to(lane);
                passage.cancelled += 1;
                passage.tried = 0;
                self.has_failed = true;
                self.act(Kind::Cancelled, lane, by.reason.0);
            }
            _ => {}
        }
    }

    fn act(&mut self, kind: Kind, lane: LaneId, reason: String) {
        self.acts.push(Act { kind, lane, reason });
    }

    /// Its passage to an outbound.
    fn to(&mut self, outbound: LaneId) -> &mut Passage {
        let known = self.passages.iter().position(|it| it.outbound == outbound);
        let at = known.unwrap_or_else(|| {
            self.passages.push(Passage::new(outbound));
            self.passages.len() - 1
        });
        &mut self.passages[at]
    }
}
