//! The acknowledgment message.

use ack_gen::{Ack, AckCode, ErrorCode, ErrorDetail, Policy};
use hl7_peek::Scan;
use mllp_core::Framing;

use crate::ack_code::mllp_ack_code_t;
use crate::code::{Numbered, numbered};
use crate::config::mllp_framing_t;
use crate::delimiters::{MLLP_SCAN_SINGLE_BYTE, mllp_scan_t};
use crate::error_detail::mllp_error_detail_t;
use crate::header::mllp_message_header_t;
use crate::slice::{mllp_slice_t, place, room, value, values};
use crate::state::state;
use crate::status::{Failure, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, mllp_status_t, status};

/// How an acknowledgment mirrors its message: `MLLP_POLICY_*`.
pub type mllp_policy_t = u32;

/// Every complete frame can be answered, whatever it holds: what is missing takes a default.
pub const MLLP_POLICY_ALWAYS: mllp_policy_t = 0;
/// The acknowledgment of chapter 2 (2.8.2.1, 2.12.1); a message without MSH has none.
pub const MLLP_POLICY_CONFORMANT: mllp_policy_t = 1;

numbered!(Policy {
    Policy::Always = MLLP_POLICY_ALWAYS, c"always";
    Policy::Conformant = MLLP_POLICY_CONFORMANT, c"conformant";
});

/// How many errors an acknowledgment can have.
pub const MLLP_MAX_ERRORS: usize = 16;

/// An acknowledgment: what goes into it, all of it borrowed until it has been written.
///
/// Make one with `mllp_ack_always` or `mllp_ack_conformant` and set further members. Whatever they
/// hold, the result is `MSH`, `MSA` and, for errors, `ERR` segments and nothing else: text is escaped,
/// and copied bytes that would end a segment or the frame around it are escaped too.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_ack_t {
    /// How the message is mirrored.
    pub policy: mllp_policy_t,
    /// MSA-1.
    pub code: mllp_ack_code_t,
    /// The header of the message; NULL when it has no usable MSH.
    pub header: *const mllp_message_header_t,
    /// How the header was read, for names in Shift_JIS and the like.
    pub scan: mllp_scan_t,
    /// 1: takes the names (MSH-3 to MSH-6), trigger event, processing ID and character set of the
    /// message as empty: for an answer that would be too long with them.
    pub brief: u32,
    /// MSH-10 of the acknowledgment, new and unique.
    pub control_id: mllp_slice_t,
    /// MSH-7 of the acknowledgment, as `YYYYMMDDHHMMSS[+ZZZZ]`: the time of the answer.
    pub timestamp: mllp_slice_t,
    /// Text for people: MSA-3, or ERR-8 from version 2.7 on, where MSA-3 is withdrawn.
    pub text: mllp_slice_t,
    /// What is wrong with the message.
    pub errors: *const mllp_error_detail_t,
    /// How many `errors`, up to `MLLP_MAX_ERRORS`.
    pub error_count: usize,
    /// MSA-4, for the sequence number protocol (2.9.1), where `has_expected_sequence_number` is not 0.
    pub expected_sequence_number: i64,
    /// 0: there is no MSA-4.
    pub has_expected_sequence_number: u32,
    /// MSH-3 of the acknowledgment, with its delimiters; without `data` it mirrors MSH-5.
    pub sending_application: mllp_slice_t,
    /// MSH-4 of the acknowledgment, with its delimiters; without `data` it mirrors MSH-6.
    pub sending_facility: mllp_slice_t,
    /// MSH-15 of the acknowledgment: empty, or what an application acknowledgment in enhanced mode
    /// asks for itself (2.8.3.2).
    pub accept_acknowledgment_type: mllp_slice_t,
    /// MSH-16 of the acknowledgment: empty, or `NE` in an application acknowledgment in enhanced mode.
    pub application_acknowledgment_type: mllp_slice_t,
    /// MSH-9.3 of the acknowledgment. Empty: `ACK` by the policy `conformant` from 2.4 on, none by the
    /// policy `always`.
    pub message_structure: mllp_slice_t,
    /// MSH-18 of the acknowledgment, with its repetitions; without `data` it is the message's, as a rule
    /// where anything is not ASCII. The texts and names must be in this set; nothing here converts
    /// them. Give it where `text` is not ASCII and the message names no set.
    pub character_set: mllp_slice_t,
    /// MSH-21 of the acknowledgment, with its delimiters. Empty: none, because the profile of the message
    /// does not describe the acknowledgment.
    pub message_profile_identifier: mllp_slice_t,
}

/// What is done with an acknowledgment. Not generic, so that the conversion is in the library once.
type Write<'w> = &'w mut dyn FnMut(&Ack<'_>) -> Result<mllp_status_t, Failure>;

impl mllp_ack_t {
    /// Calls `write` with the acknowledgment, once.
    ///
    /// # Safety
    ///
    /// Rules 2 and 6, for everything that the members point to.
    pub(crate) unsafe fn with(&self, write: Write<'_>) -> Result<mllp_status_t, Failure> {
        // SAFETY: the caller's promise is the same.
        unsafe {
            match self.error_count {
                0 => self.with_only(&[], write),
                1 => self.with_errors::<1>(write),
                _ => self.with_errors::<MLLP_MAX_ERRORS>(write),
            }
        }
    }

    /// Apart from [`with`](mllp_ack_t::with), so that only an answer with many errors needs the stack
    /// for them, a kilobyte on a machine of 32 bits.
    ///
    /// # Safety
    ///
    /// As for [`with`](mllp_ack_t::with).
    #[cold]
    #[inline(never)]
    unsafe fn with_errors<const MAX: usize>(
        &self,
        write: Write<'_>,
    ) -> Result<mllp_status_t, Failure> {
        // SAFETY: the caller's promise is the same.
        let given = unsafe { values(self.errors, self.error_count) }?;
        let mut errors = [ErrorDetail::new(ErrorCode::MessageAccepted); MAX];
        let errors = errors.get_mut(..given.len()).ok_or(Failure(MLLP_ERR_INVALID_ARGUMENT))?;
        for (error, given) in errors.iter_mut().zip(given) {
            // SAFETY: the caller's promise is the same.
            *error = unsafe { given.read() }?;
        }
        // SAFETY: the caller's promise is the same.
        unsafe { self.with_only(errors, write) }
    }

    /// [`with`](mllp_ack_t::with) these errors.
    ///
    /// # Safety
    ///
    /// As for [`with`](mllp_ack_t::with).
    unsafe fn with_only(
        &self,
        errors: &[ErrorDetail<'_>],
        write: Write<'_>,
    ) -> Result<mllp_status_t, Failure> {
        let policy = Policy::from_number(self.policy)?;
        let code = AckCode::from_number(self.code)?;
        let scan = Scan::from_number(self.scan)?;
        let has_expected = self.has_expected_sequence_number != 0;
        // SAFETY: the caller's promise is the same.
        unsafe {
            let header = if self.header.is_null() { None } else { Some(state(self.header)?) };
            let control_id = self.control_id.borrow()?;
            let timestamp = self.timestamp.borrow()?;
            let text = self.text.borrow()?;
            let sending_application = self.sending_application.borrow_some()?;
            let sending_facility = self.sending_facility.borrow_some()?;
            let accept_acknowledgment_type = self.accept_acknowledgment_type.borrow()?;
            let application_acknowledgment_type = self.application_acknowledgment_type.borrow()?;
            let message_structure = self.message_structure.borrow()?;
            let character_set = self.character_set.borrow_some()?;
            let message_profile_identifier = self.message_profile_identifier.borrow()?;
            write(&Ack {
                policy,
                code,
                header,
                scan,
                control_id,
                timestamp,
                text,
                errors,
                expected_sequence_number: has_expected.then_some(self.expected_sequence_number),
                sending_application,
                sending_facility,
                accept_acknowledgment_type,
                application_acknowledgment_type,
                message_structure,
                character_set,
                message_profile_identifier,
                brief: self.brief != 0,
            })
        }
    }
}

/// An acknowledgment by the policy `always`, for any payload: `header` is what
/// `mllp_message_header_parse_lenient` gave, NULL when it found none.
///
/// A message without MSH-10 is answered with `control_id` in MSH-10 and MSA-2 both.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_ack_always(
    code: mllp_ack_code_t,
    header: *const mllp_message_header_t,
    control_id: *const u8,
    control_id_len: usize,
    timestamp: *const u8,
    timestamp_len: usize,
) -> mllp_ack_t {
    mllp_ack_t {
        policy: MLLP_POLICY_ALWAYS,
        code,
        header,
        scan: MLLP_SCAN_SINGLE_BYTE,
        brief: 0,
        control_id: mllp_slice_t { data: control_id, len: control_id_len },
        timestamp: mllp_slice_t { data: timestamp, len: timestamp_len },
        text: mllp_slice_t::NONE,
        errors: core::ptr::null(),
        error_count: 0,
        expected_sequence_number: 0,
        has_expected_sequence_number: 0,
        sending_application: mllp_slice_t::NONE,
        sending_facility: mllp_slice_t::NONE,
        accept_acknowledgment_type: mllp_slice_t::NONE,
        application_acknowledgment_type: mllp_slice_t::NONE,
        message_structure: mllp_slice_t::NONE,
        character_set: mllp_slice_t::NONE,
        message_profile_identifier: mllp_slice_t::NONE,
    }
}

/// An acknowledgment by the policy `conformant`. Without a header it cannot be written.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_ack_conformant(
    code: mllp_ack_code_t,
    header: *const mllp_message_header_t,
    control_id: *const u8,
    control_id_len: usize,
    timestamp: *const u8,
    timestamp_len: usize,
) -> mllp_ack_t {
    mllp_ack_t {
        policy: MLLP_POLICY_CONFORMANT,
        ..mllp_ack_always(code, header, control_id, control_id_len, timestamp, timestamp_len)
    }
}

/// Length of the acknowledgment in bytes, without a frame. Costs as much as `mllp_ack_encode`.
///
/// `MLLP_ERR_NO_HEADER`, `MLLP_ERR_NO_CONTROL_ID`: as for `mllp_ack_encode`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_ack_encoded_len(
    ack: *const mllp_ack_t,
    out: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (ack, out) = unsafe { (value(ack)?, place(out)?) };
        let mut measure = |ack: &Ack<'_>| {
            out.write(ack.encoded_len()?);
            Ok(MLLP_OK)
        };
        // SAFETY: rules 2 and 6.
        unsafe { ack.with(&mut measure) }
    })
}

/// Writes the acknowledgment, without a frame, to the front of `out`, and its length to `out_len`.
///
/// `MLLP_ERR_BUFFER_TOO_SMALL`: `out_capacity` is below `mllp_ack_encoded_len`. By the policy
/// `conformant`, `MLLP_ERR_NO_HEADER` without MSH, and `MLLP_ERR_NO_CONTROL_ID` for a positive code
/// without MSH-10. `MLLP_ERR_INVALID_ARGUMENT`: more errors than `MLLP_MAX_ERRORS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_ack_encode(
    ack: *const mllp_ack_t,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (ack, out, out_len) =
            unsafe { (value(ack)?, room(out, out_capacity)?, place(out_len)?) };
        let mut write = |ack: &Ack<'_>| {
            out_len.write(ack.encode(out)?);
            Ok(MLLP_OK)
        };
        // SAFETY: rules 2 and 6.
        unsafe { ack.with(&mut write) }
    })
}

/// Writes the frame of MLLP around the acknowledgment in place, ready to be sent: see
/// `mllp_ack_encode`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_encode_ack(
    ack: *const mllp_ack_t,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    // SAFETY: rules 2, 6 and 7.
    unsafe { encode(Framing::MLLP, ack, out, out_capacity, out_len) }
}

/// As `mllp_encode_ack`, with other framing bytes. `MLLP_ERR_INVALID_FRAMING` when two are equal,
/// `MLLP_ERR_RESERVED_BYTE` when the acknowledgment holds one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_framing_encode_ack(
    framing: *const mllp_framing_t,
    ack: *const mllp_ack_t,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let framing = unsafe { value(framing) }?.read()?;
        // SAFETY: rules 2, 6 and 7.
        Ok(unsafe { encode(framing, ack, out, out_capacity, out_len) })
    })
}

/// # Safety
///
/// Rules 2, 6 and 7.
unsafe fn encode(
    framing: Framing,
    ack: *const mllp_ack_t,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        let (ack, out, out_len) =
            unsafe { (value(ack)?, room(out, out_capacity)?, place(out_len)?) };
        let mut write = |ack: &Ack<'_>| {
            let len = framing.encode_with(out, |payload| -> Result<usize, Failure> {
                Ok(ack.encode(payload)?)
            })?;
            out_len.write(len);
            Ok(MLLP_OK)
        };
        // SAFETY: the caller's promise is the same.
        unsafe { ack.with(&mut write) }
    })
}
