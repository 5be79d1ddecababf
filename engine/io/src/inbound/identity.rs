//! By what a message is recognised when it comes again.

use hl7_peek::MessageHeader;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed, xxh3_128};

/// What makes two messages the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recognise {
    /// All bytes.
    #[default]
    Bytes,
    /// MSH-10 and the bytes after MSH: a sender that tries again may write another time into MSH-7.
    ControlIdAndBody,
}

/// Of a message with this MSH-10. Without one it cannot be told from another: 0.
pub(super) fn identity(recognise: Recognise, control_id: &[u8], payload: &[u8]) -> u128 {
    if control_id.is_empty() {
        return 0;
    }
    match recognise {
        Recognise::Bytes => xxh3_128(payload),
        Recognise::ControlIdAndBody => {
            let mut hash = Xxh3::new();
            hash.update(control_id);
            // No control ID holds this byte, so none runs into the body.
            hash.update(b"\r");
            hash.update(after_header(payload));
            hash.digest128()
        }
    }
}

/// The bytes after the first segment, which ends at the first CR or LF.
fn after_header(payload: &[u8]) -> &[u8] {
    let end = payload.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    end.map_or(&[], |at| &payload[at + 1..])
}

/// Of MSH-3, 4 and 10, by which another message with the same control ID is found.
pub(super) fn name(header: &MessageHeader<'_>) -> u64 {
    let control_id = header.message_control_id();
    if control_id.is_empty() {
        return 0;
    }
    let application = xxh3_64_with_seed(header.sending_application(), 3);
    let facility = xxh3_64_with_seed(header.sending_facility(), application);
    xxh3_64_with_seed(control_id, facility).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"MSH|^~\\&|LAB|L|||20260101||ADT^A01|M1|P|2.5\rPID|1||4711\r";

    fn of(recognise: Recognise, payload: &[u8]) -> u128 {
        let header = MessageHeader::parse_lenient(payload).unwrap();
        identity(recognise, header.message_control_id(), payload)
    }

    fn with(from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(ONE.to_vec()).unwrap().replace(from, to).into_bytes()
    }

    #[test]
    fn a_retry_is_known_by_its_control_id_and_its_body() {
        use Recognise::{Bytes, ControlIdAndBody};
        let later = with("20260101", "20260102");
        assert_ne!(of(Bytes, &later), of(Bytes, ONE));
        assert_eq!(of(ControlIdAndBody, &later), of(ControlIdAndBody, ONE));
        for other in [with("M1", "M2"), with("4711", "4712")] {
            assert_ne!(of(Bytes, &other), of(Bytes, ONE));
            assert_ne!(of(ControlIdAndBody, &other), of(ControlIdAndBody, ONE));
        }
        let of_lines = |patient: &str| {
            let payload = String::from_utf8(with("\r", "\n")).unwrap();
            of(ControlIdAndBody, payload.replace("4711", patient).as_bytes())
        };
        assert_ne!(of_lines("4711"), of_lines("4712"), "segments that end with LF");
        let nameless = with("M1", "");
        assert_eq!((of(Bytes, &nameless), of(ControlIdAndBody, &nameless)), (0, 0));
    }

    #[test]
    fn a_control_id_belongs_to_its_sender() {
        let name = |payload: &[u8]| name(&MessageHeader::parse_lenient(payload).unwrap());
        assert_eq!(name(&with("4711", "4712")), name(ONE));
        for other in [with("LAB", "XRAY"), with("|L|", "|M|"), with("M1", "M2")] {
            assert_ne!(name(&other), name(ONE));
        }
        assert_eq!(name(&with("M1", "")), 0);
    }
}
