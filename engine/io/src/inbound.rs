//! Receiving: listeners, and the messages that come.

mod acknowledge;
mod connection;
mod feed;
mod gate;
mod identity;
mod incident;
mod listener;
mod mailbox;
mod options;
mod upload;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

pub use feed::{Feed, FeedOptions, Submitted};
pub use gate::Gate;
pub use identity::Recognise;
pub use incident::Incident;
pub use listener::Listener;
pub use mailbox::{Reply, ReplyTo, Stored};
pub use options::{AckMode, ContentType, ListenerOptions};
pub use upload::Chunk;

/// A payload above this many bytes is handed over in chunks while it arrives.
pub const WHOLE: usize = 64 * 1024;

/// Bytes of a chunk; the last one of a payload may be shorter.
pub const CHUNK: usize = 256 * 1024;

/// Takes what listeners receive, on their threads: it may not block.
pub trait Intake: Send + Sync + 'static {
    /// Takes the messages of one read of a connection, in their order, out of the list.
    fn received(&self, messages: &mut Vec<Incoming>);

    /// A payload above [`WHOLE`] has begun: returns the number that its chunks are to have. It is
    /// either in a message that [`received`](Intake::received) gets once every chunk is stored, or it
    /// is [given up](Intake::give_up).
    fn begin(&self) -> u64;

    /// Takes the next chunk of such a payload. Its connection hands over two of them at most before
    /// one is stored.
    fn store(&self, chunk: Chunk);

    /// The rest of this payload will not come, or one of its chunks could not be stored: no message
    /// will hold it.
    fn give_up(&self, body: u64);

    /// A connection could not be accepted: the process or the system has no descriptor or memory left
    /// for it. The peer waits, and it is tried again after a pause.
    fn not_accepted(&self, listener: u32, error: &io::Error) {
        let _ = (listener, error);
    }

    /// A peer does what brings no message. Called once for each kind and connection, however often it
    /// happens.
    fn happened(&self, listener: u32, peer: SocketAddr, incident: Incident) {
        let _ = (listener, peer, incident);
    }

    /// A peer was turned away before anything of it was read. Called once for each connection.
    fn turned_away(&self, listener: u32, peer: SocketAddr, why: &TurnedAway) {
        let _ = (listener, peer, why);
    }
}

/// Why a peer was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnedAway {
    /// It comes from none of the networks that may connect.
    NotAllowed,
    /// There are as many connections as there may be.
    TooMany,
    /// The handshake of TLS failed, or took too long.
    Handshake(String),
}

impl std::fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TurnedAway::NotAllowed => f.write_str("its network may not connect"),
            TurnedAway::TooMany => f.write_str("there are as many connections as there may be"),
            TurnedAway::Handshake(why) => write!(f, "the handshake of TLS failed: {why}"),
        }
    }
}

/// A message that was received whole.
pub struct Incoming {
    /// The number that the listener was given.
    pub listener: u32,
    /// Where the answer goes.
    pub reply_to: ReplyTo,
    /// What the frame held.
    pub payload: Payload,
    /// MSH-10; empty if there is none.
    pub control_id: Arc<[u8]>,
    /// MSH-9, such as `ADT^A01^ADT_A01`; empty if there is none.
    pub message_type: Arc<[u8]>,
    /// The address of its sender, such as `10.1.4.17:51022`.
    pub origin: Arc<[u8]>,
    /// What the receiver's program finds it by. A listener leaves it empty.
    pub indexed: Vec<u64>,
    /// Hash of what it is recognised by; 0 for a message without MSH-10, which cannot be told from
    /// another.
    pub identity: u128,
    /// Hash of MSH-3, 4 and 10; 0 without MSH-10.
    pub name: u64,
    /// The acknowledgment that takes the message over, made before the message is stored so that it
    /// can be stored with it. A message without a header or over the limit gets AR, and `accepted` is
    /// false. Empty: it is not answered.
    pub acknowledgment: Arc<[u8]>,
    /// Whether that acknowledgment takes the message over.
    pub accepted: bool,
}

/// The bytes of a message that was received.
#[derive(Clone)]
pub enum Payload {
    /// All of them; of a message over the limit, the first [`WHOLE`] at most.
    Whole(Arc<[u8]>),
    /// They are stored in chunks.
    Stored {
        /// The number that [`Intake::begin`] gave.
        body: u64,
        /// Bytes in all chunks.
        len: u64,
        /// The first of them, [`WHOLE`] at most, up to the last field that is whole.
        beginning: Arc<[u8]>,
    },
}

impl Payload {
    /// The first bytes: all of them, or [`WHOLE`] at most.
    pub fn beginning(&self) -> &[u8] {
        match self {
            Payload::Whole(bytes) | Payload::Stored { beginning: bytes, .. } => bytes,
        }
    }
}
