//! A header that was cut lends whole fields to an answer, and no part of one.

mod messages;

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::{MessageHeader, Scan, whole_fields};
use messages::{ack, frame};
use mllp_core::Config;
use mllp_link::{
    OverLimit, Refuse, Responder, ResponderConfig, ResponderEvent, StreamEvent, StreamResponder,
};

/// Every field is longer than one byte, so that each can be cut.
const MESSAGES: [&[u8]; 4] = [
    b"MSH|^~\\&|APP1|FAC1|APP2|FAC2|20260101||ADT^A01|MSG00001|PR|2.5\rPID|1||4711\r",
    b"MSH|^~\\&|APP1|FAC1|APP2|FAC2|20260101||ADT^A01|MSG00001|PR|2.5\nPID|1||4711\n",
    b"\xef\xbb\xbf\r\nMSH#:~\\&#APP1#FAC1#APP2#FAC2#20260101##ADT:A01#MSG00001#PR#2.5\rPID#1##4711\r",
    b"BHS|^~\\&|B\rMSH|^~\\&|APP1|FAC1|APP2|FAC2|20260101||ADT^A01|MSG00001|PR|2.5\rPID|1||4711\r",
];

fn config(limit: usize, policy: Policy) -> ResponderConfig {
    ResponderConfig {
        decoder: Config { max_payload_len: limit, ..Config::DEFAULT },
        over_limit: OverLimit::Refuse,
        policy,
        ..ResponderConfig::DEFAULT
    }
}

/// The answer to a message over the limit, if there is one.
fn refused(message: &[u8], limit: usize, policy: Policy, scan: Scan) -> Option<Vec<u8>> {
    let mut link: Responder<_, _, 4> =
        Responder::new([0u8; 512], [0u8; 1024], config(limit, policy), 0);
    let bytes = frame(message);
    assert_eq!(link.receive(&bytes, 0), bytes.len());
    while let Some(event) = link.next_event(0) {
        if let ResponderEvent::TooLarge(refusal, _) = event {
            let beginning = link.payload().to_vec();
            assert!(message.starts_with(&beginning), "it is the beginning");
            assert_eq!(whole_fields(&beginning), beginning, "no part of a field is lent to a host");
            let ack = Ack { scan, ..ack(AckCode::AR) };
            if link.refuse(refusal, Refuse::Reject, &ack, 0).is_err() {
                return None;
            }
        }
    }
    Some(link.outgoing().to_vec())
}

fn refused_by_stream<const HEADER: usize>(
    message: &[u8],
    limit: usize,
    policy: Policy,
    scan: Scan,
) -> Option<Vec<u8>> {
    let mut link: StreamResponder<_, HEADER, 4> =
        StreamResponder::new([0u8; 1024], config(limit, policy), 0);
    let bytes = frame(message);
    let mut rest = &bytes[..];
    loop {
        let step = link.step(rest, 0);
        rest = &rest[step.consumed..];
        match step.event {
            Some(StreamEvent::Lost { refusal: Some(refusal), .. }) => {
                let ack = Ack { scan, ..ack(AckCode::AR) };
                link.refuse(refusal, Refuse::Reject, &ack, 0).ok()?;
            }
            Some(StreamEvent::End(ticket, _)) => {
                link.answer(ticket, &Ack { scan, ..ack(AckCode::AE) }, 0).ok()?;
            }
            Some(_) => {}
            None => return Some(link.outgoing().to_vec()),
        }
    }
}

/// What the answer says of the message is what the message says, or nothing.
fn assert_whole(answer: &[u8], case: &str) {
    let payload = &answer[1..answer.len() - 2];
    let header = MessageHeader::parse_lenient(payload).unwrap();
    for (number, whole) in [(3, "APP2"), (4, "FAC2"), (5, "APP1"), (6, "FAC1"), (11, "PR")] {
        let field = std::str::from_utf8(header.field(number)).unwrap();
        let none = ["", "FASTMLLP", "UNKNOWN", "P"];
        assert!(field == whole || none.contains(&field), "{case}: MSH-{number} is {field}");
    }
    assert!(["", "A01"].map(str::as_bytes).contains(&header.trigger_event()), "{case}: MSH-9.2");
    assert!(["2.5", "2.3", "2.5.1"].map(str::as_bytes).contains(&header.version()), "{case}");
    let text = String::from_utf8_lossy(payload);
    let (_, msa) = text.split_once("\rMSA").unwrap();
    let id = msa[4..].trim_end_matches('\r').split(header.delimiters().field as char).next();
    assert!(["MSG00001", "1", ""].contains(&id.unwrap()), "{case}: MSA-2 is {id:?}");
}

#[test]
fn refusals() {
    for message in MESSAGES {
        for limit in 1..message.len() {
            for policy in [Policy::Always, Policy::Conformant] {
                let case = format!("{policy:?}, limit {limit} of {message:?}");
                let whole = refused(message, limit, policy, Scan::SingleByte);
                if let Some(answer) = &whole {
                    assert_whole(answer, &case);
                }
                let stream = refused_by_stream::<128>(message, limit, policy, Scan::SingleByte);
                assert_eq!(stream, whole, "{case}");
            }
        }
    }
}

/// The facility is of characters that hold the byte of the separator, and only MSH-18 says so.
#[test]
fn refusals_where_the_message_names_the_scan() {
    for characters in 1..8 {
        let facility = b"\x81\x7C".repeat(characters);
        let rest = b"|HIS|H|20260101||ADT^A01|MSG00001|P|2.5||||||GB 18030-2000|\rPID|1||4711\r";
        let message = [b"MSH|^~\\&|LAB|", &facility[..], rest].concat();
        for limit in 1..message.len() {
            let whole = refused(&message, limit, Policy::Always, Scan::Auto).unwrap();
            let stream = refused_by_stream::<128>(&message, limit, Policy::Always, Scan::Auto);
            assert_eq!(stream.as_ref(), Some(&whole), "limit {limit}");
            let msa = messages::answers(&whole);
            let id = msa[0].split('|').nth(1).unwrap();
            assert!(["MSG00001", "1", ""].contains(&id), "limit {limit}: {id}");
            let has_msh_18 =
                message[..limit].ends_with(b"2000|") || message[..limit].contains(&b'\r');
            assert_eq!(id == "MSG00001", has_msh_18, "limit {limit}");
        }
    }
}

/// The header is longer than what is kept of it, and the message is complete.
#[test]
fn answers_by_a_part_of_the_header() {
    fn check<const HEADER: usize>() {
        for message in MESSAGES {
            for policy in [Policy::Always, Policy::Conformant] {
                let answer = refused_by_stream::<HEADER>(message, 500, policy, Scan::SingleByte);
                if let Some(answer) = answer {
                    assert_whole(&answer, &format!("{policy:?}, {HEADER} bytes of {message:?}"));
                }
            }
        }
    }
    macro_rules! check {
        ($($header:literal)+) => { $(check::<$header>();)+ };
    }
    check!(0 1 4 8 9 12 13 14 18 19 24 28 29 40 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58);
    check!(59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 80);
}

#[test]
fn whole_fields_of_every_beginning() {
    for message in MESSAGES {
        let whole = MessageHeader::parse_lenient(message).unwrap();
        for end in 0..=message.len() {
            let kept = whole_fields(&message[..end]);
            assert_eq!(whole_fields(kept), kept);
            let Some(header) = MessageHeader::parse_lenient(kept) else { continue };
            for number in 3..=21 {
                let field = header.field(number);
                let is_whole = field.is_empty() || field == whole.field(number);
                assert!(is_whole, "MSH-{number} after {end} bytes");
            }
        }
    }
}
