//! Escape sequences: delimiters inside values.

use hl7_peek::Scan;

use crate::code::Numbered;
use crate::delimiters::{MLLP_SCAN_SINGLE_BYTE, mllp_delimiters_t, mllp_scan_t};
use crate::slice::{bytes, place, room, value};
use crate::status::{MLLP_OK, mllp_status_t, status};

/// Writes `text` to the front of `out` with its escape sequences replaced by what they stand for, and
/// the length to `out_len`.
///
/// Delimiters and hexadecimal sequences are replaced; formatting, highlighting, character set and
/// local sequences stay as they are, and so does everything unknown or unterminated: nothing is lost.
/// The output is never longer than `text`. `MLLP_ERR_BUFFER_TOO_SMALL`: it does not fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_unescape(
    text: *const u8,
    text_len: usize,
    delimiters: *const mllp_delimiters_t,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    // SAFETY: rules 6 and 7.
    unsafe {
        let scan = MLLP_SCAN_SINGLE_BYTE;
        mllp_unescape_with(text, text_len, delimiters, scan, out, out_capacity, out_len)
    }
}

/// As `mllp_unescape`, for text of a message that was parsed with this `scan`: an escape character
/// inside a two-byte character is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_unescape_with(
    text: *const u8,
    text_len: usize,
    delimiters: *const mllp_delimiters_t,
    scan: mllp_scan_t,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        let scan = Scan::from_number(scan)?;
        // SAFETY: rules 6 and 7.
        let (text, delimiters) = unsafe { (bytes(text, text_len)?, value(delimiters)?.read()) };
        // SAFETY: rules 6 and 7.
        let (out, out_len) = unsafe { (room(out, out_capacity)?, place(out_len)?) };
        out_len.write(hl7_peek::unescape_with(text, &delimiters, scan, out)?);
        Ok(MLLP_OK)
    })
}

/// Writes `text` to the front of `out` so that it can stand inside any value, and the length to
/// `out_len`.
///
/// Delimiters, carriage return and line feed become escape sequences, or blanks where `delimiters` has
/// no escape character. `MLLP_ERR_BUFFER_TOO_SMALL`: `out_capacity` is below `mllp_escaped_len`; five
/// times the length of `text` is always enough.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_escape(
    text: *const u8,
    text_len: usize,
    delimiters: *const mllp_delimiters_t,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (text, delimiters) = unsafe { (bytes(text, text_len)?, value(delimiters)?.read()) };
        // SAFETY: rules 6 and 7.
        let (out, out_len) = unsafe { (room(out, out_capacity)?, place(out_len)?) };
        out_len.write(hl7_peek::escape(text, &delimiters, out)?);
        Ok(MLLP_OK)
    })
}

/// The length in bytes of what `mllp_escape` writes for this text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_escaped_len(
    text: *const u8,
    text_len: usize,
    delimiters: *const mllp_delimiters_t,
) -> usize {
    // SAFETY: rules 6 and 7.
    let (Ok(text), Ok(delimiters)) = (unsafe { (bytes(text, text_len), value(delimiters)) }) else {
        return 0;
    };
    hl7_peek::escaped_len(text, &delimiters.read())
}
