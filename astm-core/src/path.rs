//! Addresses inside a message: `R[2]-4`, `O-3.1`.

use core::fmt;
use core::str::FromStr;

use crate::Error;

/// Where a value stands in a message.
///
/// ```text
/// TYPE [ '[' occurrence ']' ] sep field [ '[' repeat ']' ] [ sep component ]
/// ```
///
/// **Field 1 is the record type**: `R-4` is the value of a result, `O-3.1` the specimen, `H-5` the sender,
/// and `H-2` the delimiters. (HL7 counts from behind the segment name.) `sep` is `-` or `.`, a type is a
/// capital letter, and every number counts from 1.
///
/// ```
/// use astm_core::{Path, path};
///
/// const VALUE: Path = path!("R[2]-4"); // a wrong path does not compile
/// assert_eq!((VALUE.kind(), VALUE.occurrence(), VALUE.field()), (b'R', 2, Some(4)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    kind: u8,
    occurrence: u32,
    // 0 stands for "not given" from here on: numbers in a path start at 1.
    field: u32,
    repeat: u32,
    component: u32,
}

/// A [`Path`] that is checked when the program is compiled.
#[macro_export]
macro_rules! path {
    ($text:expr) => {{
        const PATH: $crate::Path = match $crate::Path::parse($text) {
            Ok(path) => path,
            Err(_) => panic!("not a path"),
        };
        PATH
    }};
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// [`BadPath`](Error::BadPath) if the text is not exactly one path, or a number in it is 0 or does not
    /// fit into 32 bits.
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

    /// The record type.
    pub const fn kind(&self) -> u8 {
        self.kind
    }

    /// Which of the records of this type; 1 where the path does not say.
    pub const fn occurrence(&self) -> u32 {
        self.occurrence
    }

    /// The field number, or `None` if the path addresses a record.
    pub const fn field(&self) -> Option<u32> {
        given(self.field)
    }

    /// The repeat, or `None` if the path addresses a whole field.
    pub const fn repeat(&self) -> Option<u32> {
        given(self.repeat)
    }

    /// The component, if there is one in the path.
    pub const fn component(&self) -> Option<u32> {
        given(self.component)
    }

    const fn read(text: &[u8]) -> Option<Path> {
        let [kind @ b'A'..=b'Z', rest @ ..] = text else { return None };
        let Some((occurrence, rest)) = bracketed(rest) else { return None };
        let Some((field, rest)) = separated(rest) else { return None };
        let (mut repeat, mut component, mut rest) = (0, 0, rest);
        if field != 0 {
            (repeat, rest) = match bracketed(rest) {
                Some(read) => read,
                None => return None,
            };
            (component, rest) = match separated(rest) {
                Some(read) => read,
                None => return None,
            };
        }
        if !rest.is_empty() {
            return None;
        }
        // A component is one of a repeat, the first where the path does not say.
        if component != 0 && repeat == 0 {
            repeat = 1;
        }
        let occurrence = if occurrence == 0 { 1 } else { occurrence };
        Some(Path { kind: *kind, occurrence, field, repeat, component })
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Path, Error> {
        Path::parse(text)
    }
}

impl fmt::Display for Path {
    /// The canonical form, which parses to the same path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(self.kind))?;
        if self.occurrence != 1 {
            write!(f, "[{}]", self.occurrence)?;
        }
        if let Some(field) = self.field() {
            write!(f, "-{field}")?;
        }
        match (self.repeat(), self.component()) {
            (None, _) | (Some(1), Some(_)) => {}
            (Some(repeat), _) => write!(f, "[{repeat}]")?,
        }
        match self.component() {
            Some(component) => write!(f, ".{component}"),
            None => Ok(()),
        }
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
    let (mut value, mut rest) = (0u32, text);
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        let Some(tens) = value.checked_mul(10) else { return None };
        let Some(sum) = tens.checked_add((*digit - b'0') as u32) else { return None };
        (value, rest) = (sum, after);
    }
    // No digit leaves 0 as well.
    if value == 0 { None } else { Some((value, rest)) }
}
