//! When a partner that cannot be reached is dialed again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Waits that double up to the longest, half of each left to chance: many senders to a partner that
/// was restarted do not all come at once.
pub(super) struct BackOff {
    first: Duration,
    longest: Duration,
    attempts: u32,
    chance: RandomState,
}

impl BackOff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        BackOff { first, longest, attempts: 0, chance: RandomState::new() }
    }

    pub(super) fn next(&mut self) -> Duration {
        let longest = self.longest.min(self.first * (1 << self.attempts.min(16)));
        self.attempts = self.attempts.saturating_add(1);
        let half = u64::try_from(longest.as_millis() / 2).unwrap_or(u64::MAX).max(1);
        longest.saturating_sub(Duration::from_millis(self.chance.hash_one(self.attempts) % half))
    }

    pub(super) const fn succeeded(&mut self) {
        self.attempts = 0;
    }
}
