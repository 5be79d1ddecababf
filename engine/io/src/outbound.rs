//! Sending: one connection to a partner, and what becomes of each delivery.

mod actions;
mod back_off;
mod content;
mod options;
mod plain;
mod queue;
mod sender;
mod senders;
mod verdict;
mod wire;

pub use actions::{Dialect, ReplyAction, ReplyActions, ReplyEnd};
pub use content::{Content, PieceTo, Source, read_piece};
pub use options::SenderOptions;
pub use sender::Sender;
pub use senders::Senders;

/// Hears what became of deliveries, on the sender's thread: it may not block.
pub trait Reports: Send + Sync + 'static {
    /// Takes reports out of the list, in the order in which they became known.
    fn reported(&self, sender: u32, reports: &mut Vec<Report>);

    /// Whether the partner can be reached, as far as is known. While it cannot, deliveries are not
    /// taken: the sender dials by itself.
    fn ready(&self, sender: u32, ready: bool);

    /// A connection is open.
    fn connected(&self, _sender: u32) {}

    /// A connection could not be opened, or is over. Called before [`ready`](Reports::ready).
    fn lost(&self, _sender: u32, _why: Loss) {}

    /// The partner is dialed again after this, as it could not be reached.
    fn dials(&self, _sender: u32, _after: std::time::Duration) {}
}

/// Why there is no connection, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It could not be opened, the handshake of TLS included.
    NotReached(String),
    /// It broke.
    Broken(std::io::ErrorKind),
    /// The partner has closed it.
    Closed,
    /// The partner has ended it because it does not believe our certificate. With TLS 1.3 that comes
    /// after the handshake.
    NotBelieved(String),
    /// It was given up: an answer did not come, or what came is none.
    GivenUp,
    /// Who delivers in its place says that it cannot, or has ended.
    NotReady(String),
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Loss::NotReached(why) => write!(f, "not reached: {why}"),
            Loss::Broken(why) => write!(f, "broken: {why}"),
            Loss::NotBelieved(why) => write!(f, "our certificate is refused: {why}"),
            Loss::Closed => f.write_str("closed by the partner"),
            Loss::NotReady(why) => f.write_str(why),
            Loss::GivenUp => f.write_str("given up without an answer"),
        }
    }
}

/// What became of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number it was given with.
    pub number: u64,
    /// The generation it was given with.
    pub generation: u64,
    /// Milliseconds from the first byte out to the end.
    pub milliseconds: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// What the partner said, such as `AE lab system busy`; empty if nothing.
    pub note: Note,
    /// What [`SenderOptions::actions`] makes of it; `None`: the outcome decides.
    pub action: Option<ReplyAction>,
}

/// A partner's words. `Debug` shows the length alone: they may quote a patient's data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Note(pub String);

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({} bytes)", self.0.len())
    }
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The partner took it, in an answer of its own, or was not asked to say so.
    Delivered,
    /// AR or CR.
    RefusedForGood,
    /// AE or CE.
    RefusedForNow,
    /// The connection could not be opened, or was lost before an answer.
    Transport,
    /// The partner does not believe our certificate.
    Credential,
    /// No answer of its own came in time; a foreign or a late one is none.
    NoReply,
    /// It cannot be sent as a frame, or its MSH-10 is too long to match an answer with.
    Unsendable,
    /// Its bytes cannot be read.
    Unreadable,
}
