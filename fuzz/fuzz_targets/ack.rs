//! Every payload has an acknowledgment that holds MSH, MSA and ERR segments only, quotes its message, and can be framed and read.

#![no_main]

mod input;

use ack_gen::{Ack, AckCode, Error, ErrorCode, ErrorDetail, Location, Policy, Severity, Timestamp};
use hl7_peek::{Kind, Message, MessageHeader, Path};
use input::Input;
use libfuzzer_sys::fuzz_target;

const SEVERITIES: [Severity; 4] =
    [Severity::Error, Severity::Fatal, Severity::Information, Severity::Warning];

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let flags = input.byte();
    let policy = if flags & 1 == 0 { Policy::Always } else { Policy::Conformant };
    let code = input.choose(&AckCode::ALL);
    let seconds = i64::from(input.byte()) << (flags % 56);
    let now = Timestamp::with_offset(seconds, i16::from(input.byte()) * 16 - 2048);
    let (control_id, text) = (input.text(), input.text());
    let sending_application = (flags & 8 != 0).then(|| input.text());
    let sending_facility = (flags & 16 != 0).then(|| input.text());
    let types = if flags & 32 != 0 { [input.text(), input.text()] } else { [&b""[..]; 2] };
    let sequence = (flags & 64 != 0).then(|| i64::from(input.byte() as i8).wrapping_shl(56));
    let errors: Vec<ErrorDetail<'_>> =
        (0..input.byte() % 4).map(|_| error_detail(&mut input)).collect();
    let payload = input.rest();

    let header = match flags >> 1 & 3 {
        0 => None,
        1 => Message::parse(payload).ok().map(|message| message.header()),
        _ => MessageHeader::parse_lenient(payload),
    };
    let ack = Ack {
        policy,
        text,
        errors: &errors,
        expected_sequence_number: sequence,
        sending_application,
        sending_facility,
        accept_acknowledgment_type: types[0],
        application_acknowledgment_type: types[1],
        ..Ack::always(code, header.as_ref(), control_id, now.as_bytes())
    };
    // The policy `conformant` has no answer without MSH and accepts nothing without MSH-10.
    let nameless = |header: MessageHeader<'_>| header.message_control_id().is_empty();
    let refused = match (policy, header) {
        (Policy::Always, _) => None,
        (_, header) if header.is_none_or(|header| header.field_separator().is_empty()) => {
            Some(Error::NoHeader)
        }
        (_, header) if code.is_accept() && header.is_some_and(nameless) => Some(Error::NoControlId),
        _ => None,
    };
    if let Some(error) = refused {
        assert_eq!(ack.encoded_len(), Err(error));
        assert_eq!(ack.encode(&mut [0; 512]), Err(error));
        return;
    }
    let len = ack.encoded_len().expect("no answer");
    let mut bytes = vec![0; len];
    assert_eq!(ack.encode(&mut bytes[..len - 1]), Err(Error::BufferTooSmall));
    assert_eq!(ack.encode(&mut bytes), Ok(len));
    check(&ack, &bytes);
});

fn error_detail<'a>(input: &mut Input<'a>) -> ErrorDetail<'a> {
    let location = Location {
        segment: input.text(),
        occurrence: input.byte().into(),
        field: u32::from(input.byte()) << 24,
        repetition: input.byte().into(),
        component: input.byte().into(),
        subcomponent: input.byte().into(),
    };
    ErrorDetail {
        severity: input.choose(&SEVERITIES),
        application: [input.text(), input.text(), input.text()],
        diagnostic: input.text(),
        user_message: input.text(),
        ..ErrorDetail::at(input.choose(&ErrorCode::ALL), location)
    }
}

fn check(ack: &Ack<'_>, bytes: &[u8]) {
    let mut frame = vec![0; mllp_core::encoded_len(bytes.len())];
    let framed = mllp_core::encode(bytes, &mut frame);
    assert_eq!(framed, Ok(frame.len()), "cannot be framed");

    // The segments, by a plain split.
    assert!(bytes.ends_with(b"\r") && !bytes.contains(&b'\n'));
    let separator = bytes[3];
    let segments: Vec<Vec<&[u8]>> = bytes[..bytes.len() - 1]
        .split(|&byte| byte == b'\r')
        .map(|segment| segment.split(|&byte| byte == separator).collect())
        .collect();
    let ids: Vec<&[u8]> = segments.iter().map(|fields| fields[0]).collect();
    assert!(ids.starts_with(&[b"MSH", b"MSA"]));
    assert!(ids[2..].iter().all(|id| *id == b"ERR"), "another segment");
    assert!(ids.len() <= 2 + ack.errors.len().max(1));

    let inbound = ack.header.map(|header| header.message_control_id()).unwrap_or_default();
    let missing = inbound.is_empty() && ack.policy == Policy::Always;
    let quoted = if missing { ack.control_id } else { inbound };
    assert_eq!(segments[1][1], ack.code.as_str().as_bytes());
    let plain = |bytes: &[u8]| {
        !bytes.iter().any(|byte| b"\r\n\x0B\x1C".contains(byte) || *byte == separator)
    };
    if plain(quoted) {
        assert_eq!(segments[1][2], quoted);
    }

    // The same, read as a sender reads it.
    let message = Message::parse(bytes).expect("cannot be read");
    assert_eq!(message.kind(), Kind::Single);
    assert_eq!(message.segments().count(), segments.len());
    let find = |path| message.get(Path::parse(path).unwrap());
    assert_eq!(find("MSH-9.1"), Some(&b"ACK"[..]));
    assert_eq!(find("MSA-1"), Some(segments[1][1]));
    assert_eq!(find("MSA-2"), Some(segments[1][2]));
    let header = message.header();
    if plain(ack.timestamp) {
        assert_eq!(header.date_time_of_message(), ack.timestamp);
    }
    if plain(ack.control_id) {
        assert_eq!(header.message_control_id(), ack.control_id);
    }
}
