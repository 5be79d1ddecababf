//! A payload that is read while it is sent.

use std::sync::Arc;

use mllp_link::{Handle, SpanError};

use super::Wire;
use crate::clock;
use crate::outbound::content::{PieceTo, Source};
use crate::outbound::sender::Life;
use crate::outbound::{Note, Outcome};

/// The message that is being sent piece by piece.
pub(super) struct Streaming {
    pub(super) handle: Handle,
    source: Arc<dyn Source>,
    /// The next piece.
    n: u32,
    /// It was asked for, by this number.
    question: Option<u64>,
}

impl Streaming {
    pub(super) fn begin(handle: Handle, source: Arc<dyn Source>) -> Self {
        Streaming { handle, source, n: 0, question: None }
    }
}

impl Wire {
    /// Puts the next piece out, if it is here, else asks for it.
    pub(super) fn fill_piece(&mut self, life: &mut Life) {
        let Some(streaming) = &mut self.streaming else { return };
        let Some(question) = streaming.question else {
            streaming.question =
                Some(life.ask(|to: PieceTo| streaming.source.read(streaming.n, to)));
            return;
        };
        let Some((_, piece)) = life.piece.take_if(|(answered, _)| *answered == question) else {
            return;
        };
        streaming.question = None;
        let handle = streaming.handle;
        // An empty piece gets the message no further.
        let Some(bytes) = piece.filter(|it| !it.is_empty()) else {
            return self.break_off(life, Outcome::Unreadable, "");
        };
        let framing = life.options.framing;
        match life.link.span(handle, &bytes, clock::now()) {
            Ok(left) => {
                if streaming.n == 0 {
                    self.out.push(framing.start_block());
                }
                streaming.n += 1;
                self.out.extend_from_slice(&bytes);
                if left == 0 {
                    self.out.push(framing.end_block());
                    self.out.extend(framing.trailer());
                    self.ends.push_back((handle, self.out.len()));
                    self.streaming = None;
                }
            }
            // The events say why.
            Err(SpanError::NotWriting) => self.streaming = None,
            // It is not what its beginning has said.
            Err(SpanError::TooLong) => self.break_off(life, Outcome::Unreadable, ""),
            Err(error @ SpanError::Frame(_)) => {
                self.break_off(life, Outcome::Unsendable, error.name());
            }
        }
    }

    /// The message cannot be sent to its end.
    fn break_off(&mut self, life: &mut Life, outcome: Outcome, note: &str) {
        let Some(Streaming { handle, .. }) = self.streaming.take() else { return };
        life.link.break_off(handle);
        let place = life.open.iter().position(|it| it.handle == handle);
        if let Some(open) = place.and_then(|at| life.open.remove(at)) {
            life.ended(&open.name, open.began, outcome, Note(note.to_owned()));
        }
    }
}
