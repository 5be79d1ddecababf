//! The time, as `mllp-link` wants it.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ack_gen::Timestamp;
use mllp_link::Millis;
use tokio::time::Instant;

/// The beginning of time in this process.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// Milliseconds of a clock that never goes back.
pub(crate) fn now() -> Millis {
    origin().elapsed().as_millis() as Millis
}

/// When that clock will say so.
pub(crate) fn at(time: Millis) -> Instant {
    origin() + Duration::from_millis(time)
}

/// Seconds since 1970 in UTC.
pub(crate) fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The time of day for an acknowledgment, in UTC.
pub(crate) fn timestamp() -> Timestamp {
    thread_local! {
        /// The last one: a second has many acknowledgments.
        static LAST: Cell<Option<(i64, Timestamp)>> = const { Cell::new(None) };
    }
    let seconds = unix_seconds();
    let last = LAST.get().filter(|(its, _)| *its == seconds);
    let (_, timestamp) = last.unwrap_or_else(|| (seconds, Timestamp::utc(seconds)));
    LAST.set(Some((seconds, timestamp)));
    timestamp
}
