//! A store behind a guard, for tests that slow it down, have it refuse, or count what it is asked.

use std::ops::Range;

use mllp_pipeline::{BodyId, CommitOutcome, Head, LaneId, Room, Transaction};

use crate::contract::{LaneName, Numbers, Reader, Store, Swept};
use crate::error::StoreError;
use crate::life::Life;
use crate::retention::{Expiry, LastPass};

/// Hears what a store is asked before the store does, and may answer in its place.
pub trait Guard: Send {
    /// What becomes of a commit; `None`: what the store makes of it.
    fn commit(&mut self, transaction: &Transaction) -> Option<Result<CommitOutcome, StoreError>>;

    /// Whether the rows of lanes can be read.
    ///
    /// # Errors
    ///
    /// What is said in place of the rows.
    fn heads(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// How much room the store is to have; `None`: what it has.
    fn room(&mut self) -> Option<Room> {
        None
    }
}

/// A store, and what stands in front of it.
pub struct Guarded<S, G> {
    store: S,
    guard: G,
}

impl<S: Store, G: Guard> Guarded<S, G> {
    /// Puts a guard in front of a store.
    pub const fn new(store: S, guard: G) -> Self {
        Guarded { store, guard }
    }
}

impl<S: Store, G: Guard> Store for Guarded<S, G> {
    fn numbers(&mut self) -> Result<Numbers, StoreError> {
        self.store.numbers()
    }

    fn begin_life(&mut self, life: &Life) -> Result<(), StoreError> {
        self.store.begin_life(life)
    }

    fn end_life(&mut self, at: u64) -> Result<(), StoreError> {
        self.store.end_life(at)
    }

    fn own(&mut self, lanes: &[LaneName]) -> Result<Vec<Head>, StoreError> {
        self.store.own(lanes)
    }

    fn room(&mut self) -> Option<Room> {
        self.guard.room().or_else(|| self.store.room())
    }

    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError> {
        self.guard.heads()?;
        self.store.heads(lanes)
    }

    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
        self.store.lanes()
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError> {
        self.guard.commit(transaction).unwrap_or_else(|| self.store.commit(transaction))
    }

    fn tend(&mut self) -> Result<bool, StoreError> {
        self.store.tend()
    }

    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<Swept, StoreError> {
        self.store.sweep(bodies)
    }

    fn expire(&mut self, expiry: &Expiry) -> Result<bool, StoreError> {
        self.store.expire(expiry)
    }

    fn last_pass(&mut self) -> Result<LastPass, StoreError> {
        self.store.last_pass()
    }

    fn keep_pass(&mut self, pass: &LastPass) -> Result<(), StoreError> {
        self.store.keep_pass(pass)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.store.reader()
    }
}
