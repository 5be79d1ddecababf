//! What an ERR segment says.

use crate::Outcome;

/// ERR-3, table 0357: what is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// 0: nothing; for an ERR segment that only informs.
    MessageAccepted = 0,
    /// 100: segments are not in the order of the message structure.
    SegmentSequenceError = 100,
    /// 101: a required field is empty.
    RequiredFieldMissing = 101,
    /// 102: a field has the wrong data type.
    DataTypeError = 102,
    /// 103: a coded value is not in its table.
    TableValueNotFound = 103,
    /// 104: a value is too long (from 2.7).
    ValueTooLong = 104,
    /// 198: too few or too many repetitions.
    NonConformantCardinality = 198,
    /// 199: another HL7 error.
    OtherHl7Error = 199,
    /// 200: MSH-9.1 is not accepted.
    UnsupportedMessageType = 200,
    /// 201: MSH-9.2 is not accepted.
    UnsupportedEventCode = 201,
    /// 202: MSH-11 is not accepted.
    UnsupportedProcessingId = 202,
    /// 203: MSH-12 is not accepted.
    UnsupportedVersionId = 203,
    /// 204: the patient, order or the like is not known.
    UnknownKeyIdentifier = 204,
    /// 205: the patient, order or the like exists already. Not for a repeated MSH-10.
    DuplicateKeyIdentifier = 205,
    /// 206: the record is locked.
    ApplicationRecordLocked = 206,
    /// 207: the application failed for a reason of its own.
    ApplicationInternalError = 207,
}

impl ErrorCode {
    /// Every code of the table.
    pub const ALL: [ErrorCode; 16] = [
        ErrorCode::MessageAccepted,
        ErrorCode::SegmentSequenceError,
        ErrorCode::RequiredFieldMissing,
        ErrorCode::DataTypeError,
        ErrorCode::TableValueNotFound,
        ErrorCode::ValueTooLong,
        ErrorCode::NonConformantCardinality,
        ErrorCode::OtherHl7Error,
        ErrorCode::UnsupportedMessageType,
        ErrorCode::UnsupportedEventCode,
        ErrorCode::UnsupportedProcessingId,
        ErrorCode::UnsupportedVersionId,
        ErrorCode::UnknownKeyIdentifier,
        ErrorCode::DuplicateKeyIdentifier,
        ErrorCode::ApplicationRecordLocked,
        ErrorCode::ApplicationInternalError,
    ];

    /// The code with this number.
    pub fn from_number(number: u16) -> Option<ErrorCode> {
        ErrorCode::ALL.into_iter().find(|code| code.number() == number)
    }

    /// The number in the table.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The text in the table.
    pub const fn text(self) -> &'static str {
        match self {
            ErrorCode::MessageAccepted => "Message accepted",
            ErrorCode::SegmentSequenceError => "Segment sequence error",
            ErrorCode::RequiredFieldMissing => "Required field missing",
            ErrorCode::DataTypeError => "Data type error",
            ErrorCode::TableValueNotFound => "Table value not found",
            ErrorCode::ValueTooLong => "Value too long",
            ErrorCode::NonConformantCardinality => "Non-Conformant Cardinality",
            ErrorCode::OtherHl7Error => "Other HL7 Error",
            ErrorCode::UnsupportedMessageType => "Unsupported message type",
            ErrorCode::UnsupportedEventCode => "Unsupported event code",
            ErrorCode::UnsupportedProcessingId => "Unsupported processing id",
            ErrorCode::UnsupportedVersionId => "Unsupported version id",
            ErrorCode::UnknownKeyIdentifier => "Unknown key identifier",
            ErrorCode::DuplicateKeyIdentifier => "Duplicate key identifier",
            ErrorCode::ApplicationRecordLocked => "Application record locked",
            ErrorCode::ApplicationInternalError => "Application internal error",
        }
    }

    /// The outcome that goes with the code: 1xx is an error, 2xx a rejection.
    pub const fn outcome(self) -> Outcome {
        match self.number() {
            0 => Outcome::Accept,
            1..200 => Outcome::Error,
            _ => Outcome::Reject,
        }
    }
}

/// ERR-4, table 0516.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Severity {
    /// `E`: the transaction was not successful.
    #[default]
    Error,
    /// `F`: not processed because of an application or network failure.
    Fatal,
    /// `I`: successful, with information.
    Information,
    /// `W`: successful, but there may be issues.
    Warning,
}

impl Severity {
    /// The letter in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "E",
            Severity::Fatal => "F",
            Severity::Information => "I",
            Severity::Warning => "W",
        }
    }

    /// Reads the letter.
    pub fn from_bytes(bytes: &[u8]) -> Option<Severity> {
        [Severity::Error, Severity::Fatal, Severity::Information, Severity::Warning]
            .into_iter()
            .find(|severity| severity.as_str().as_bytes() == bytes)
    }
}

/// ERR-2: where in the message the error is. Numbers count from 1; 0 leaves the component out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location<'a> {
    /// The segment ID, `PID`; empty for no location at all.
    pub segment: &'a [u8],
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

impl Location<'_> {
    pub(crate) const fn numbers(&self) -> [u32; 5] {
        [self.occurrence, self.field, self.repetition, self.component, self.subcomponent]
    }
}

/// One ERR segment, or one repetition of ERR-1 before version 2.5.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ErrorDetail<'a> {
    /// ERR-3: what is wrong.
    pub code: ErrorCode,
    /// ERR-4: how bad it is.
    pub severity: Severity,
    /// ERR-2: where it is.
    pub location: Location<'a>,
    /// ERR-5, the application's own code: identifier, text, coding system; empty parts are left out.
    pub application: [&'a [u8]; 3],
    /// ERR-7: for the people who run the sender. Never put health data here.
    pub diagnostic: &'a [u8],
    /// ERR-8: for the sender's user.
    pub user_message: &'a [u8],
}

impl<'a> ErrorDetail<'a> {
    /// An error of this code, without a location.
    pub const fn new(code: ErrorCode) -> ErrorDetail<'a> {
        ErrorDetail::at(
            code,
            Location {
                segment: b"",
                occurrence: 0,
                field: 0,
                repetition: 0,
                component: 0,
                subcomponent: 0,
            },
        )
    }

    /// An error of this code at a place in the message.
    pub const fn at(code: ErrorCode, location: Location<'a>) -> ErrorDetail<'a> {
        ErrorDetail {
            code,
            severity: Severity::Error,
            location,
            application: [b"", b"", b""],
            diagnostic: b"",
            user_message: b"",
        }
    }
}

// Diagnostic and user text may quote a message: a debug output shows neither.
impl core::fmt::Debug for ErrorDetail<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ErrorDetail")
            .field("code", &self.code)
            .field("severity", &self.severity)
            .finish_non_exhaustive()
    }
}
