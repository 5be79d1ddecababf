//! A reply, as far as matching it needs.

use ack_gen::AckCode;
use hl7_peek::{Delimiters, Error, Message, Path, Scan, trim_blanks, unescape_with};

/// What came in one frame.
pub(crate) enum Reply<'a> {
    /// HL7 with a code of table 0008 in MSA-1.
    Acknowledgment {
        code: AckCode,
        name: Name<'a>,
    },
    /// HL7 without one.
    NoMsa,
    NotHl7,
}

/// MSA-2 without trailing blanks, and what is needed to read it.
pub(crate) struct Name<'a> {
    pub(crate) raw: &'a [u8],
    delimiters: Delimiters,
    scan: Scan,
}

impl<'a> Name<'a> {
    fn of(message: &Message<'a>) -> Name<'a> {
        let raw = MSA_2.ok().and_then(|path| message.get(path)).unwrap_or_default();
        Name { raw: trim_blanks(raw), delimiters: message.delimiters(), scan: message.scan() }
    }

    /// `None` when it is longer than any that was sent.
    pub(crate) fn unescaped<'o>(&self, out: &'o mut [u8]) -> Option<&'o [u8]> {
        let len = unescape_with(self.raw, &self.delimiters, self.scan, out).ok()?;
        out.get(..len).map(trim_blanks)
    }
}

pub(crate) const MSA_1: Result<Path, Error> = Path::parse("MSA-1");
const MSA_2: Result<Path, Error> = Path::parse("MSA-2");

/// Reads a reply leniently: an answer that came is not taken for none because of its MSH-2.
pub(crate) fn read(payload: &[u8], scan: Scan) -> Reply<'_> {
    let Some(message) = Message::parse_lenient(payload, scan) else {
        return Reply::NotHl7;
    };
    match MSA_1.ok().and_then(|path| message.get(path)).and_then(AckCode::from_bytes) {
        Some(code) => Reply::Acknowledgment { code, name: Name::of(&message) },
        None => Reply::NoMsa,
    }
}

/// Whether the payload of a reply answers the message with this MSH-10: its MSA-2 repeats it byte
/// for byte, or escaped where the reply has other delimiters or MSH-10 holds a framing byte.
/// Trailing blanks do not count on either side (2.A.75). A message without a control ID, which is an
/// empty one, takes any reply. `scratch` holds MSA-2
/// unescaped, so it is as long as the longest control ID that is to be found again.
///
/// ```
/// use hl7_peek::Scan;
/// use mllp_link::answers;
///
/// let reply = b"MSH|^~\\&|LAB\rMSA|AA|A\\F\\B\r";
/// assert!(answers(reply, b"A|B", Scan::SingleByte, &mut [0; 20]));
/// assert!(answers(reply, b"A|B  ", Scan::SingleByte, &mut [0; 20]));
/// assert!(!answers(reply, b"A", Scan::SingleByte, &mut [0; 20]));
/// ```
pub fn answers(reply: &[u8], control_id: &[u8], scan: Scan, scratch: &mut [u8]) -> bool {
    let control_id = trim_blanks(control_id);
    if control_id.is_empty() {
        return true;
    }
    let Some(message) = Message::parse_lenient(reply, scan) else { return false };
    let name = Name::of(&message);
    name.raw == control_id || name.unescaped(scratch) == Some(control_id)
}
