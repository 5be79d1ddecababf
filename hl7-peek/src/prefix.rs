//! The header of a message that is still arriving.

use crate::header::FIELDS;
use crate::opening::{BYTE_ORDER_MARK, Opening, skip_blanks};
use crate::segment::Syntax;
use crate::terminator::{Lines, has_id};
use crate::{Delimiters, Error, MessageHeader, Scan};

/// An answer, or the need for more bytes, which is not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status<T> {
    /// The bytes seen so far are enough. More of them do not change the answer.
    Complete(T),
    /// More bytes are needed.
    Partial,
}

impl<'a> MessageHeader<'a> {
    /// Reads MSH-1 to MSH-`through` from the first bytes of a message.
    ///
    /// Complete as soon as a separator or a terminator follows MSH-`through`, or the MSH segment
    /// has ended before it; MSH-2 is always needed. Fields above `through` are left empty, so the
    /// answer is the same for every longer prefix, and its fields are those of
    /// [`Message::header`](crate::Message::header). In a batch, where MSH comes behind FHS and
    /// BHS, that is awaited; if there is none, or MSH never ends, the answer stays `Partial`.
    ///
    /// Each call starts at the first byte, so ask once per piece received, and stop asking once a
    /// prefix of the length you are willing to keep is still `Partial`.
    ///
    /// ```
    /// use hl7_peek::{MessageHeader, Status};
    ///
    /// let prefix = b"MSH|^~\\&|A|B|C|D|20260101||ORU^R01|M1|P|2";
    /// let Status::Complete(header) = MessageHeader::parse_prefix(prefix, 10)? else { panic!() };
    /// assert_eq!(header.message_control_id(), b"M1");
    /// assert_eq!(MessageHeader::parse_prefix(prefix, 12)?, Status::Partial);
    /// # Ok::<(), hl7_peek::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Message::parse`](crate::Message::parse) as soon as a byte makes one certain,
    /// but never [`ShortHeader`](Error::ShortHeader).
    pub fn parse_prefix(
        prefix: &'a [u8],
        through: usize,
    ) -> Result<Status<MessageHeader<'a>>, Error> {
        if may_become_header(prefix) {
            return Ok(Status::Partial);
        }
        let opening = Opening::read(prefix)?;
        // An empty MSH-2 at the very end may still grow; one that ends is an error. The characters
        // that are there are judged now: more of them cannot repair a wrong one.
        if opening.line.len() == 4 && opening.terminator.is_none() {
            return Ok(Status::Partial);
        }
        let delimiters = Delimiters::read(opening.separator(), opening.encoding_characters)?;
        let mut lines = Lines::new(opening.body, opening.terminator.unwrap_or_default());
        let Some(line) = lines.find(|line| has_id(line, b"MSH", delimiters.field)) else {
            return Ok(Status::Partial);
        };

        let syntax = Syntax { delimiters, scan: Scan::SingleByte };
        let header = MessageHeader::read(line, opening.field_separator, syntax);
        let through = through.clamp(2, FIELDS);
        if header.ended() < through && !lines.is_terminated() {
            return Ok(Status::Partial);
        }
        Ok(Status::Complete(header.through(through)))
    }
}

/// Whether these bytes stop before MSH-1, and the missing ones can still make them a header.
fn may_become_header(prefix: &[u8]) -> bool {
    if BYTE_ORDER_MARK.starts_with(prefix) {
        return true;
    }
    let id = skip_blanks(prefix);
    id.len() <= 3 && [b"MSH", b"FHS", b"BHS"].iter().any(|header| header.starts_with(id))
}
