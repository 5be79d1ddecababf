//! Which answer a payload gets by the policy `conformant`.

use ack_gen::{AckCode, ErrorCode};
use hl7_peek::{Error, Scan};
use mllp_link::conformant_answer;

fn asking(accept: &str, application: &str, rest: &str) -> Vec<u8> {
    let fields = "S|SF|R|RF|20240131||ADT^A01|A|P|2.5";
    format!("MSH|^~\\&|{fields}|||{accept}|{application}\r{rest}").into_bytes()
}

fn code(payload: &[u8], said: AckCode) -> Option<AckCode> {
    conformant_answer(payload, Scan::SingleByte, said).expect("a header").code
}

#[test]
fn what_the_header_asks_for() {
    assert_eq!(code(&asking("", "", "PID|1\r"), AckCode::AA), Some(AckCode::AA));
    assert_eq!(code(&asking("AL", "NE", "PID|1\r"), AckCode::AE), Some(AckCode::CE));
    assert_eq!(code(&asking("NE", "NE", "PID|1\r"), AckCode::AA), None);
}

#[test]
fn what_the_message_is_itself() {
    assert_eq!(code(&asking("", "", "MSA|AA|1\r"), AckCode::AA), None);
    assert_eq!(code(&asking("AL", "NE", "MSA|AA|1\r"), AckCode::AA), Some(AckCode::CA));
    assert_eq!(code(&asking("AL", "NE", "MSA|CA|1\r"), AckCode::AA), None);
    // An MSA that names no code is an acknowledgment all the same.
    assert_eq!(code(&asking("", "", "MSA||1\r"), AckCode::AA), None);
}

#[test]
fn what_must_not_be_accepted() {
    let single = asking("", "", "PID|1\r");
    let batch = [b"FHS|^~\\&|S\rBHS|^~\\&|S\r", &single[..]].concat();
    let fused = [&single[..30], b"\x0b", &single].concat();
    for (payload, error) in [
        (&batch, ErrorCode::UnsupportedMessageType),
        (&[&single[..], &single].concat(), ErrorCode::UnsupportedMessageType),
        (&fused, ErrorCode::ApplicationInternalError),
    ] {
        let answer = conformant_answer(payload, Scan::SingleByte, AckCode::AA).expect("a header");
        assert_eq!(answer.code, Some(AckCode::AR));
        assert_eq!(answer.errors.as_slice()[0].code, error);
        assert_eq!(code(payload, AckCode::AE), Some(AckCode::AE));
    }
}

#[test]
fn payload_without_a_header() {
    for payload in [&b""[..], b"PID|1\r", b"no header"] {
        for said in [AckCode::AA, AckCode::AR] {
            assert!(conformant_answer(payload, Scan::SingleByte, said).is_err(), "{payload:?}");
        }
    }
    assert!(conformant_answer(b"MSH|", Scan::SingleByte, AckCode::AA).is_err());
}

#[test]
fn damaged_delimiters() {
    let payload = b"MSH|^^\\&|S|SF|R|RF|20240131||ADT^A01|A|P|2.5\r";
    let accepted = conformant_answer(payload, Scan::SingleByte, AckCode::AA);
    assert_eq!(accepted.err(), Some(Error::DuplicateDelimiter));
    assert_eq!(code(payload, AckCode::AR), Some(AckCode::AR));
    // Pasted from source code, and meant as it should be.
    let doubled = b"MSH|^~\\\\&|S|SF|R|RF|20240131||ADT^A01|A|P|2.5\r";
    assert_eq!(code(doubled, AckCode::AA), Some(AckCode::AA));
}

#[test]
fn name_that_holds_the_byte_of_a_separator() {
    let name = b"\x83|"; // a letter in Shift_JIS
    // By the bytes alone AL would be in MSH-16, also where the delimiters are damaged.
    for (delimiters, said, expected) in
        [("^~\\&", AckCode::AA, AckCode::CA), ("^^\\&", AckCode::AR, AckCode::CR)]
    {
        let rest = b"|SF|R|RF|20240131||ADT^A01|A|P|2.5|||AL|NE\r";
        let payload = [b"MSH|", delimiters.as_bytes(), b"|", name, rest].concat();
        let answer = conformant_answer(&payload, Scan::ShiftJis, said).expect("a header");
        assert_eq!(answer.code, Some(expected));
    }
}
