//! Commits that take a little while, as they do on a real disk: batches form, and an answer that does
//! not wait for its commit is far ahead of it.

use std::time::Duration;

use mllp_disk::Rng;
use mllp_pipeline::{CommitOutcome, Transaction};
use mllp_store::StoreError;
use mllp_store::conformance::Guard;

pub(crate) struct Slow(pub(crate) Rng);

impl Guard for Slow {
    fn commit(&mut self, _: &Transaction) -> Option<Result<CommitOutcome, StoreError>> {
        std::thread::sleep(Duration::from_micros(self.0.below(600)));
        None
    }
}
