//! What each thread that runs functions is at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mllp_pipeline::{LaneId, MessageId};

/// A function that runs on a message.
#[derive(Clone, Copy)]
pub(crate) struct Seated {
    /// The lane of the inbound whose router it is, or of the handler.
    pub(crate) lane: LaneId,
    pub(crate) message: MessageId,
    pub(crate) since: Instant,
}

/// The place of one thread.
#[derive(Default)]
pub(crate) struct Seat(Mutex<Option<Seated>>);

impl Seat {
    fn lock(&self) -> MutexGuard<'_, Option<Seated>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The function of this lane begins with a message.
    pub(crate) fn begins(&self, lane: LaneId, message: MessageId) {
        *self.lock() = Some(Seated { lane, message, since: Instant::now() });
    }

    pub(crate) fn rises(&self) {
        *self.lock() = None;
    }
}

/// The places of all threads.
#[derive(Clone, Default)]
pub(crate) struct Seats(pub(crate) Vec<Arc<Seat>>);

impl Seats {
    /// For so many threads.
    pub(crate) fn new(threads: usize) -> Seats {
        Seats((0..threads).map(|_| Arc::default()).collect())
    }

    /// What runs on this message, if anything does.
    pub(crate) fn of(&self, message: MessageId) -> Option<Seated> {
        self.0.iter().filter_map(|it| *it.lock()).find(|it| it.message == message)
    }
}
