//! Values, addressed by paths such as `PID-3[2].4.1`.

use core::mem::MaybeUninit;

use hl7_peek::{Message, Path, Value};

use crate::message::mllp_message_t;
use crate::slice::{bytes, mllp_slice_t, place};
use crate::state::{State, give, state};
use crate::status::{Failure, MLLP_OK, mllp_status_t, status};

/// Where a value stands in a message: `PID-3[2].4.1`, `PID.3.1`, `OBX[3]-5`, `MSH-9.2`, `NK1[2]`.
///
/// Segment and occurrence, field and repetition, component, subcomponent; every number counts from 1.
/// The name of a local segment, which begins with Z, may have two to eight characters: `ZABC-1`.
#[repr(C)]
pub struct mllp_path_t {
    _state: [MaybeUninit<u64>; 5],
}

impl State for mllp_path_t {
    type Inner = Path;
    const MARK: u64 = u64::from_le_bytes(*b"mllpPTH2");
}

/// What stands at an address: `MLLP_VALUE_*`.
///
/// A receiver that updates records must tell them apart (HL7 v2.9.1 chapter 2, 2.5.3): absent and
/// empty leave the stored value alone, null deletes it.
pub type mllp_value_kind_t = u32;

/// The segment, field, repetition, component or subcomponent is not there.
pub const MLLP_VALUE_ABSENT: mllp_value_kind_t = 0;
/// It is there and has no bytes.
pub const MLLP_VALUE_EMPTY: mllp_value_kind_t = 1;
/// Exactly two double quotes: delete what is stored.
pub const MLLP_VALUE_NULL: mllp_value_kind_t = 2;
/// Anything else.
pub const MLLP_VALUE_VALUE: mllp_value_kind_t = 3;

/// What stands at an address.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_value_t {
    /// Which of the four it is.
    pub kind: mllp_value_kind_t,
    /// Of `MLLP_VALUE_VALUE`, the bytes as they stand in the payload, still escaped; else empty.
    pub bytes: mllp_slice_t,
}

impl mllp_value_t {
    fn of(value: Value<'_>) -> mllp_value_t {
        let (kind, bytes) = match value {
            Value::Absent => (MLLP_VALUE_ABSENT, mllp_slice_t::NONE),
            Value::Empty => (MLLP_VALUE_EMPTY, mllp_slice_t::NONE),
            Value::Null => (MLLP_VALUE_NULL, mllp_slice_t::NONE),
            Value::Value(bytes) => (MLLP_VALUE_VALUE, mllp_slice_t::lend(bytes)),
        };
        mllp_value_t { kind, bytes }
    }
}

/// Reads a path. `MLLP_ERR_BAD_PATH` if the text is not exactly one, or a number in it is 0 or does
/// not fit into 32 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_path_parse(
    text: *const u8,
    text_len: usize,
    out: *mut mllp_path_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (text, out) = unsafe { (bytes(text, text_len)?, place(out)?) };
        Ok(give(out, Some(Path::parse_bytes(text)?)))
    })
}

/// The bytes that `path` addresses. `MLLP_NOT_FOUND` if they are not there; an empty value is there.
///
/// Exactly the addressed node: a path without a field is the whole segment, a path without a
/// repetition and a component is the whole field with all its repetitions. Each call searches from the
/// start of the payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_get(
    message: *const mllp_message_t,
    path: *const mllp_path_t,
    out: *mut mllp_slice_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { find(message, path, out, Message::get) }
}

/// The single value at `path`: where it names no repetition, component or subcomponent, the first one.
///
/// `MLLP_NOT_FOUND` if it is not there, and for a path without a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_leaf(
    message: *const mllp_message_t,
    path: *const mllp_path_t,
    out: *mut mllp_slice_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { find(message, path, out, Message::leaf) }
}

/// As `mllp_message_leaf`, with absent, empty and null told apart.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_value(
    message: *const mllp_message_t,
    path: *const mllp_path_t,
    out: *mut mllp_value_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (message, path, out) = unsafe { (state(message)?, state(path)?, place(out)?) };
        out.write(mllp_value_t::of(message.value(*path)));
        Ok(MLLP_OK)
    })
}

/// The state of what a lookup gave; a slice whose data is NULL is absent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_value_of(bytes: mllp_slice_t) -> mllp_value_t {
    // SAFETY: rule 6.
    mllp_value_t::of(Value::of(unsafe { bytes.borrow_some() }.unwrap_or_default()))
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn find(
    message: *const mllp_message_t,
    path: *const mllp_path_t,
    out: *mut mllp_slice_t,
    look: impl FnOnce(&Message<'static>, Path) -> Option<&'static [u8]>,
) -> mllp_status_t {
    status(|| -> Result<mllp_status_t, Failure> {
        // SAFETY: the caller's promise is the same.
        let (message, path, out) = unsafe { (state(message)?, state(path)?, place(out)?) };
        Ok(mllp_slice_t::give(out, look(message, *path)))
    })
}
