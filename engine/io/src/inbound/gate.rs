//! What all connections of an intake share: whether they may read, and how much of large messages may
//! be in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, watch};

/// Chunks of all connections together that may be handed over and not stored: 16 MiB.
const CHUNKS: usize = 64;

/// Says whether connections may read. Clones belong together.
#[derive(Clone, Debug)]
pub struct Gate {
    open: watch::Sender<bool>,
    refuses_large: Arc<AtomicBool>,
    breaks_off_large: Arc<AtomicBool>,
    chunks: Arc<Semaphore>,
}

impl Gate {
    /// An open gate.
    pub fn new() -> Gate {
        Gate::sharing(Arc::new(Semaphore::new(CHUNKS)))
    }

    /// Another open gate, for connections that share the memory for large messages with those of this
    /// one.
    pub fn beside(&self) -> Gate {
        Gate::sharing(Arc::clone(&self.chunks))
    }

    fn sharing(chunks: Arc<Semaphore>) -> Gate {
        let (refuses_large, breaks_off_large) = Default::default();
        Gate { open: watch::Sender::new(true), refuses_large, breaks_off_large, chunks }
    }

    /// Opens it, or closes it: what has been read is still answered, and peers feel that nothing
    /// more is.
    pub fn set(&self, open: bool) {
        self.open.send_if_modified(|it| std::mem::replace(it, open) != open);
    }

    /// Says whether payloads above [`WHOLE`](crate::WHOLE) that begin from now on are refused as not
    /// stored, before anything of them is handed over.
    pub fn refuse_large(&self, refuses: bool) {
        self.refuses_large.store(refuses, Ordering::Release);
    }

    /// Says whether those that have begun are refused as well: nothing more of them is handed over.
    pub fn break_off_large(&self, breaks_off: bool) {
        self.breaks_off_large.store(breaks_off, Ordering::Release);
    }

    pub(super) fn breaks_off_large(&self) -> bool {
        self.breaks_off_large.load(Ordering::Acquire)
    }

    pub(super) fn refuses_large(&self) -> bool {
        self.refuses_large.load(Ordering::Acquire)
    }

    /// Tells when it is opened or closed.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
    }

    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// A permit for each chunk that is handed over.
    pub(super) fn chunks(&self) -> &Arc<Semaphore> {
        &self.chunks
    }
}

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}
