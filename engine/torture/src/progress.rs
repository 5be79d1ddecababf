//! A line each minute, so that a long run can be seen to go on.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(60);

/// How far a plan has come.
pub(crate) struct Progress {
    begin: Instant,
    seconds: u64,
    next: Mutex<Instant>,
}

impl Progress {
    /// Of a plan that begins now.
    pub(crate) fn begin(seconds: u64) -> Progress {
        let begin = Instant::now();
        Progress { begin, seconds, next: Mutex::new(begin + EVERY) }
    }

    /// Prints what has been done, if it is time.
    pub(crate) fn tell(&self, done: impl FnOnce() -> String) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now >= *next {
            *next = now + EVERY;
            let passed = self.begin.elapsed().as_secs();
            println!("  {passed} of {} seconds: {}", self.seconds, done());
        }
    }
}
