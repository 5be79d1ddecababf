//! A delivery, as a process has it.

use std::fmt;
use std::io;
use std::sync::Arc;

use mllp_io::Outcome;

use super::inbox::{Arrived, Line, gone};
use super::protocol::FromChild;
use crate::program::cut;

/// The longest note, in bytes.
const NOTE: usize = 256;

/// A message that a process is to deliver. Dropped without an answer it counts as one without a reply:
/// it may have been sent. `Debug` shows no payload.
pub struct Delivery {
    line: Arc<Line>,
    arrived: Arrived,
    /// The piece that is read, from the first byte that was not given out on; and its number.
    piece: Arc<[u8]>,
    from: usize,
    next_piece: u32,
    /// Bytes that were given out.
    given: u64,
    answered: bool,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arrived { message, attempt, len, .. } = self.arrived;
        write!(f, "Delivery(message {message}, attempt {attempt}, {len} bytes)")
    }
}

impl Delivery {
    pub(super) fn new(line: Arc<Line>, arrived: Arrived) -> Delivery {
        let piece = Arc::clone(&arrived.payload);
        Delivery { line, arrived, piece, from: 0, next_piece: 0, given: 0, answered: false }
    }

    /// The number of the message.
    pub const fn message(&self) -> u64 {
        self.arrived.message
    }

    /// MSH-10; empty if there is none.
    pub fn control_id(&self) -> &[u8] {
        &self.arrived.control_id
    }

    /// Counted from 1. Above 1, it may have been sent before.
    pub const fn attempt(&self) -> u32 {
        self.arrived.attempt
    }

    /// Bytes of the payload.
    pub const fn len(&self) -> u64 {
        self.arrived.len
    }

    /// Whether the payload is empty.
    pub const fn is_empty(&self) -> bool {
        self.arrived.len == 0
    }

    /// The next bytes of the payload, at most so many; empty at the end.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: they cannot be read now, or the engine is gone.
    pub fn read(&mut self, size: usize) -> io::Result<&[u8]> {
        if self.given >= self.arrived.len {
            return Ok(&[]);
        }
        if self.from == self.piece.len() {
            self.piece = self.fetch(self.next_piece)?;
            (self.from, self.next_piece) = (0, self.next_piece + 1);
        }
        let from = self.from;
        self.from = self.piece.len().min(from.saturating_add(size));
        self.given += (self.from - from) as u64;
        Ok(&self.piece[from..self.from])
    }

    /// All of the payload, whatever of it was read.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: it cannot be read now, or the engine is gone.
    pub fn payload(&self) -> io::Result<Vec<u8>> {
        if self.is_whole() {
            return Ok(self.arrived.payload.to_vec());
        }
        let mut payload = Vec::new();
        let mut n = 0;
        while (payload.len() as u64) < self.arrived.len {
            payload.extend_from_slice(&self.fetch(n)?);
            n += 1;
        }
        Ok(payload)
    }

    fn is_whole(&self) -> bool {
        self.arrived.payload.len() as u64 == self.arrived.len
    }

    fn fetch(&self, n: u32) -> io::Result<Arc<[u8]>> {
        let number = self.arrived.number;
        self.line.inbox().pieces.remove(&number);
        self.line.say(&FromChild::More(number, n))?;
        let piece = self.line.wait(|inbox| match inbox.pieces.remove(&number) {
            Some(piece) => Some(Ok(piece)),
            None if inbox.gone => Some(Err(gone())),
            None => None,
        })?;
        // An empty piece would be asked for without an end.
        piece.filter(|it| !it.is_empty()).ok_or_else(|| io::Error::other("it cannot be read now"))
    }

    /// Says what has become of it. The note goes into the journey of the message, and holds nothing of
    /// the payload; longer than 256 bytes, it is cut.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: it is answered already, or the engine is gone.
    pub fn answer(&mut self, outcome: Outcome, note: &str) -> io::Result<()> {
        if std::mem::replace(&mut self.answered, true) {
            return Err(io::Error::other("the delivery is answered already"));
        }
        self.line.say(&FromChild::Done(self.arrived.number, outcome, cut(note, NOTE)))
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.answered {
            let _ = self.answer(Outcome::NoReply, "the connector did not say what became of it");
        }
    }
}
