//! A store whose commits take a little while, as they do on a real disk: batches form, and an answer
//! that does not wait for its commit is far ahead of it.

use std::ops::Range;
use std::time::Duration;

use mllp_disk::Rng;
use mllp_pipeline::{BodyId, CommitOutcome, Head, LaneId, Transaction};
use mllp_store::{LaneName, Numbers, Reader, SqliteStore, Store, StoreError};

pub(crate) struct Slow {
    store: SqliteStore,
    rng: Rng,
}

impl Slow {
    pub(crate) fn new(store: SqliteStore, rng: Rng) -> Slow {
        Slow { store, rng }
    }
}

impl Store for Slow {
    fn numbers(&mut self) -> Result<Numbers, StoreError> {
        self.store.numbers()
    }

    fn own(&mut self, lanes: &[LaneName]) -> Result<Vec<Head>, StoreError> {
        self.store.own(lanes)
    }

    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError> {
        self.store.heads(lanes)
    }

    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
        self.store.lanes()
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError> {
        std::thread::sleep(Duration::from_micros(self.rng.below(600)));
        self.store.commit(transaction)
    }

    fn tend(&mut self) -> Result<bool, StoreError> {
        self.store.tend()
    }

    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<bool, StoreError> {
        self.store.sweep(bodies)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.store.reader()
    }
}
