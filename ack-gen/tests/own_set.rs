//! MSH-18 and MSH-20 of an acknowledgment whose fields are not ASCII.

use ack_gen::{Ack, AckCode, ErrorCode, ErrorDetail, Policy};
use hl7_peek::{MessageHeader, Scan};

/// MSH from MSH-9 on, and what follows it.
#[track_caller]
fn check(policy: Policy, payload: &[u8], change: fn(Ack<'_>) -> Ack<'_>, expected: &[u8]) {
    let header = MessageHeader::parse_lenient_with(payload, Scan::Auto).unwrap();
    let ack = Ack::always(AckCode::AE, Some(&header), b"1", b"2");
    let ack = change(Ack { policy, scan: Scan::Auto, ..ack });
    let mut out = [0; 256];
    let len = ack.encode(&mut out).unwrap();
    assert_eq!(ack.encoded_len(), Ok(len));
    let at = out.windows(5).position(|it| it == b"||ACK").unwrap();
    assert_eq!(&out[at + 2..len], expected, "{}", String::from_utf8_lossy(&out[..len]));
}

const LATIN: &[u8] = b"MSH|^~\\&|A|M\xFCnchen|C|D|3||ADT^A01|M1|P|2.3||||||8859/1\r";
const ASCII: &[u8] = b"MSH|^~\\&|A|L|C|D|3||ADT^A01|M1|P|2.3||||||8859/1~8859/2\r";
const SWITCHED: &[u8] =
    b"MSH|^~\\&|A|\x1B$B%^\x1B(B|C|D|3||ADT^A01|M1|P|2.3||||||~ISO IR87||ISO 2022-1994\r";
const UNNAMED: &[u8] = b"MSH|^~\\&|A|M\xFCnchen|C|D|3||ADT^A01|M1|P|2.3\r";

#[test]
fn copied_fields_are_named() {
    for policy in [Policy::Always, Policy::Conformant] {
        check(policy, LATIN, |ack| ack, b"ACK^A01|1|P|2.3||||||8859/1\rMSA|AE|M1\r");
        check(
            policy,
            SWITCHED,
            |ack| ack,
            b"ACK^A01|1|P|2.3||||||~ISO IR87||ISO 2022-1994\rMSA|AE|M1\r",
        );
        check(policy, UNNAMED, |ack| ack, b"ACK^A01|1|P|2.3\rMSA|AE|M1\r");
    }
}

#[test]
fn what_is_ascii_is_answered_as_ever() {
    check(Policy::Always, ASCII, |ack| ack, b"ACK^A01|1|P|2.3\rMSA|AE|M1\r");
    check(Policy::Conformant, ASCII, |ack| ack, b"ACK^A01|1|P|2.3||||||8859/1\rMSA|AE|M1\r");
}

#[test]
fn a_text_of_the_host_is_named() {
    for policy in [Policy::Always, Policy::Conformant] {
        check(
            policy,
            ASCII,
            |ack| Ack { text: b"M\xFC", ..ack },
            b"ACK^A01|1|P|2.3||||||8859/1~8859/2\rMSA|AE|M1|M\xFC\r",
        );
        check(
            policy,
            UNNAMED,
            |ack| Ack { text: b"M\xFC", character_set: Some(b"8859/1"), ..ack },
            b"ACK^A01|1|P|2.3||||||8859/1\rMSA|AE|M1|M\xFC\r",
        );
    }
    const ERRORS: &[ErrorDetail<'static>] = &[ErrorDetail {
        user_message: b"M\xFC",
        ..ErrorDetail::new(ErrorCode::ApplicationInternalError)
    }];
    let header = MessageHeader::parse_lenient(ASCII).unwrap();
    let ack = Ack { errors: ERRORS, ..Ack::always(AckCode::AE, Some(&header), b"1", b"2") };
    let mut out = [0; 256];
    let len = ack.encode(&mut out).unwrap();
    assert!(out[..len].windows(15).any(|it| it == b"|8859/1~8859/2\r"));
}

#[test]
fn a_text_is_escaped_by_characters() {
    check(
        Policy::Always,
        SWITCHED,
        |ack| Ack { text: b"\x1B$B%^\x1B(B^", ..ack },
        b"ACK^A01|1|P|2.3||||||~ISO IR87||ISO 2022-1994\rMSA|AE|M1|\x1B$B%^\x1B(B\\S\\\r",
    );
}
