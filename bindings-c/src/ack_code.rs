//! Acknowledgment codes, and what they say.

use core::ffi::c_char;

use ack_gen::{AckCode, Outcome, Phase};

use crate::code::{Numbered, name, numbered};
use crate::slice::bytes;

/// MSA-1, table 0008: `MLLP_ACK_*`.
pub type mllp_ack_code_t = u32;

/// No acknowledgment.
pub const MLLP_ACK_NONE: mllp_ack_code_t = 0;
/// Application accept.
pub const MLLP_ACK_AA: mllp_ack_code_t = 1;
/// Application error.
pub const MLLP_ACK_AE: mllp_ack_code_t = 2;
/// Application reject.
pub const MLLP_ACK_AR: mllp_ack_code_t = 3;
/// Commit accept: the message is in safe storage.
pub const MLLP_ACK_CA: mllp_ack_code_t = 4;
/// Commit error.
pub const MLLP_ACK_CE: mllp_ack_code_t = 5;
/// Commit reject.
pub const MLLP_ACK_CR: mllp_ack_code_t = 6;

numbered!(AckCode {
    AckCode::AA = MLLP_ACK_AA, c"AA";
    AckCode::AE = MLLP_ACK_AE, c"AE";
    AckCode::AR = MLLP_ACK_AR, c"AR";
    AckCode::CA = MLLP_ACK_CA, c"CA";
    AckCode::CE = MLLP_ACK_CE, c"CE";
    AckCode::CR = MLLP_ACK_CR, c"CR";
});

/// What became of a message, at one level of acknowledgment: `MLLP_OUTCOME_*`.
pub type mllp_outcome_t = u32;

/// It was taken.
pub const MLLP_OUTCOME_ACCEPT: mllp_outcome_t = 1;
/// Its content is wrong (or, at accept level, it could not be stored).
pub const MLLP_OUTCOME_ERROR: mllp_outcome_t = 2;
/// It was refused for reasons that lie outside its content, or its header is not acceptable.
pub const MLLP_OUTCOME_REJECT: mllp_outcome_t = 3;

numbered!(Outcome {
    Outcome::Accept = MLLP_OUTCOME_ACCEPT, c"accept";
    Outcome::Error = MLLP_OUTCOME_ERROR, c"error";
    Outcome::Reject = MLLP_OUTCOME_REJECT, c"reject";
});

/// The two levels of acknowledgment of the enhanced mode (2.2.4): `MLLP_PHASE_*`.
pub type mllp_phase_t = u32;

/// The accept acknowledgment, CA CE CR: about storage.
pub const MLLP_PHASE_ACCEPT: mllp_phase_t = 1;
/// The application acknowledgment, AA AE AR: about processing.
pub const MLLP_PHASE_APPLICATION: mllp_phase_t = 2;

numbered!(Phase {
    Phase::Accept = MLLP_PHASE_ACCEPT, c"accept";
    Phase::Application = MLLP_PHASE_APPLICATION, c"application";
});

/// The code for an outcome at a level.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_ack_code_new(
    phase: mllp_phase_t,
    outcome: mllp_outcome_t,
) -> mllp_ack_code_t {
    let (Ok(phase), Ok(outcome)) = (Phase::from_number(phase), Outcome::from_number(outcome))
    else {
        return MLLP_ACK_NONE;
    };
    AckCode::new(phase, outcome).number()
}

/// Reads MSA-1: `MLLP_ACK_NONE` for anything but one of the six codes, exactly as written. Trailing
/// blanks do not count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_ack_code_from_bytes(
    text: *const u8,
    text_len: usize,
) -> mllp_ack_code_t {
    // SAFETY: rule 6.
    let text = unsafe { bytes(text, text_len) }.unwrap_or_default();
    AckCode::from_bytes(text).map_or(MLLP_ACK_NONE, Numbered::number)
}

/// The two letters; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_ack_code_name(code: mllp_ack_code_t) -> *const c_char {
    name::<AckCode>(code)
}

/// What the code says about the message.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_ack_code_outcome(code: mllp_ack_code_t) -> mllp_outcome_t {
    AckCode::from_number(code).map_or(0, |code| code.outcome().number())
}

/// The level the code belongs to.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_ack_code_phase(code: mllp_ack_code_t) -> mllp_phase_t {
    AckCode::from_number(code).map_or(0, |code| code.phase().number())
}

/// 1: the sender may forget the message, AA or CA.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_ack_code_is_accept(code: mllp_ack_code_t) -> u32 {
    AckCode::from_number(code).map_or(0, |code| u32::from(code.is_accept()))
}
