//! What a responder reports.

use core::fmt;

use ack_gen::Outcome;
use mllp_core::{Deviation, Deviations, Discard, Fault, FrameKind};

use crate::answers::{Refusal, Ticket};
use crate::detect::Protocol;
use crate::timer::Expired;

/// What happened on a connection. No event holds a byte of a payload.
#[derive(Debug, PartialEq, Eq)]
pub enum ResponderEvent {
    /// A complete frame. Its payload is at hand; the ticket is for its one answer.
    Message(Ticket, Arrived),
    /// A message over the limit is to be refused, with [`OverLimit::Refuse`](crate::OverLimit). Its
    /// beginning is at hand; the number is the offset of the first byte over the limit.
    TooLarge(Refusal, u64),
    /// A commit block of MLLP release 2 about an answer.
    Commit {
        /// `06`, not `15`.
        positive: bool,
    },
    /// The sender left the grammar after a frame that had already been delivered.
    Warning {
        /// What the sender did.
        deviation: Deviation,
        /// Stream offset of the byte that showed it.
        offset: u64,
    },
    /// A frame was lost. It is not answered.
    Fault {
        /// Why.
        fault: Fault,
        /// Stream offset of the byte that showed it.
        offset: u64,
    },
    /// Bytes that are in no frame.
    Discard(Discard),
    /// The first bytes of the connection are of another protocol. Reported once, before the
    /// discards of these bytes; whether the connection goes on is for the host to say.
    Protocol(Protocol),
    /// [`Times::send`](crate::Times) ran out and the link was given up: so many places, answered or
    /// not, were not done. At most once, also behind [`Closing`](ResponderEvent::Closing).
    AnswersLost {
        /// How many; with commit blocks a message has two places.
        answers: u32,
    },
    /// Once: nothing more will be delivered. When all answers are sent the connection can be closed:
    /// [`Responder::is_finished`](crate::Responder::is_finished).
    Closing(CloseReason),
}

/// One step of [`Responder::feed`](crate::Responder::feed).
#[derive(PartialEq, Eq)]
pub struct Fed<'c> {
    /// How many bytes of the chunk are done with, whatever the event. The next step takes the rest.
    pub consumed: usize,
    /// What happened. `None`: the chunk is done with, or there is no room for what is left of it.
    pub event: Option<ResponderEvent>,
    /// The payload of a message that lies whole in the chunk. `None`: if there is one,
    /// [`Responder::payload`](crate::Responder::payload) has it.
    pub payload: Option<&'c [u8]>,
}

// Payloads are health data: a debug output shows how many bytes there are, never which.
impl fmt::Debug for Fed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fed")
            .field("consumed", &self.consumed)
            .field("event", &self.event)
            .field("payload_len", &self.payload.map(<[u8]>::len))
            .finish()
    }
}

/// One step of a [`StreamResponder`](crate::StreamResponder).
#[derive(Debug, PartialEq, Eq)]
pub struct StreamStep<'i> {
    /// How many bytes of the input are done with, whatever the event. The next step takes the rest.
    pub consumed: usize,
    /// What happened. `None`: read, send, or wait.
    pub event: Option<StreamEvent<'i>>,
}

/// What happened on a connection whose messages pass by.
#[derive(PartialEq, Eq)]
pub enum StreamEvent<'i> {
    /// A frame begins.
    Start {
        /// Stream offset of the start block.
        offset: u64,
    },
    /// The MSH segment has come whole, or as much of it as is kept. At most once in a frame, behind
    /// the span that ends there; a shorter payload without the end of a segment has none.
    Header,
    /// The next bytes of the payload, MSH included. How it is cut into spans depends on the input;
    /// their concatenation does not.
    Span(&'i [u8]),
    /// The frame is complete: what has come since its start is one message. The ticket is for its
    /// one answer.
    End(Ticket, Arrived),
    /// The frame is lost: what has come since its start is not a message.
    Lost {
        /// A message over the limit is to be refused, with
        /// [`OverLimit::Refuse`](crate::OverLimit). Nothing else that is lost is answered.
        refusal: Option<Refusal>,
        /// Why.
        fault: Fault,
        /// Stream offset of the byte that showed it.
        offset: u64,
    },
    /// A commit block of MLLP release 2 about an answer, in place of [`End`](StreamEvent::End).
    Commit {
        /// `06`, not `15`.
        positive: bool,
    },
    /// As [`ResponderEvent::Warning`].
    Warning {
        /// What the sender did.
        deviation: Deviation,
        /// Stream offset of the byte that showed it.
        offset: u64,
    },
    /// Bytes that are in no frame, among them those of a lost one.
    Discard(Discard),
    /// As [`ResponderEvent::Protocol`].
    Protocol(Protocol),
    /// As [`ResponderEvent::AnswersLost`].
    AnswersLost {
        /// How many; with commit blocks a message has two places.
        answers: u32,
    },
    /// As [`ResponderEvent::Closing`].
    Closing(CloseReason),
}

// Spans are health data: a debug output shows how many bytes there are, never which.
impl fmt::Debug for StreamEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamEvent::Start { offset } => write!(f, "Start {{ offset: {offset} }}"),
            StreamEvent::Header => f.write_str("Header"),
            StreamEvent::Span(bytes) => write!(f, "Span {{ len: {} }}", bytes.len()),
            StreamEvent::End(ticket, arrived) => {
                f.debug_tuple("End").field(ticket).field(arrived).finish()
            }
            StreamEvent::Lost { refusal, fault, offset } => {
                let fault = fault.name();
                write!(f, "Lost {{ {refusal:?}, {fault}, offset: {offset} }}")
            }
            StreamEvent::Commit { positive } => write!(f, "Commit {{ positive: {positive} }}"),
            StreamEvent::Warning { deviation, offset } => {
                write!(f, "Warning {{ {}, offset: {offset} }}", deviation.name())
            }
            StreamEvent::Discard(discard) => discard.fmt(f),
            StreamEvent::Protocol(protocol) => write!(f, "Protocol({})", protocol.name()),
            StreamEvent::AnswersLost { answers } => {
                write!(f, "AnswersLost {{ answers: {answers} }}")
            }
            StreamEvent::Closing(reason) => write!(f, "Closing({})", reason.name()),
        }
    }
}

/// A complete frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Stream offset of the start block.
    pub offset: u64,
    /// What the payload is.
    pub kind: FrameKind,
    /// Where the sender left the grammar.
    pub deviations: Deviations,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// A time ran out.
    Expired(Expired),
    /// The host called `close`.
    Host,
    /// The peer closed its side.
    PeerClosed,
    /// A message was over the limit.
    TooLarge,
}

impl CloseReason {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            CloseReason::Expired(expired) => expired.name(),
            CloseReason::Host => "closed",
            CloseReason::PeerClosed => "end_of_stream",
            CloseReason::TooLarge => "too_large",
        }
    }
}

/// How a message that was lost is refused. There is no positive way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refuse {
    /// AE or CE.
    Error,
    /// AR or CR.
    Reject,
}

impl Refuse {
    pub(crate) const fn outcome(self) -> Outcome {
        match self {
            Refuse::Error => Outcome::Error,
            Refuse::Reject => Outcome::Reject,
        }
    }
}
