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
        // All at once is faster.
        Recognise::Bytes => xxh3_128(payload),
        Recognise::ControlIdAndBody => {
            let mut identity = Identity::new(recognise);
            identity.take(payload);
            identity.of(control_id)
        }
    }
}

/// The same, of a message that comes in parts.
pub(super) struct Identity {
    recognise: Recognise,
    hash: Xxh3,
    /// The bytes to come belong to a header that does not count.
    in_header: bool,
}

impl Identity {
    pub(super) fn new(recognise: Recognise) -> Identity {
        let in_header = recognise == Recognise::ControlIdAndBody;
        Identity { recognise, hash: Xxh3::new(), in_header }
    }

    /// The next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let mut counts = bytes;
        if self.in_header {
            // The first segment ends at the first CR or LF.
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            self.in_header = end.is_none();
            counts = end.map_or(&[], |at| &bytes[at + 1..]);
        }
        self.hash.update(counts);
    }

    /// Of all bytes that were taken, whatever they are.
    pub(super) fn of_bytes(&self) -> u128 {
        self.hash.digest128().max(1)
    }

    /// Of the message with this MSH-10, once all of it was taken.
    pub(super) fn of(&mut self, control_id: &[u8]) -> u128 {
        if control_id.is_empty() {
            return 0;
        }
        if self.recognise == Recognise::ControlIdAndBody {
            // No control ID holds this byte, so the body does not run into it.
            self.hash.update(b"\r");
            self.hash.update(control_id);
        }
        self.hash.digest128()
    }
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
    fn the_parts_that_a_message_comes_in_make_no_difference() {
        for recognise in [Recognise::Bytes, Recognise::ControlIdAndBody] {
            for len in 1..=ONE.len() {
                let mut parts = Identity::new(recognise);
                ONE.chunks(len).for_each(|part| parts.take(part));
                assert_eq!(parts.of(b"M1"), of(recognise, ONE), "{recognise:?} {len}");
            }
            assert_eq!(Identity::new(recognise).of(b""), 0);
        }
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
