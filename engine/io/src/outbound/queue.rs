//! What a sender is told, from any thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A delivery.
pub(super) struct Delivery {
    pub(super) number: u64,
    pub(super) payload: Arc<[u8]>,
}

/// Deliveries and orders that the sender has not taken yet.
#[derive(Default)]
pub(super) struct Queue {
    told: Mutex<Told>,
    arrived: Notify,
}

#[derive(Default)]
pub(super) struct Told {
    pub(super) deliveries: Vec<Delivery>,
    /// Forget everything given before, without a report.
    pub(super) abandon: bool,
    pub(super) stop: bool,
    /// Whether the connection is to be closed, and none opened.
    pub(super) closed: bool,
}

impl Queue {
    pub(super) fn deliver(&self, delivery: Delivery) {
        let mut told = self.lock();
        told.deliveries.push(delivery);
        if told.deliveries.len() == 1 {
            self.arrived.notify_one();
        }
    }

    pub(super) fn abandon(&self) {
        let mut told = self.lock();
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

    /// Takes what was told; a stop stays told, and so does whether it is closed.
    pub(super) fn take(&self) -> Told {
        let mut told = self.lock();
        let Told { stop, closed, .. } = *told;
        std::mem::replace(&mut *told, Told { stop, closed, ..Told::default() })
    }

    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
