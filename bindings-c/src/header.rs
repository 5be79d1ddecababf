//! MSH: reading it, and its fields by number and by name.

use core::mem::MaybeUninit;

use hl7_peek::{MessageHeader, Scan, Status};

use crate::code::Numbered;
use crate::delimiters::{mllp_delimiters_t, mllp_scan_t};
use crate::slice::{bytes, mllp_slice_t, place};
use crate::state::{State, give, state};
use crate::status::{MLLP_PARTIAL, mllp_status_t, status};

/// What stands in a message header: `MLLP_MSH_*`, named as in the MSH attribute table of chapter 2.
/// Those of whole fields are their numbers, 1 to 21.
pub type mllp_msh_t = u32;

/// MSH-1, one byte.
pub const MLLP_MSH_FIELD_SEPARATOR: mllp_msh_t = 1;
/// MSH-2.
pub const MLLP_MSH_ENCODING_CHARACTERS: mllp_msh_t = 2;
/// MSH-3.
pub const MLLP_MSH_SENDING_APPLICATION: mllp_msh_t = 3;
/// MSH-4.
pub const MLLP_MSH_SENDING_FACILITY: mllp_msh_t = 4;
/// MSH-5.
pub const MLLP_MSH_RECEIVING_APPLICATION: mllp_msh_t = 5;
/// MSH-6.
pub const MLLP_MSH_RECEIVING_FACILITY: mllp_msh_t = 6;
/// MSH-7.
pub const MLLP_MSH_DATE_TIME_OF_MESSAGE: mllp_msh_t = 7;
/// MSH-8.
pub const MLLP_MSH_SECURITY: mllp_msh_t = 8;
/// MSH-9: message code, trigger event, message structure.
pub const MLLP_MSH_MESSAGE_TYPE: mllp_msh_t = 9;
/// MSH-10.
pub const MLLP_MSH_MESSAGE_CONTROL_ID: mllp_msh_t = 10;
/// MSH-11.
pub const MLLP_MSH_PROCESSING_ID: mllp_msh_t = 11;
/// MSH-12.
pub const MLLP_MSH_VERSION_ID: mllp_msh_t = 12;
/// MSH-13.
pub const MLLP_MSH_SEQUENCE_NUMBER: mllp_msh_t = 13;
/// MSH-14.
pub const MLLP_MSH_CONTINUATION_POINTER: mllp_msh_t = 14;
/// MSH-15.
pub const MLLP_MSH_ACCEPT_ACKNOWLEDGMENT_TYPE: mllp_msh_t = 15;
/// MSH-16.
pub const MLLP_MSH_APPLICATION_ACKNOWLEDGMENT_TYPE: mllp_msh_t = 16;
/// MSH-17.
pub const MLLP_MSH_COUNTRY_CODE: mllp_msh_t = 17;
/// MSH-18, repeating.
pub const MLLP_MSH_CHARACTER_SET: mllp_msh_t = 18;
/// MSH-19.
pub const MLLP_MSH_PRINCIPAL_LANGUAGE_OF_MESSAGE: mllp_msh_t = 19;
/// MSH-20.
pub const MLLP_MSH_ALTERNATE_CHARACTER_SET_HANDLING_SCHEME: mllp_msh_t = 20;
/// MSH-21, repeating.
pub const MLLP_MSH_MESSAGE_PROFILE_IDENTIFIER: mllp_msh_t = 21;
/// MSH-9.1, `ADT` in `ADT^A01^ADT_A01`: its first subcomponent.
pub const MLLP_MSH_MESSAGE_CODE: mllp_msh_t = 901;
/// MSH-9.2, `A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
pub const MLLP_MSH_TRIGGER_EVENT: mllp_msh_t = 902;
/// MSH-9.3, `ADT_A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
pub const MLLP_MSH_MESSAGE_STRUCTURE: mllp_msh_t = 903;
/// MSH-12.1, `2.5.1` in `2.5.1^DEU`: its first subcomponent.
pub const MLLP_MSH_VERSION: mllp_msh_t = 1201;
/// MSH-11.1, `P` in `P^T`: its first subcomponent.
pub const MLLP_MSH_PROCESSING: mllp_msh_t = 1101;
/// The first repetition of MSH-18: the character set of the whole message.
pub const MLLP_MSH_CHARACTER_SET_FIRST: mllp_msh_t = 1801;

/// The fields of a message header segment as they stand, MSH-1 to MSH-21. They borrow from the
/// message.
///
/// `mllp_message_header_field` gives one. A field that is empty or missing is an empty slice; all its
/// components and repetitions are in it.
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

/// What stands at `field`: an `MLLP_MSH_*`, or the number of a field, 1 to 21. An empty slice for any
/// other number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_field(
    header: *const mllp_message_header_t,
    field: mllp_msh_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(header) }.map(|header| match field {
        MLLP_MSH_MESSAGE_CODE => header.message_code(),
        MLLP_MSH_TRIGGER_EVENT => header.trigger_event(),
        MLLP_MSH_MESSAGE_STRUCTURE => header.message_structure(),
        MLLP_MSH_PROCESSING => header.processing(),
        MLLP_MSH_VERSION => header.version(),
        MLLP_MSH_CHARACTER_SET_FIRST => header.character_set_first(),
        number => header.field(number as usize),
    }))
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
