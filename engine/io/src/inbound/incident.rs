//! What a peer does that brings no message: the reason of a silence that somebody looks for.

use std::fmt;

use mllp_core::{Discard, DiscardReason, Fault};
use mllp_link::{CloseReason, Expired, Protocol, StreamEvent};

/// What a peer has done, or what has become of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// It begins as another protocol does.
    Protocol(Protocol),
    /// A frame has not become a message.
    Lost(Fault),
    /// So many bytes were in no frame, and not all of them blank.
    Outside(u64),
    /// It has left before so many answers.
    AnswersLost(u32),
    /// It was too slow, and its connection was closed.
    Expired(Expired),
}

impl Incident {
    /// What an event tells of the peer, if it is not how things go every day.
    pub(super) fn of(event: &StreamEvent<'_>) -> Option<Incident> {
        Some(match event {
            StreamEvent::Protocol(protocol) if !protocol.is_mllp() => Incident::Protocol(*protocol),
            // A message over the limit is recorded as a message.
            StreamEvent::Lost { fault, .. } if *fault != Fault::TooLarge => Incident::Lost(*fault),
            StreamEvent::Discard(Discard {
                len,
                why: DiscardReason::Outside,
                blank: false,
                ..
            }) => Incident::Outside(*len),
            StreamEvent::AnswersLost { answers } => Incident::AnswersLost(*answers),
            // That nothing comes for a while is what `idle` is set for.
            StreamEvent::Closing(CloseReason::Expired(expired)) if *expired != Expired::Idle => {
                Incident::Expired(*expired)
            }
            _ => return None,
        })
    }

    /// The place of its kind among all kinds.
    pub(super) const fn kind(self) -> u8 {
        match self {
            Incident::Protocol(_) => 0,
            Incident::Lost(_) => 1,
            Incident::Outside(_) => 2,
            Incident::AnswersLost(_) => 3,
            Incident::Expired(_) => 4,
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incident::Protocol(it) => {
                write!(f, "it begins as another protocol does: {}", it.name())
            }
            Incident::Lost(fault) => write!(f, "a frame is lost: {}", fault.name()),
            Incident::Outside(len) => write!(f, "{len} bytes are in no frame"),
            Incident::AnswersLost(answers) => write!(f, "it left before {answers} answers"),
            Incident::Expired(expired) => write!(f, "it was too slow: {}", expired.name()),
        }
    }
}
