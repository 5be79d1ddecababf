//! Receiving: listeners, and the messages that come.

mod acknowledge;
mod connection;
mod identity;
mod listener;
mod mailbox;

use std::sync::Arc;

pub use identity::Recognise;
pub use listener::{Gate, Listener, ListenerOptions};
pub use mailbox::{Reply, ReplyTo};

/// Takes what listeners receive, on their threads: it may not block.
pub trait Intake: Send + Sync + 'static {
    /// Takes the messages of one read of a connection, in their order, out of the list.
    fn received(&self, messages: &mut Vec<Incoming>);
}

/// A message that was received whole.
pub struct Incoming {
    /// The number that the listener was given.
    pub listener: u32,
    /// Where the answer goes.
    pub reply_to: ReplyTo,
    /// What the frame held.
    pub payload: Arc<[u8]>,
    /// MSH-10; empty if there is none.
    pub control_id: Box<[u8]>,
    /// MSH-9, such as `ADT^A01^ADT_A01`; empty if there is none.
    pub message_type: Box<[u8]>,
    /// What the receiver's program finds it by. A listener leaves it empty.
    pub indexed: Vec<u64>,
    /// Hash of what it is recognised by; 0 for a message without MSH-10, which cannot be told from
    /// another.
    pub identity: u128,
    /// Hash of MSH-3, 4 and 10; 0 without MSH-10.
    pub name: u64,
    /// The acknowledgment that takes the message over, made before the message is stored so that it
    /// can be stored with it. A message without a header gets AR, and `accepted` is false.
    pub acknowledgment: Box<[u8]>,
    /// Whether that acknowledgment takes the message over.
    pub accepted: bool,
}
