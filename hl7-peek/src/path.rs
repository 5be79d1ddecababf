//! Addresses inside a message: `PID-3[2].4.1`.

use core::fmt;
use core::str::FromStr;

use crate::Error;

/// Where a value stands in a message.
///
/// ```text
/// SEG [ '[' occurrence ']' ] sep field [ '[' repetition ']' ] [ sep component [ sep subcomponent ] ]
/// ```
///
/// `sep` is `-` or `.`, a segment ID is a capital letter and two capital letters or digits, and
/// every number counts from 1. `PID-3[2].4.1`, `PID.3.1`, `OBX[3]-5`, `MSH-9.2` and `NK1[2]` are
/// paths. Round brackets are not: where they are used, they count from 0.
///
/// The name of a local segment, which begins with Z, may also have two characters or up to eight:
/// `ZABC-1`, `Z1-1`. The standard knows three (2.5.2), but senders invent such names. Other names
/// are those of the standard, so that `PIDX-3` and `PID3` are errors and not segments that are
/// never there.
///
/// Parsing works in `const` context, so a wrong path can be a compile error:
///
/// ```
/// use hl7_peek::Path;
///
/// const PATIENT_ID: Path = match Path::parse("PID-3.1") {
///     Ok(path) => path,
///     Err(_) => panic!("not a path"),
/// };
/// assert_eq!(PATIENT_ID.segment(), b"PID");
/// assert_eq!(PATIENT_ID.component(), Some(1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// The segment ID, then zeros.
    segment: [u8; MAX_ID_LEN],
    occurrence: u32,
    // 0 stands for "not given" from here on: numbers in a path start at 1.
    field: u32,
    repetition: u32,
    component: u32,
    subcomponent: u32,
}

/// The longest name of a local segment.
const MAX_ID_LEN: usize = 8;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// [`BadPath`](Error::BadPath) if the text is not exactly one path, or a number in it is 0 or
    /// does not fit into 32 bits.
    pub const fn parse(text: &str) -> Result<Path, Error> {
        Path::parse_bytes(text.as_bytes())
    }

    /// As [`parse`](Path::parse), for text that has not been checked to be UTF-8.
    ///
    /// # Errors
    ///
    /// [`BadPath`](Error::BadPath), as there.
    pub const fn parse_bytes(text: &[u8]) -> Result<Path, Error> {
        match Path::read(text) {
            Some(path) => Ok(path),
            None => Err(Error::BadPath),
        }
    }

    /// The segment ID.
    pub const fn segment(&self) -> &[u8] {
        let mut id: &[u8] = &self.segment;
        while let [rest @ .., 0] = id {
            id = rest;
        }
        id
    }

    /// Which of the segments of this ID; 1 where the path does not say.
    pub const fn occurrence(&self) -> u32 {
        self.occurrence
    }

    /// The field number, or `None` if the path addresses a segment.
    pub const fn field(&self) -> Option<u32> {
        given(self.field)
    }

    /// The repetition, or `None` if the path addresses a whole field.
    pub const fn repetition(&self) -> Option<u32> {
        given(self.repetition)
    }

    /// The component, if there is one in the path.
    pub const fn component(&self) -> Option<u32> {
        given(self.component)
    }

    /// The subcomponent, if there is one in the path.
    pub const fn subcomponent(&self) -> Option<u32> {
        given(self.subcomponent)
    }

    const fn read(text: &[u8]) -> Option<Path> {
        let Some((segment, rest)) = id(text) else { return None };
        let Some((occurrence, rest)) = bracketed(rest) else { return None };
        let Some((field, rest)) = separated(rest) else { return None };
        let (mut repetition, mut component, mut subcomponent, mut rest) = (0, 0, 0, rest);
        if field != 0 {
            (repetition, rest) = match bracketed(rest) {
                Some(read) => read,
                None => return None,
            };
            (component, rest) = match separated(rest) {
                Some(read) => read,
                None => return None,
            };
        }
        if component != 0 {
            (subcomponent, rest) = match separated(rest) {
                Some(read) => read,
                None => return None,
            };
            // A component is one of a repetition, the first where the path does not say.
            if repetition == 0 {
                repetition = 1;
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let occurrence = if occurrence == 0 { 1 } else { occurrence };
        Some(Path { segment, occurrence, field, repetition, component, subcomponent })
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Path, Error> {
        Path::parse(text)
    }
}

impl fmt::Display for Path {
    /// The canonical form, which parses to the same path: `PID[2]-3[2].4.1`, without brackets
    /// that say nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(self.segment()).unwrap_or_default())?;
        if self.occurrence != 1 {
            write!(f, "[{}]", self.occurrence)?;
        }
        if let Some(field) = self.field() {
            write!(f, "-{field}")?;
        }
        match (self.repetition(), self.component()) {
            (None, _) | (Some(1), Some(_)) => {}
            (Some(repetition), _) => write!(f, "[{repetition}]")?,
        }
        if let Some(component) = self.component() {
            write!(f, ".{component}")?;
        }
        if let Some(subcomponent) = self.subcomponent() {
            write!(f, ".{subcomponent}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

const fn given(number: u32) -> Option<u32> {
    if number == 0 { None } else { Some(number) }
}

const fn is_id_character(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// The segment ID at the front of a text, and the rest.
const fn id(text: &[u8]) -> Option<([u8; MAX_ID_LEN], &[u8])> {
    let (mut id, mut len, mut rest) = ([0; MAX_ID_LEN], 0usize, text);
    while let [byte, after @ ..] = rest {
        if !is_id_character(*byte) {
            break;
        }
        if len >= MAX_ID_LEN {
            return None;
        }
        id[len] = *byte;
        len += 1;
        rest = after;
    }
    match (id[0], len) {
        (b'A'..=b'Z', 3) | (b'Z', 2..) => Some((id, rest)),
        _ => None,
    }
}

// The next three read one piece from the front of a text and return it with the rest. The outer
// `None` means "not a path"; a piece that is not there is the number 0.

const fn bracketed(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'[', rest @ ..] = text else { return Some((0, text)) };
    match number(rest) {
        Some((number, [b']', rest @ ..])) => Some((number, rest)),
        _ => None,
    }
}

const fn separated(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'-' | b'.', rest @ ..] = text else { return Some((0, text)) };
    number(rest)
}

/// Decimal digits, at least one, of a value from 1 to `u32::MAX`.
const fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u32;
    let mut rest = text;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        let Some(tens) = value.checked_mul(10) else { return None };
        let Some(sum) = tens.checked_add((*digit - b'0') as u32) else { return None };
        value = sum;
        rest = after;
    }
    // No digit leaves 0 as well.
    if value == 0 { None } else { Some((value, rest)) }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[track_caller]
    fn parts(text: &str) -> (u32, [Option<u32>; 4]) {
        let path = Path::parse(text).unwrap();
        let numbers = [path.field(), path.repetition(), path.component(), path.subcomponent()];
        (path.occurrence(), numbers)
    }

    #[test]
    fn every_piece_is_read() {
        assert_eq!(parts("NK1"), (1, [None; 4]));
        assert_eq!(parts("NK1[2]"), (2, [None; 4]));
        assert_eq!(parts("PID-3"), (1, [Some(3), None, None, None]));
        assert_eq!(parts("PID-3[2]"), (1, [Some(3), Some(2), None, None]));
        assert_eq!(parts("PID.3.4"), (1, [Some(3), Some(1), Some(4), None]));
        assert_eq!(parts("PID[7]-3[2].4-1"), (7, [Some(3), Some(2), Some(4), Some(1)]));
        assert_eq!(parts("ZZ9-4294967295"), (1, [Some(u32::MAX), None, None, None]));
        assert_eq!(parts("PID-003"), (1, [Some(3), None, None, None]));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "P",
            "PI",
            "PIDX",
            "pid-3",
            "1ID-3",
            "PÖD-3",
            "PID3",
            "PID-",
            "PID-0",
            "PID-3[0]",
            "PID[0]-3",
            "PID-3[",
            "PID-3[]",
            "PID-3[2",
            "PID-3[2]4",
            "PID[2][3]",
            "PID-3.1[2]",
            "PID-3.1.1.1",
            "PID-3-",
            "PID-3(1)-4",
            "PID-4294967296",
            "PID-3\n",
            " PID-3",
            "PID-+3",
            "PID-99999999999999999999",
            "PID-３",
        ] {
            assert_eq!(Path::parse(text), Err(Error::BadPath), "{text:?}");
        }
        assert_eq!(Path::parse_bytes(b"PID-\xFF"), Err(Error::BadPath));
        for text in
            ["Z", "Z-1", "ZABCDEFGH-1", "Zab-1", "Z_1-1", "ABCD-1", "ZABC-0", "ZABC-", "AZ-1"]
        {
            assert_eq!(Path::parse(text), Err(Error::BadPath), "{text:?}");
        }
    }

    #[test]
    fn display_is_canonical_and_parses_to_the_same_path() {
        for (text, canonical) in [
            ("NK1[1]", "NK1"),
            ("NK1[2]", "NK1[2]"),
            ("PID.3", "PID-3"),
            ("PID-3[1]", "PID-3[1]"),
            ("PID-3[1].2", "PID-3.2"),
            ("PID[2].3[2]-4-1", "PID[2]-3[2].4.1"),
            ("Z1.1", "Z1-1"),
            ("ZABC[2].1", "ZABC[2]-1"),
            ("ZABCDEF8", "ZABCDEF8"),
        ] {
            let path: Path = text.parse().unwrap();
            assert_eq!(path.to_string(), canonical);
            assert_eq!(canonical.parse(), Ok(path));
        }
    }
}
