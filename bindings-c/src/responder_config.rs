//! What a responder is told once.

use mllp_link::{OverLimit, ResponderConfig, Times};

use crate::ack::{MLLP_POLICY_ALWAYS, MLLP_POLICY_CONFORMANT, mllp_policy_t};
use crate::code::{Numbered, numbered};
use crate::config::mllp_config_t;
use crate::status::Failure;

/// A deadline that never comes.
pub const MLLP_NEVER: u64 = u64::MAX;

/// What a message over the limit does to its connection: `MLLP_OVER_LIMIT_*`.
pub type mllp_over_limit_t = u32;

/// It is not answered and the connection ends: whoever sends one such message may send many.
pub const MLLP_OVER_LIMIT_CLOSE: mllp_over_limit_t = 0;
/// Its bytes are skipped, it is refused with its own control ID, and the connection goes on.
pub const MLLP_OVER_LIMIT_REFUSE: mllp_over_limit_t = 1;

numbered!(OverLimit {
    OverLimit::Close = MLLP_OVER_LIMIT_CLOSE, c"close";
    OverLimit::Refuse = MLLP_OVER_LIMIT_REFUSE, c"refuse";
});

/// How long a peer may take, in milliseconds. 0 turns a time off.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_times_t {
    /// Without a byte, between frames. Does not run while an answer is owed.
    pub idle: u64,
    /// Without a byte, inside a frame.
    pub byte: u64,
    /// For a whole frame, from its start block on: a sender that drips bytes does not extend it.
    pub frame: u64,
    /// Without taking a byte of an answer.
    pub send: u64,
    /// Without a byte behind an end block, where only what follows can tell whether it ends the
    /// frame (profile `resync`). Then the frame is complete; the connection goes on.
    pub trailer: u64,
}

impl mllp_times_t {
    const fn of(times: Times) -> mllp_times_t {
        let Times { idle, byte, frame, send, trailer } = times;
        mllp_times_t { idle, byte, frame, send, trailer }
    }

    const fn read(self) -> Times {
        let mllp_times_t { idle, byte, frame, send, trailer } = self;
        Times { idle, byte, frame, send, trailer }
    }
}

/// The settings of a responder.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_responder_config_t {
    /// How the stream is cut into frames, and the longest payload.
    pub decoder: mllp_config_t,
    /// How an acknowledgment mirrors its message.
    pub policy: mllp_policy_t,
    /// What a message over the limit does.
    pub over_limit: mllp_over_limit_t,
    /// How long the peer may take.
    pub times: mllp_times_t,
    /// The longest answer in bytes, framing included. For every message that waits for its answer,
    /// so much of the memory for answers is kept free.
    pub max_answer_len: usize,
    /// Not 0: MLLP release 2. Each message is committed with a block of its own before it is
    /// answered, and the peer's commit blocks are events, not messages. A message then takes two
    /// places.
    pub commit_blocks: u32,
}

impl mllp_responder_config_t {
    const fn of(config: ResponderConfig) -> mllp_responder_config_t {
        mllp_responder_config_t {
            decoder: mllp_config_t::of(config.decoder),
            policy: match config.policy {
                ack_gen::Policy::Always => MLLP_POLICY_ALWAYS,
                ack_gen::Policy::Conformant => MLLP_POLICY_CONFORMANT,
            },
            over_limit: match config.over_limit {
                OverLimit::Close => MLLP_OVER_LIMIT_CLOSE,
                OverLimit::Refuse => MLLP_OVER_LIMIT_REFUSE,
            },
            times: mllp_times_t::of(config.times),
            max_answer_len: config.max_answer_len,
            commit_blocks: config.commit_blocks as u32,
        }
    }

    pub(crate) fn read(&self) -> Result<ResponderConfig, Failure> {
        Ok(ResponderConfig {
            decoder: self.decoder.read()?,
            policy: Numbered::from_number(self.policy)?,
            over_limit: Numbered::from_number(self.over_limit)?,
            times: self.times.read(),
            max_answer_len: self.max_answer_len,
            commit_blocks: self.commit_blocks != 0,
        })
    }
}

/// 10 seconds each, 60 seconds for a whole frame, and a quarter of a second for a trailer.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_times_default() -> mllp_times_t {
    mllp_times_t::of(Times::DEFAULT)
}

/// The defaults of all parts; the policy `always`, connections that end at a message over the limit,
/// answers of up to 1 KiB, no commit blocks.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_responder_config_default() -> mllp_responder_config_t {
    mllp_responder_config_t::of(ResponderConfig::DEFAULT)
}
