//! A value as it stands in the message (HL7 v2.9.1 chapter 2, 2.6).

use alloc::vec::Vec;

use crate::Error;
use crate::syntax::{CONTROLS, Level, Marks, Syntax};

/// What is written into a message.
///
/// Text is the common case, so that bytes and strings convert to it. The bytes must be in the
/// character set of the message; nothing is converted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content<'c> {
    /// One value. Every delimiter and every escape character in it is escaped, so that
    /// [`hl7_peek::unescape_with`] gives the same text back.
    ///
    /// Two double quotes are the null value, which has no escape: `""` deletes what a receiver has
    /// stored (2.5.3).
    Text(&'c [u8]),
    /// Bytes as they stand in a message: `DOE^JANE` is two components, `\.br\` a line break. What
    /// would end the node that it is written to is escaped: in a field the field separator, in a
    /// component the component separator as well.
    Raw(&'c [u8]),
}

impl<'c> From<&'c [u8]> for Content<'c> {
    fn from(text: &'c [u8]) -> Content<'c> {
        Content::Text(text)
    }
}

impl<'c, const N: usize> From<&'c [u8; N]> for Content<'c> {
    fn from(text: &'c [u8; N]) -> Content<'c> {
        Content::Text(text)
    }
}

impl<'c> From<&'c str> for Content<'c> {
    fn from(text: &'c str) -> Content<'c> {
        Content::Text(text.as_bytes())
    }
}

impl core::fmt::Debug for Content<'_> {
    /// The kind and the length: the bytes are health data.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Content::Text(bytes) => write!(f, "Text({} bytes)", bytes.len()),
            Content::Raw(bytes) => write!(f, "Raw({} bytes)", bytes.len()),
        }
    }
}

impl Content<'_> {
    /// The bytes for a node of this level. CR, LF and the blocks of an MLLP frame are always escaped.
    pub(crate) fn encode(self, level: Level, syntax: Syntax) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.write(level, syntax, &mut out)?;
        Ok(out)
    }

    /// As [`encode`](Content::encode), at the end of what is there already.
    pub(crate) fn write(
        self,
        level: Level,
        syntax: Syntax,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let own = [syntax.delimiters.escape, syntax.delimiters.truncation];
        let (text, inmost, own) = match self {
            Content::Text(text) => (text, Level::Subcomponent, own),
            Content::Raw(raw) => (raw, level, [None; 2]),
        };
        let outer = Level::SEPARATED.into_iter().filter(|level| *level <= inmost);
        let separators = outer.filter_map(|level| syntax.separator(level));
        let escaped = separators.chain(own.into_iter().flatten()).chain(CONTROLS);
        out.reserve(text.len());
        let mut done = 0;
        for (at, byte) in Marks::new(text, syntax.scan, escaped) {
            push(out, text.get(done..at), syntax)?;
            let escape = syntax.delimiters.escape.ok_or(Error::NoDelimiter)?;
            out.push(escape);
            out.extend_from_slice(escape_name(byte, syntax));
            out.push(escape);
            done = at.saturating_add(1);
        }
        push(out, text.get(done..), syntax)
    }
}

/// Writes a piece of text that a delimiter follows, or an escape character.
fn push(out: &mut Vec<u8>, piece: Option<&[u8]>, syntax: Syntax) -> Result<(), Error> {
    let piece = piece.unwrap_or_default();
    if !syntax.is_closed(piece) {
        return Err(Error::OpenCharacter);
    }
    out.extend_from_slice(piece);
    Ok(())
}

/// What stands between the escape characters for a delimiter or one of [`CONTROLS`].
fn escape_name(byte: u8, Syntax { delimiters, .. }: Syntax) -> &'static [u8] {
    match byte {
        b'\r' => b"X0D",
        b'\n' => b"X0A",
        0x0B => b"X0B",
        0x1C => b"X1C",
        _ if byte == delimiters.field => b"F",
        _ if Some(byte) == delimiters.component => b"S",
        _ if Some(byte) == delimiters.repetition => b"R",
        _ if Some(byte) == delimiters.subcomponent => b"T",
        _ if Some(byte) == delimiters.truncation => b"P",
        _ => b"E",
    }
}

#[cfg(test)]
mod tests {
    use hl7_peek::{Delimiters, Scan};

    use super::*;

    fn encode(content: Content<'_>, level: Level, scan: Scan) -> Result<Vec<u8>, Error> {
        let delimiters = Delimiters { truncation: Some(b'#'), ..Delimiters::default() };
        content.encode(level, Syntax { delimiters, scan })
    }

    #[track_caller]
    fn check(content: Content<'_>, level: Level, scan: Scan, expected: &[u8]) {
        assert_eq!(encode(content, level, scan).as_deref(), Ok(expected));
    }

    #[test]
    fn text_holds_no_delimiter_at_any_level() {
        for level in Level::SEPARATED {
            let text = Content::Text(b"a|^~\\&#\r\n\x0B\x1C\"\"");
            let expected = br#"a\F\\S\\R\\E\\T\\P\\X0D\\X0A\\X0B\\X1C\"""#;
            check(text, level, Scan::SingleByte, expected);
        }
    }

    #[test]
    fn raw_bytes_cannot_end_the_node() {
        let raw = Content::Raw(br"a|^~&\.br\#");
        let plain = |level, expected: &[u8]| check(raw, level, Scan::SingleByte, expected);
        plain(Level::Segment, br"a|^~&\.br\#");
        plain(Level::Field, br"a\F\^~&\.br\#");
        plain(Level::Repetition, br"a\F\^\R\&\.br\#");
        plain(Level::Component, br"a\F\\S\\R\&\.br\#");
        plain(Level::Subcomponent, br"a\F\\S\\R\\T\\.br\#");
        check(Content::Raw(b"a\r\x1C"), Level::Segment, Scan::SingleByte, br"a\X0D\\X1C\");
    }

    #[test]
    fn a_byte_of_a_longer_character_stays() {
        let (text, level) = (Content::Text(b"\x83\x7C|"), Level::Field);
        check(text, level, Scan::ShiftJis, b"\x83\x7C\\F\\");
        check(text, level, Scan::SingleByte, b"\x83\\F\\\\F\\");
        check(Content::Text(b"\x1B$B%^\x1B(B^"), level, Scan::Iso2022Jp, b"\x1B$B%^\x1B(B\\S\\");
    }

    #[test]
    fn a_text_that_would_swallow_what_follows_is_refused() {
        for (text, scan) in [
            (&b"a\x83"[..], Scan::ShiftJis),
            (b"\x83\rb", Scan::ShiftJis),
            (b"\x81\x30\x81", Scan::Gb18030),
            (b"\x1B$B%^", Scan::Iso2022Jp),
            (b"\x1B$B%\r\x1B(B", Scan::Iso2022Jp),
            (b"\x1B|", Scan::Iso2022Jp),
        ] {
            for content in [Content::Text(text), Content::Raw(text)] {
                let level = Level::Subcomponent;
                assert_eq!(encode(content, level, scan), Err(Error::OpenCharacter), "{text:x?}");
            }
        }
    }

    #[test]
    fn without_an_escape_character_a_delimiter_is_refused() {
        let delimiters = Delimiters { escape: None, subcomponent: None, ..Delimiters::default() };
        let syntax = Syntax { delimiters, scan: Scan::SingleByte };
        let encode = |text| Content::Text(text).encode(Level::Field, syntax);
        assert_eq!(encode(b"a\\&").as_deref(), Ok(&b"a\\&"[..]));
        assert_eq!(encode(b"a^"), Err(Error::NoDelimiter));
        assert_eq!(encode(b"a\r"), Err(Error::NoDelimiter));
    }
}
