//! Which message is written next, and what the host says of the writing.

use mllp_core::Storage;

use super::entry::{Entry, Stage};
use super::{Connection, Initiator};
use crate::recent::Recent;
use crate::submission::Handle;
use crate::timer::Millis;

impl<S: Storage, const WINDOW: usize, const ID: usize> Initiator<S, WINDOW, ID> {
    /// The message to write now, whole and framed, and nothing else before
    /// [`sent`](Initiator::sent). Read what has come and take every event first.
    pub fn next_to_send(&mut self, now: Millis) -> Option<Handle> {
        if self.is_writing() { None } else { self.next_to_send_along(now) }
    }

    /// A further message for the same write, behind the one that
    /// [`next_to_send`](Initiator::next_to_send) gave. For a host that knows how much of what it
    /// has written is still on this side: it calls [`sent`](Initiator::sent) for each of them when
    /// its last byte has left, before it takes in what was read after that.
    pub fn next_to_send_along(&mut self, now: Millis) -> Option<Handle> {
        if self.connection != Connection::Open || self.suspended || self.reconnect {
            return None;
        }
        if self.is_full() || self.is_mid_span() {
            return None;
        }
        // Bytes that came without a question: what they begin could swallow the next reply.
        if self.incoming.scanner().pending() > 0 && !self.entries.iter().any(Entry::in_flight) {
            self.reconnect = self.entries.iter().any(Entry::is_queued);
            return None;
        }
        // In order: a message that waits for its next attempt is not overtaken.
        let entry = self.entries.iter_mut().find(|entry| entry.is_queued())?;
        if !matches!(entry.stage, Stage::Queued(from) if from <= now) {
            return None;
        }
        if could_be_mistaken(entry, &self.recent) {
            self.reconnect = true;
            return None;
        }
        if let Some(spans) = &mut entry.spans {
            spans.begin();
        }
        entry.stage = Stage::Writing(now);
        entry.attempts = entry.attempts.saturating_add(1);
        Some(entry.handle)
    }

    /// The last byte of the message has been written. One that asks for no answer in any case
    /// (MSH-15 and MSH-16) has its verdict now: take the events.
    pub fn sent(&mut self, handle: Handle, now: Millis) {
        let Some(at) = self.being_written(handle) else { return };
        let Some(entry) = self.entries.get_mut(at) else { return };
        // Half a message is not sent, whatever the host says.
        if entry.spans.is_some_and(|spans| !spans.is_complete()) {
            return;
        }
        entry.stage = Stage::Sent(now);
        entry.untouched = false;
        let ends = entry.asks_for_nothing();
        // What leaves after it begins to leave now.
        for next in self.entries.iter_mut().filter(|entry| entry.is_being_written()) {
            next.stage = Stage::Writing(now);
        }
        if ends {
            self.end_unasked(at, now);
        }
    }

    /// No byte of the message being written has left this host, so no receiver can have it.
    ///
    /// Without this, every message that was to be written counts as possibly received. Say it
    /// right before [`disconnected`](Initiator::disconnected) or [`on_time`](Initiator::on_time),
    /// for each message that it is true of: it counts for that call. A message that ends there, and
    /// of which nothing left in an earlier attempt either, is [`Fate::NotSent`](crate::Fate).
    pub fn not_sent(&mut self, handle: Handle) {
        let entry = self.being_written(handle).and_then(|at| self.entries.get_mut(at));
        if let Some(entry) = entry {
            entry.untouched = true;
        }
    }

    pub(super) fn being_written(&self, handle: Handle) -> Option<usize> {
        let written = |entry: &Entry<ID>| entry.is_being_written() && entry.handle == handle;
        self.entries.iter().position(written)
    }

    /// Whether no further message can be written now.
    pub(super) fn is_busy(&self) -> bool {
        self.is_writing() || self.is_full()
    }

    fn is_writing(&self) -> bool {
        self.entries.iter().any(Entry::is_being_written)
    }

    /// Whether as many messages as may be are without a reply.
    fn is_full(&self) -> bool {
        let in_flight = || self.entries.iter().filter(|entry| entry.in_flight());
        // A message without a name takes whatever reply comes, so it travels alone.
        let next = self.entries.iter().find(|entry| entry.is_queued());
        let next_is_nameless = next.is_some_and(is_nameless);
        if in_flight().any(|entry| next_is_nameless || is_nameless(entry)) {
            return true;
        }
        // One that begins with a new connection must not cost the others theirs.
        let parts = next.is_some_and(|entry| could_be_mistaken(entry, &self.recent));
        let unanswered = in_flight().filter(|entry| entry.is_unanswered()).count();
        unanswered >= if parts { 1 } else { self.config.window.max(1) }
    }
}

fn is_nameless<const ID: usize>(entry: &Entry<ID>) -> bool {
    entry.id.is_empty()
}

/// Whether an answer that this connection owes to an earlier message could be taken for one to this
/// message. It then begins with a new connection.
fn could_be_mistaken<const ID: usize>(entry: &Entry<ID>, recent: &Recent) -> bool {
    !entry.asks_for_nothing() && recent.owes(&entry.id)
}
