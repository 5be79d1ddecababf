//! Escape sequences: delimiters inside values (HL7 v2.9.1 chapter 2, 2.6).
//!
//! [`escape`] works on single bytes; [`escape_with`] leaves the bytes of two-byte characters alone.

use crate::{Delimiters, Error, Scan};

/// Replaces the escape sequences of `text` by what they stand for and returns the length written.
///
/// * `\F\`, `\S\`, `\T\`, `\R\`, `\E\`, `\P\`: the delimiter, if the message defines it.
/// * `\Xhh...\`: the bytes, in either case of digits.
/// * Formatting (`\.br\`), highlighting (`\H\`, `\N\`), character set (`\C..\`, `\M..\`) and local
///   (`\Z..\`) sequences stay as they are.
/// * So does everything unknown or unterminated: nothing is lost.
///
/// Without an escape character the text is copied.
///
/// ```
/// use hl7_peek::{Delimiters, unescape};
///
/// let mut out = [0; 32];
/// let len = unescape(br"5 \F\ 6\X0D0A\ \.br\ \Q\", &Delimiters::default(), &mut out)?;
/// assert_eq!(&out[..len], b"5 | 6\r\n \\.br\\ \\Q\\");
/// # Ok::<(), hl7_peek::Error>(())
/// ```
///
/// # Errors
///
/// [`BufferTooSmall`](Error::BufferTooSmall), after which `out` holds anything. The output is never
/// longer than `text`, so a buffer of that length is always enough.
pub fn unescape(text: &[u8], delimiters: &Delimiters, out: &mut [u8]) -> Result<usize, Error> {
    unescape_with(text, delimiters, Scan::SingleByte, out)
}

/// [`unescape`] for text of a message that was parsed with this [`Scan`]: an escape character inside
/// a two-byte character is none.
///
/// # Errors
///
/// Those of [`unescape`].
pub fn unescape_with(
    text: &[u8],
    delimiters: &Delimiters,
    scan: Scan,
    out: &mut [u8],
) -> Result<usize, Error> {
    let cut = |text| cut(delimiters.escape, scan, text);
    let mut output = Output::new(out);
    let mut rest = text;
    while let Some((before, after)) = cut(rest) {
        output.push(before)?;
        rest = after;
        // `after` starts behind the opening escape character; the sequence needs a closing one.
        let Some((body, next)) = cut(after) else {
            output.push_escape(delimiters)?;
            break;
        };
        rest = match sequence(body, delimiters) {
            Sequence::Byte(byte) => {
                output.push(&[byte])?;
                next
            }
            Sequence::Hex(digits) => {
                output.push_hex(digits)?;
                next
            }
            Sequence::Kept => {
                output.push_escape(delimiters)?;
                output.push(body)?;
                output.push_escape(delimiters)?;
                next
            }
            // The opening escape character is literal, and the next one may open a sequence.
            Sequence::Unknown => {
                output.push_escape(delimiters)?;
                after
            }
        };
    }
    output.push(rest)?;
    Ok(output.len)
}

/// Writes `text` so that it can stand inside any value and returns the length written.
///
/// Delimiters become `\F\`, `\S\`, `\T\`, `\R\`, `\E\`; CR and LF, which would end the segment,
/// become `\X0D\` and `\X0A\`. Without an escape character in `delimiters` all of these become a
/// blank. Every byte of the text is looked at once, so nothing is escaped twice, and
/// [`unescape`] gives the text back if there is an escape character.
///
/// ```
/// use hl7_peek::{Delimiters, escape, escaped_len};
///
/// let (text, delimiters) = (b"a|b\r", Delimiters::default());
/// let mut out = [0; 16];
/// let len = escape(text, &delimiters, &mut out)?;
/// assert_eq!(&out[..len], br"a\F\b\X0D\");
/// assert_eq!(escaped_len(text, &delimiters), len);
/// # Ok::<(), hl7_peek::Error>(())
/// ```
///
/// # Errors
///
/// [`BufferTooSmall`](Error::BufferTooSmall), after which `out` holds anything. [`escaped_len`]
/// tells the length needed; five times the length of `text` is always enough.
pub fn escape(text: &[u8], delimiters: &Delimiters, out: &mut [u8]) -> Result<usize, Error> {
    escape_with(text, delimiters, Scan::SingleByte, out)
}

/// [`escape`] for text of a message that is read with this [`Scan`]: a byte of a two-byte character is
/// no delimiter, and is not escaped.
///
/// # Errors
///
/// Those of [`escape`].
pub fn escape_with(
    text: &[u8],
    delimiters: &Delimiters,
    scan: Scan,
    out: &mut [u8],
) -> Result<usize, Error> {
    let mut output = Output::new(out);
    let mut rest = text;
    while let Some((before, name, after)) = next_escaped(rest, delimiters, scan) {
        output.push(before)?;
        match delimiters.escape {
            None => output.push(b" ")?,
            Some(escape) => {
                output.push(&[escape])?;
                output.push(name)?;
                output.push(&[escape])?;
            }
        }
        rest = after;
    }
    output.push(rest)?;
    Ok(output.len)
}

/// The length of what [`escape`] writes for this text.
pub fn escaped_len(text: &[u8], delimiters: &Delimiters) -> usize {
    escaped_len_with(text, delimiters, Scan::SingleByte)
}

/// The length of what [`escape_with`] writes for this text.
pub fn escaped_len_with(text: &[u8], delimiters: &Delimiters, scan: Scan) -> usize {
    let mut len = 0usize;
    let mut rest = text;
    while let Some((before, name, after)) = next_escaped(rest, delimiters, scan) {
        let added = delimiters.escape.map_or(1, |_| name.len().saturating_add(2));
        len = len.saturating_add(before.len()).saturating_add(added);
        rest = after;
    }
    len.saturating_add(rest.len())
}

/// The text before the first byte that must be escaped, what stands between the escape characters
/// for that byte, and the text behind it.
fn next_escaped<'t>(
    text: &'t [u8],
    delimiters: &Delimiters,
    scan: Scan,
) -> Option<(&'t [u8], &'static [u8], &'t [u8])> {
    let is_escaped = |byte: &u8| !escape_name(*byte, delimiters).is_empty();
    let at = match scan {
        Scan::SingleByte | Scan::Auto => text.iter().position(is_escaped)?,
        _ => first_outside_characters(text, delimiters, scan)?,
    };
    let (before, rest) = text.split_at_checked(at)?;
    let (byte, after) = rest.split_first()?;
    Some((before, escape_name(*byte, delimiters), after))
}

/// Offset of the first line end, or of the first delimiter that is not part of a longer character.
#[cold]
fn first_outside_characters(text: &[u8], delimiters: &Delimiters, scan: Scan) -> Option<usize> {
    let Delimiters { field, component, repetition, escape, subcomponent, .. } = *delimiters;
    let defined = [Some(field), component, repetition, escape, subcomponent];
    let found = defined.into_iter().flatten().filter_map(|byte| scan.find(byte, text));
    // A line end ends the segment wherever it stands, also inside what should be a character.
    let line_end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    found.chain(line_end).min()
}

/// What stands between the escape characters for this byte; empty if it needs no escape.
fn escape_name(byte: u8, delimiters: &Delimiters) -> &'static [u8] {
    let character = Some(byte);
    if character == delimiters.escape {
        b"E"
    } else if character == delimiters.repetition {
        b"R"
    } else if character == delimiters.subcomponent {
        b"T"
    } else if character == delimiters.component {
        b"S"
    } else if byte == delimiters.field {
        b"F"
    } else if byte == b'\r' {
        b"X0D"
    } else if byte == b'\n' {
        b"X0A"
    } else {
        b""
    }
}

/// What the text between two escape characters means.
enum Sequence<'a> {
    Byte(u8),
    Hex(&'a [u8]),
    Kept,
    Unknown,
}

fn sequence<'a>(body: &'a [u8], delimiters: &Delimiters) -> Sequence<'a> {
    let delimiter = match body {
        b"F" => Some(delimiters.field),
        b"S" => delimiters.component,
        b"T" => delimiters.subcomponent,
        b"R" => delimiters.repetition,
        b"E" => delimiters.escape,
        b"P" => delimiters.truncation,
        _ => None,
    };
    match (delimiter, body) {
        (Some(byte), _) => Sequence::Byte(byte),
        (None, [b'X', digits @ ..]) if is_hex(digits) => Sequence::Hex(digits),
        (None, [b'.' | b'H' | b'N' | b'C' | b'M' | b'Z', ..]) => Sequence::Kept,
        _ => Sequence::Unknown,
    }
}

/// Whole bytes, at least one.
fn is_hex(digits: &[u8]) -> bool {
    !digits.is_empty()
        && digits.len().is_multiple_of(2)
        && digits.iter().all(|digit| digit.is_ascii_hexdigit())
}

/// The text before and behind the first `separator`.
fn cut(separator: Option<u8>, scan: Scan, text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = scan.find(separator?, text)?;
    match text.split_at_checked(end)? {
        (before, [_, after @ ..]) => Some((before, after)),
        _ => None,
    }
}

/// The caller's buffer, filled from the front.
struct Output<'o> {
    spare: &'o mut [u8],
    len: usize,
}

impl<'o> Output<'o> {
    fn new(out: &'o mut [u8]) -> Output<'o> {
        Output { spare: out, len: 0 }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let spare = core::mem::take(&mut self.spare);
        let (to, spare) = spare.split_at_mut_checked(bytes.len()).ok_or(Error::BufferTooSmall)?;
        to.copy_from_slice(bytes);
        self.spare = spare;
        self.len = self.len.saturating_add(bytes.len());
        Ok(())
    }

    fn push_escape(&mut self, delimiters: &Delimiters) -> Result<(), Error> {
        delimiters.escape.map_or(Ok(()), |escape| self.push(&[escape]))
    }

    /// `digits` are pairs of hexadecimal digits.
    fn push_hex(&mut self, digits: &[u8]) -> Result<(), Error> {
        let value = |digit: u8| match digit {
            b'0'..=b'9' => digit & 0x0F,
            // `A` is 41 and `a` is 61 (hex): the low four bits count from 1 in both cases.
            _ => (digit & 0x0F).wrapping_add(9),
        };
        let (pairs, _) = digits.as_chunks::<2>();
        for [high, low] in pairs {
            self.push(&[value(*high) << 4 | value(*low)])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scan: Scan, text: &[u8], expected: &[u8]) {
        let delimiters = Delimiters::default();
        let mut out = [0; 64];
        let len = escape_with(text, &delimiters, scan, &mut out).unwrap();
        assert_eq!(&out[..len], expected);
        assert_eq!(escaped_len_with(text, &delimiters, scan), len);
        assert_eq!(
            escape_with(text, &delimiters, scan, &mut out[..len - 1]),
            Err(Error::BufferTooSmall)
        );
        let mut back = [0; 64];
        let len = unescape_with(expected, &delimiters, scan, &mut back).unwrap();
        assert_eq!(&back[..len], text);
    }

    #[test]
    fn a_byte_of_a_longer_character_is_not_escaped() {
        check(Scan::ShiftJis, b"\x83\x7C|\x83\x5C\\", b"\x83\x7C\\F\\\x83\x5C\\E\\");
        check(Scan::Gb18030, b"\x81\x5E^\x81\x7E~", b"\x81\x5E\\S\\\x81\x7E\\R\\");
        check(Scan::Iso2022Jp, b"\x1B$B%^\x1B(B^&", b"\x1B$B%^\x1B(B\\S\\\\T\\");
        check(Scan::SingleByte, b"a|b\r", b"a\\F\\b\\X0D\\");
    }

    #[test]
    fn a_line_end_is_escaped_wherever_it_stands() {
        let mut out = [0; 32];
        let delimiters = Delimiters::default();
        let len = escape_with(b"\x1B$B%\r", &delimiters, Scan::Iso2022Jp, &mut out).unwrap();
        assert_eq!(&out[..len], b"\x1B$B%\\X0D\\");
    }
}
