//! What partners were sent, and what they have taken.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mllp_pipeline::{GiveUp, LaneId, Retry};

use crate::recovering::Interrupted;

/// A delivery on the wire.
pub struct Flying {
    pub seq: u64,
    /// When the partner takes it; `None`: it never does.
    pub takes_at: Option<u64>,
}

pub struct Partner {
    pub lane: LaneId,
    pub retry: Retry,
    pub give_up: GiveUp,
    /// The connection is there.
    pub up: bool,
    /// In the order on the wire.
    pub wire: VecDeque<Flying>,
    /// Rows that are with the partner as far as the engine knows.
    pub in_flight: BTreeSet<u64>,
    /// Rows of which the engine was told in this life that they are completed.
    pub completed: BTreeSet<u64>,
    /// Rows that have failed in this life, and not before when they may leave again.
    pub failed: BTreeMap<u64, u64>,
    /// How often each row was sent, without those that our own fault kept back.
    pub sent: BTreeMap<u64, usize>,
    /// Rows by the time they were first taken.
    pub taken: Vec<u64>,
    pub last_arrival: u64,
    /// What a crash may have interrupted; `None` once something has left after it.
    pub interrupted: Option<Interrupted>,
}

impl Partner {
    pub fn new(lane: LaneId, retry: Retry, give_up: GiveUp) -> Partner {
        Partner {
            lane,
            retry,
            give_up,
            up: false,
            wire: VecDeque::new(),
            in_flight: BTreeSet::new(),
            completed: BTreeSet::new(),
            failed: BTreeMap::new(),
            sent: BTreeMap::new(),
            taken: Vec::new(),
            last_arrival: 0,
            interrupted: None,
        }
    }

    pub fn has_taken(&self, seq: u64) -> bool {
        self.taken.contains(&seq)
    }

    pub fn takes(&mut self, seq: u64) {
        if !self.has_taken(seq) {
            self.taken.push(seq);
        }
    }

    /// Takes what has arrived by now.
    pub fn take_arrived(&mut self, now: u64) {
        while self.wire.front().is_some_and(|it| it.takes_at.is_none_or(|at| at <= now)) {
            let flying = self.wire.pop_front().expect("front");
            if flying.takes_at.is_some() {
                self.takes(flying.seq);
            }
        }
    }

    /// The connection is cut: the first `arrived` deliveries on the wire still arrive.
    pub fn cut(&mut self, arrived: u64) {
        for flying in std::mem::take(&mut self.wire).into_iter().take(arrived as usize) {
            if flying.takes_at.is_some() {
                self.takes(flying.seq);
            }
        }
        self.in_flight.clear();
        self.completed.clear();
        self.failed.clear();
    }
}
