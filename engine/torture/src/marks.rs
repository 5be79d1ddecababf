//! What both ends have seen, in one order with what the disk was told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mllp_disk::Disk;

use crate::ledger::{Ack, Arrival, Witness};

/// Something that was seen outside the engine.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Ack(Ack),
    Arrival(Arrival),
}

/// Writes down what is seen, and marks it in the log of a disk: the mark says how much was seen by
/// then. A sender marks when it has read its answer, so a little later than it was given; a partner
/// marks what it receives before it answers.
pub(crate) struct Marks {
    disk: Disk,
    seen: Mutex<Vec<Seen>>,
}

impl Marks {
    /// Goes on after what was seen before.
    pub(crate) fn new(disk: &Disk, before: &[Seen]) -> Marks {
        Marks { disk: disk.clone(), seen: Mutex::new(before.to_vec()) }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.lock().clone()
    }

    /// How many messages were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        let seen = self.lock();
        seen.iter().filter(|it| matches!(it, Seen::Ack(ack) if ack.is_positive())).count()
    }

    fn see(&self, what: Seen) {
        let mut seen = self.lock();
        seen.push(what);
        self.disk.mark(seen.len() as u64);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Marks {
    fn answered(&self, ack: Ack) {
        self.see(Seen::Ack(ack));
    }

    fn arrived(&self, arrival: Arrival) {
        self.see(Seen::Arrival(arrival));
    }
}

/// The acknowledgments, and the arrivals.
pub(crate) fn parted(seen: &[Seen]) -> (Vec<Ack>, Vec<Arrival>) {
    let (mut acks, mut arrivals) = (Vec::new(), Vec::new());
    for it in seen {
        match it {
            Seen::Ack(ack) => acks.push(ack.clone()),
            Seen::Arrival(arrival) => arrivals.push(arrival.clone()),
        }
    }
    (acks, arrivals)
}
