//! Answers in the order of the messages, whatever the order in which they are finished.

use core::fmt;

use heapless::Deque;
use mllp_core::{Error, Storage};

use crate::error::AnswerError;

/// The place of one message among the answers.
///
/// There is one for each complete frame and none for anything else, it cannot be copied, and giving
/// an answer takes it: no frame is answered twice, and nothing that is not a complete frame is ever
/// answered positively.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a message without an answer holds up all later answers"]
pub struct Ticket {
    pub(crate) number: u32,
}

impl Ticket {
    /// The place among the answers of the connection, counted from 0 and wrapping. Compare it with
    /// [`Responder::settled`](crate::Responder::settled); with commit blocks a message has two
    /// places, and this is the second.
    pub const fn number(&self) -> u32 {
        self.number
    }
}

/// The place of a message that was lost, over the limit or without its end: it can be refused, never
/// accepted.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a message without an answer holds up all later answers"]
pub struct Refusal {
    pub(crate) number: u32,
}

impl Refusal {
    /// The place among the answers of the connection: see [`Ticket::number`].
    pub const fn number(&self) -> u32 {
        self.number
    }
}

#[derive(Clone, Copy, Debug)]
enum Slot {
    /// The host has not answered yet.
    Waiting,
    /// The answer is in the storage. `held` answers wait for the rest of their frame.
    Stored { span: Span, held: bool },
    /// The message gets no answer.
    Silent,
}

/// Where an answer lies in the storage. There is one for every message of a window, so each is small;
/// no storage of answers is longer than 4 GB.
#[derive(Clone, Copy, Debug)]
struct Span {
    at: u32,
    len: u32,
}

impl Span {
    fn new(at: usize, len: usize) -> Option<Span> {
        Some(Span { at: u32::try_from(at).ok()?, len: u32::try_from(len).ok()? })
    }

    fn at(self) -> usize {
        self.at as usize
    }

    fn len(self) -> usize {
        self.len as usize
    }

    fn end(self) -> usize {
        self.at().saturating_add(self.len())
    }
}

/// Storage for answers that wait for their turn or for the socket.
///
/// Room for the longest answer is kept free for every message that is waiting, so that an answer
/// always fits once its message was taken. Storage that grows does so when an answer needs it.
pub(crate) struct Answers<T, const WINDOW: usize> {
    storage: T,
    slots: Deque<Slot, WINDOW>,
    /// Number of the message in the first slot.
    first: u32,
    /// How many slots are waiting.
    waiting: usize,
    /// Bytes of all stored answers, those included that the socket has taken of the first.
    stored: usize,
    /// No stored answer lies behind this place in the storage.
    end: usize,
    /// Bytes of the first slot that the socket has taken.
    sent: usize,
    max_len: usize,
    /// The storage has grown since it was last told that it may shrink.
    grown: bool,
}

/// The first attempt at an answer of unknown length, in bytes: hardly one is longer.
pub(crate) const USUAL_LEN: usize = 1024;

impl<T: Storage, const WINDOW: usize> Answers<T, WINDOW> {
    pub(crate) fn new(storage: T, max_len: usize) -> Self {
        Answers {
            storage,
            slots: Deque::new(),
            first: 0,
            waiting: 0,
            stored: 0,
            end: 0,
            sent: 0,
            max_len,
            grown: false,
        }
    }

    /// The longest answer in bytes.
    pub(crate) fn max_len(&self) -> usize {
        self.max_len
    }

    /// Whether there is room for `more` answers of any length.
    pub(crate) fn has_room(&self, more: usize) -> bool {
        let count = self.waiting.saturating_add(more);
        let needed = self.stored.saturating_add(count.saturating_mul(self.max_len));
        self.slots.len().saturating_add(more) <= WINDOW && needed <= self.storage.max_len()
    }

    /// How many messages the host has not answered yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether every message is answered and every answer sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A place behind all others. `None` without room: see [`has_room`](Answers::has_room).
    pub(crate) fn open(&mut self) -> Option<u32> {
        if !self.has_room(1) {
            return None;
        }
        let number = self.first.wrapping_add(self.slots.len() as u32);
        self.slots.push_back(Slot::Waiting).ok()?;
        self.waiting = self.waiting.saturating_add(1);
        Some(number)
    }

    /// Stores an answer that `write` puts into the room it gets: `len` bytes or more, as long as
    /// there is memory, and never more than the longest answer. It is asked again with more room
    /// when that is too small.
    pub(crate) fn store(
        &mut self,
        number: u32,
        held: bool,
        len: usize,
        write: impl Fn(&mut [u8]) -> Result<usize, AnswerError>,
    ) -> Result<(), AnswerError> {
        const TOO_SMALL: AnswerError = AnswerError::Frame(Error::BufferTooSmall);
        if self.slot(number).is_none() {
            return Err(AnswerError::Closed);
        }
        if len > self.max_len {
            return Err(TOO_SMALL);
        }
        let (mut want, max_len) = (len, self.max_len);
        loop {
            let at = self.make_room(want);
            let room = self.storage.as_mut().get_mut(at..).unwrap_or_default();
            let len = room.len().min(max_len);
            match write(room.get_mut(..len).unwrap_or_default()) {
                Ok(len) => {
                    let span = Span::new(at, len).ok_or(TOO_SMALL)?;
                    self.put(number, Slot::Stored { span, held });
                    self.end = span.end();
                    return Ok(());
                }
                Err(TOO_SMALL) if want < max_len => {
                    want = want.max(len).max(1).saturating_mul(2).min(max_len);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the host has not answered this one yet.
    pub(crate) fn is_waiting(&mut self, number: u32) -> bool {
        matches!(self.slot(number), Some(Slot::Waiting))
    }

    /// Whether an answer to this one would leave next, and nothing waits for the socket.
    pub(crate) fn is_turn(&self, number: u32) -> bool {
        number == self.first && matches!(self.slots.front(), Some(Slot::Waiting))
    }

    /// The first one has been answered past the storage, and is done.
    pub(crate) fn pass(&mut self) {
        self.silence(self.first);
    }

    /// The message gets no answer.
    pub(crate) fn silence(&mut self, number: u32) {
        self.put(number, Slot::Silent);
        self.settle();
    }

    /// Forgets everything, because nobody will take it, and returns how many places were not done.
    /// They do not count as settled.
    pub(crate) fn clear(&mut self) -> u32 {
        let done = self.slots.iter().filter(|slot| matches!(slot, Slot::Silent)).count();
        let lost = self.slots.len().saturating_sub(done);
        self.slots.clear();
        (self.waiting, self.stored, self.end, self.sent) = (0, 0, 0, 0);
        self.give_back();
        lost as u32
    }

    /// Number of the first place that is not done.
    pub(crate) fn settled(&self) -> u32 {
        self.first
    }

    /// The frames of all held answers have ended.
    pub(crate) fn release(&mut self) {
        for slot in &mut self.slots {
            if let Slot::Stored { held, .. } = slot {
                *held = false;
            }
        }
    }

    /// Bytes for the socket: the answers that are finished up to the first that is not.
    pub(crate) fn outgoing(&self) -> &[u8] {
        let Some(&Slot::Stored { span: first, held: false }) = self.slots.front() else {
            return &[];
        };
        let mut end = first.end();
        for slot in self.slots.iter().skip(1) {
            match *slot {
                // Answers given in order lie one behind the other and leave together.
                Slot::Stored { span, held: false } if span.at() == end => end = span.end(),
                _ => break,
            }
        }
        self.storage.as_ref().get(first.at().saturating_add(self.sent)..end).unwrap_or_default()
    }

    /// Whether there are bytes for the socket.
    pub(crate) fn sends(&self) -> bool {
        let front = self.slots.front();
        matches!(front, Some(Slot::Stored { span, held: false }) if span.len() > self.sent)
    }

    /// The socket has taken `len` bytes.
    pub(crate) fn sent(&mut self, len: usize) {
        self.sent = self.sent.saturating_add(len);
        self.settle();
        self.give_back();
    }

    /// Storage that has grown may shrink when no answer is in it.
    fn give_back(&mut self) {
        if self.grown && self.stored == 0 {
            self.grown = false;
            self.storage.shrink();
        }
    }

    /// Removes what is done from the front.
    fn settle(&mut self) {
        while let Some(slot) = self.slots.front() {
            match *slot {
                Slot::Stored { span, held: false } if self.sent >= span.len() => {
                    self.sent -= span.len();
                    self.stored = self.stored.saturating_sub(span.len());
                }
                Slot::Silent => {}
                _ => return,
            }
            let _ = self.slots.pop_front();
            self.first = self.first.wrapping_add(1);
            if self.stored == 0 {
                self.end = 0;
            }
        }
    }

    fn slot(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(number.wrapping_sub(self.first) as usize)
    }

    /// What has become of one message; the totals go with it.
    fn put(&mut self, number: u32, now: Slot) {
        let Some(slot) = self.slot(number) else { return };
        match core::mem::replace(slot, now) {
            Slot::Waiting => self.waiting = self.waiting.saturating_sub(1),
            Slot::Stored { span, .. } => self.stored = self.stored.saturating_sub(span.len()),
            Slot::Silent => {}
        }
        match now {
            Slot::Waiting => self.waiting = self.waiting.saturating_add(1),
            Slot::Stored { span, .. } => self.stored = self.stored.saturating_add(span.len()),
            Slot::Silent => {}
        }
    }

    /// Makes room for `want` bytes behind all stored answers and returns where it is.
    fn make_room(&mut self, want: usize) -> usize {
        if self.end.saturating_add(want) <= self.storage.as_ref().len() {
            return self.end;
        }
        // Without gaps between them there is nothing to move.
        let end = if self.end == self.stored { self.end } else { self.compact() };
        let needed = end.saturating_add(want).min(self.storage.max_len());
        if needed > self.storage.as_ref().len() {
            self.storage.grow(needed);
            self.grown = true;
        }
        end
    }

    /// Moves the stored answers to the front of the storage, in the order in which they lie there,
    /// and returns where they end.
    fn compact(&mut self) -> usize {
        let mut end = 0usize;
        loop {
            let next = self.slots.iter_mut().filter_map(|slot| match slot {
                Slot::Stored { span, .. } if span.at() >= end => Some(span),
                _ => None,
            });
            let Some(span) = next.min_by_key(|span| span.at()) else { return end };
            let from = span.at().saturating_sub(end);
            if let Some(bytes) = self.storage.as_mut().get_mut(end..span.end())
                && from <= bytes.len()
            {
                bytes.copy_within(from.., 0);
            }
            // No higher than it was.
            span.at = end as u32;
            end = span.end();
            if span.len == 0 {
                return end;
            }
        }
    }
}

// Answers quote their messages: a debug output shows their lengths, never their bytes.
impl<T, const WINDOW: usize> fmt::Debug for Answers<T, WINDOW> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("slots", &self.slots)
            .field("first", &self.first)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
