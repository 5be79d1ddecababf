//! What a call returns.

use core::ffi::{CStr, c_char};

use mllp_link::{AnswerError, ProxyError, RuleError, RuleErrorKind, SubmitError};

/// What a call returns: `MLLP_OK`, a condition above 0, or an error below 0.
///
/// The numbers never change. Errors come in blocks: from -1 on what any call can return, from -100
/// on frames, from -200 on messages, from -300 on acknowledgments, from -400 on links.
pub type mllp_status_t = i32;

/// Done.
pub const MLLP_OK: mllp_status_t = 0;
/// More bytes are needed, or nothing has happened. Not an error.
pub const MLLP_PARTIAL: mllp_status_t = 1;
/// What was asked for is not there. Not an error.
pub const MLLP_NOT_FOUND: mllp_status_t = 2;

/// A pointer is NULL that must not be.
pub const MLLP_ERR_NULL: mllp_status_t = -1;
/// The state was never initialised, or is of another type.
pub const MLLP_ERR_NOT_INITIALISED: mllp_status_t = -2;
/// A number is none of its type's constants, or a length is beyond half of the address space.
pub const MLLP_ERR_INVALID_ARGUMENT: mllp_status_t = -3;
/// The output does not fit into the caller's buffer.
pub const MLLP_ERR_BUFFER_TOO_SMALL: mllp_status_t = -4;

/// Two of the framing bytes are equal.
pub const MLLP_ERR_INVALID_FRAMING: mllp_status_t = -100;
/// The payload holds a framing byte and cannot be framed.
pub const MLLP_ERR_RESERVED_BYTE: mllp_status_t = -101;

/// A character of MSH-2 is not a printable, non-alphanumeric ASCII character.
pub const MLLP_ERR_BAD_ENCODING_CHARACTER: mllp_status_t = -200;
/// MSH-1 is not a printable, non-alphanumeric ASCII character.
pub const MLLP_ERR_BAD_FIELD_SEPARATOR: mllp_status_t = -201;
/// The text is not a path such as `PID-3[2].4.1`.
pub const MLLP_ERR_BAD_PATH: mllp_status_t = -202;
/// Two of MSH-1 and the first five characters of MSH-2 are the same.
pub const MLLP_ERR_DUPLICATE_DELIMITER: mllp_status_t = -203;
/// MSH-2 is empty.
pub const MLLP_ERR_NO_ENCODING_CHARACTERS: mllp_status_t = -204;
/// The message has no `MSH` (or, to be read, `FHS` or `BHS`) at its front.
pub const MLLP_ERR_NO_HEADER: mllp_status_t = -205;
/// The message ends before MSH-1.
pub const MLLP_ERR_SHORT_HEADER: mllp_status_t = -206;

/// Chapter 2 accepts no message without MSH-10: its sender could not tell which one was accepted.
pub const MLLP_ERR_NO_CONTROL_ID: mllp_status_t = -300;

/// The ticket or the refusal was used, or is of no message of this connection.
pub const MLLP_ERR_NO_TICKET: mllp_status_t = -400;
/// The message was lost: it can be refused, never answered otherwise.
pub const MLLP_ERR_LOST: mllp_status_t = -401;
/// The payload or header of the message is no longer at hand: the `_later` call takes it from the
/// caller.
pub const MLLP_ERR_NOT_AT_HAND: mllp_status_t = -402;
/// The link was given up, and its answers with it.
pub const MLLP_ERR_CLOSED: mllp_status_t = -403;
/// The policy `conformant` has no positive answer for several messages at once.
pub const MLLP_ERR_BATCH: mllp_status_t = -404;
/// As many messages as the link holds are without a verdict.
pub const MLLP_ERR_FULL: mllp_status_t = -410;
/// MSH-10 is too long: the reply could not be told from others.
pub const MLLP_ERR_ID_TOO_LONG: mllp_status_t = -411;
/// A message with this MSH-10 has no verdict yet: their replies could not be told apart.
pub const MLLP_ERR_ID_IN_USE: mllp_status_t = -412;
/// The text before `=` in a rule is not a condition.
pub const MLLP_ERR_UNKNOWN_CONDITION: mllp_status_t = -420;
/// The text after `=` in a rule is not an action.
pub const MLLP_ERR_UNKNOWN_ACTION: mllp_status_t = -421;
/// Nothing stands behind the condition of a rule.
pub const MLLP_ERR_MISSING_ACTION: mllp_status_t = -422;
/// There are more rules than `MLLP_MAX_RULES`.
pub const MLLP_ERR_TOO_MANY_RULES: mllp_status_t = -423;
/// The rule would take a message for delivered that nobody has accepted.
pub const MLLP_ERR_UNSAFE_ACCEPT: mllp_status_t = -424;

/// The connection does not begin with a PROXY protocol header.
pub const MLLP_ERR_NO_PROXY_HEADER: mllp_status_t = -430;
/// The PROXY protocol header breaks its specification.
pub const MLLP_ERR_BAD_PROXY_HEADER: mllp_status_t = -431;

/// What went wrong in a call, on its way to the status.
pub(crate) struct Failure(pub(crate) mllp_status_t);

/// Runs a call and turns what went wrong into its status.
#[inline(always)]
pub(crate) fn status(call: impl FnOnce() -> Result<mllp_status_t, Failure>) -> mllp_status_t {
    match call() {
        Ok(status) | Err(Failure(status)) => status,
    }
}

impl From<mllp_core::Error> for Failure {
    fn from(error: mllp_core::Error) -> Failure {
        Failure(match error {
            mllp_core::Error::BufferTooSmall => MLLP_ERR_BUFFER_TOO_SMALL,
            mllp_core::Error::InvalidFraming => MLLP_ERR_INVALID_FRAMING,
            mllp_core::Error::ReservedByte { .. } => MLLP_ERR_RESERVED_BYTE,
            _ => MLLP_ERR_INVALID_ARGUMENT,
        })
    }
}

impl From<hl7_peek::Error> for Failure {
    fn from(error: hl7_peek::Error) -> Failure {
        Failure(match error {
            hl7_peek::Error::BadEncodingCharacter => MLLP_ERR_BAD_ENCODING_CHARACTER,
            hl7_peek::Error::BadFieldSeparator => MLLP_ERR_BAD_FIELD_SEPARATOR,
            hl7_peek::Error::BadPath => MLLP_ERR_BAD_PATH,
            hl7_peek::Error::BufferTooSmall => MLLP_ERR_BUFFER_TOO_SMALL,
            hl7_peek::Error::DuplicateDelimiter => MLLP_ERR_DUPLICATE_DELIMITER,
            hl7_peek::Error::NoEncodingCharacters => MLLP_ERR_NO_ENCODING_CHARACTERS,
            hl7_peek::Error::NoHeader => MLLP_ERR_NO_HEADER,
            hl7_peek::Error::ShortHeader => MLLP_ERR_SHORT_HEADER,
            _ => MLLP_ERR_INVALID_ARGUMENT,
        })
    }
}

impl From<ack_gen::Error> for Failure {
    fn from(error: ack_gen::Error) -> Failure {
        Failure(match error {
            ack_gen::Error::BufferTooSmall => MLLP_ERR_BUFFER_TOO_SMALL,
            ack_gen::Error::NoControlId => MLLP_ERR_NO_CONTROL_ID,
            ack_gen::Error::NoHeader => MLLP_ERR_NO_HEADER,
            _ => MLLP_ERR_INVALID_ARGUMENT,
        })
    }
}

impl From<AnswerError> for Failure {
    fn from(error: AnswerError) -> Failure {
        Failure(match error {
            AnswerError::Ack(error) => return error.into(),
            AnswerError::Batch => MLLP_ERR_BATCH,
            AnswerError::Closed => MLLP_ERR_CLOSED,
            AnswerError::Frame(error) => return error.into(),
            AnswerError::Message(error) => return error.into(),
            AnswerError::NotAtHand => MLLP_ERR_NOT_AT_HAND,
        })
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Failure {
        Failure(match error {
            SubmitError::Full => MLLP_ERR_FULL,
            SubmitError::IdTooLong => MLLP_ERR_ID_TOO_LONG,
            SubmitError::IdInUse => MLLP_ERR_ID_IN_USE,
            SubmitError::Frame(error) => return error.into(),
        })
    }
}

impl From<RuleError> for Failure {
    fn from(error: RuleError) -> Failure {
        Failure(match error.kind {
            RuleErrorKind::UnknownCondition => MLLP_ERR_UNKNOWN_CONDITION,
            RuleErrorKind::UnknownAction => MLLP_ERR_UNKNOWN_ACTION,
            RuleErrorKind::MissingAction => MLLP_ERR_MISSING_ACTION,
            RuleErrorKind::TooMany => MLLP_ERR_TOO_MANY_RULES,
            RuleErrorKind::UnsafeAccept => MLLP_ERR_UNSAFE_ACCEPT,
        })
    }
}

impl From<ProxyError> for Failure {
    fn from(error: ProxyError) -> Failure {
        Failure(match error {
            ProxyError::NoHeader => MLLP_ERR_NO_PROXY_HEADER,
            ProxyError::BadHeader => MLLP_ERR_BAD_PROXY_HEADER,
        })
    }
}

/// The stable name of a status, the same in every language where the thing has a name there:
/// `reserved_byte`, for instance. `unknown` for a number that is none. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_status_name(status: mllp_status_t) -> *const c_char {
    name_of(status).as_ptr()
}

fn name_of(status: mllp_status_t) -> &'static CStr {
    match status {
        MLLP_OK => c"ok",
        MLLP_PARTIAL => c"partial",
        MLLP_NOT_FOUND => c"not_found",
        MLLP_ERR_NULL => c"null",
        MLLP_ERR_NOT_INITIALISED => c"not_initialised",
        MLLP_ERR_INVALID_ARGUMENT => c"invalid_argument",
        MLLP_ERR_BUFFER_TOO_SMALL => c"buffer_too_small",
        MLLP_ERR_INVALID_FRAMING => c"invalid_framing",
        MLLP_ERR_RESERVED_BYTE => c"reserved_byte",
        MLLP_ERR_BAD_ENCODING_CHARACTER => c"bad_encoding_character",
        MLLP_ERR_BAD_FIELD_SEPARATOR => c"bad_field_separator",
        MLLP_ERR_BAD_PATH => c"bad_path",
        MLLP_ERR_DUPLICATE_DELIMITER => c"duplicate_delimiter",
        MLLP_ERR_NO_ENCODING_CHARACTERS => c"no_encoding_characters",
        MLLP_ERR_NO_HEADER => c"no_header",
        MLLP_ERR_SHORT_HEADER => c"short_header",
        MLLP_ERR_NO_CONTROL_ID => c"no_control_id",
        MLLP_ERR_NO_TICKET => c"no_ticket",
        MLLP_ERR_LOST => c"lost",
        MLLP_ERR_NOT_AT_HAND => c"not_at_hand",
        MLLP_ERR_CLOSED => c"closed",
        MLLP_ERR_BATCH => c"batch",
        MLLP_ERR_FULL => c"full",
        MLLP_ERR_ID_TOO_LONG => c"id_too_long",
        MLLP_ERR_ID_IN_USE => c"id_in_use",
        MLLP_ERR_UNKNOWN_CONDITION => c"unknown_condition",
        MLLP_ERR_UNKNOWN_ACTION => c"unknown_action",
        MLLP_ERR_MISSING_ACTION => c"missing_action",
        MLLP_ERR_TOO_MANY_RULES => c"too_many_rules",
        MLLP_ERR_UNSAFE_ACCEPT => c"unsafe_accept",
        MLLP_ERR_NO_PROXY_HEADER => c"no_proxy_header",
        MLLP_ERR_BAD_PROXY_HEADER => c"bad_proxy_header",
        _ => c"unknown",
    }
}
