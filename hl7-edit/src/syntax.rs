//! What a message looks like below its segments: levels, and the delimiters between them.

use alloc::vec::Vec;

use hl7_peek::{Delimiters, Message, Path, Scan};

/// What a path names, from the outside to the inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Segment,
    Field,
    Repetition,
    Component,
    Subcomponent,
}

impl Level {
    /// The levels that a separator divides, outermost first.
    pub(crate) const SEPARATED: [Level; 4] =
        [Level::Field, Level::Repetition, Level::Component, Level::Subcomponent];

    pub(crate) fn of(path: Path) -> Level {
        if path.subcomponent().is_some() {
            Level::Subcomponent
        } else if path.component().is_some() {
            Level::Component
        } else if path.repetition().is_some() {
            Level::Repetition
        } else if path.field().is_some() {
            Level::Field
        } else {
            Level::Segment
        }
    }
}

/// The delimiters of a message, and how they are told from bytes that only look like them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) delimiters: Delimiters,
    pub(crate) scan: Scan,
}

impl Syntax {
    pub(crate) fn of(message: &Message<'_>) -> Syntax {
        Syntax { delimiters: message.delimiters(), scan: message.scan() }
    }

    /// What stands between two nodes of this level.
    pub(crate) fn separator(&self, level: Level) -> Option<u8> {
        match level {
            Level::Segment => None,
            Level::Field => Some(self.delimiters.field),
            Level::Repetition => self.delimiters.repetition,
            Level::Component => self.delimiters.component,
            Level::Subcomponent => self.delimiters.subcomponent,
        }
    }

    /// Whether a delimiter put after this text is one to every reader: the text does not end inside a
    /// character, nor, in ISO-2022-JP, outside ASCII or inside an escape sequence of that set.
    pub(crate) fn is_closed(&self, text: &[u8]) -> bool {
        const ESC: u8 = 0x1B;
        match self.scan {
            Scan::SingleByte | Scan::Auto => return true,
            // A delimiter may be one of the bytes that go on after ESC.
            Scan::Iso2022Jp if text.last() == Some(&ESC) => return false,
            // ASCII opens no character in any of these sets.
            _ if text.iter().all(|byte| byte.is_ascii() && *byte != ESC) => return true,
            _ => {}
        }
        let probe = 0;
        let probed: Vec<u8> = text.iter().copied().chain([probe]).collect();
        let last = Marks::new(&probed, self.scan, [probe]).last();
        last.is_some_and(|(at, _)| at == text.len())
    }
}

/// The segments that define delimiters.
pub(crate) fn is_header_id(id: &[u8]) -> bool {
    matches!(id, b"MSH" | b"FHS" | b"BHS")
}

/// Bytes that no value may hold: the line ends, and the blocks of an MLLP frame, start and end.
pub(crate) const CONTROLS: [u8; 4] = [b'\r', b'\n', 0x0B, 0x1C];

/// Where some bytes stand in a text, in order: delimiters where they are characters of their own,
/// [`CONTROLS`] wherever they stand.
///
/// Each byte is searched for once over the whole text, so that the cost is linear.
pub(crate) struct Marks<'t> {
    text: &'t [u8],
    scan: Scan,
    /// Each byte, and where it stands next.
    next: Vec<(u8, usize)>,
}

impl<'t> Marks<'t> {
    pub(crate) fn new(
        text: &'t [u8],
        scan: Scan,
        bytes: impl IntoIterator<Item = u8>,
    ) -> Marks<'t> {
        // Most values are short and hold none of the bytes: one look is cheaper than a search for each.
        let mut occurs = [false; 256];
        for byte in text {
            occurs[usize::from(*byte)] = true;
        }
        let mut marks = Marks { text, scan, next: Vec::new() };
        for byte in bytes.into_iter().filter(|byte| occurs[usize::from(*byte)]) {
            marks.next.extend(marks.search(byte, 0).map(|at| (byte, at)));
        }
        marks
    }

    fn search(&self, byte: u8, from: usize) -> Option<usize> {
        let scan = if CONTROLS.contains(&byte) { Scan::SingleByte } else { self.scan };
        Some(from.saturating_add(scan.find(byte, self.text.get(from..)?)?))
    }
}

impl Iterator for Marks<'_> {
    type Item = (usize, u8);

    fn next(&mut self) -> Option<(usize, u8)> {
        let first = self.next.iter().enumerate().min_by_key(|(_, (_, at))| *at);
        let (index, &(byte, at)) = first?;
        // What follows a delimiter starts at a character, so the search may go on there.
        match (self.search(byte, at.saturating_add(1)), self.next.get_mut(index)) {
            (Some(further), Some(next)) => next.1 = further,
            _ => drop(self.next.swap_remove(index)),
        }
        Some((at, byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(scan: Scan, text: &[u8]) -> bool {
        Syntax { delimiters: Delimiters::default(), scan }.is_closed(text)
    }

    #[test]
    fn a_text_that_ends_inside_a_character_is_open() {
        assert!(closed(Scan::SingleByte, b"\x83"));
        assert!(!closed(Scan::ShiftJis, b"a\x83"));
        assert!(closed(Scan::ShiftJis, b"a\x83\x7C"));
        assert!(closed(Scan::ShiftJis, b"\0"));
        assert!(!closed(Scan::Gb18030, b"\x81\x30\x81"));
        assert!(closed(Scan::Gb18030, b"\x81\x30\x81\x30"));
        assert!(!closed(Scan::Iso2022Jp, b"\x1B$B%^"));
        assert!(closed(Scan::Iso2022Jp, b"\x1B$B%^\x1B(B"));
        for tail in [&b"\x1B"[..], b"\x1B$", b"\x1B(", b"\x1B$(", b"\x1B)", b"\x1B-"] {
            assert!(!closed(Scan::Iso2022Jp, tail), "{tail:x?}");
        }
    }

    #[test]
    fn marks_come_in_order_and_controls_are_found_inside_characters() {
        let marks = |scan, text| Marks::new(text, scan, *b"|^\r").collect::<Vec<_>>();
        let found = [(1, b'^'), (2, b'|'), (4, b'^'), (5, b'\r')];
        assert_eq!(marks(Scan::SingleByte, b"a^|b^\r"), found);
        assert_eq!(marks(Scan::ShiftJis, b"\x83|\x83\r^"), [(3, b'\r'), (4, b'^')]);
        assert_eq!(marks(Scan::SingleByte, b""), []);
    }
}
