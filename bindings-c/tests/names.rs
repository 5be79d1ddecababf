//! A constant of the header has the name that its variant has in Rust, and no other number has one.

use std::ffi::{CStr, c_char};

use ack_gen::{AckCode, ErrorCode, Severity};
use hl7_peek::CharacterSet;
use mllp::*;
use mllp_core::{Deviation, DiscardReason, Fault, FrameKind};
use mllp_link::{
    Action, CloseReason, Expired, Fate, Protocol, ProtocolVerdict, ProxyError, ReplyKind, Stray,
};

macro_rules! names {
    ($function:ident, $name:path { $($variant:expr => $number:ident,)+ }) => {
        #[test]
        fn $function() {
            named(mllp::$function, &[$(($number, $name($variant))),+]);
        }
    };
}

names!(mllp_frame_kind_name, FrameKind::name {
    FrameKind::Content => MLLP_FRAME_CONTENT,
    FrameKind::Empty => MLLP_FRAME_EMPTY,
    FrameKind::CommitAck => MLLP_FRAME_COMMIT_ACK,
    FrameKind::CommitNak => MLLP_FRAME_COMMIT_NAK,
});

names!(mllp_deviation_name, Deviation::name {
    Deviation::FsInPayload => MLLP_DEVIATION_FS_IN_PAYLOAD,
    Deviation::LfForCr => MLLP_DEVIATION_LF_FOR_CR,
    Deviation::MissingCr => MLLP_DEVIATION_MISSING_CR,
    Deviation::SbInPayload => MLLP_DEVIATION_SB_IN_PAYLOAD,
});

names!(mllp_fault_name, Fault::name {
    Fault::IllegalByte => MLLP_FAULT_ILLEGAL_BYTE,
    Fault::MissingCr => MLLP_FAULT_MISSING_CR,
    Fault::SbInBlock => MLLP_FAULT_SB_IN_BLOCK,
    Fault::TooLarge => MLLP_FAULT_TOO_LARGE,
    Fault::Truncated => MLLP_FAULT_TRUNCATED,
});

names!(mllp_discard_reason_name, DiscardReason::name {
    DiscardReason::Dropped => MLLP_DISCARD_DROPPED,
    DiscardReason::Outside => MLLP_DISCARD_OUTSIDE,
});

names!(mllp_character_set_name, CharacterSet::name {
    CharacterSet::Ascii => MLLP_CHARACTER_SET_ASCII,
    CharacterSet::Iso8859_1 => MLLP_CHARACTER_SET_ISO8859_1,
    CharacterSet::Iso8859_2 => MLLP_CHARACTER_SET_ISO8859_2,
    CharacterSet::Iso8859_3 => MLLP_CHARACTER_SET_ISO8859_3,
    CharacterSet::Iso8859_4 => MLLP_CHARACTER_SET_ISO8859_4,
    CharacterSet::Iso8859_5 => MLLP_CHARACTER_SET_ISO8859_5,
    CharacterSet::Iso8859_6 => MLLP_CHARACTER_SET_ISO8859_6,
    CharacterSet::Iso8859_7 => MLLP_CHARACTER_SET_ISO8859_7,
    CharacterSet::Iso8859_8 => MLLP_CHARACTER_SET_ISO8859_8,
    CharacterSet::Iso8859_9 => MLLP_CHARACTER_SET_ISO8859_9,
    CharacterSet::Iso8859_15 => MLLP_CHARACTER_SET_ISO8859_15,
    CharacterSet::IsoIr6 => MLLP_CHARACTER_SET_ISO_IR6,
    CharacterSet::IsoIr14 => MLLP_CHARACTER_SET_ISO_IR14,
    CharacterSet::IsoIr87 => MLLP_CHARACTER_SET_ISO_IR87,
    CharacterSet::IsoIr159 => MLLP_CHARACTER_SET_ISO_IR159,
    CharacterSet::Gb18030 => MLLP_CHARACTER_SET_GB18030,
    CharacterSet::KsX1001 => MLLP_CHARACTER_SET_KS_X1001,
    CharacterSet::Cns11643 => MLLP_CHARACTER_SET_CNS11643,
    CharacterSet::Big5 => MLLP_CHARACTER_SET_BIG5,
    CharacterSet::Unicode => MLLP_CHARACTER_SET_UNICODE,
    CharacterSet::Utf8 => MLLP_CHARACTER_SET_UTF8,
    CharacterSet::Utf16 => MLLP_CHARACTER_SET_UTF16,
    CharacterSet::Utf32 => MLLP_CHARACTER_SET_UTF32,
    CharacterSet::Jas2020 => MLLP_CHARACTER_SET_JAS2020,
    CharacterSet::JisX0202 => MLLP_CHARACTER_SET_JIS_X0202,
    CharacterSet::Iso8859_10 => MLLP_CHARACTER_SET_ISO8859_10,
    CharacterSet::Iso8859_11 => MLLP_CHARACTER_SET_ISO8859_11,
    CharacterSet::Iso8859_13 => MLLP_CHARACTER_SET_ISO8859_13,
    CharacterSet::Iso8859_14 => MLLP_CHARACTER_SET_ISO8859_14,
    CharacterSet::Iso8859_16 => MLLP_CHARACTER_SET_ISO8859_16,
    CharacterSet::IsoIr13 => MLLP_CHARACTER_SET_ISO_IR13,
    CharacterSet::Windows874 => MLLP_CHARACTER_SET_WINDOWS_874,
    CharacterSet::Windows1250 => MLLP_CHARACTER_SET_WINDOWS_1250,
    CharacterSet::Windows1251 => MLLP_CHARACTER_SET_WINDOWS_1251,
    CharacterSet::Windows1252 => MLLP_CHARACTER_SET_WINDOWS_1252,
    CharacterSet::Windows1253 => MLLP_CHARACTER_SET_WINDOWS_1253,
    CharacterSet::Windows1254 => MLLP_CHARACTER_SET_WINDOWS_1254,
    CharacterSet::Windows1255 => MLLP_CHARACTER_SET_WINDOWS_1255,
    CharacterSet::Windows1256 => MLLP_CHARACTER_SET_WINDOWS_1256,
    CharacterSet::Windows1257 => MLLP_CHARACTER_SET_WINDOWS_1257,
    CharacterSet::Windows1258 => MLLP_CHARACTER_SET_WINDOWS_1258,
    CharacterSet::Windows31J => MLLP_CHARACTER_SET_WINDOWS_31J,
    CharacterSet::Windows949 => MLLP_CHARACTER_SET_WINDOWS_949,
    CharacterSet::EucJp => MLLP_CHARACTER_SET_EUC_JP,
    CharacterSet::Koi8R => MLLP_CHARACTER_SET_KOI8_R,
    CharacterSet::Koi8U => MLLP_CHARACTER_SET_KOI8_U,
    CharacterSet::Cp437 => MLLP_CHARACTER_SET_CP437,
    CharacterSet::Cp850 => MLLP_CHARACTER_SET_CP850,
    CharacterSet::Cp852 => MLLP_CHARACTER_SET_CP852,
    CharacterSet::Cp858 => MLLP_CHARACTER_SET_CP858,
    CharacterSet::Cp866 => MLLP_CHARACTER_SET_CP866,
});

names!(mllp_ack_code_name, AckCode::as_str {
    AckCode::AA => MLLP_ACK_AA,
    AckCode::AE => MLLP_ACK_AE,
    AckCode::AR => MLLP_ACK_AR,
    AckCode::CA => MLLP_ACK_CA,
    AckCode::CE => MLLP_ACK_CE,
    AckCode::CR => MLLP_ACK_CR,
});

names!(mllp_error_code_text, ErrorCode::text {
    ErrorCode::MessageAccepted => MLLP_ERROR_CODE_MESSAGE_ACCEPTED,
    ErrorCode::SegmentSequenceError => MLLP_ERROR_CODE_SEGMENT_SEQUENCE_ERROR,
    ErrorCode::RequiredFieldMissing => MLLP_ERROR_CODE_REQUIRED_FIELD_MISSING,
    ErrorCode::DataTypeError => MLLP_ERROR_CODE_DATA_TYPE_ERROR,
    ErrorCode::TableValueNotFound => MLLP_ERROR_CODE_TABLE_VALUE_NOT_FOUND,
    ErrorCode::ValueTooLong => MLLP_ERROR_CODE_VALUE_TOO_LONG,
    ErrorCode::NonConformantCardinality => MLLP_ERROR_CODE_NON_CONFORMANT_CARDINALITY,
    ErrorCode::OtherHl7Error => MLLP_ERROR_CODE_OTHER_HL7_ERROR,
    ErrorCode::UnsupportedMessageType => MLLP_ERROR_CODE_UNSUPPORTED_MESSAGE_TYPE,
    ErrorCode::UnsupportedEventCode => MLLP_ERROR_CODE_UNSUPPORTED_EVENT_CODE,
    ErrorCode::UnsupportedProcessingId => MLLP_ERROR_CODE_UNSUPPORTED_PROCESSING_ID,
    ErrorCode::UnsupportedVersionId => MLLP_ERROR_CODE_UNSUPPORTED_VERSION_ID,
    ErrorCode::UnknownKeyIdentifier => MLLP_ERROR_CODE_UNKNOWN_KEY_IDENTIFIER,
    ErrorCode::DuplicateKeyIdentifier => MLLP_ERROR_CODE_DUPLICATE_KEY_IDENTIFIER,
    ErrorCode::ApplicationRecordLocked => MLLP_ERROR_CODE_APPLICATION_RECORD_LOCKED,
    ErrorCode::ApplicationInternalError => MLLP_ERROR_CODE_APPLICATION_INTERNAL_ERROR,
});

names!(mllp_severity_name, Severity::as_str {
    Severity::Error => MLLP_SEVERITY_ERROR,
    Severity::Fatal => MLLP_SEVERITY_FATAL,
    Severity::Information => MLLP_SEVERITY_INFORMATION,
    Severity::Warning => MLLP_SEVERITY_WARNING,
});

names!(mllp_protocol_name, ProtocolVerdict::name {
    ProtocolVerdict::More => MLLP_PROTOCOL_MORE,
    ProtocolVerdict::StartBlock => MLLP_PROTOCOL_START_BLOCK,
    ProtocolVerdict::Decided(Protocol::Mllp) => MLLP_PROTOCOL_MLLP,
    ProtocolVerdict::Decided(Protocol::Hllp) => MLLP_PROTOCOL_HLLP,
    ProtocolVerdict::Decided(Protocol::Astm) => MLLP_PROTOCOL_ASTM,
    ProtocolVerdict::Decided(Protocol::AstmWithoutEnq) => MLLP_PROTOCOL_ASTM_NO_ENQ,
    ProtocolVerdict::Decided(Protocol::AstmUnframed) => MLLP_PROTOCOL_ASTM_UNFRAMED,
    ProtocolVerdict::Decided(Protocol::Hl7Unframed) => MLLP_PROTOCOL_HL7_UNFRAMED,
    ProtocolVerdict::Decided(Protocol::Hl7BatchUnframed) => MLLP_PROTOCOL_HL7_BATCH_UNFRAMED,
    ProtocolVerdict::Decided(Protocol::Tls) => MLLP_PROTOCOL_TLS,
    ProtocolVerdict::Decided(Protocol::Http) => MLLP_PROTOCOL_HTTP,
    ProtocolVerdict::Decided(Protocol::Utf16WithBom) => MLLP_PROTOCOL_UTF16_BOM,
    ProtocolVerdict::Decided(Protocol::Utf16WithoutBom) => MLLP_PROTOCOL_UTF16_NO_BOM,
    ProtocolVerdict::Decided(Protocol::Xml) => MLLP_PROTOCOL_XML,
    ProtocolVerdict::Decided(Protocol::Unknown) => MLLP_PROTOCOL_UNKNOWN,
    ProtocolVerdict::Decided(Protocol::ProxyV1) => MLLP_PROTOCOL_PROXY_V1,
    ProtocolVerdict::Decided(Protocol::ProxyV2) => MLLP_PROTOCOL_PROXY_V2,
});

names!(mllp_close_reason_name, CloseReason::name {
    CloseReason::Expired(Expired::Idle) => MLLP_CLOSE_IDLE_TIMEOUT,
    CloseReason::Expired(Expired::Byte) => MLLP_CLOSE_BYTE_TIMEOUT,
    CloseReason::Expired(Expired::Frame) => MLLP_CLOSE_FRAME_TIMEOUT,
    CloseReason::Expired(Expired::Send) => MLLP_CLOSE_SEND_TIMEOUT,
    CloseReason::Host => MLLP_CLOSE_CLOSED,
    CloseReason::PeerClosed => MLLP_CLOSE_END_OF_STREAM,
    CloseReason::TooLarge => MLLP_CLOSE_TOO_LARGE,
});

names!(mllp_stray_name, Stray::name {
    Stray::CommitBlock => MLLP_STRAY_COMMIT_BLOCK,
    Stray::Doubled => MLLP_STRAY_DOUBLED,
    Stray::Early => MLLP_STRAY_EARLY,
    Stray::Foreign => MLLP_STRAY_FOREIGN,
    Stray::Late => MLLP_STRAY_LATE,
    Stray::NoMsa => MLLP_STRAY_NO_MSA,
    Stray::NotHl7 => MLLP_STRAY_NOT_HL7,
    Stray::Unasked => MLLP_STRAY_UNASKED,
});

names!(mllp_fate_name, Fate::name {
    Fate::Answered => MLLP_FATE_ANSWERED,
    Fate::Stored => MLLP_FATE_STORED,
    Fate::Unasked => MLLP_FATE_UNASKED,
    Fate::NotSent => MLLP_FATE_NOT_SENT,
    Fate::Uncertain => MLLP_FATE_UNCERTAIN,
});

names!(mllp_reply_kind_name, ReplyKind::name {
    ReplyKind::Code(AckCode::AA) => MLLP_REPLY_AA,
    ReplyKind::Code(AckCode::AE) => MLLP_REPLY_AE,
    ReplyKind::Code(AckCode::AR) => MLLP_REPLY_AR,
    ReplyKind::Code(AckCode::CA) => MLLP_REPLY_CA,
    ReplyKind::Code(AckCode::CE) => MLLP_REPLY_CE,
    ReplyKind::Code(AckCode::CR) => MLLP_REPLY_CR,
    ReplyKind::NoMsa => MLLP_REPLY_NO_MSA,
    ReplyKind::WrongId => MLLP_REPLY_WRONG_ID,
    ReplyKind::NoReply => MLLP_REPLY_NO_REPLY,
    ReplyKind::NotHl7 => MLLP_REPLY_NOT_HL7,
});

names!(mllp_action_name, Action::name {
    Action::Accept => MLLP_ACTION_ACCEPT,
    Action::Retry => MLLP_ACTION_RETRY,
    Action::Suspend => MLLP_ACTION_SUSPEND,
    Action::Fail => MLLP_ACTION_FAIL,
});

#[test]
fn statuses() {
    use {
        ack_gen::Error as AckError, hl7_peek::Error as MessageError, mllp_core::Error as FrameError,
    };
    for (status, names) in [
        (
            MLLP_ERR_BUFFER_TOO_SMALL,
            &[
                FrameError::BufferTooSmall.name(),
                MessageError::BufferTooSmall.name(),
                AckError::BufferTooSmall.name(),
            ][..],
        ),
        (MLLP_ERR_INVALID_FRAMING, &[FrameError::InvalidFraming.name()]),
        (MLLP_ERR_RESERVED_BYTE, &[FrameError::ReservedByte { index: 0 }.name()]),
        (MLLP_ERR_BAD_ENCODING_CHARACTER, &[MessageError::BadEncodingCharacter.name()]),
        (MLLP_ERR_BAD_FIELD_SEPARATOR, &[MessageError::BadFieldSeparator.name()]),
        (MLLP_ERR_BAD_PATH, &[MessageError::BadPath.name()]),
        (MLLP_ERR_DUPLICATE_DELIMITER, &[MessageError::DuplicateDelimiter.name()]),
        (MLLP_ERR_NO_ENCODING_CHARACTERS, &[MessageError::NoEncodingCharacters.name()]),
        (MLLP_ERR_NO_HEADER, &[MessageError::NoHeader.name(), AckError::NoHeader.name()]),
        (MLLP_ERR_SHORT_HEADER, &[MessageError::ShortHeader.name()]),
        (MLLP_ERR_NO_CONTROL_ID, &[AckError::NoControlId.name()]),
        (MLLP_ERR_NO_PROXY_HEADER, &[ProxyError::NoHeader.name()]),
        (MLLP_ERR_BAD_PROXY_HEADER, &[ProxyError::BadHeader.name()]),
    ] {
        for name in names {
            assert_eq!(text(mllp_status_name(status)), *name);
        }
    }
}

fn named(name: extern "C" fn(u32) -> *const c_char, constants: &[(u32, &str)]) {
    for (number, expected) in constants {
        assert_eq!(text(name(*number)), *expected, "{number}");
    }
    for number in (0..=300).filter(|number| constants.iter().all(|(known, _)| known != number)) {
        assert_eq!(text(name(number)), "unknown", "{number}");
    }
}

fn text(name: *const c_char) -> &'static str {
    // SAFETY: a name is never NULL, ends in NUL, and is there for as long as the program.
    unsafe { CStr::from_ptr(name) }.to_str().unwrap()
}
