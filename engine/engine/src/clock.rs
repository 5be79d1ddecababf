//! What an engine takes the time from.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mllp_pipeline::Now;

/// The clocks of an engine.
#[derive(Clone)]
pub(crate) struct Clock {
    started: Instant,
    wall: Wall,
}

/// What is asked for the time of day.
pub(crate) type Wall = Arc<dyn Fn() -> SystemTime + Send + Sync>;

impl Clock {
    pub(crate) fn new(wall: Wall) -> Self {
        Clock { started: Instant::now(), wall }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = (self.wall)().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { steady: self.started.elapsed().as_millis() as u64, wall: wall.as_millis() as u64 }
    }
}
