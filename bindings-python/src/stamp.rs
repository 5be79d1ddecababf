//! What acknowledgments have of their own: a name and a time.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ack_gen::{Policy, Timestamp};
use pyo3::prelude::*;
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

/// How the time of an acknowledgment is written in MSH-7.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Fourteen digits of universal time, as the policy `always` has it.
    Digits,
    /// Universal time and its offset. Chapter 2 takes a time without one for the sender's local time
    /// (2.A.22).
    Universal,
    /// Local time and its offset.
    Local,
}

impl Stamp {
    pub(crate) fn new(policy: Policy, local_time: bool) -> Stamp {
        match policy {
            _ if local_time => Stamp::Local,
            Policy::Conformant => Stamp::Universal,
            Policy::Always => Stamp::Digits,
        }
    }

    pub(crate) fn now(self) -> Timestamp {
        self.at(unix_seconds())
    }

    /// A time since 1970. Written once for all that ask within the same second.
    pub(crate) fn at(self, seconds: i64) -> Timestamp {
        thread_local! {
            static LAST: Cell<Option<(Stamp, i64, Timestamp)>> = const { Cell::new(None) };
        }
        if let Some((stamp, of, timestamp)) = LAST.get()
            && (stamp, of) == (self, seconds)
        {
            return timestamp;
        }
        let timestamp = match self {
            Stamp::Digits => Timestamp::utc(seconds),
            Stamp::Universal => Timestamp::with_offset(seconds, 0),
            Stamp::Local => Timestamp::with_offset(seconds, local_offset(seconds)),
        };
        LAST.set(Some((self, seconds, timestamp)));
        timestamp
    }
}

/// Minutes east of Greenwich at this time, by the time zone of the process. Rust's standard library
/// knows no time zones, Python's does.
fn local_offset(seconds: i64) -> i16 {
    let offset = Python::attach(|py| -> PyResult<i64> {
        let local = py.import("time")?.call_method1("localtime", (seconds,))?;
        local.getattr("tm_gmtoff")?.extract()
    });
    // A system that cannot tell its zone still has the right time.
    offset.map_or(0, |seconds| i16::try_from(seconds.div_euclid(60)).unwrap_or(0))
}
