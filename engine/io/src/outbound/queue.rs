//! What a sender is told, from any thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Content;

/// A delivery.
pub(super) struct Delivery {
    pub(super) number: u64,
    pub(super) generation: u64,
    pub(super) content: Content,
}

/// A piece that was asked for; `None`: it cannot be read.
pub(super) type Piece = Option<Arc<[u8]>>;

/// Deliveries, pieces of them and orders that the sender has not taken yet.
#[derive(Default)]
pub(super) struct Queue {
    told: Mutex<Told>,
    arrived: Notify,
}

#[derive(Default)]
pub(super) struct Told {
    pub(super) deliveries: Vec<Delivery>,
    /// The piece that was asked for, with the number of the question.
    pub(super) piece: Option<(u64, Piece)>,
    /// Deliveries of earlier generations are not taken.
    generation: u64,
    /// Forget everything given before, without a report.
    pub(super) abandon: bool,
    pub(super) stop: bool,
    /// Whether the connection is to be closed, and none opened.
    pub(super) closed: bool,
    /// Do not wait any longer before the next dial.
    pub(super) dial: bool,
}

impl Queue {
    pub(super) fn deliver(&self, delivery: Delivery) {
        let mut told = self.lock();
        if delivery.generation < told.generation {
            return;
        }
        told.deliveries.push(delivery);
        if told.deliveries.len() == 1 {
            self.arrived.notify_one();
        }
    }

    pub(super) fn give(&self, question: u64, piece: Piece) {
        let mut told = self.lock();
        // An answer to an earlier question is of no use any more.
        if told.piece.as_ref().is_none_or(|(earlier, _)| *earlier < question) {
            told.piece = Some((question, piece));
            self.arrived.notify_one();
        }
    }

    pub(super) fn abandon(&self, generation: u64) {
        let mut told = self.lock();
        told.generation = generation;
        told.deliveries.clear();
        told.abandon = true;
        self.arrived.notify_one();
    }

    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.arrived.notify_one();
    }

    pub(super) fn close(&self, closed: bool) {
        self.lock().closed = closed;
        self.arrived.notify_one();
    }

    pub(super) fn dial(&self) {
        self.lock().dial = true;
        self.arrived.notify_one();
    }

    /// Takes what was told; a stop and the generation stay told, and so does whether it is closed.
    pub(super) fn take(&self) -> Told {
        let mut told = self.lock();
        let Told { stop, closed, generation, .. } = *told;
        std::mem::replace(&mut *told, Told { stop, closed, generation, ..Told::default() })
    }

    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
