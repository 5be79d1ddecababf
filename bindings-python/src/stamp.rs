//! What acknowledgments have of their own: a name and a time.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ack_gen::Timestamp;
use uuid::Uuid;
use uuid::fmt::Simple;

/// How many of the digits count; the others are random.
const COUNTED: usize = 8;

/// 32 hexadecimal digits, random, from a generator that the operating system seeds: unique without
/// a shared counter.
pub(crate) fn new_control_id(buffer: &mut [u8; Simple::LENGTH]) -> &str {
    Uuid::new_v4().simple().encode_lower(buffer)
}

/// Control IDs for the acknowledgments of one connection: those of one random name, counted on, which
/// costs a tenth of another random name for each.
pub(crate) struct ControlIds {
    digits: [u8; Simple::LENGTH],
    given: u32,
}

impl ControlIds {
    pub(crate) fn new() -> ControlIds {
        let mut digits = [0; Simple::LENGTH];
        new_control_id(&mut digits);
        ControlIds { digits, given: 0 }
    }

    /// 32 hexadecimal digits that no other acknowledgment has.
    pub(crate) fn next(&mut self) -> &[u8] {
        if self.given == u32::MAX {
            *self = ControlIds::new();
        }
        self.given += 1;
        let counted = self.digits.last_chunk_mut::<COUNTED>().into_iter().flatten();
        for (at, digit) in counted.rev().enumerate() {
            let nibble = (self.given >> (4 * at)) as u8 & 15;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
        }
        &self.digits
    }
}

pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub(crate) fn unix_seconds() -> i64 {
    i64::try_from(since_1970().as_secs()).unwrap_or(i64::MAX)
}

/// Universal time as MSH-7 has it. Written once for all that ask within the same second.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    thread_local! {
        static LAST: Cell<Option<(i64, Timestamp)>> = const { Cell::new(None) };
    }
    if let Some((of, timestamp)) = LAST.get()
        && of == seconds
    {
        return timestamp;
    }
    let timestamp = Timestamp::utc(seconds);
    LAST.set(Some((seconds, timestamp)));
    timestamp
}
