//! MSH, field by field, by name.

use hl7_peek::MessageHeader;

use crate::header::mllp_message_header_t;
use crate::slice::mllp_slice_t;
use crate::state::state;

/// MSH-1, one byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_field_separator(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::field_separator) }
}

/// MSH-2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_encoding_characters(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::encoding_characters) }
}

/// MSH-3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_sending_application(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::sending_application) }
}

/// MSH-4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_sending_facility(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::sending_facility) }
}

/// MSH-5.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_receiving_application(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::receiving_application) }
}

/// MSH-6.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_receiving_facility(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::receiving_facility) }
}

/// MSH-7.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_date_time_of_message(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::date_time_of_message) }
}

/// MSH-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_security(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::security) }
}

/// MSH-9: message code, trigger event, message structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_message_type(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::message_type) }
}

/// MSH-10.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_message_control_id(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::message_control_id) }
}

/// MSH-11.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_processing_id(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::processing_id) }
}

/// MSH-12.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_version_id(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::version_id) }
}

/// MSH-13.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_sequence_number(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::sequence_number) }
}

/// MSH-14.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_continuation_pointer(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::continuation_pointer) }
}

/// MSH-15.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_accept_acknowledgment_type(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::accept_acknowledgment_type) }
}

/// MSH-16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_application_acknowledgment_type(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::application_acknowledgment_type) }
}

/// MSH-17.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_country_code(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::country_code) }
}

/// MSH-18, repeating.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_character_set(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::character_set) }
}

/// MSH-19.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_principal_language_of_message(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::principal_language_of_message) }
}

/// MSH-20.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_alternate_character_set_handling_scheme(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::alternate_character_set_handling_scheme) }
}

/// MSH-21, repeating.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_message_profile_identifier(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::message_profile_identifier) }
}

/// MSH-9.1, `ADT` in `ADT^A01^ADT_A01`: its first subcomponent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_message_code(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::message_code) }
}

/// MSH-9.2, `A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_trigger_event(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::trigger_event) }
}

/// MSH-9.3, `ADT_A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_message_structure(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::message_structure) }
}

/// MSH-12.1, `2.5.1` in `2.5.1^DEU`: its first subcomponent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_version(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::version) }
}

/// MSH-11.1, `P` in `P^T`: its first subcomponent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_processing(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::processing) }
}

/// The first repetition of MSH-18: the character set of the whole message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_character_set_first(
    header: *const mllp_message_header_t,
) -> mllp_slice_t {
    // SAFETY: rule 2.
    unsafe { part(header, MessageHeader::character_set_first) }
}

/// # Safety
///
/// Rule 2.
#[inline(always)]
unsafe fn part(
    header: *const mllp_message_header_t,
    look: impl FnOnce(&MessageHeader<'static>) -> &'static [u8],
) -> mllp_slice_t {
    // SAFETY: the caller's promise is the same.
    mllp_slice_t::found(unsafe { state(header) }.map(look))
}
