//! Waking up for a deadline.

use std::pin::Pin;

use mllp_link::Millis;
use tokio::time::{Instant, Sleep};

use crate::clock;

/// A timer that is set again only when it would ring too late.
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    set: Option<Millis>,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Alarm { sleep: Box::pin(tokio::time::sleep_until(Instant::now())), set: None }
    }

    /// Rings at that time or before it; the caller looks at the time.
    pub(crate) async fn rings(&mut self, at: Option<Millis>) {
        let Some(at) = at else { return std::future::pending().await };
        if self.set.is_none_or(|set| set > at) {
            self.sleep.as_mut().reset(clock::at(at));
            self.set = Some(at);
        }
        self.sleep.as_mut().await;
        self.set = None;
    }
}
