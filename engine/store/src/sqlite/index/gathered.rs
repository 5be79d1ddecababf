//! Index entries that are in memory, shared by the writer with its readers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mllp_pipeline::NewMessage;

use crate::contract::Identity;
use crate::query::hashes;

/// One message under one hash. Signed as SQLite stores them, so that both sort alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sqlite) struct Entry {
    pub(in crate::sqlite) hash: i64,
    pub(in crate::sqlite) message: i64,
}

/// Messages of neighbouring numbers, and between which times they were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) last: i64,
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

#[derive(Default)]
pub(super) struct Gathered {
    pub(super) entries: Vec<Entry>,
    /// What the messages are recognised by.
    pub(super) identities: Vec<Identity>,
    /// Messages that the entries are of.
    pub(super) messages: usize,
    /// The messages above all that are covered by runs.
    pub(super) span: Option<Span>,
    /// Messages that were committed after later ones had been written into a run. The table `late`
    /// has them until their entries are in a run.
    pub(super) late: Vec<i64>,
    /// What was committed below this is here or in a run.
    pub(super) next: i64,
    /// Nothing was committed at or above `next`.
    pub(super) is_complete: bool,
}

/// What is in memory, for one search.
pub(in crate::sqlite) struct InMemory {
    /// Messages with the hash, the oldest first.
    pub(in crate::sqlite) messages: Vec<i64>,
    /// Messages from this one on are in no index yet.
    pub(in crate::sqlite) unread: Option<i64>,
}

/// A handle for readers.
#[derive(Clone, Default)]
pub(in crate::sqlite) struct SharedGathered(Arc<Mutex<Gathered>>);

impl SharedGathered {
    pub(super) fn lock(&self) -> MutexGuard<'_, Gathered> {
        // Nothing panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a search finds in memory below a message. To be asked before the database: what is written
    /// into a run in between is then found in both.
    pub(in crate::sqlite) fn find(&self, hash: i64, before: i64) -> InMemory {
        let gathered = self.lock();
        let found = gathered.entries.iter().filter(|it| it.hash == hash && it.message < before);
        let mut messages: Vec<_> = found.map(|it| it.message).collect();
        messages.sort_unstable();
        InMemory { messages, unread: (!gathered.is_complete).then_some(gathered.next) }
    }
}

impl Gathered {
    /// Takes the entries of a message. `covered`: the last message that runs cover.
    pub(super) fn add(&mut self, message: &NewMessage, covered: i64) {
        let (id, at) = (message.id.0 as i64, message.received_at as i64);
        self.entries.extend(hashes(message).map(|hash| Entry { hash: hash as i64, message: id }));
        if message.identity != 0 {
            let NewMessage { id: message, inbound, received_at, identity, .. } = *message;
            self.identities.push(Identity { message, inbound, received_at, identity });
        }
        self.messages += 1;
        self.next = self.next.max(id + 1);
        if id <= covered {
            self.late.push(id);
            return;
        }
        let span = self.span.get_or_insert(Span { last: id, earliest: at, latest: at });
        span.last = span.last.max(id);
        (span.earliest, span.latest) = (span.earliest.min(at), span.latest.max(at));
    }

    /// Everything is in a run.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.identities.clear();
        self.late.clear();
        (self.messages, self.span) = (0, None);
    }
}
