//! Answers for the connection that waits for them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// What a sender gets.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// This acknowledgment, without framing bytes.
    Acknowledgment(Arc<[u8]>),
    /// A refusal for now, AE: nothing was stored, and sending again is right.
    NotStored,
    /// A refusal for now, AE: it is stored, and was not delivered, or not yet.
    NotDelivered,
    /// Nothing, and the end of the connection: it is unknown whether the message was stored.
    Close,
}

/// Where the answer to one message goes. Dropped without an answer it closes the connection: a sender
/// that waits in vain would be worse.
pub struct ReplyTo {
    mailbox: Arc<Mailbox>,
    ticket: u32,
    answered: bool,
}

impl ReplyTo {
    pub(super) fn new(mailbox: Arc<Mailbox>, ticket: u32) -> Self {
        ReplyTo { mailbox, ticket, answered: false }
    }

    /// Answers. Returns at once; the answer leaves when those before it have left.
    pub fn answer(mut self, reply: Reply) {
        self.answered = true;
        self.mailbox.put(self.ticket, reply);
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        if !self.answered {
            self.mailbox.put(self.ticket, Reply::Close);
        }
    }
}

/// The answers for one connection.
#[derive(Default)]
pub(super) struct Mailbox {
    replies: Mutex<Vec<(u32, Reply)>>,
    arrived: Notify,
}

impl Mailbox {
    fn put(&self, ticket: u32, reply: Reply) {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        replies.push((ticket, reply));
        // The connection takes all at once: one call is enough for as many as come meanwhile.
        if replies.len() == 1 {
            self.arrived.notify_one();
        }
    }

    /// Takes all that have come, into an empty list.
    pub(super) fn take(&self, into: &mut Vec<(u32, Reply)>) {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *replies, into);
    }

    /// Has the connection look around.
    pub(super) fn wake(&self) {
        self.arrived.notify_one();
    }

    /// Waits until one has come that was not taken, or the connection is woken.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}
