//! Records and their parts.

use core::fmt;

use crate::Delimiters;
use crate::control::{CR, LF};
use crate::scan::{Scan, Split};

/// The type of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// `H`: who sends, and the delimiters.
    Header,
    /// `P`.
    Patient,
    /// `O`: a test order for a specimen.
    Order,
    /// `R`: one value.
    Result,
    /// `C`: about the record before it.
    Comment,
    /// `Q`: a request for orders or results.
    Request,
    /// `M`: the manufacturer's own.
    Manufacturer,
    /// `S`: scientific.
    Scientific,
    /// `L`: the end of the message.
    Terminator,
    /// None of these.
    Other,
}

/// One record of a message, where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) delimiters: Delimiters,
    pub(crate) scan: Scan,
    pub(crate) index: usize,
}

impl<'a> Record<'a> {
    /// What kind of record it is.
    pub fn kind(&self) -> RecordKind {
        match self.name() {
            b"H" => RecordKind::Header,
            b"P" => RecordKind::Patient,
            b"O" => RecordKind::Order,
            b"R" => RecordKind::Result,
            b"C" => RecordKind::Comment,
            b"Q" => RecordKind::Request,
            b"M" => RecordKind::Manufacturer,
            b"S" => RecordKind::Scientific,
            b"L" => RecordKind::Terminator,
            _ => RecordKind::Other,
        }
    }

    /// Field 1 as it is, a letter as a rule. Some senders write `2P`: that is no patient record.
    pub fn name(&self) -> &'a [u8] {
        self.fields().next().unwrap_or_default()
    }

    /// The whole record, without its CR.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its place in the message, from 0.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Its fields. The first one is the type.
    pub fn fields(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        Split::new(self.bytes, Some(self.delimiters.field), self.scan)
    }

    /// A field, counted from 1. `None`: the record ends before it.
    pub fn get(&self, field: u32) -> Option<&'a [u8]> {
        nth(self.fields(), field)
    }

    /// The repeats of a field. Those of a field that is not there are none.
    pub fn repeats(&self, field: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = (!self.is_whole(field)).then_some(self.delimiters.repeat);
        self.get(field).into_iter().flat_map({
            let scan = self.scan;
            move |text| Split::new(text, separator, scan)
        })
    }

    /// The components of a repeat.
    pub fn components(&self, field: u32, repeat: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = (!self.is_whole(field)).then_some(self.delimiters.component);
        nth(self.repeats(field), repeat).into_iter().flat_map({
            let scan = self.scan;
            move |text| Split::new(text, separator, scan)
        })
    }

    /// The delimiters themselves are not split.
    fn is_whole(&self, field: u32) -> bool {
        field <= 2 && self.bytes.first() == Some(&b'H')
    }
}

// Records are health data.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({:?}, {} bytes)", self.kind(), self.bytes.len())
    }
}

pub(crate) fn nth<'a>(mut parts: impl Iterator<Item = &'a [u8]>, number: u32) -> Option<&'a [u8]> {
    parts.nth(usize::try_from(number.checked_sub(1)?).ok()?)
}

/// The records of a message, in order. Empty ones are left out, and so is an LF after a CR.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    pub(crate) rest: &'a [u8],
    pub(crate) delimiters: Delimiters,
    pub(crate) scan: Scan,
    pub(crate) index: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while let [CR | LF, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let end = self.rest.iter().position(|&byte| byte == CR).unwrap_or(self.rest.len());
        let (bytes, rest) = self.rest.split_at_checked(end)?;
        if bytes.is_empty() {
            return None;
        }
        self.rest = rest;
        let index = self.index;
        self.index = index.saturating_add(1);
        Some(Record { bytes, delimiters: self.delimiters, scan: self.scan, index })
    }
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({} bytes left)", self.rest.len())
    }
}
