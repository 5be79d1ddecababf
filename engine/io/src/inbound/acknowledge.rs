//! The acknowledgments of a listener.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ack_gen::{Ack, AckCode, Inbound, Outcome, Phase, Policy, Request};
use hl7_peek::MessageHeader;

use super::options::AckMode;
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

/// The code that a message gets; `None`: it is not answered.
pub(super) fn code(
    mode: AckMode,
    header: Option<&MessageHeader<'_>>,
    outcome: Outcome,
) -> Option<AckCode> {
    let original = AckCode::new(Phase::Application, outcome);
    match (mode, header) {
        (AckMode::None, _) => None,
        (AckMode::Original, _) | (AckMode::Enhanced, None) => Some(original),
        (AckMode::Enhanced, Some(header)) => {
            let decision = Request::new(header, Inbound::Message).refuse(outcome);
            decision.accept.or(decision.application)
        }
    }
}

/// The acknowledgment of a message; empty if it gets none.
pub(super) fn acknowledge(
    code: Option<AckCode>,
    policy: Policy,
    header: Option<&MessageHeader<'_>>,
    control_id: &str,
    text: &str,
) -> Arc<[u8]> {
    let Some(code) = code else { return Arc::default() };
    let time = clock::timestamp();
    let always = Ack::always(code, header, control_id.as_bytes(), time.as_bytes());
    // What has no header cannot be mirrored by the standard's rules.
    let policy = if header.is_some() { policy } else { Policy::Always };
    let ack = Ack { policy, text: text.as_bytes(), ..always };
    let mut out = [0; MAX_LEN];
    let brief = Ack { brief: true, ..ack };
    let last = Ack { policy: Policy::Always, ..brief };
    let len = ack.encode(&mut out).or_else(|_| brief.encode(&mut out));
    let len = len.or_else(|_| last.encode(&mut out)).unwrap_or_default();
    out[..len].into()
}
