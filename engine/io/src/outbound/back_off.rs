//! When a partner that cannot be reached is dialed again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Waits that double, from half a second up to half a minute, half of each left to chance: many
/// senders to a partner that was restarted do not all come at once.
#[derive(Default)]
pub(super) struct BackOff {
    attempts: u32,
    chance: RandomState,
}

const FIRST: u64 = 500;
const LONGEST: u64 = 30_000;

impl BackOff {
    pub(super) fn next(&mut self) -> Duration {
        let longest = LONGEST.min(FIRST << self.attempts.min(16));
        self.attempts = self.attempts.saturating_add(1);
        let part = self.chance.hash_one(self.attempts) % (longest / 2);
        Duration::from_millis(longest - part)
    }

    pub(super) const fn succeeded(&mut self) {
        self.attempts = 0;
    }
}
