//! Where the node of a path stands, and what must be written first where it does not.

use alloc::vec::Vec;
use core::iter::repeat_n;
use core::ops::Range;

use hl7_peek::{Message, Path, Terminator};

use crate::Error;
use crate::syntax::{Level, Syntax, is_header_id};

/// How many fields, components or subcomponents may be created at once: more than any message has, and
/// too few to fill memory.
const MOST_CREATED: usize = 9_999;

/// A message as this crate looks at it.
#[derive(Clone, Copy)]
pub(crate) struct Text<'m> {
    pub(crate) bytes: &'m [u8],
    pub(crate) syntax: Syntax,
    pub(crate) terminator: Terminator,
    /// What ends the first segment, and every segment that is added.
    pub(crate) line_break: &'static [u8],
}

impl<'m> Text<'m> {
    pub(crate) fn of(message: &Message<'m>) -> Text<'m> {
        let (bytes, terminator) = (message.payload(), message.terminator());
        let mut text = Text { bytes, syntax: Syntax::of(message), terminator, line_break: b"\r" };
        match text.terminator_at(text.line_end(text.start())) {
            b"\r\n" => text.line_break = b"\r\n",
            b"\n" => text.line_break = b"\n",
            _ => {}
        }
        text
    }

    /// The bytes of a range.
    pub(crate) fn get(&self, range: Range<usize>) -> &'m [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Where the segments stand, without their terminators. Empty ones are skipped.
    pub(crate) fn segments(self) -> impl Iterator<Item = Range<usize>> {
        let mut from = Some(self.start());
        core::iter::from_fn(move || {
            loop {
                let start = from?;
                let end = self.line_end(start);
                let terminator = self.terminator_at(end).len();
                from = (terminator > 0).then(|| end.saturating_add(terminator));
                if start < end {
                    return Some(start..end);
                }
            }
        })
    }

    /// Where MSH begins: after a byte order mark and blanks.
    fn start(&self) -> usize {
        self.bytes.iter().position(|byte| *byte == b'M').unwrap_or_default()
    }

    fn line_end(&self, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let end = match self.terminator {
            Terminator::CarriageReturn => hl7_peek::Scan::SingleByte.find(b'\r', rest),
            Terminator::LineFeed => rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')),
        };
        end.map_or(self.bytes.len(), |end| start.saturating_add(end))
    }

    /// The terminator after a segment; empty where the message ends.
    pub(crate) fn terminator_at(&self, end: usize) -> &'m [u8] {
        let len = match self.bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([_, ..]) => 1,
            _ => 0,
        };
        self.get(end..end.saturating_add(len))
    }

    /// The end of the last segment, before its terminator.
    pub(crate) fn end(self) -> usize {
        self.segments().last().map_or(self.bytes.len(), |last| last.end)
    }

    /// The segment that a path names, or how many segments of its ID there are.
    pub(crate) fn segment(self, path: Path) -> Result<Range<usize>, u32> {
        let mut count = 0u32;
        for range in self.segments() {
            let rest = self.get(range.clone()).strip_prefix(path.segment());
            let is_named = rest.is_some_and(|rest| {
                rest.first().is_none_or(|byte| *byte == self.syntax.delimiters.field)
            });
            if is_named {
                count = count.saturating_add(1);
                if count == path.occurrence() {
                    return Ok(range);
                }
            }
        }
        Err(count)
    }
}

/// Where a node stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The bytes of the node; empty at the point where a missing one belongs.
    pub(crate) range: Range<usize>,
    /// What must be written before a missing node: separators, and a segment's terminator and ID.
    /// Empty where the node is there.
    pub(crate) padding: Vec<u8>,
}

impl Place {
    /// Finds the node of a path below the level of segments.
    pub(crate) fn find(text: Text<'_>, path: Path) -> Result<Place, Error> {
        let Some(field) = path.field() else { return Err(Error::BadPath) };
        let mut place = Place::segment(text, path)?;
        let number = |number: Option<u32>| {
            number.map(|number| usize::try_from(number).unwrap_or(usize::MAX))
        };
        // The ID stands where a field 0 would. In MSH the first separator is a field itself.
        let field = match path.segment() {
            b"MSH" if field < 3 => return Err(Error::Header),
            b"MSH" => field.saturating_sub(1),
            _ => field,
        };
        let below = [
            (Level::Field, number(Some(field))),
            (Level::Repetition, number(path.repetition()).map(|number| number.saturating_sub(1))),
            (Level::Component, number(path.component()).map(|number| number.saturating_sub(1))),
            (Level::Subcomponent, number(path.subcomponent()).map(|it| it.saturating_sub(1))),
        ];
        for (level, before) in below {
            let Some(before) = before else { break };
            place.descend(text, level, before)?;
        }
        Ok(place)
    }

    fn segment(text: Text<'_>, path: Path) -> Result<Place, Error> {
        let id = path.segment();
        if is_header_id(id) && (id != b"MSH" || path.occurrence() > 1) {
            return Err(Error::Header);
        }
        match text.segment(path) {
            Ok(range) => Ok(Place { range, padding: Vec::new() }),
            Err(count) if count.saturating_add(1) < path.occurrence() => Err(Error::Gap),
            Err(_) => {
                let end = text.end();
                Ok(Place { range: end..end, padding: [text.line_break, id].concat() })
            }
        }
    }

    /// Whether the node is there.
    pub(crate) fn is_found(&self) -> bool {
        self.padding.is_empty()
    }

    /// Goes on to the node that stands after so many separators of this level.
    fn descend(&mut self, text: Text<'_>, level: Level, before: usize) -> Result<(), Error> {
        let separator = text.syntax.separator(level);
        let find = |range: Range<usize>| {
            let at = text.syntax.scan.find(separator?, text.get(range.clone()))?;
            Some(range.start.saturating_add(at))
        };
        let node = self.range.clone();
        let mut missing = before;
        while missing > 0
            && self.is_found()
            && let Some(at) = find(self.range.clone())
        {
            self.range.start = at.saturating_add(1);
            missing = missing.saturating_sub(1);
        }
        if missing == 0 {
            self.range.end = find(self.range.clone()).unwrap_or(self.range.end);
            return Ok(());
        }
        let separator = separator.ok_or(Error::NoDelimiter)?;
        if level == Level::Repetition && missing > 1 {
            return Err(Error::Gap);
        }
        if missing > MOST_CREATED {
            return Err(Error::TooFar);
        }
        // What stands last in a damaged segment may end inside a character.
        if !text.syntax.is_closed(text.get(node)) {
            return Err(Error::OpenCharacter);
        }
        self.padding.extend(repeat_n(separator, missing));
        self.range.start = self.range.end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn text(bytes: &[u8]) -> Text<'_> {
        Text::of(&Message::parse(bytes).unwrap())
    }

    #[track_caller]
    fn check(bytes: &[u8], path: &str, expected: Result<(Range<usize>, &[u8]), Error>) {
        let place = Place::find(text(bytes), Path::parse(path).unwrap());
        let expected = expected.map(|(range, padding)| Place { range, padding: padding.to_vec() });
        assert_eq!(place, expected, "{path}");
    }

    #[test]
    fn segments_are_those_that_hl7_peek_sees() {
        for bytes in [
            &b"MSH|^~\\&|A\rPID|1\r\rOBX|1\n2\r"[..],
            b"\xEF\xBB\xBF \r\nMSH|^~\\&\r\nPID\r\n\r\n\nOBX",
            b"MSH|^~\\&\nPID\rOBX\r\n\n",
            b"MSH|",
        ] {
            let Ok(message) = Message::parse(bytes) else { continue };
            let text = text(bytes);
            let found: Vec<&[u8]> = text.segments().map(|range| text.get(range)).collect();
            let expected: Vec<&[u8]> = message.segments().map(|segment| segment.raw()).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_there_is_found() {
        let bytes = b"MSH|^~\\&|A\rPID|1||3^x~4^y&z";
        check(bytes, "MSH-3", Ok((9..10, b"")));
        check(bytes, "PID-1", Ok((15..16, b"")));
        check(bytes, "PID-2", Ok((17..17, b"")));
        check(bytes, "PID-3", Ok((18..27, b"")));
        check(bytes, "PID-3.1", Ok((18..19, b"")));
        check(bytes, "PID-3[2].2.2", Ok((26..27, b"")));
        check(bytes, "PID-1[1].1.1", Ok((15..16, b"")));
    }

    #[test]
    fn what_is_missing_has_separators_before_it() {
        let bytes = b"MSH|^~\\&\rPID|1\r";
        check(bytes, "MSH-4", Ok((8..8, b"||")));
        check(bytes, "PID-3[2].4.2", Ok((14..14, b"||~^^^&")));
        check(bytes, "PID-1[2]", Ok((14..14, b"~")));
        check(bytes, "PID-1.3", Ok((14..14, b"^^")));
        check(bytes, "NK1-2", Ok((14..14, b"\rNK1||")));
        check(bytes, "PID[2]-1", Ok((14..14, b"\rPID|")));
    }

    #[test]
    fn what_cannot_be_created_is_an_error() {
        let bytes = b"MSH|^~\rPID|1\r";
        for (path, error) in [
            ("PID", Error::BadPath),
            ("MSH-1", Error::Header),
            ("MSH-2", Error::Header),
            ("MSH[2]-3", Error::Header),
            ("FHS-3", Error::Header),
            ("BHS-3", Error::Header),
            ("NK1[2]-1", Error::Gap),
            ("PID[3]-1", Error::Gap),
            ("PID-1[3]", Error::Gap),
            ("PID-7[3]", Error::Gap),
            ("PID-10001", Error::TooFar),
            ("PID-4294967295", Error::TooFar),
            ("PID-1.4294967295", Error::TooFar),
            ("PID-1.1.2", Error::NoDelimiter),
        ] {
            check(bytes, path, Err(error));
        }
        let last = vec![b'|'; 9_999];
        check(bytes, "PID-10000", Ok((12..12, &last)));
    }
}
