//! MSH-18 and MSH-20 of an acknowledgment whose fields are not ASCII.

use ack_gen::{Ack, AckCode, ErrorCode, ErrorDetail, Policy};
use hl7_peek::{CharacterSet, MessageHeader, Scan};

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

#[test]
fn utf_16_and_utf_32_are_not_repeated() {
    for name in ["UNICODE UTF-16", "UNICODE UTF-32", "utf16", "Utf_32", "~UTF-16", "UTF 32~8859/1"]
    {
        for facility in ["L", "M\u{FC}nchen"] {
            let payload = format!(
                "MSH|^~\\&|A|{facility}|C|D|3||ADT^A01|M1|P|2.3||||||{name}||ISO 2022-1994\r"
            );
            for policy in [Policy::Always, Policy::Conformant] {
                let expected = b"ACK^A01|1|P|2.3\rMSA|AE|M1\r";
                check(policy, payload.as_bytes(), |ack| ack, expected);
                check(
                    policy,
                    payload.as_bytes(),
                    |ack| Ack { text: b"M\xC3\xBC", ..ack },
                    b"ACK^A01|1|P|2.3\rMSA|AE|M1|M\xC3\xBC\r",
                );
            }
        }
    }
}

#[test]
fn every_set_but_those_two_is_repeated() {
    let sets = include_str!("../../vectors/charsets.json");
    let names = sets.split("\"name\": \"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut count = 0;
    for name in names {
        let set = CharacterSet::from_name(name.as_bytes()).unwrap();
        let payload = format!("MSH|^~\\&|A|M\u{FC}nchen|C|D|3||ADT|M1|P|2.3||||||{name}\r");
        let header = MessageHeader::parse_lenient(payload.as_bytes()).unwrap();
        let ack = Ack::always(AckCode::AA, Some(&header), b"1", b"2");
        let mut out = [0; 256];
        let len = ack.encode(&mut out).unwrap();
        let label = format!("|P|2.3||||||{name}\r");
        let is_repeated = out[..len].windows(label.len()).any(|it| it == label.as_bytes());
        assert_eq!(is_repeated, set.allowed_in_mllp() && !name.is_empty(), "{name}");
        count += 1;
    }
    assert!(count > 100);
}
