//! Messages that are lent where they lie, in a buffer of the host's.

use mllp_core::{Decoded, Received, Storage};

use super::{Stored, detach};
use crate::answering::Answering;
use crate::event::Fed;
use crate::timer::Millis;

impl<S: Storage, T: Storage, const WINDOW: usize> Answering<Stored<S>, T, WINDOW> {
    /// Takes bytes from a buffer of the host's up to the next event, and copies none of a message
    /// that lies whole in it.
    ///
    /// Call it again with what `consumed` leaves of the chunk until the event is `None`. What is left
    /// then there is no room for: it comes first when there is. Answer such a message with
    /// [`answer_now`](Self::answer_now) or [`answer_later`](Self::answer_later), which are given the
    /// payload.
    pub fn feed<'c>(&mut self, chunk: &'c [u8], now: Millis) -> Fed<'c> {
        if chunk.is_empty() || !self.wants_input() {
            return Fed { consumed: 0, event: self.next_event(now), payload: None };
        }
        // The first bytes are shown to the detector once, and the beginning of a message over the
        // limit is kept for its refusal: both take the way through the storage.
        let limit = self.receiving.incoming.scanner().config().max_payload_len;
        if self.conversation.is_undecided_by(chunk) || chunk.len() > limit {
            return self.feed_copied(chunk, now);
        }
        self.conversation.recognise(chunk);
        let fed = self.feed_borrowed(chunk);
        if fed.consumed > 0 {
            self.conversation.read(now);
        }
        self.watch(now);
        fed
    }

    fn feed_copied<'c>(&mut self, chunk: &'c [u8], now: Millis) -> Fed<'c> {
        let mut consumed = 0usize;
        loop {
            let taken = self.receive(chunk.get(consumed..).unwrap_or_default(), now);
            consumed = consumed.saturating_add(taken);
            let event = self.next_event(now);
            if event.is_some() || taken == 0 {
                return Fed { consumed, event, payload: None };
            }
        }
    }

    fn feed_borrowed<'c>(&mut self, chunk: &'c [u8]) -> Fed<'c> {
        self.conversation.drop_payload();
        if let Some(notice) = self.conversation.notice() {
            return Fed { consumed: 0, event: Some(notice.into()), payload: None };
        }
        let Some(Decoded { consumed, event }) = self.receiving.incoming.feed_in_place(chunk) else {
            let Decoded { consumed, event } = self.receiving.incoming.feed(chunk);
            let detached = event.map(detach);
            let event = detached.map(|detached| self.report(detached));
            return Fed { consumed, event, payload: None };
        };
        let payload = match event {
            Some(Received::Frame(frame)) => Some(frame.payload),
            _ => None,
        };
        let event = event.map(|event| self.report(detach(event)));
        if payload.is_some() {
            // Not at hand here: the host has it.
            self.conversation.drop_payload();
        }
        Fed { consumed, event, payload }
    }
}
