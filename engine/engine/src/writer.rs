//! The thread that writes: the only one that has the store.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::{io, thread};

use mllp_pipeline::{Fact, LaneId, Transaction};
use mllp_store::{Store, StoreError};

use crate::traffic::{News, ToCore};

/// What the writer is asked.
pub(crate) enum Job {
    Commit(Arc<Transaction>),
    ReadHeads(Vec<LaneId>),
}

/// Starts the writer. It ends, and with it the store, when the sender is dropped.
pub(crate) fn start(
    store: Box<dyn Store>,
    core: ToCore,
) -> io::Result<(Sender<Job>, JoinHandle<()>)> {
    let (sender, jobs) = channel();
    let writer = thread::Builder::new().name("engine-writer".into());
    Ok((sender, writer.spawn(move || write(store, &jobs, &core))?))
}

fn write(mut store: Box<dyn Store>, jobs: &Receiver<Job>, core: &ToCore) {
    while let Ok(job) = jobs.recv() {
        let done = match job {
            Job::Commit(transaction) => {
                let outcome = store.commit(&transaction);
                // The core uses its memory again.
                drop(transaction);
                outcome.map(Fact::Outcome)
            }
            Job::ReadHeads(lanes) => store.heads(&lanes).map(Fact::Heads),
        };
        // The outcome first: senders wait for it, and nobody for the upkeep.
        if !tell(core, done) || !tell(core, tend(&mut *store)) {
            return;
        }
    }
}

/// A slice of upkeep. What is left comes after the next commit.
fn tend(store: &mut dyn Store) -> Result<Option<Fact>, StoreError> {
    store.tend().map(|_| None)
}

/// Tells the core; false when either side has come to its end.
fn tell(core: &ToCore, done: Result<impl Into<Option<Fact>>, StoreError>) -> bool {
    match done.map(Into::into) {
        Ok(Some(fact)) => core.tell(News::Fact(fact)),
        Ok(None) => true,
        Err(error) => {
            core.tell(News::Fatal(error));
            false
        }
    }
}
