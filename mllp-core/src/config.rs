//! What a decoder is told once, when it is made.

use crate::Framing;

/// How a stream is cut into frames.
///
/// The tables behind the profiles are in the crate documentation. No profile is right for every
/// sender; each says what it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// The end block alone ends a frame and a trailer after it is swallowed if it comes. A start
    /// block inside a frame is payload and is reported as [`Deviation::SbInPayload`]. This answers
    /// every sender at once.
    ///
    /// Its price: an end block inside a payload cuts the message there, and a sender that dies in
    /// mid-message and starts again on the same connection has two messages fused. Both are
    /// reported; [`Profile::Resync`] is for such links.
    ///
    /// [`Deviation::SbInPayload`]: crate::Deviation::SbInPayload
    #[default]
    Permissive,
    /// Two messages are never fused: a start block inside a frame drops the frame, with a report,
    /// and opens a new one. An end block ends the frame only when the trailer, a line feed, a start
    /// block, an idle line or the end of the stream follows; otherwise it is payload.
    ///
    /// Its price: a sender that omits the trailer gets its answer only when the next frame begins
    /// or the caller reports an idle line.
    Resync,
    /// The published grammar and nothing else: payload bytes are `20`..`FF` and carriage return,
    /// the trailer is required. For conformance tests, not for hospitals.
    Strict,
}

/// The settings of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How the stream is cut into frames.
    pub profile: Profile,
    /// The bytes that delimit a frame.
    pub framing: Framing,
    /// The longest payload that is delivered, in bytes, framing bytes not counted. A longer one is
    /// reported once, as [`Fault::TooLarge`](crate::Fault::TooLarge), whether or not it is complete.
    pub max_payload_len: usize,
}

impl Config {
    /// The profile `permissive`, MLLP framing, and payloads of up to 1 MiB.
    ///
    /// One mebibyte is 170 times the size of a result message with forty observations and holds
    /// most embedded documents; without a limit, one endless frame takes all memory.
    pub const DEFAULT: Config = Config {
        profile: Profile::Permissive,
        framing: Framing::MLLP,
        max_payload_len: 1024 * 1024,
    };

    /// `max_payload_len` for a decoder that does not limit payloads.
    pub const UNLIMITED: usize = usize::MAX;
}

impl Default for Config {
    fn default() -> Self {
        Config::DEFAULT
    }
}
