//! Escape sequences: delimiters and control bytes inside values.

use crate::control::CR;
use crate::scan::Scan;
use crate::{Delimiters, Error};

/// A value being written into a buffer.
pub(crate) struct Output<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl<'o> Output<'o> {
    pub(crate) fn new(out: &'o mut [u8]) -> Output<'o> {
        Output { out, len: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let room = self.out.get_mut(self.len..).and_then(|room| room.get_mut(..bytes.len()));
        room.ok_or(Error::BufferTooSmall)?.copy_from_slice(bytes);
        self.len = self.len.saturating_add(bytes.len());
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

/// Replaces the escape sequences of a value by what they stand for and returns the length written.
///
/// * `&F&`, `&S&`, `&R&`, `&E&`: the field, component, repeat and escape delimiter.
/// * `&Xhh..&`: the bytes, in either case of digits. `&.br&`: CR.
/// * Everything else stays as it is: nothing is lost.
///
/// ```
/// use astm_core::{Delimiters, Scan, unescape};
///
/// let mut out = [0; 16];
/// let len = unescape(b"5 &F& 6 &Q&", &Delimiters::DEFAULT, Scan::SingleByte, &mut out)?;
/// assert_eq!(&out[..len], b"5 | 6 &Q&");
/// # Ok::<(), astm_core::Error>(())
/// ```
///
/// # Errors
///
/// [`BufferTooSmall`](Error::BufferTooSmall). The output is never longer than `text`.
pub fn unescape(
    text: &[u8],
    delimiters: &Delimiters,
    scan: Scan,
    out: &mut [u8],
) -> Result<usize, Error> {
    let escape = delimiters.escape;
    let cut = |text: &[u8]| scan.position(text, |byte| byte == escape);
    let mut output = Output::new(out);
    let mut rest = text;
    while let Some((before, [_, after @ ..])) = cut(rest).and_then(|at| rest.split_at_checked(at)) {
        output.push(before)?;
        rest = after;
        let closed = cut(after).and_then(|at| after.split_at_checked(at));
        let Some((body, [_, next @ ..])) = closed else {
            output.push(&[escape])?;
            continue;
        };
        let byte = match body {
            b"F" => Some(delimiters.field),
            b"S" => Some(delimiters.component),
            b"R" => Some(delimiters.repeat),
            b"E" => Some(escape),
            b".br" => Some(CR),
            _ => None,
        };
        match (byte, body) {
            (Some(byte), _) => {
                output.push(&[byte])?;
                rest = next;
            }
            (None, [b'X', digits @ ..]) if are_hex(digits) => {
                for pair in digits.as_chunks::<2>().0 {
                    let [high, low] = pair.map(value);
                    output.push(&[high << 4 | low])?;
                }
                rest = next;
            }
            // Its end may be the beginning of the next one.
            _ => output.push(&[escape])?,
        }
    }
    output.push(rest)?;
    Ok(output.len())
}

/// Writes a value so that it can stand in any field and returns the length written: delimiters become
/// `&F&`, `&S&`, `&R&` and `&E&`, control bytes other than TAB `&Xhh&`. [`unescape`] gives it back.
///
/// # Errors
///
/// [`BufferTooSmall`](Error::BufferTooSmall). Five times the length of `text` is always enough.
pub fn escape(
    text: &[u8],
    delimiters: &Delimiters,
    scan: Scan,
    out: &mut [u8],
) -> Result<usize, Error> {
    let mut output = Output::new(out);
    push_escaped(text, delimiters, scan, &mut output)?;
    Ok(output.len())
}

pub(crate) fn push_escaped(
    text: &[u8],
    delimiters: &Delimiters,
    scan: Scan,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let Delimiters { field, repeat, component, escape } = *delimiters;
    let special = |byte: u8| {
        byte < 0x20 && byte != b'\t' || [field, repeat, component, escape].contains(&byte)
    };
    let mut rest = text;
    while let Some((before, [byte, after @ ..])) =
        scan.position(rest, special).and_then(|at| rest.split_at_checked(at))
    {
        output.push(before)?;
        let [high, low] = crate::frame::digits(*byte);
        let hex = [b'X', high, low];
        let name: &[u8] = match *byte {
            byte if byte == field => b"F",
            byte if byte == component => b"S",
            byte if byte == repeat => b"R",
            byte if byte == escape => b"E",
            _ => &hex,
        };
        output.push(&[escape])?;
        output.push(name)?;
        output.push(&[escape])?;
        rest = after;
    }
    output.push(rest)
}

fn are_hex(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit)
}

const fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        other => (other | 0x20).wrapping_sub(b'a' - 10),
    }
}
