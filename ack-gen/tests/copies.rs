//! What an acknowledgment copies: whole where nothing in it breaks, escaped where something does,
//! wherever it comes from.

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::{MessageHeader, Scan};

const MESSAGE: &[u8] = b"MSH|^~\\&|LAB|L|HIS|H|2026||ORU^R01|M1|P|2.3\rPID|1\r";

fn header(message: &[u8]) -> Option<MessageHeader<'_>> {
    MessageHeader::parse_lenient(message)
}

fn ack<'a>(header: Option<&'a MessageHeader<'a>>) -> Ack<'a> {
    Ack::always(AckCode::AA, header, b"4711", b"2027")
}

#[track_caller]
fn check(ack: &Ack<'_>, expected: &str) {
    let mut out = [0; 512];
    let len = ack.encode(&mut out).unwrap();
    assert_eq!(
        out[..len].escape_ascii().to_string(),
        expected.as_bytes().escape_ascii().to_string()
    );
    assert_eq!(ack.encoded_len(), Ok(len));
    for room in 0..len {
        assert!(ack.encode(&mut out[..room]).is_err(), "{room} bytes");
    }
}

#[test]
fn every_argument_is_escaped_where_it_must_be() {
    const BREAKING: &[u8] = b"a|\x0b\x1c\r\nz";
    const ESCAPED: &str = r"a\F\\X0B\\X1C\\X0D\\X0A\z";
    let header = header(MESSAGE);
    let plain = ack(header.as_ref());
    let whole = |fields: [&str; 6]| {
        let [sender, site, time, id, accept, application] = fields;
        let types = format!("|||{accept}|{application}");
        let types = types.trim_end_matches('|');
        format!("MSH|^~\\&|{sender}|{site}|LAB|L|{time}||ACK^R01|{id}|P|2.3{types}\rMSA|AA|M1\r")
    };
    let usual = ["HIS", "H", "2027", "4711", "", ""];
    check(&plain, &whole(usual));
    let named = Ack { sending_application: Some(b"ME"), ..plain };
    check(&named, &whole(["ME", "H", "2027", "4711", "", ""]));
    let named = Ack { sending_facility: Some(b"HERE"), ..plain };
    check(&named, &whole(["HIS", "HERE", "2027", "4711", "", ""]));
    let broken: [Ack<'_>; 6] = [
        Ack { sending_application: Some(BREAKING), ..plain },
        Ack { sending_facility: Some(BREAKING), ..plain },
        Ack { timestamp: BREAKING, ..plain },
        Ack { control_id: BREAKING, ..plain },
        Ack { accept_acknowledgment_type: BREAKING, ..plain },
        Ack { application_acknowledgment_type: BREAKING, ..plain },
    ];
    for (at, ack) in broken.iter().enumerate() {
        let mut fields = usual;
        fields[at] = ESCAPED;
        check(ack, &whole(fields));
        // Without a header, nothing but the arguments can break.
        if at == 3 {
            let alone = Ack { header: None, ..*ack };
            let names = r"FASTMLLP|FASTMLLP|UNKNOWN|UNKNOWN";
            let rest = format!("2027||ACK|{ESCAPED}|P|2.3\rMSA|AA|{ESCAPED}\r");
            check(&alone, &format!("MSH|^~\\&|{names}|{rest}"));
        }
    }
}

#[test]
fn each_name_has_its_own_default() {
    for missing in 0..16u8 {
        let name = |bit: u8, name: &'static str| if missing >> bit & 1 == 1 { "" } else { name };
        let names = [name(0, "LAB"), name(1, "L"), name(2, "HIS"), name(3, "H")];
        let [from, from_site, to, to_site] = names;
        let message =
            format!("MSH|^~\\&|{from}|{from_site}|{to}|{to_site}|2026||ORU^R01|M1|P|2.3\r");
        let or =
            |name: &str, default: &str| if name.is_empty() { default } else { name }.to_owned();
        let expected = format!(
            "MSH|^~\\&|{}|{}|{}|{}|2027||ACK^R01|4711|P|2.3\rMSA|AA|M1\r",
            or(to, "FASTMLLP"),
            or(to_site, "FASTMLLP"),
            or(from, "UNKNOWN"),
            or(from_site, "UNKNOWN"),
        );
        let header = header(message.as_bytes());
        check(&ack(header.as_ref()), &expected);
        let mirrored = format!(
            "MSH|^~\\&|{to}|{to_site}|{from}|{from_site}|2027||ACK^R01|4711|P|2.3\rMSA|AA|M1\r"
        );
        let conformant = Ack { policy: Policy::Conformant, ..ack(header.as_ref()) };
        check(&conformant, &mirrored);
    }
}

#[test]
fn a_separator_that_is_half_of_a_character_is_kept_only_by_those_who_know() {
    // The name is one character of Shift_JIS, 83 7C: its second byte is `|` in ASCII.
    let message = b"MSH|^~\\&|\x83\x7C|L|HIS|H|2026||ORU^R01|M1|P|2.3\r";
    let header = MessageHeader::parse_lenient_with(message, Scan::ShiftJis);
    let aware = ack(header.as_ref());
    let mut out = [0; 512];
    let mut name = |ack: Ack<'_>| {
        let len = ack.encode(&mut out).unwrap();
        out[..len].split(|byte| *byte == b'|').nth(4).map(<[u8]>::to_vec).unwrap()
    };
    assert_eq!(name(Ack { scan: Scan::ShiftJis, ..aware }), b"\x83");
    assert_eq!(name(aware), b"\x83\\F\\");
}

#[test]
fn a_message_with_another_separator_is_answered_with_it() {
    // MSH-2 is not usable, and so is `^~\&` beside this MSH-1: the answer has other delimiters.
    let header = header(b"MSH^AB|C^LAB|X^L^HIS^H^2026^^ORU^M1^P^2.3\r");
    let names = r"HIS|H|LAB\F\X|L";
    check(&ack(header.as_ref()), &format!("MSH|^~\\&|{names}|2027||ACK|4711|P|2.3\rMSA|AA|M1\r"));
}

#[test]
fn a_brief_one_mirrors_neither_names_nor_what_else_may_be_long() {
    let message = b"MSH|^~\\&|LAB|L|HIS|H|2026||ORU^R01|M1|T|2.3||||||8859/1\r";
    let header = header(message);
    let brief = Ack { brief: true, ..ack(header.as_ref()) };
    let names = "FASTMLLP|FASTMLLP|UNKNOWN|UNKNOWN";
    check(&brief, &format!("MSH|^~\\&|{names}|2027||ACK|4711|P|2.3\rMSA|AA|M1\r"));
    let named = Ack { sending_application: Some(b"ME"), ..brief };
    let names = "ME|FASTMLLP|UNKNOWN|UNKNOWN";
    check(&named, &format!("MSH|^~\\&|{names}|2027||ACK|4711|P|2.3\rMSA|AA|M1\r"));
    let conformant = Ack { policy: Policy::Conformant, ..brief };
    check(&conformant, "MSH|^~\\&|||||2027||ACK|4711|P|2.3\rMSA|AA|M1\r");
}
