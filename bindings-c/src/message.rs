//! A message, and what is said about it as a whole.

use core::mem::MaybeUninit;

use hl7_peek::{Kind, Message, Scan, Terminator};

use crate::code::{Numbered, numbered};
use crate::delimiters::{mllp_delimiters_t, mllp_scan_t};
use crate::header::mllp_message_header_t;
use crate::slice::{bytes, mllp_slice_t, place};
use crate::state::{State, give, state};
use crate::status::{mllp_status_t, status};

/// A view of one payload: a message, or a batch of them. It and everything that is cut from it
/// borrow from the payload, not from each other.
#[repr(C)]
pub struct mllp_message_t {
    _state: [MaybeUninit<u64>; 14],
}

impl State for mllp_message_t {
    type Inner = Message<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpMSG1");
}

/// What a payload holds: `MLLP_MESSAGE_*`.
pub type mllp_message_kind_t = u32;

/// One message.
pub const MLLP_MESSAGE_SINGLE: mllp_message_kind_t = 1;
/// A file or batch header, or more than one MSH (HL7 v2.9.1 chapter 2, 2.9.3). No single
/// acknowledgment can answer it.
pub const MLLP_MESSAGE_BATCH: mllp_message_kind_t = 2;

numbered!(Kind {
    Kind::Single = MLLP_MESSAGE_SINGLE, c"single";
    Kind::Batch = MLLP_MESSAGE_BATCH, c"batch";
});

/// The byte that ends segments in a message: `MLLP_TERMINATOR_*`.
pub type mllp_terminator_t = u32;

/// A line feed and a carriage return both end a segment.
pub const MLLP_TERMINATOR_LINE_FEED: mllp_terminator_t = 10;
/// A carriage return ends a segment, and a single line feed right behind it is dropped. A line feed
/// elsewhere is data. Also the answer when there is neither.
pub const MLLP_TERMINATOR_CARRIAGE_RETURN: mllp_terminator_t = 13;

numbered!(Terminator {
    Terminator::LineFeed = MLLP_TERMINATOR_LINE_FEED, c"line_feed";
    Terminator::CarriageReturn = MLLP_TERMINATOR_CARRIAGE_RETURN, c"carriage_return";
});

/// Reads MSH-1 and MSH-2 (or those of a leading FHS or BHS) and finds the first terminator.
///
/// One UTF-8 byte order mark and leading bytes up to 20 (hex) are skipped. The first of these that
/// applies: `MLLP_ERR_NO_HEADER`, `MLLP_ERR_SHORT_HEADER`, `MLLP_ERR_BAD_FIELD_SEPARATOR`,
/// `MLLP_ERR_NO_ENCODING_CHARACTERS`, `MLLP_ERR_BAD_ENCODING_CHARACTER`,
/// `MLLP_ERR_DUPLICATE_DELIMITER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_parse(
    payload: *const u8,
    payload_len: usize,
    out: *mut mllp_message_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (payload, out) = unsafe { (bytes(payload, payload_len)?, place(out)?) };
        Ok(give(out, Some(Message::parse(payload)?)))
    })
}

/// As `mllp_message_parse`, for a payload whose delimiters must be searched by `scan`: Shift_JIS,
/// GB 18030, Big5 or ISO-2022-JP.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_parse_with(
    payload: *const u8,
    payload_len: usize,
    scan: mllp_scan_t,
    out: *mut mllp_message_t,
) -> mllp_status_t {
    status(|| {
        let scan = Scan::from_number(scan)?;
        // SAFETY: rules 6 and 7.
        let (payload, out) = unsafe { (bytes(payload, payload_len)?, place(out)?) };
        Ok(give(out, Some(Message::parse_with(payload, scan)?)))
    })
}

/// Reads as much of a message as there is: for whoever must tell what a damaged message is called.
///
/// As `mllp_message_parse_with`, but MSH-2 may be unusable: see `mllp_message_header_parse_lenient`.
/// `MLLP_NOT_FOUND` without MSH, FHS or BHS and a usable separator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_parse_lenient(
    payload: *const u8,
    payload_len: usize,
    scan: mllp_scan_t,
    out: *mut mllp_message_t,
) -> mllp_status_t {
    status(|| {
        let scan = Scan::from_number(scan)?;
        // SAFETY: rules 6 and 7.
        let (payload, out) = unsafe { (bytes(payload, payload_len)?, place(out)?) };
        Ok(give(out, Message::parse_lenient(payload, scan)))
    })
}

/// The bytes this was parsed from, all of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_payload(message: *const mllp_message_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(message) }.map(Message::payload))
}

/// MSH-1 and MSH-2 as delimiters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_delimiters(
    message: *const mllp_message_t,
) -> mllp_delimiters_t {
    // SAFETY: rule 2.
    unsafe { state(message) }
        .map_or(mllp_delimiters_t::NONE, |message| mllp_delimiters_t::of(message.delimiters()))
}

/// MSH-2 as it stands, a sixth and later character included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_encoding_characters(
    message: *const mllp_message_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(message) }.map(Message::encoding_characters))
}

/// Which byte ends the segments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_terminator(
    message: *const mllp_message_t,
) -> mllp_terminator_t {
    // SAFETY: rule 2.
    unsafe { state(message) }.map_or(0, |message| message.terminator().number())
}

/// Whether this is one message or a batch: a search for a second MSH to the end of the payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_kind(message: *const mllp_message_t) -> mllp_message_kind_t {
    // SAFETY: rule 2.
    unsafe { state(message) }.map_or(0, |message| message.kind().number())
}

/// 1 when a segment goes on in an ADD segment (2.10.2): the last field of the segment before it continues
/// in ADD-1, and the fields behind that are ADD-2 and so on. Values are not joined. A search to the end
/// of the payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_has_addenda(message: *const mllp_message_t) -> u32 {
    // SAFETY: rule 2.
    unsafe { state(message) }.map_or(0, |message| u32::from(message.has_addenda()))
}

/// All fields of the first MSH segment, in one pass.
///
/// In a batch that starts with FHS or BHS this is the first MSH behind it, or a header whose fields
/// are all empty if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header(
    message: *const mllp_message_t,
    out: *mut mllp_message_header_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (message, out) = unsafe { (state(message)?, place(out)?) };
        Ok(give(out, Some(message.header())))
    })
}
