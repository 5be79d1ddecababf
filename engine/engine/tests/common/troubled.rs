//! A store that fails as it is told, in front of one that does not.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use mllp_pipeline::{Append, CommitOutcome, Record, Refusal, Room, RowBody, Transaction};
use mllp_store::conformance::{Guard, Guarded};
use mllp_store::{Store, StoreError};

use super::{DEADLINE, until};

/// What becomes of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    Work,
    Refuse(Refusal),
    /// They do not return.
    Hang,
    /// The outcome is unknown, and nothing is written.
    Vanish,
    /// The store comes to its end at the first that makes a message exist.
    EndAtMessage,
}

pub struct State {
    pub commits: Commits,
    /// Whether the rows of lanes cannot be read.
    pub heads_fail: bool,
    /// How much room the store says that it has.
    pub room: Option<Room>,
    /// How often rows were asked for in vain.
    pub asked_in_vain: u64,
    /// The number of records and the longest body or chunk of every commit that was tried.
    pub tried: Vec<(usize, usize)>,
}

#[derive(Clone)]
pub struct Control(Arc<(Mutex<State>, Condvar)>);

impl Control {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap()
    }

    /// Changes how it fails; a commit that hangs goes on by that.
    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.0.1.notify_all();
    }

    pub fn wait_until(&self, what: &str, stands: impl Fn(&State) -> bool) {
        until(what, || stands(&self.state()));
    }
}

/// A store that fails as its control says.
pub fn troubled<S: Store>(store: S) -> (Guarded<S, Trouble>, Control) {
    let state = State {
        commits: Commits::Work,
        heads_fail: false,
        room: None,
        asked_in_vain: 0,
        tried: Vec::new(),
    };
    let control = Control(Arc::new((Mutex::new(state), Condvar::new())));
    (Guarded::new(store, Trouble(control.clone())), control)
}

pub struct Trouble(Control);

impl Trouble {
    /// Takes note of a commit, and waits as long as commits hang.
    fn trial(&self, transaction: &Transaction) -> Commits {
        let longest = transaction.records.iter().map(|record| match record {
            Record::Chunk { bytes, .. } => bytes.0.len(),
            Record::Message(message) => inline(Some(&message.body)),
            Record::Append(Append { body: RowBody::Own(body), .. }) => inline(Some(body)),
            _ => 0,
        });
        let trial = (transaction.records.len(), longest.max().unwrap_or(0));
        let mut state = self.0.state();
        state.tried.push(trial);
        while state.commits == Commits::Hang {
            // A test that fails does not leave its process behind.
            let (next, result) = self.0.0.1.wait_timeout(state, DEADLINE * 2).unwrap();
            state = next;
            if result.timed_out() {
                return Commits::Vanish;
            }
        }
        state.commits
    }
}

fn inline(body: Option<&mllp_pipeline::Body>) -> usize {
    match body {
        Some(mllp_pipeline::Body::Inline(bytes)) => bytes.len(),
        _ => 0,
    }
}

impl Guard for Trouble {
    fn heads(&mut self) -> Result<(), StoreError> {
        let mut state = self.0.state();
        if state.heads_fail {
            state.asked_in_vain += 1;
            return Err(StoreError::Unavailable("not reachable".to_owned()));
        }
        Ok(())
    }

    fn room(&mut self) -> Option<Room> {
        self.0.state().room
    }

    fn commit(&mut self, transaction: &Transaction) -> Option<Result<CommitOutcome, StoreError>> {
        let makes_a_message = transaction.records.iter().any(|it| matches!(it, Record::Message(_)));
        match self.trial(transaction) {
            Commits::Refuse(why) => Some(Ok(CommitOutcome::Refused(why))),
            Commits::Vanish => Some(Ok(CommitOutcome::Unknown)),
            Commits::EndAtMessage if makes_a_message => {
                Some(Err(StoreError::SyncFailed("told to".to_owned())))
            }
            Commits::Work | Commits::Hang | Commits::EndAtMessage => None,
        }
    }
}
