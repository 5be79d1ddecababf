//! The policy `conformant`: one answer for each message, by the tables of chapter 2.

use ack_gen::{AckCode, ConformantAnswer, ErrorCode, Inbound, Receipt};
use hl7_peek::{Kind, MessageHeader};

const FIELDS: [&str; 5] = ["", "AL", "NE", "ER", "SU"];

/// MSH-15, and for each MSH-16 in the order above what goes back after AA, AE and AR.
const TABLE: [[&str; 5]; 5] = [
    ["AA AE AR", "AA AE AR", "- - -", "- AE AR", "AA - -"],
    ["CA CE CR", "CA CE CR", "CA CE CR", "CA CE CR", "CA CE CR"],
    ["- - -", "AA AE AR", "- - -", "- AE AR", "AA - -"],
    ["- CE CR", "AA CE CR", "- CE CR", "- CE CR", "AA CE CR"],
    ["CA - -", "CA AE AR", "CA - -", "CA AE AR", "CA - -"],
];

fn decide(
    fields: (&str, &str),
    control_id: &str,
    inbound: Inbound,
    receipt: Receipt,
    code: AckCode,
) -> ConformantAnswer {
    let (accept, application) = fields;
    let message =
        format!("MSH|^~\\&|S|SF|R|RF|2026||ADT^A01|{control_id}|P|2.5|||{accept}|{application}\r");
    let header = MessageHeader::parse_lenient(message.as_bytes()).expect("a header");
    ConformantAnswer::new(&header, inbound, receipt, code)
}

fn name(code: Option<AckCode>) -> &'static str {
    code.map_or("-", AckCode::as_str)
}

#[test]
fn every_row_of_the_table() {
    for (accept, row) in FIELDS.into_iter().zip(TABLE) {
        for (application, cell) in FIELDS.into_iter().zip(row) {
            let expected: Vec<_> = cell.split(' ').collect();
            for (at, code) in AckCode::ALL.into_iter().enumerate() {
                let answer =
                    decide((accept, application), "A", Inbound::Message, Receipt::default(), code);
                // The host may speak of either level: what counts is what it says.
                assert_eq!(name(answer.code), expected[at % 3], "{accept} {application} {code:?}");
                assert!(answer.errors.as_slice().is_empty());
            }
        }
    }
}

#[test]
fn application_acknowledgment_that_is_due_elsewhere() {
    for accept in FIELDS {
        for application in FIELDS {
            let due = |code| {
                let fields = (accept, application);
                name(decide(fields, "A", Inbound::Message, Receipt::default(), code).due)
            };
            let wanted = |field| matches!(field, "AL" | "SU");
            let both = wanted(accept) && wanted(application);
            assert_eq!(due(AckCode::AA), if both { "AA" } else { "-" }, "{accept} {application}");
            for code in [AckCode::AE, AckCode::AR, AckCode::CA, AckCode::CE, AckCode::CR] {
                assert_eq!(due(code), "-", "{accept} {application} {code:?}");
            }
        }
    }
}

#[test]
fn acknowledgments_are_not_acknowledged() {
    for accept in FIELDS {
        let fields = (accept, if accept.is_empty() { "" } else { "NE" });
        for inbound in [Inbound::AcceptAck, Inbound::ApplicationAck] {
            let answer = decide(fields, "A", inbound, Receipt::default(), AckCode::AA);
            // But for an application acknowledgment that asks for an accept acknowledgment (2.8.3.2).
            let asks = matches!(accept, "AL" | "SU") && inbound == Inbound::ApplicationAck;
            assert_eq!(name(answer.code), if asks { "CA" } else { "-" }, "{accept} {inbound:?}");
        }
    }
}

#[test]
fn what_must_not_be_accepted() {
    let single = Receipt::default();
    for (control_id, receipt, error) in [
        ("A", Receipt { kind: Kind::Batch, ..single }, ErrorCode::UnsupportedMessageType),
        ("A", Receipt { damaged: true, ..single }, ErrorCode::ApplicationInternalError),
        ("", single, ErrorCode::RequiredFieldMissing),
    ] {
        let decide = |fields, code| decide(fields, control_id, Inbound::Message, receipt, code);
        for code in [AckCode::AA, AckCode::CA] {
            for (fields, expected) in [
                (("", ""), "AR"),
                (("AL", "AL"), "CR"),
                (("NE", "ER"), "AR"),
                // Nobody wants to hear of it; and nothing says that it was accepted.
                (("SU", "SU"), "-"),
                (("NE", "NE"), "-"),
            ] {
                let answer = decide(fields, code);
                assert_eq!((name(answer.code), answer.due), (expected, None));
                assert_eq!(answer.errors.as_slice()[0].code, error);
            }
        }
        for code in [AckCode::AE, AckCode::AR] {
            let answer = decide(("", ""), code);
            assert_eq!(answer.code, Some(code));
            assert!(answer.errors.as_slice().is_empty());
        }
    }
}
