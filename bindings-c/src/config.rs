//! How a stream is cut into frames.

use mllp_core::{Config, Framing, Profile};

use crate::code::{Numbered, numbered};
use crate::status::Failure;

/// How a stream is cut into frames: `MLLP_PROFILE_*`.
pub type mllp_profile_t = u32;

/// The end block alone ends a frame; a start block inside a frame is payload, and is reported. The
/// default: it answers every sender at once. Its price: a sender that dies in mid-message and starts
/// again on the same connection has two messages fused.
pub const MLLP_PROFILE_PERMISSIVE: mllp_profile_t = 0;
/// Two messages are never fused: a start block inside a frame drops the frame, and an end block ends
/// it only when a trailer, a line feed, a start block, a pause or the end of the stream follows.
pub const MLLP_PROFILE_RESYNC: mllp_profile_t = 1;
/// The published grammar and nothing else. For conformance tests.
pub const MLLP_PROFILE_STRICT: mllp_profile_t = 2;

numbered!(Profile {
    Profile::Permissive = MLLP_PROFILE_PERMISSIVE, c"permissive";
    Profile::Resync = MLLP_PROFILE_RESYNC, c"resync";
    Profile::Strict = MLLP_PROFILE_STRICT, c"strict";
});

/// `<SB>`, the start block character (MLLP release 1, C.4.2).
pub const MLLP_START_BLOCK: u8 = 0x0B;
/// `<EB>`, the end block character (MLLP release 1, C.4.2).
pub const MLLP_END_BLOCK: u8 = 0x1C;
/// `<CR>`, the trailer behind the end block, and the segment terminator of HL7 v2.
pub const MLLP_CARRIAGE_RETURN: u8 = 0x0D;
/// How much longer than its payload a frame of MLLP is, in bytes.
pub const MLLP_FRAME_OVERHEAD: usize = 3;

/// The bytes that delimit a frame.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_framing_t {
    /// Starts a frame.
    pub start_block: u8,
    /// Ends it.
    pub end_block: u8,
    /// Follows the end block.
    pub trailer: u8,
    /// 0: nothing follows the end block, and `trailer` is not looked at.
    pub has_trailer: u8,
}

impl mllp_framing_t {
    pub(crate) fn read(self) -> Result<Framing, Failure> {
        let trailer = (self.has_trailer != 0).then_some(self.trailer);
        Ok(Framing::new(self.start_block, self.end_block, trailer)?)
    }

    pub(crate) const fn of(framing: Framing) -> mllp_framing_t {
        let (trailer, has_trailer) = match framing.trailer() {
            Some(trailer) => (trailer, 1),
            None => (0, 0),
        };
        mllp_framing_t {
            start_block: framing.start_block(),
            end_block: framing.end_block(),
            trailer,
            has_trailer,
        }
    }
}

/// The settings of a decoder.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_config_t {
    /// How the stream is cut into frames.
    pub profile: mllp_profile_t,
    /// The bytes that delimit a frame.
    pub framing: mllp_framing_t,
    /// The longest payload that is delivered, in bytes; `SIZE_MAX` for no limit.
    pub max_payload_len: usize,
}

impl mllp_config_t {
    pub(crate) const fn of(config: Config) -> mllp_config_t {
        let profile = match config.profile {
            Profile::Permissive => MLLP_PROFILE_PERMISSIVE,
            Profile::Resync => MLLP_PROFILE_RESYNC,
            Profile::Strict => MLLP_PROFILE_STRICT,
        };
        mllp_config_t {
            profile,
            framing: mllp_framing_t::of(config.framing),
            max_payload_len: config.max_payload_len,
        }
    }

    pub(crate) fn read(&self) -> Result<Config, Failure> {
        Ok(Config {
            profile: Profile::from_number(self.profile)?,
            framing: self.framing.read()?,
            max_payload_len: self.max_payload_len,
        })
    }
}

/// `0B payload 1C 0D`.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_framing_default() -> mllp_framing_t {
    mllp_framing_t::of(Framing::MLLP)
}

/// The profile `permissive`, MLLP framing, and payloads of up to 1 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_config_default() -> mllp_config_t {
    mllp_config_t::of(Config::DEFAULT)
}
