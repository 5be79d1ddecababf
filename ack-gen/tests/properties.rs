//! Whatever goes in: an acknowledgment is MSH, MSA and ERR segments, and reads back as written.

use ack_gen::{
    AcceptLists, Ack, AckCode, Error, ErrorCode, ErrorDetail, Inbound, Location, Outcome, Policy,
    Receipt, Request, SequenceAction, SequenceReceiver, Timestamp, check,
};
use hl7_peek::{Message, MessageHeader, Path};
use proptest::prelude::*;

/// Payloads: nearly messages, with every byte that matters in places where it hurts.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(&b"|^~\\&#A1\"."[..]),
        1 => prop::sample::select(&b"\r\n\x0b\x1c\x00\xff"[..]),
        2 => any::<u8>(),
    ];
    let separators = prop::sample::select(vec![&b"|^~\\&"[..], b"#*+%$", b"|^~", b"^~|\\&", b""]);
    let start = prop::sample::select(vec![
        &b"MSH"[..],
        b"\xef\xbb\xbfMSH",
        b" \nMSH",
        b"BHS",
        b"BHS|^~\\&|A\rMSH",
        b"",
    ]);
    (start, separators, prop::collection::vec(byte, 0..160)).prop_map(
        |(start, separators, rest)| {
            let mut payload = [start, separators].concat();
            payload.extend(separators.first());
            payload.extend(rest);
            payload
        },
    )
}

fn code() -> impl Strategy<Value = AckCode> {
    prop::sample::select(AckCode::ALL.to_vec())
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn encoded(ack: &Ack<'_>) -> Vec<u8> {
    let len = ack.encoded_len().unwrap();
    let mut out = vec![0; len];
    assert_eq!(ack.encode(&mut out), Ok(len));
    if len > 0 {
        assert_eq!(ack.encode(&mut out[..len - 1]), Err(Error::BufferTooSmall));
        assert_eq!(ack.encode(&mut vec![0; len]), Ok(len));
    }
    let mut out = vec![0; len];
    ack.encode(&mut out).unwrap();
    out
}

/// Why this acknowledgment must not be encoded; `None`: it may.
fn refusal(ack: &Ack<'_>, header: Option<MessageHeader<'_>>) -> Option<Error> {
    let no_message = header.is_some_and(|header| header.field_separator().is_empty());
    let no_control_id = header.is_some_and(|header| header.message_control_id().is_empty());
    match (ack.policy == Policy::Conformant, no_message, no_control_id && ack.code.is_accept()) {
        (true, true, _) => Some(Error::NoHeader),
        (true, false, true) => Some(Error::NoControlId),
        _ => None,
    }
}

/// One message of the right segments, whatever the texts are, and with the right names.
fn check_bytes(
    bytes: &[u8],
    ack: &Ack<'_>,
    header: Option<MessageHeader<'_>>,
) -> Result<(), TestCaseError> {
    // It can be framed: no byte in it would end the frame.
    prop_assert!(!bytes.iter().any(|byte| matches!(byte, 0x0B | 0x1C | b'\n')));
    let reply = Message::parse(bytes).expect("an acknowledgment is a message");
    let ids: Vec<&[u8]> = reply.segments().map(|segment| segment.id()).collect();
    prop_assert_eq!(&ids[..2], &[&b"MSH"[..], b"MSA"]);
    prop_assert!(ids[2..].iter().all(|id| id == b"ERR"), "{:?}", ids.len());
    prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\r').count(), ids.len());
    // MSA-1 is the code, MSA-2 what the message is called.
    let get = |path: &str| reply.get(Path::parse(path).unwrap()).unwrap_or_default();
    prop_assert_eq!(get("MSA-1"), ack.code.as_str().as_bytes());
    prop_assert_eq!(get("MSH-10"), b"4711");
    let control_id = header.map(|header| header.message_control_id()).unwrap_or_default();
    let breaks = |byte: &u8| matches!(byte, 0x0B | 0x1C | b'\r' | b'\n') || [*byte] == get("MSH-1");
    if control_id.is_empty() {
        let conformant = ack.policy == Policy::Conformant;
        prop_assert_eq!(get("MSA-2"), if conformant { &b""[..] } else { b"4711" });
    } else if !control_id.iter().any(breaks) {
        prop_assert_eq!(get("MSA-2"), control_id);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn an_acknowledgment_is_three_kinds_of_segment(
        payload in payload(),
        code in code(),
        text in text(),
        diagnostic in text(),
        user_message in text(),
        segment in text(),
        numbers in prop::array::uniform5(any::<u32>()),
        error in prop::sample::select(ErrorCode::ALL.to_vec()),
        error_count in 0usize..4,
        conformant in any::<bool>(),
    ) {
        let header = match Message::parse(&payload) {
            Ok(message) if conformant => Some(message.header()),
            Err(_) if conformant => return Ok(()),
            _ => MessageHeader::parse_lenient(&payload),
        };
        let [occurrence, field, repetition, component, subcomponent] = numbers;
        let detail = ErrorDetail {
            diagnostic: &diagnostic,
            user_message: &user_message,
            application: [&text, &diagnostic, b""],
            ..ErrorDetail::at(
                error,
                Location { segment: &segment, occurrence, field, repetition, component, subcomponent },
            )
        };
        let errors = vec![detail; error_count];
        let policy = if conformant { Policy::Conformant } else { Policy::Always };
        let now = Timestamp::utc(1_767_323_045);
        let ack = Ack {
            policy,
            text: &text,
            errors: &errors,
            expected_sequence_number: Some(i64::from(occurrence) - 1),
            ..Ack::always(code, header.as_ref(), b"4711", now.as_bytes())
        };
        match refusal(&ack, header) {
            Some(error) => prop_assert_eq!(ack.encode(&mut [0; 4096]), Err(error)),
            None => check_bytes(&encoded(&ack), &ack, header)?,
        }
    }

    #[test]
    fn decisions_never_answer_an_acknowledgment_or_praise_a_refusal(payload in payload(), msa in text()) {
        let Some(header) = MessageHeader::parse_lenient(&payload) else { return Ok(()) };
        let inbound = Inbound::from_msa(Some(&msa));
        prop_assert_ne!(inbound, Inbound::Message);
        for outcome in [Outcome::Accept, Outcome::Error, Outcome::Reject] {
            let answer = Request::new(&header, inbound).decide(outcome, outcome);
            prop_assert_eq!(answer.application, None);
            let answer = Request::new(&header, Inbound::Message).refuse(outcome);
            let codes = [answer.accept, answer.application];
            prop_assert!(codes.iter().flatten().all(|code| code.outcome() == outcome));
        }
        let damaged = Receipt { damaged: true, ..Receipt::default() };
        let errors = check(&header, damaged, &AcceptLists::default());
        prop_assert_ne!(errors.outcome(), Outcome::Accept);
    }

    #[test]
    fn sequence_numbers_never_panic(expected in any::<Option<i64>>(), sent in any::<i64>(), text in text()) {
        let mut receiver = SequenceReceiver { expected };
        let number = sent.to_string();
        let fits = receiver.receive(number.as_bytes()).fits;
        prop_assert!(!fits || sent >= -1);
        receiver.receive(&text);
        let _ = SequenceAction::after_refusal(sent, &text);
    }

    #[test]
    fn timestamps_count_like_a_calendar(seconds in -62_167_219_200i64..=253_402_300_799) {
        let text = Timestamp::utc(seconds);
        let number = |range: core::ops::Range<usize>| -> i64 {
            std::str::from_utf8(&text.as_bytes()[range]).unwrap().parse().unwrap()
        };
        let (year, month, day) = (number(0..4), number(4..6), number(6..8));
        prop_assert!((1..=12).contains(&month));
        // Days by counting months, the slow way.
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let month_len = |month: i64| match month {
            2 => 28 + i64::from(leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        prop_assert!((1..=month_len(month)).contains(&day));
        let before: i64 = (0..year).map(|year| 365 + i64::from(leap(year))).sum();
        let days = before + (1..month).map(month_len).sum::<i64>() + day - 1;
        let clock = number(8..10) * 3600 + number(10..12) * 60 + number(12..14);
        prop_assert_eq!((days - 719_528) * 86_400 + clock, seconds);
    }
}

#[test]
fn timestamps_out_of_range_are_clamped() {
    assert_eq!(Timestamp::utc(i64::MIN).as_bytes(), b"00000101000000");
    assert_eq!(Timestamp::utc(i64::MAX).as_bytes(), b"99991231235959");
    assert_eq!(Timestamp::with_offset(i64::MAX, i16::MAX).as_bytes(), b"99991231235959+1400");
}
