//! Trailing blanks of ST and ID do not count where values are compared (2.A.75).

use ack_gen::{AcceptLists, ErrorCode, Outcome, Receipt};
use ack_gen::{AckCode, Condition, Inbound, check};
use hl7_peek::MessageHeader;

#[test]
fn a_padded_code_is_the_code() {
    for code in AckCode::ALL {
        let padded = format!("{}   ", code.as_str());
        assert_eq!(AckCode::from_bytes(padded.as_bytes()), Some(code));
    }
    for text in [&b" AA"[..], b"A A", b"aa", b"AA\t", b"AAA", b"  ", b""] {
        assert_eq!(AckCode::from_bytes(text), None, "{text:?}");
    }
    assert_eq!(Inbound::from_msa(Some(b"CA ")), Inbound::AcceptAck);
    assert_eq!(Condition::from_field(b"NE "), Condition::Never);
}

#[test]
fn a_padded_header_is_accepted() {
    let message_types = [&b"ADT^A01"[..], b"ORU "];
    let versions = [&b"2.5"[..], b"2.3 "];
    let processing_ids = [&b"P"[..]];
    let lists = AcceptLists {
        message_types: Some(&message_types),
        versions: Some(&versions),
        processing_ids: Some(&processing_ids),
    };
    let header = |msh_9: &str, msh_11: &str, msh_12: &str| {
        let text = format!("MSH|^~\\&|A|B|C|D|2026||{msh_9}|M1|{msh_11}|{msh_12}\r");
        let header = MessageHeader::parse_lenient(text.as_bytes()).expect("MSH");
        let found = check(&header, Receipt::default(), &lists);
        (found.outcome(), found.as_slice().iter().map(|error| error.code).collect::<Vec<_>>())
    };
    for (msh_9, msh_11, msh_12) in
        [("ADT^A01", "P", "2.5"), ("ADT ^A01 ", "P ", "2.5  "), ("ORU^R01", "P^T", "2.3")]
    {
        assert_eq!(header(msh_9, msh_11, msh_12), (Outcome::Accept, vec![]), "{msh_9}");
    }
    let expected = vec![
        ErrorCode::UnsupportedEventCode,
        ErrorCode::UnsupportedVersionId,
        ErrorCode::UnsupportedProcessingId,
    ];
    assert_eq!(header("ADT^ A01", " P", "2 .5"), (Outcome::Reject, expected));
}
