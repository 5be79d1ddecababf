//! The opening of a message: what may stand before MSH, then MSH-1, MSH-2 and the first terminator.

use crate::find::memchr2;

use crate::delimiters::is_usable;
use crate::{Error, Terminator};

/// The first segment, found but not yet cut into fields.
#[derive(Clone, Copy)]
pub(crate) struct Opening<'a> {
    /// The payload from its first segment on.
    pub(crate) body: &'a [u8],
    /// The first segment without its terminator; at least four bytes.
    pub(crate) line: &'a [u8],
    /// MSH-1 where it stands: one byte, printable.
    pub(crate) field_separator: &'a [u8],
    /// MSH-2: everything up to the next field separator or the end of the segment.
    pub(crate) encoding_characters: &'a [u8],
    /// `None` while no terminator has been seen.
    pub(crate) terminator: Option<Terminator>,
}

impl<'a> Opening<'a> {
    /// Finds the first segment. MSH-2 is located, not judged.
    #[inline]
    pub(crate) fn read(payload: &'a [u8]) -> Result<Opening<'a>, Error> {
        let body = skip_blanks(payload);
        let [a, b, c, after_id @ ..] = body else { return Err(Error::NoHeader) };
        if !is_header_id(&[*a, *b, *c]) {
            return Err(Error::NoHeader);
        }
        let Some((field_separator, _)) = after_id.split_at_checked(1) else {
            return Err(Error::ShortHeader);
        };
        let separator = first(field_separator);
        if !is_usable(separator) {
            return Err(Error::BadFieldSeparator);
        }
        // The first segment ends at the first CR or LF whichever of the two it is: see Terminator.
        let end = memchr2(b'\r', b'\n', body);
        let (line, terminator) = match end.and_then(|end| body.split_at_checked(end)) {
            Some((line, [b'\n', ..])) => (line, Some(Terminator::LineFeed)),
            Some((line, _)) => (line, Some(Terminator::CarriageReturn)),
            None => (body, None),
        };
        // MSH-2 is four or five bytes long: a loop beats a call.
        let after = line.get(4..).unwrap_or_default();
        let end = after.iter().position(|&byte| byte == separator);
        let encoding_characters = end.and_then(|end| after.get(..end)).unwrap_or(after);
        Ok(Opening { body, line, field_separator, encoding_characters, terminator })
    }

    /// MSH-1 as a byte.
    pub(crate) fn separator(&self) -> u8 {
        first(self.field_separator)
    }

    /// The opening of a message that is cut short by `len` bytes, and then back to the end of a field.
    pub(crate) fn without_end(self, len: usize) -> Opening<'a> {
        let front = self.body.get(..self.body.len().saturating_sub(len)).unwrap_or_default();
        let end = front.iter().rposition(|byte| *byte == self.separator());
        let body = end.and_then(|end| front.get(..=end)).unwrap_or(front);
        let line = self.line.get(..body.len()).unwrap_or(self.line);
        Opening { body, line, ..self }
    }

    /// Whether the first segment is the message header, not the header of a file or a batch.
    pub(crate) fn is_message(&self) -> bool {
        self.line.starts_with(b"MSH")
    }
}

/// The payload without one UTF-8 byte order mark and without leading blanks and line ends.
///
/// Neither is allowed; both are seen, and neither can be part of a segment ID.
pub(crate) fn skip_blanks(payload: &[u8]) -> &[u8] {
    let mut body = payload.strip_prefix(BYTE_ORDER_MARK).unwrap_or(payload);
    while let [0..=b' ', after @ ..] = body {
        body = after;
    }
    body
}

/// UTF-8 for U+FEFF.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The segments that define delimiters: message, file and batch header.
pub(crate) fn is_header_id(id: &[u8]) -> bool {
    matches!(id, b"MSH" | b"FHS" | b"BHS")
}

/// The byte of a one-byte slice.
fn first(slice: &[u8]) -> u8 {
    slice.first().copied().unwrap_or_default()
}
