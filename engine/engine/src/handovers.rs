//! How the deliveries of one sender are handed over, and which of them are forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How the deliveries of one sender are handed over.
#[derive(Default)]
pub(crate) struct Handovers {
    /// Those that have to be read first, or come after one that has.
    pub(crate) reading: usize,
    /// Of what is handed over now.
    pub(crate) generation: u64,
    /// Earlier generations are forgotten: nothing that is told of them is heard.
    pub(crate) forgotten_below: Arc<AtomicU64>,
}

impl Handovers {
    /// Forgets everything that was handed over; returns the new generation.
    pub(crate) fn forget(&mut self) -> u64 {
        self.generation += 1;
        self.forgotten_below.store(self.generation, Ordering::Release);
        self.generation
    }

    pub(crate) fn is_forgotten(&self, generation: u64) -> bool {
        generation < self.forgotten_below.load(Ordering::Relaxed)
    }
}
