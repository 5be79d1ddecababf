//! What is sent: bytes in memory, or bytes that are read when it is their turn.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::queue::Queue;

/// The payload of a delivery.
#[derive(Clone)]
pub enum Content {
    /// All of it.
    Whole(Arc<[u8]>),
    /// Its beginning. The rest is read piece by piece while it is sent, so that it never lies in
    /// memory whole.
    Pieces {
        /// The first bytes: the first segment at least.
        beginning: Arc<[u8]>,
        /// Bytes in all of it.
        len: u64,
        /// Where all of it can be read, the beginning included.
        source: Arc<dyn Source>,
    },
}

impl From<Arc<[u8]>> for Content {
    fn from(payload: Arc<[u8]>) -> Self {
        Content::Whole(payload)
    }
}

/// Reads a payload that is not in memory. It is asked on the sender's thread: it may not block.
pub trait Source: Send + Sync {
    /// Has the piece with this number read, counted from 0 and in order.
    fn read(&self, n: u32, to: PieceTo);
}

/// Where a piece goes that was asked for. Dropped, it says that the piece cannot be read.
pub struct PieceTo(Option<Asker>);

/// Who has asked for a piece.
enum Asker {
    /// A sender, with the number of its question.
    Sender(Arc<Queue>, u64),
    Task(oneshot::Sender<Arc<[u8]>>),
}

impl PieceTo {
    pub(super) fn new(queue: Arc<Queue>, question: u64) -> Self {
        PieceTo(Some(Asker::Sender(queue, question)))
    }

    /// Gives the bytes. Returns at once.
    pub fn give(mut self, bytes: Arc<[u8]>) {
        match self.0.take() {
            Some(Asker::Sender(queue, question)) => queue.give(question, Some(bytes)),
            // Who has asked is gone.
            Some(Asker::Task(asker)) => drop(asker.send(bytes)),
            None => {}
        }
    }
}

impl Drop for PieceTo {
    fn drop(&mut self) {
        if let Some(Asker::Sender(queue, question)) = self.0.take() {
            queue.give(question, None);
        }
    }
}

/// Has the piece with this number read, and waits for it; `None`: it cannot be read.
pub async fn read_piece(source: &dyn Source, n: u32) -> Option<Arc<[u8]>> {
    let (asker, piece) = oneshot::channel();
    source.read(n, PieceTo(Some(Asker::Task(asker))));
    piece.await.ok()
}
