//! The disk of the store: it fills up and gets room again, and the engine is told so now and then.

use mllp_pipeline::{Fact, OnFull, Record, Refusal, Room, Transaction};

use crate::census;
use crate::host::{Happening, Host};
use crate::invariant::Invariant::Reserve;
use crate::scenario::MIN_FREE;
use crate::world::{ROOMY, World};

/// What the engine knows of the disk in this life.
#[derive(Default)]
pub struct Known {
    /// It was told that there is less than is kept free, and not yet that there is a quarter more.
    low: bool,
    /// The last commit was refused, and not for lack of room.
    unavailable: bool,
    /// The last commit was fenced: what is left of it is committed again, with its messages.
    fenced: bool,
}

/// Somebody else uses the disk as well.
pub fn change(host: &mut Host, world: &mut World) {
    let changes = world.strikes(world.scenario.faults.disk);
    let ends = world.calm && world.free < ROOMY;
    if changes {
        let near = MIN_FREE + MIN_FREE / 4;
        world.free = world.rng.pick(&[0, MIN_FREE - 1, MIN_FREE, near - 1, near, ROOMY]);
    } else if ends {
        world.free = ROOMY;
    }
    if changes || ends {
        host.happens(world.rng.below(100), Happening::LookForRoom, world);
    }
}

pub fn room(world: &World) -> Fact {
    Fact::Room(Room { free: world.free, size: 1 << 40 })
}

impl Known {
    pub fn note(&mut self, fact: &Fact) {
        use mllp_pipeline::CommitOutcome::{Fenced, Refused};
        if let Fact::Outcome(outcome) = fact {
            self.fenced = matches!(outcome, Fenced(_));
            self.unavailable = *outcome == Refused(Refusal::Unavailable);
        }
        if let Fact::Room(room) = fact {
            let enough = if self.low { MIN_FREE + MIN_FREE / 4 } else { MIN_FREE };
            self.low = room.free < enough;
            if self.low {
                census::count("the disk is low");
            }
        }
    }

    /// A commit is ordered.
    pub fn check_commit(&self, transaction: &Transaction) {
        let stores = transaction.records.iter().any(|it| matches!(it, Record::Message(_)));
        Reserve.check(!(self.low && stores && !self.fenced), "a message is stored below the mark");
        if self.low && !transaction.lanes.is_empty() {
            census::count("deliveries go on while the disk is low");
        }
    }

    /// A message of this inbound is answered as not stored.
    pub fn check_refused(&self, on_full: OnFull, is_stopping: bool) {
        let waits = on_full == OnFull::Wait && !self.unavailable && !is_stopping;
        Reserve.check(!waits, "a message that should wait for room is refused");
    }
}
