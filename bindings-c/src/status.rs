//! What a call returns.

use core::ffi::{CStr, c_char};

/// What a call returns: `MLLP_OK`, a condition above 0, or an error below 0.
///
/// The numbers never change. Errors come in blocks: from -1 on what any call can return, from -100
/// on frames, from -200 on messages, from -300 on acknowledgments, from -400 on links.
pub type mllp_status_t = i32;

/// Done.
pub const MLLP_OK: mllp_status_t = 0;
/// More bytes are needed, or nothing has happened. Not an error.
pub const MLLP_PARTIAL: mllp_status_t = 1;
/// What was asked for is not there. Not an error.
pub const MLLP_NOT_FOUND: mllp_status_t = 2;

/// A pointer is NULL that must not be.
pub const MLLP_ERR_NULL: mllp_status_t = -1;
/// The state was never initialised, or is of another type.
pub const MLLP_ERR_NOT_INITIALISED: mllp_status_t = -2;
/// A number is none of its type's constants, or a length is beyond half of the address space.
pub const MLLP_ERR_INVALID_ARGUMENT: mllp_status_t = -3;
/// The output does not fit into the caller's buffer.
pub const MLLP_ERR_BUFFER_TOO_SMALL: mllp_status_t = -4;

/// Two of the framing bytes are equal.
pub const MLLP_ERR_INVALID_FRAMING: mllp_status_t = -100;
/// The payload holds a framing byte and cannot be framed.
pub const MLLP_ERR_RESERVED_BYTE: mllp_status_t = -101;

/// What went wrong in a call, on its way to the status.
pub(crate) struct Failure(pub(crate) mllp_status_t);

/// Runs a call and turns what went wrong into its status.
#[inline(always)]
pub(crate) fn status(call: impl FnOnce() -> Result<mllp_status_t, Failure>) -> mllp_status_t {
    match call() {
        Ok(status) | Err(Failure(status)) => status,
    }
}

impl From<mllp_core::Error> for Failure {
    fn from(error: mllp_core::Error) -> Failure {
        Failure(match error {
            mllp_core::Error::BufferTooSmall => MLLP_ERR_BUFFER_TOO_SMALL,
            mllp_core::Error::InvalidFraming => MLLP_ERR_INVALID_FRAMING,
            mllp_core::Error::ReservedByte { .. } => MLLP_ERR_RESERVED_BYTE,
            _ => MLLP_ERR_INVALID_ARGUMENT,
        })
    }
}

/// The stable name of a status, the same in every language where the thing has a name there:
/// `reserved_byte`, for instance. `unknown` for a number that is none. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_status_name(status: mllp_status_t) -> *const c_char {
    name_of(status).as_ptr()
}

fn name_of(status: mllp_status_t) -> &'static CStr {
    match status {
        MLLP_OK => c"ok",
        MLLP_PARTIAL => c"partial",
        MLLP_NOT_FOUND => c"not_found",
        MLLP_ERR_NULL => c"null",
        MLLP_ERR_NOT_INITIALISED => c"not_initialised",
        MLLP_ERR_INVALID_ARGUMENT => c"invalid_argument",
        MLLP_ERR_BUFFER_TOO_SMALL => c"buffer_too_small",
        MLLP_ERR_INVALID_FRAMING => c"invalid_framing",
        MLLP_ERR_RESERVED_BYTE => c"reserved_byte",
        _ => c"unknown",
    }
}
