//! MSH: reading it, and its fields by number.

use core::mem::MaybeUninit;

use hl7_peek::{MessageHeader, Scan, Status};

use crate::code::Numbered;
use crate::delimiters::{mllp_delimiters_t, mllp_scan_t};
use crate::slice::{bytes, mllp_slice_t, place};
use crate::state::{State, give, state};
use crate::status::{MLLP_PARTIAL, mllp_status_t, status};

/// The fields of a message header segment as they stand, MSH-1 to MSH-21. They borrow from the
/// message.
///
/// `mllp_message_header_<field>` gives one by its name in the MSH attribute table of chapter 2. A
/// field that is empty or missing is an empty slice; all its components and repetitions are in it.
#[repr(C)]
pub struct mllp_message_header_t {
    _state: [MaybeUninit<u64>; 17],
}

impl State for mllp_message_header_t {
    type Inner = MessageHeader<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpHDR1");
}

/// Reads as much of a header as there is: for a receiver that acknowledges everything.
///
/// Needs no more than `MSH` (after a byte order mark and blanks) and a usable MSH-1, else
/// `MLLP_NOT_FOUND`. A batch gives the header of its first message. Where MSH-2 is damaged, its
/// usable characters count, each at its position; the others are those of `^~\&` that are not taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_parse_lenient(
    payload: *const u8,
    payload_len: usize,
    out: *mut mllp_message_header_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (payload, out) = unsafe { (bytes(payload, payload_len)?, place(out)?) };
        Ok(give(out, MessageHeader::parse_lenient(payload)))
    })
}

/// As `mllp_message_header_parse_lenient`, for a message whose delimiters must be searched by `scan`:
/// a name in Shift_JIS may hold the byte of the field separator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_parse_lenient_with(
    payload: *const u8,
    payload_len: usize,
    scan: mllp_scan_t,
    out: *mut mllp_message_header_t,
) -> mllp_status_t {
    status(|| {
        let scan = Scan::from_number(scan)?;
        // SAFETY: rules 6 and 7.
        let (payload, out) = unsafe { (bytes(payload, payload_len)?, place(out)?) };
        Ok(give(out, MessageHeader::parse_lenient_with(payload, scan)))
    })
}

/// Reads MSH-1 to MSH-`through` from the first bytes of a message that is still arriving.
///
/// `MLLP_OK` as soon as a separator or a terminator follows MSH-`through`, or MSH has ended before
/// it. Fields above `through` are empty, so the answer is the same for every longer prefix.
/// `MLLP_PARTIAL`: more bytes are needed. Each call starts at the first byte: call once per piece
/// received, and give up at the length you are willing to keep. Errors are those of
/// `mllp_message_parse` as soon as a byte makes one certain, but never `MLLP_ERR_SHORT_HEADER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_parse_prefix(
    prefix: *const u8,
    prefix_len: usize,
    through: usize,
    out: *mut mllp_message_header_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (prefix, out) = unsafe { (bytes(prefix, prefix_len)?, place(out)?) };
        match MessageHeader::parse_prefix(prefix, through)? {
            Status::Complete(header) => Ok(give(out, Some(header))),
            Status::Partial => {
                give(out, None);
                Ok(MLLP_PARTIAL)
            }
        }
    })
}

/// MSH-`number`, or an empty slice for a number outside 1 to 21.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_field(
    header: *const mllp_message_header_t,
    number: usize,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(header) }.map(|header| header.field(number)))
}

/// MSH-`first` to MSH-`last` with the separators between them, as they stand. Both are numbers from
/// 2 to 21; others give an empty slice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_fields(
    header: *const mllp_message_header_t,
    first: usize,
    last: usize,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(header) }.map(|header| header.fields(first, last)))
}

/// All bytes of the segment, without its terminator. Empty in the header of a batch that has no
/// message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_raw(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(header) }.map(MessageHeader::raw))
}

/// MSH-1 and MSH-2 as delimiters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_delimiters(
    header: *const mllp_message_header_t,
) -> mllp_delimiters_t {
    // SAFETY: rule 2.
    unsafe { state(header) }
        .map_or(mllp_delimiters_t::NONE, |header| mllp_delimiters_t::of(header.delimiters()))
}

/// How delimiters were searched.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_scan(
    header: *const mllp_message_header_t,
) -> mllp_scan_t {
    // SAFETY: rule 2.
    unsafe { state(header) }.map_or(0, |header| header.scan().number())
}
