//! Frames from payloads.

use mllp_core::Framing;

use crate::config::mllp_framing_t;
use crate::slice::{bytes, place, room, value};
use crate::status::{MLLP_OK, mllp_status_t, status};

/// Length in bytes of the frame of MLLP around a payload of `payload_len` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_encoded_len(payload_len: usize) -> usize {
    mllp_core::encoded_len(payload_len)
}

/// Writes the frame of MLLP around `payload` to the front of `out`, and its length to `out_len`.
///
/// `MLLP_ERR_RESERVED_BYTE`: the payload holds a start or end block, which no receiver could tell
/// from the frame's. `MLLP_ERR_BUFFER_TOO_SMALL`: `out_capacity` is below `mllp_encoded_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_encode(
    payload: *const u8,
    payload_len: usize,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    // SAFETY: rules 6 and 7.
    unsafe { encode(Framing::MLLP, payload, payload_len, out, out_capacity, out_len) }
}

/// Length in bytes of the frame around a payload of `payload_len` bytes. 0 for invalid framing.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_framing_encoded_len(framing: mllp_framing_t, payload_len: usize) -> usize {
    framing.read().map_or(0, |framing| framing.encoded_len(payload_len))
}

/// As `mllp_encode`, with other framing bytes. `MLLP_ERR_INVALID_FRAMING` when two are equal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_framing_encode(
    framing: *const mllp_framing_t,
    payload: *const u8,
    payload_len: usize,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let framing = unsafe { value(framing) }?.read()?;
        // SAFETY: rules 6 and 7.
        Ok(unsafe { encode(framing, payload, payload_len, out, out_capacity, out_len) })
    })
}

/// # Safety
///
/// Rules 6 and 7.
unsafe fn encode(
    framing: Framing,
    payload: *const u8,
    payload_len: usize,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        let (payload, out, out_len) =
            unsafe { (bytes(payload, payload_len)?, room(out, out_capacity)?, place(out_len)?) };
        out_len.write(framing.encode(payload, out)?);
        Ok(MLLP_OK)
    })
}
