//! MLLP in and out under tokio: hosts of `mllp-link`, which decides; these move bytes and tell the
//! time.
//!
//! A [`Listener`] gives what it receives to an [`Intake`], each message with a [`ReplyTo`]; the
//! answer may come much later and from any thread, and leaves in the order of the messages. A
//! [`Sender`] is given deliveries and says to its [`Reports`] what became of each. Neither waits for
//! the other side of these traits, so a store that does not commit delays no socket.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod alarm;
mod clock;
mod inbound;
mod outbound;
mod storage;

pub use inbound::{
    CHUNK, Chunk, Gate, Incoming, Intake, Listener, ListenerOptions, Payload, Recognise, Reply,
    ReplyTo, WHOLE,
};
pub use outbound::{
    Content, Loss, Note, Outcome, PieceTo, Report, Reports, Sender, SenderOptions, Senders, Source,
};
