//! What a responder is told once.

use ack_gen::Policy;

use crate::timer::Times;

/// What a message over the limit does to its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OverLimit {
    /// It is not answered and the connection ends: whoever sends one such message may send many.
    #[default]
    Close,
    /// Its bytes are skipped, it is refused with its own control ID, and the connection goes on.
    Refuse,
}

/// The settings of a [`Responder`](crate::Responder).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponderConfig {
    /// How the stream is cut into frames, and the longest payload.
    pub decoder: mllp_core::Config,
    /// How an acknowledgment mirrors its message.
    pub policy: Policy,
    /// What a message over the limit does.
    pub over_limit: OverLimit,
    /// How long the peer may take.
    pub times: Times,
    /// The longest answer in bytes, framing included. For every message that waits for its answer,
    /// so much of the storage is kept free; storage that grows takes it only when it is needed.
    pub max_answer_len: usize,
    /// MLLP release 2: each message is committed with a block of its own before it is answered, and
    /// the peer's commit blocks are events, not messages. A message then takes two places: with a
    /// `WINDOW` of 1 none would ever be read.
    pub commit_blocks: bool,
}

impl ResponderConfig {
    /// The defaults of all parts; answers of up to 1 KiB.
    pub const DEFAULT: ResponderConfig = ResponderConfig {
        decoder: mllp_core::Config::DEFAULT,
        policy: Policy::Always,
        over_limit: OverLimit::Close,
        times: Times::DEFAULT,
        max_answer_len: 1024,
        commit_blocks: false,
    };
}

impl Default for ResponderConfig {
    fn default() -> Self {
        ResponderConfig::DEFAULT
    }
}
