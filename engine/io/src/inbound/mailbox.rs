//! Answers for the connection that waits for them.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use tokio::sync::oneshot;

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

/// As what a message was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub message: u64,
    /// The message that it is a duplicate of.
    pub duplicate_of: Option<u64>,
}

/// Where the answer to one message goes. Dropped without an answer it closes the connection: a sender
/// that waits in vain would be worse.
pub struct ReplyTo(Option<Asker>);

/// Who waits for an answer.
enum Asker {
    Connection(Arc<Mailbox>, u32),
    Feed(oneshot::Sender<(Reply, Option<Stored>)>),
}

impl ReplyTo {
    pub(super) fn new(mailbox: Arc<Mailbox>, ticket: u32) -> Self {
        ReplyTo(Some(Asker::Connection(mailbox, ticket)))
    }

    pub(super) fn feed(asker: oneshot::Sender<(Reply, Option<Stored>)>) -> Self {
        ReplyTo(Some(Asker::Feed(asker)))
    }

    /// Answers. Returns at once; the answer leaves when those before it have left.
    pub fn answer(self, reply: Reply) {
        self.answer_as(reply, None);
    }

    /// Answers, and says as what the message was stored, if it was. Only a [`Feed`](crate::Feed) hears
    /// of that.
    pub fn answer_as(mut self, reply: Reply, stored: Option<Stored>) {
        self.put(reply, stored);
    }

    fn put(&mut self, reply: Reply, stored: Option<Stored>) {
        match self.0.take() {
            Some(Asker::Connection(mailbox, ticket)) => mailbox.put(ticket, reply),
            // Who has asked is gone.
            Some(Asker::Feed(asker)) => drop(asker.send((reply, stored))),
            None => {}
        }
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        self.put(Reply::Close, None);
    }
}

/// The answers for one connection.
#[derive(Default)]
pub(super) struct Mailbox(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    replies: Vec<(u32, Reply)>,
    /// The connection is to look around, even if nothing is here.
    woken: bool,
    /// The connection that waits.
    waiting: Option<Waker>,
}

impl Mailbox {
    fn put(&self, ticket: u32, reply: Reply) {
        let mut inside = self.lock();
        inside.replies.push((ticket, reply));
        // The connection takes all at once: one call is enough for as many as come meanwhile.
        let waiting = inside.waiting.take();
        drop(inside);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Takes all that have come, into an empty list. What it was woken for before this is done with.
    pub(super) fn take(&self, into: &mut Vec<(u32, Reply)>) {
        let mut inside = self.lock();
        inside.woken = false;
        std::mem::swap(&mut inside.replies, into);
    }

    /// Has the connection look around.
    pub(super) fn wake(&self) {
        let mut inside = self.lock();
        inside.woken = true;
        let waiting = inside.waiting.take();
        drop(inside);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits until one has come that was not taken, or the connection is woken. Only the task of the
    /// connection waits.
    pub(super) async fn arrived(&self) {
        poll_fn(|cx| {
            let mut inside = self.lock();
            if inside.woken || !inside.replies.is_empty() {
                return Poll::Ready(());
            }
            match &mut inside.waiting {
                Some(waiting) => waiting.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    /// Counts how often a connection is woken.
    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Calls {
        /// Whether something has come; otherwise this one waits from now on.
        fn wait(self: &Arc<Calls>, mailbox: &Mailbox) -> bool {
            let waker = Waker::from(Arc::clone(self));
            pin!(mailbox.arrived()).poll(&mut Context::from_waker(&waker)).is_ready()
        }

        fn count(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn taken(mailbox: &Mailbox) -> Vec<u32> {
        let mut replies = Vec::new();
        mailbox.take(&mut replies);
        replies.into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn an_answer_wakes_the_connection_and_is_here_until_it_is_taken() {
        let (mailbox, calls) = (Arc::<Mailbox>::default(), Arc::<Calls>::default());
        assert!(!calls.wait(&mailbox));
        for number in [7, 8] {
            ReplyTo::new(Arc::clone(&mailbox), number).answer(Reply::NotStored);
        }
        assert_eq!(calls.count(), 1, "the connection takes both at once");
        assert!(calls.wait(&mailbox) && calls.wait(&mailbox));
        assert_eq!(taken(&mailbox), [7, 8]);
        assert!(!calls.wait(&mailbox), "a connection without anything to do would run for ever");
        drop(ReplyTo::new(Arc::clone(&mailbox), 9));
        assert_eq!((calls.count(), taken(&mailbox)), (2, vec![9]));
    }

    #[test]
    fn a_connection_that_is_woken_looks_around_once() {
        let (mailbox, calls) = (Mailbox::default(), Arc::<Calls>::default());
        assert!(!calls.wait(&mailbox));
        mailbox.wake();
        assert_eq!(calls.count(), 1);
        assert!(calls.wait(&mailbox) && calls.wait(&mailbox));
        assert_eq!(taken(&mailbox), []);
        assert!(!calls.wait(&mailbox), "a connection without anything to do would run for ever");
    }

    #[test]
    fn a_call_that_comes_before_the_wait_is_not_missed() {
        let (mailbox, calls) = (Mailbox::default(), Arc::<Calls>::default());
        mailbox.wake();
        assert!(calls.wait(&mailbox));
    }

    #[test]
    fn the_task_that_waits_last_is_woken() {
        let (mailbox, calls) = (Mailbox::default(), [(); 2].map(|()| Arc::<Calls>::default()));
        assert!(!calls[0].wait(&mailbox) && !calls[1].wait(&mailbox));
        mailbox.wake();
        assert_eq!(calls.map(|it| it.count()), [0, 1]);
    }
}
