//! A reply, as far as matching it needs.

use ack_gen::AckCode;
use hl7_peek::{Error, Message, Path, Scan};

/// What came in one frame.
pub(crate) enum Reply<'a> {
    /// HL7 with a code of table 0008 in MSA-1, and MSA-2.
    Acknowledgment {
        code: AckCode,
        id: &'a [u8],
    },
    /// HL7 without them.
    NoMsa,
    NotHl7,
}

const MSA_1: Result<Path, Error> = Path::parse("MSA-1");
const MSA_2: Result<Path, Error> = Path::parse("MSA-2");

/// Reads a reply leniently: an answer that came is not taken for none because of its MSH-2.
pub(crate) fn read(payload: &[u8]) -> Reply<'_> {
    let Some(message) = Message::parse_lenient(payload, Scan::SingleByte) else {
        return Reply::NotHl7;
    };
    let get = |path: Result<Path, Error>| path.ok().and_then(|path| message.get(path));
    match get(MSA_1).and_then(AckCode::from_bytes) {
        Some(code) => Reply::Acknowledgment { code, id: get(MSA_2).unwrap_or_default() },
        None => Reply::NoMsa,
    }
}
