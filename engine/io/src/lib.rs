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
mod allow;
mod certificates;
mod clock;
mod inbound;
mod outbound;
mod socket;
mod storage;
mod tls;
mod transport;

pub use ack_gen::Policy;
pub use allow::{Network, NetworkError};
pub use certificates::Certificates;
pub use hl7_peek::Scan;
pub use inbound::{
    AckMode, CHUNK, Chunk, ContentType, Feed, FeedOptions, Gate, Incident, Incoming, Intake,
    Listener, ListenerOptions, Payload, Recognise, Reply, ReplyTo, Stored, Submitted, TurnedAway,
    WHOLE,
};
pub use mllp_core::{Fault, Framing, Profile};
pub use mllp_link::{Expired, OverLimit, Protocol, Rules, Times};
pub use outbound::{
    Content, Dialect, Loss, Note, Outcome, PieceTo, ReplyAction, ReplyActions, ReplyEnd, Report,
    Reports, Sender, SenderOptions, Senders, Source, read_piece,
};
pub use tls::{CertificateFiles, ClientCertificates, ListenerTls, SenderTls, TlsError, TlsVersion};
