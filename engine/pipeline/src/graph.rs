//! The configuration as far as the pipeline needs it: which lanes there are, and their rules.

use alloc::vec::Vec;

use crate::ids::{LaneId, Millis};

/// Connections and handlers, each with its lane. Names stay with the host.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Where messages come from.
    pub inbounds: Vec<Inbound>,
    /// What filters and transforms them.
    pub handlers: Vec<Handler>,
    /// Where deliveries go.
    pub outbounds: Vec<Outbound>,
}

/// A connection that receives.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// Its lane of the stage ingress.
    pub lane: LaneId,
    /// Whether a message that comes again gets the answer of the first and is not routed.
    pub deduplicate: bool,
}

/// A function that filters and transforms.
#[derive(Clone, Debug)]
pub struct Handler {
    /// Its lane of the stage routed.
    pub lane: LaneId,
}

/// A connection that sends.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Its lane of the stage outbound, first in first out.
    pub lane: LaneId,
    /// How many deliveries may be without an answer, at least 1. Above 1 the order on the wire is
    /// kept, but a refusal may be followed by successes.
    pub window: u32,
    /// What happens to a delivery that fails for now.
    pub retry: Retry,
}

/// When a delivery that failed for now is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts before the delivery is dead; `None`: it is tried for ever.
    pub max_attempts: Option<u32>,
    /// Wait before the second attempt.
    pub backoff: Millis,
    /// What each further wait is multiplied by.
    pub multiplier: u32,
    /// The longest wait.
    pub max_backoff: Millis,
}

impl Retry {
    /// 100 attempts, 5 s before the second, doubled up to 5 minutes.
    pub const DEFAULT: Retry =
        Retry { max_attempts: Some(100), backoff: 5_000, multiplier: 2, max_backoff: 300_000 };
}

impl Default for Retry {
    fn default() -> Self {
        Retry::DEFAULT
    }
}
