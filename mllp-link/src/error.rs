//! Why an answer was not taken.

use core::fmt;

use crate::answers::{Refusal, Ticket};

/// Why a message could not be answered as the host wanted. Nothing of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// There is no such acknowledgment.
    Ack(ack_gen::Error),
    /// The policy `conformant` has no positive answer for several messages at once.
    Batch,
    /// The link was given up, and its answers with it.
    Closed,
    /// The answer holds framing bytes, or is longer than `max_answer_len` or the memory.
    Frame(mllp_core::Error),
    /// The policy `conformant` cannot read the message.
    Message(hl7_peek::Error),
    /// The payload is no longer at hand; `answer_later` takes it from the host.
    NotAtHand,
}

impl AnswerError {
    /// The stable name, the same in every language: that of the cause where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            AnswerError::Ack(error) => error.name(),
            AnswerError::Batch => "batch",
            AnswerError::Closed => "closed",
            AnswerError::Frame(error) => error.name(),
            AnswerError::Message(error) => error.name(),
            AnswerError::NotAtHand => "not_at_hand",
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerError::Ack(error) => error.fmt(f),
            AnswerError::Batch => f.write_str("a batch has no single positive acknowledgment"),
            AnswerError::Closed => f.write_str("the link was given up"),
            AnswerError::Frame(error) => error.fmt(f),
            AnswerError::Message(error) => error.fmt(f),
            AnswerError::NotAtHand => f.write_str("the payload is no longer at hand"),
        }
    }
}

impl core::error::Error for AnswerError {}

impl From<mllp_core::Error> for AnswerError {
    fn from(error: mllp_core::Error) -> AnswerError {
        AnswerError::Frame(error)
    }
}

impl From<hl7_peek::Error> for AnswerError {
    fn from(error: hl7_peek::Error) -> AnswerError {
        AnswerError::Message(error)
    }
}

impl From<ack_gen::Error> for AnswerError {
    fn from(error: ack_gen::Error) -> AnswerError {
        match error {
            // Too long is too long, whoever writes the answer.
            ack_gen::Error::BufferTooSmall => AnswerError::Frame(mllp_core::Error::BufferTooSmall),
            error => AnswerError::Ack(error),
        }
    }
}

/// A message that was not answered: its ticket is still valid, and an answer still owed.
#[derive(Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The place of the message.
    pub ticket: Ticket,
    /// Why.
    pub error: AnswerError,
}

/// A lost message that was not refused: its place is still kept, and holds up all later answers
/// until it is refused or [left](crate::Responder::leave_unrefused).
#[derive(Debug, PartialEq, Eq)]
pub struct Unrefused {
    /// The place of the message.
    pub refusal: Refusal,
    /// Why.
    pub error: AnswerError,
}
