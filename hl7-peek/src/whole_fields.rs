//! What can be read of a message that was cut.

use crate::Terminator;
use crate::opening::Opening;

/// The front of a cut message, up to the last field that is certainly whole.
///
/// A control ID that was cut short is another control ID, and an answer that quotes it is taken for
/// the answer to another message. So a field counts only when a field separator or the end of its
/// segment follows; whatever stands behind the last of these is left out. Bytes without a usable
/// header come back as they are.
///
/// The character set is not known here. A separator counts only where it is one in all of them: not
/// behind a byte that may be the first half of a character (Shift_JIS, GB 18030, Big5), nor behind
/// an escape sequence (ISO-2022-JP).
///
/// ```
/// use hl7_peek::{MessageHeader, whole_fields};
///
/// let cut = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|M47";
/// let header = MessageHeader::parse_lenient(whole_fields(cut)).unwrap();
/// assert_eq!(header.trigger_event(), b"R01");
/// assert_eq!(header.message_control_id(), b""); // M47, or M4711
/// ```
pub fn whole_fields(prefix: &[u8]) -> &[u8] {
    let Ok(opening) = Opening::read(prefix) else { return prefix };
    let line_feed = opening.terminator == Some(Terminator::LineFeed);
    let ends_segment = |byte: &u8| *byte == b'\r' || (*byte == b'\n' && line_feed);
    let start = prefix.iter().rposition(ends_segment).map_or(0, |at| at.saturating_add(1));
    let segment = prefix.get(start..).unwrap_or_default();
    let plain = segment.split(|byte| *byte == 0x1B).next().unwrap_or_default();
    let separator = opening.separator();
    let last =
        plain.windows(2).rposition(|it| it.first() < Some(&0x80) && it.last() == Some(&separator));
    let whole = last.map_or(start, |at| start.saturating_add(at).saturating_add(2));
    prefix.get(..whole).unwrap_or(prefix)
}
