//! The acknowledgments of a listener.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use ack_gen::{Ack, AckCode, Timestamp};
use hl7_peek::MessageHeader;

use crate::clock;

/// Longest acknowledgment: the names of a header are bounded by this, or left out.
const MAX_LEN: usize = 1024;

/// Makes message control IDs that no other process makes: a number of this process, and a count.
pub(super) struct ControlIds {
    process: u32,
    next: AtomicU64,
}

impl ControlIds {
    pub(super) fn new() -> Self {
        // The keys of a new RandomState come from the operating system.
        let process = RandomState::new().hash_one(clock::unix_seconds()) as u32;
        ControlIds { process, next: AtomicU64::new(1) }
    }

    pub(super) fn next(&self) -> String {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}{count:08x}", self.process)
    }
}

/// The acknowledgment of a message, as the wire layer's policy `always` makes it.
pub(super) fn acknowledge(
    code: AckCode,
    header: Option<&MessageHeader<'_>>,
    control_id: &str,
    text: &str,
) -> Box<[u8]> {
    let time = Timestamp::utc(clock::unix_seconds());
    let ack = Ack::always(code, header, control_id.as_bytes(), time.as_bytes());
    let ack = Ack { text: text.as_bytes(), ..ack };
    let mut out = [0; MAX_LEN];
    let brief = Ack { brief: true, ..ack };
    let len = ack.encode(&mut out).or_else(|_| brief.encode(&mut out)).unwrap_or_default();
    out[..len].into()
}
