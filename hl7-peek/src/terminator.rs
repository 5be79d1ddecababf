//! Where segments end.

use crate::find::{memchr, memchr2};

/// The byte that ends segments in this message.
///
/// The standard knows only the carriage return (HL7 v2.9.1 chapter 2, 2.4.4). Line feeds
/// are common all the same, so the first of the two after the start of the header decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Terminator {
    /// CR ends a segment, and a single LF right behind it is dropped (CRLF). An LF elsewhere is
    /// data: it occurs inside OBX-5. Also the answer when there is neither CR nor LF.
    #[default]
    CarriageReturn,
    /// LF and CR both end a segment.
    LineFeed,
}

/// The segments of a message as plain bytes, without terminators; empty ones are skipped.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    /// What follows the last terminator that was seen; `None` once the text has run out.
    rest: Option<&'a [u8]>,
    terminator: Terminator,
}

impl<'a> Lines<'a> {
    /// `body` must start with its first segment.
    pub(crate) fn new(body: &'a [u8], terminator: Terminator) -> Lines<'a> {
        Lines { rest: Some(body), terminator }
    }

    /// Whether the line that `next` gave last was ended by a terminator, not by the end of text.
    pub(crate) fn is_terminated(&self) -> bool {
        self.rest.is_some()
    }

    /// How many bytes are left.
    pub(crate) fn remaining_len(&self) -> usize {
        self.rest.map_or(0, <[u8]>::len)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.rest.take()?;
            let end = match self.terminator {
                Terminator::CarriageReturn => memchr(b'\r', rest),
                Terminator::LineFeed => memchr2(b'\r', b'\n', rest),
            };
            let line = match end.and_then(|end| rest.split_at_checked(end)) {
                Some((line, [b'\r', b'\n', after @ ..] | [_, after @ ..])) => {
                    self.rest = Some(after);
                    line
                }
                _ => rest,
            };
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

/// Whether a line is a segment of this ID: the bytes before its first field separator.
#[inline]
pub(crate) fn has_id(line: &[u8], id: &[u8; 3], field_separator: u8) -> bool {
    match line {
        [a, b, c] => [*a, *b, *c] == *id,
        [a, b, c, d, ..] => *d == field_separator && [*a, *b, *c] == *id,
        _ => false,
    }
}

/// [`has_id`] for the name of a local segment, of any length.
pub(crate) fn has_long_id(line: &[u8], id: &[u8], field_separator: u8) -> bool {
    let rest = line.strip_prefix(id);
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == field_separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], terminator: Terminator, expected: &[&[u8]]) {
        let mut lines = Lines::new(body, terminator);
        for line in expected {
            assert_eq!(lines.next(), Some(*line));
        }
        assert_eq!(lines.next(), None);
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn carriage_return_drops_one_line_feed_behind_it() {
        let lines: &[&[u8]] = &[b"A", b"B", b"\nC", b"D\nE"];
        check(b"A\rB\r\n\r\n\nC\r\rD\nE", Terminator::CarriageReturn, lines);
    }

    #[test]
    fn line_feed_mode_splits_at_both() {
        check(b"A\nB\rC\r\n\nD\n", Terminator::LineFeed, &[b"A", b"B", b"C", b"D"]);
    }

    #[test]
    fn the_last_terminator_is_optional_and_noticed() {
        let mut lines = Lines::new(b"A\rB\n", Terminator::CarriageReturn);
        lines.next();
        assert!(lines.is_terminated());
        assert_eq!(lines.next(), Some(&b"B\n"[..]));
        assert!(!lines.is_terminated());
    }

    #[test]
    fn an_id_is_compared_whole() {
        assert!(has_id(b"PID", b"PID", b'|'));
        assert!(has_id(b"PID|1", b"PID", b'|'));
        assert!(!has_id(b"PIDX|1", b"PID", b'|'));
        assert!(!has_id(b"PI", b"PID", b'|'));
    }
}
