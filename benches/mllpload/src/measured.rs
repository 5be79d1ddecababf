//! What the answers were, and how long they took.

use std::io;
use std::time::Instant;

use hdrhistogram::Histogram;

use crate::connection::Unanswered;
use crate::template::Template;

/// Longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 120_000_000_000;

pub struct Measured {
    epoch: Instant,
    latencies: Histogram<u64>,
    /// After the warm-up.
    pub is_on: bool,
    pub answers: u64,
    /// Of the whole run, warm-up included.
    pub bad: u64,
    pub errors: u64,
    pub last_answer: u64,
}

impl Measured {
    pub fn new() -> io::Result<Self> {
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3).map_err(io::Error::other)?;
        Ok(Self {
            epoch: Instant::now(),
            latencies,
            is_on: false,
            answers: 0,
            bad: 0,
            errors: 0,
            last_answer: 0,
        })
    }

    /// Nanoseconds since the start.
    pub fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    /// Counts one answer, read at `now`.
    pub fn take(&mut self, frame: &[u8], message: Option<Unanswered>, now: u64) {
        self.last_answer = now;
        let Some(message) = message else {
            self.bad += 1;
            return;
        };
        if self.is_on {
            self.answers += 1;
            self.latencies.saturating_record(now.saturating_sub(message.at).max(1));
        }
        if !Template::accepts(frame, message.id) {
            if self.bad == 0 {
                let answer = frame.escape_ascii();
                eprintln!("mllpload: first bad answer, to message {}: {answer}", message.id);
            }
            self.bad += 1;
        }
    }

    /// A latency in microseconds.
    pub fn quantile(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1e3
    }
}
