//! What an ERR segment says.

use core::ffi::c_char;

use ack_gen::{ErrorCode, ErrorDetail, Location, Severity};

use crate::ack_code::mllp_outcome_t;
use crate::code::{Numbered, name, numbered};
use crate::slice::mllp_slice_t;
use crate::status::Failure;

/// ERR-3, table 0357: what is wrong with a message. The numbers are those of the table.
pub type mllp_error_code_t = u32;

/// Nothing; for an ERR segment that only informs.
pub const MLLP_ERROR_CODE_MESSAGE_ACCEPTED: mllp_error_code_t = 0;
/// Segments are not in the order of the message structure.
pub const MLLP_ERROR_CODE_SEGMENT_SEQUENCE_ERROR: mllp_error_code_t = 100;
/// A required field is empty.
pub const MLLP_ERROR_CODE_REQUIRED_FIELD_MISSING: mllp_error_code_t = 101;
/// A field has the wrong data type.
pub const MLLP_ERROR_CODE_DATA_TYPE_ERROR: mllp_error_code_t = 102;
/// A coded value is not in its table.
pub const MLLP_ERROR_CODE_TABLE_VALUE_NOT_FOUND: mllp_error_code_t = 103;
/// A value is too long (from 2.7).
pub const MLLP_ERROR_CODE_VALUE_TOO_LONG: mllp_error_code_t = 104;
/// Too few or too many repetitions.
pub const MLLP_ERROR_CODE_NON_CONFORMANT_CARDINALITY: mllp_error_code_t = 198;
/// Another HL7 error.
pub const MLLP_ERROR_CODE_OTHER_HL7_ERROR: mllp_error_code_t = 199;
/// MSH-9.1 is not accepted.
pub const MLLP_ERROR_CODE_UNSUPPORTED_MESSAGE_TYPE: mllp_error_code_t = 200;
/// MSH-9.2 is not accepted.
pub const MLLP_ERROR_CODE_UNSUPPORTED_EVENT_CODE: mllp_error_code_t = 201;
/// MSH-11 is not accepted.
pub const MLLP_ERROR_CODE_UNSUPPORTED_PROCESSING_ID: mllp_error_code_t = 202;
/// MSH-12 is not accepted.
pub const MLLP_ERROR_CODE_UNSUPPORTED_VERSION_ID: mllp_error_code_t = 203;
/// The patient, order or the like is not known.
pub const MLLP_ERROR_CODE_UNKNOWN_KEY_IDENTIFIER: mllp_error_code_t = 204;
/// The patient, order or the like exists already. Not for a repeated MSH-10.
pub const MLLP_ERROR_CODE_DUPLICATE_KEY_IDENTIFIER: mllp_error_code_t = 205;
/// The record is locked.
pub const MLLP_ERROR_CODE_APPLICATION_RECORD_LOCKED: mllp_error_code_t = 206;
/// The application failed for a reason of its own.
pub const MLLP_ERROR_CODE_APPLICATION_INTERNAL_ERROR: mllp_error_code_t = 207;

numbered!(ErrorCode {
    ErrorCode::MessageAccepted = MLLP_ERROR_CODE_MESSAGE_ACCEPTED, c"Message accepted";
    ErrorCode::SegmentSequenceError = MLLP_ERROR_CODE_SEGMENT_SEQUENCE_ERROR, c"Segment sequence error";
    ErrorCode::RequiredFieldMissing = MLLP_ERROR_CODE_REQUIRED_FIELD_MISSING, c"Required field missing";
    ErrorCode::DataTypeError = MLLP_ERROR_CODE_DATA_TYPE_ERROR, c"Data type error";
    ErrorCode::TableValueNotFound = MLLP_ERROR_CODE_TABLE_VALUE_NOT_FOUND, c"Table value not found";
    ErrorCode::ValueTooLong = MLLP_ERROR_CODE_VALUE_TOO_LONG, c"Value too long";
    ErrorCode::NonConformantCardinality = MLLP_ERROR_CODE_NON_CONFORMANT_CARDINALITY, c"Non-Conformant Cardinality";
    ErrorCode::OtherHl7Error = MLLP_ERROR_CODE_OTHER_HL7_ERROR, c"Other HL7 Error";
    ErrorCode::UnsupportedMessageType = MLLP_ERROR_CODE_UNSUPPORTED_MESSAGE_TYPE, c"Unsupported message type";
    ErrorCode::UnsupportedEventCode = MLLP_ERROR_CODE_UNSUPPORTED_EVENT_CODE, c"Unsupported event code";
    ErrorCode::UnsupportedProcessingId = MLLP_ERROR_CODE_UNSUPPORTED_PROCESSING_ID, c"Unsupported processing id";
    ErrorCode::UnsupportedVersionId = MLLP_ERROR_CODE_UNSUPPORTED_VERSION_ID, c"Unsupported version id";
    ErrorCode::UnknownKeyIdentifier = MLLP_ERROR_CODE_UNKNOWN_KEY_IDENTIFIER, c"Unknown key identifier";
    ErrorCode::DuplicateKeyIdentifier = MLLP_ERROR_CODE_DUPLICATE_KEY_IDENTIFIER, c"Duplicate key identifier";
    ErrorCode::ApplicationRecordLocked = MLLP_ERROR_CODE_APPLICATION_RECORD_LOCKED, c"Application record locked";
    ErrorCode::ApplicationInternalError = MLLP_ERROR_CODE_APPLICATION_INTERNAL_ERROR, c"Application internal error";
}, _ = MLLP_ERROR_CODE_OTHER_HL7_ERROR);

/// ERR-4, table 0516: `MLLP_SEVERITY_*`.
pub type mllp_severity_t = u32;

/// `E`: the transaction was not successful.
pub const MLLP_SEVERITY_ERROR: mllp_severity_t = 0;
/// `F`: not processed because of an application or network failure.
pub const MLLP_SEVERITY_FATAL: mllp_severity_t = 1;
/// `I`: successful, with information.
pub const MLLP_SEVERITY_INFORMATION: mllp_severity_t = 2;
/// `W`: successful, but there may be issues.
pub const MLLP_SEVERITY_WARNING: mllp_severity_t = 3;

numbered!(Severity {
    Severity::Error = MLLP_SEVERITY_ERROR, c"E";
    Severity::Fatal = MLLP_SEVERITY_FATAL, c"F";
    Severity::Information = MLLP_SEVERITY_INFORMATION, c"I";
    Severity::Warning = MLLP_SEVERITY_WARNING, c"W";
});

/// ERR-2: where in the message the error is. Numbers count from 1; 0 leaves the component out.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_location_t {
    /// The segment ID, `PID`; empty for no location at all.
    pub segment: mllp_slice_t,
    /// Which segment of that ID in the message, not its set ID.
    pub occurrence: u32,
    /// The field.
    pub field: u32,
    /// The repetition of the field.
    pub repetition: u32,
    /// The component of the repetition.
    pub component: u32,
    /// The subcomponent of the component.
    pub subcomponent: u32,
}

impl mllp_location_t {
    fn of(location: Location<'static>) -> mllp_location_t {
        mllp_location_t {
            segment: mllp_slice_t::lend(location.segment),
            occurrence: location.occurrence,
            field: location.field,
            repetition: location.repetition,
            component: location.component,
            subcomponent: location.subcomponent,
        }
    }

    /// # Safety
    ///
    /// Rule 6.
    unsafe fn read<'a>(&self) -> Result<Location<'a>, Failure> {
        Ok(Location {
            // SAFETY: the caller's promise is the same.
            segment: unsafe { self.segment.borrow() }?,
            occurrence: self.occurrence,
            field: self.field,
            repetition: self.repetition,
            component: self.component,
            subcomponent: self.subcomponent,
        })
    }
}

/// One ERR segment, or one repetition of ERR-1 before version 2.5.
///
/// Begin with all of it zeroed: an error of severity `E` without a location or a text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_error_detail_t {
    /// ERR-3: what is wrong.
    pub code: mllp_error_code_t,
    /// ERR-4: how bad it is.
    pub severity: mllp_severity_t,
    /// ERR-2: where it is.
    pub location: mllp_location_t,
    /// ERR-5, the application's own code: identifier, text, coding system; empty parts are left out.
    pub application: [mllp_slice_t; 3],
    /// ERR-7: for the people who run the sender. Never put health data here.
    pub diagnostic: mllp_slice_t,
    /// ERR-8: for the sender's user.
    pub user_message: mllp_slice_t,
}

impl mllp_error_detail_t {
    /// Nothing at all.
    pub(crate) const NONE: mllp_error_detail_t = mllp_error_detail_t {
        code: MLLP_ERROR_CODE_MESSAGE_ACCEPTED,
        severity: MLLP_SEVERITY_ERROR,
        location: mllp_location_t {
            segment: mllp_slice_t::NONE,
            occurrence: 0,
            field: 0,
            repetition: 0,
            component: 0,
            subcomponent: 0,
        },
        application: [mllp_slice_t::NONE; 3],
        diagnostic: mllp_slice_t::NONE,
        user_message: mllp_slice_t::NONE,
    };

    pub(crate) fn of(error: &ErrorDetail<'static>) -> mllp_error_detail_t {
        mllp_error_detail_t {
            code: error.code.number().into(),
            severity: error.severity.number(),
            location: mllp_location_t::of(error.location),
            application: error.application.map(mllp_slice_t::lend),
            diagnostic: mllp_slice_t::lend(error.diagnostic),
            user_message: mllp_slice_t::lend(error.user_message),
        }
    }

    /// # Safety
    ///
    /// Rule 6, for every slice.
    pub(crate) unsafe fn read<'a>(&self) -> Result<ErrorDetail<'a>, Failure> {
        let [identifier, text, coding_system] = self.application;
        // SAFETY: the caller's promise is the same.
        unsafe {
            Ok(ErrorDetail {
                code: <ErrorCode as Numbered>::from_number(self.code)?,
                severity: Severity::from_number(self.severity)?,
                location: self.location.read()?,
                application: [identifier.borrow()?, text.borrow()?, coding_system.borrow()?],
                diagnostic: self.diagnostic.borrow()?,
                user_message: self.user_message.borrow()?,
            })
        }
    }
}

/// The text of the code in table 0357, such as `Value too long`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_error_code_text(code: mllp_error_code_t) -> *const c_char {
    name::<ErrorCode>(code)
}

/// The outcome that goes with the code: 1xx is an error, 2xx a rejection.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_error_code_outcome(code: mllp_error_code_t) -> mllp_outcome_t {
    <ErrorCode as Numbered>::from_number(code).map_or(0, |code| code.outcome().number())
}

/// The letter of table 0516; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_severity_name(severity: mllp_severity_t) -> *const c_char {
    name::<Severity>(severity)
}
