//! A message of records, read where it stands.

use core::fmt;

use crate::record::{RecordKind, Records, nth};
use crate::results::Results;
use crate::scan::Scan;
use crate::{Delimiters, Error, Path, Record};

/// Something that is unusual about the records of a message. Nothing of it makes a value unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordDeviation {
    /// The header has no four usable delimiters: `|\^&` are used.
    DelimitersUnusable,
    /// The first record is no header: `|\^&` are used.
    NoHeader,
    /// The last record is no terminator.
    NoTerminator,
    /// A type with a number before it, such as `2P`. It stays as it is.
    RecordNumber,
    /// A type that the standard does not know.
    UnknownRecord,
}

impl RecordDeviation {
    /// Every deviation, in the order in which [`Message::deviations`] gives them.
    pub const ALL: [RecordDeviation; 5] = [
        RecordDeviation::DelimitersUnusable,
        RecordDeviation::NoHeader,
        RecordDeviation::NoTerminator,
        RecordDeviation::RecordNumber,
        RecordDeviation::UnknownRecord,
    ];

    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            RecordDeviation::DelimitersUnusable => "delimiters_unusable",
            RecordDeviation::NoHeader => "no_header",
            RecordDeviation::NoTerminator => "no_terminator",
            RecordDeviation::RecordNumber => "record_number",
            RecordDeviation::UnknownRecord => "unknown_record",
        }
    }
}

/// A message, read in place: values are the bytes of the line, still escaped and in the sender's character
/// set.
///
/// ```
/// use astm_core::{Message, path};
///
/// let message = Message::parse(b"H|\\^&|||LAB\rO|1|S123\rR|1|^^^GLU|5.4|mmol/L\rL|1|N\r")?;
/// assert_eq!(message.get(path!("R-4")), Some(&b"5.4"[..]));
/// for found in message.results() {
///     assert_eq!(found.order.and_then(|order| order.get(3)), Some(&b"S123"[..]));
/// }
/// # Ok::<(), astm_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    bytes: &'a [u8],
    delimiters: Delimiters,
    scan: Scan,
    has_header: bool,
    usable: bool,
}

impl<'a> Message<'a> {
    /// A message that begins with a header record. Unusable delimiters are a
    /// [deviation](Message::deviations).
    ///
    /// # Errors
    ///
    /// [`NoHeader`](Error::NoHeader).
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, Error> {
        let message = Message::parse_lenient(bytes, Scan::SingleByte);
        if message.has_header { Ok(message) } else { Err(Error::NoHeader) }
    }

    /// Any bytes; without a header the delimiters are `|\^&`.
    pub fn parse_lenient(bytes: &'a [u8], scan: Scan) -> Message<'a> {
        let mut records = Records { rest: bytes, delimiters: Delimiters::DEFAULT, scan, index: 0 };
        let header = match records.next().map(|record| record.bytes) {
            Some(header @ [b'H', delimiter, ..]) if crate::delimiters::is_usable(*delimiter) => {
                Some(header)
            }
            _ => None,
        };
        let found = header.and_then(Delimiters::of_header);
        Message {
            bytes,
            delimiters: found.unwrap_or_default(),
            scan,
            has_header: header.is_some(),
            usable: found.is_some(),
        }
    }

    /// The delimiters.
    pub const fn delimiters(&self) -> &Delimiters {
        &self.delimiters
    }

    /// The records, in order.
    pub const fn records(&self) -> Records<'a> {
        Records { rest: self.bytes, delimiters: self.delimiters, scan: self.scan, index: 0 }
    }

    /// The value at a path. `None`: it is not there; an empty value is `Some` of nothing.
    pub fn get(&self, path: Path) -> Option<&'a [u8]> {
        let named = |record: &Record<'a>| record.name() == [path.kind()];
        let occurrence = usize::try_from(path.occurrence().checked_sub(1)?).ok()?;
        let record = self.records().filter(named).nth(occurrence)?;
        match (path.field(), path.repeat(), path.component()) {
            (None, ..) => Some(record.as_bytes()),
            (Some(field), None, _) => record.get(field),
            (Some(field), Some(repeat), None) => nth(record.repeats(field), repeat),
            (Some(field), Some(repeat), Some(component)) => {
                nth(record.components(field, repeat), component)
            }
        }
    }

    /// Each result with what it belongs to.
    pub fn results(&self) -> Results<'a> {
        Results::new(self.records())
    }

    /// What is unusual about it.
    pub fn deviations(&self) -> impl Iterator<Item = RecordDeviation> + use<'a> {
        let message = *self;
        RecordDeviation::ALL.into_iter().filter(move |deviation| message.has(*deviation))
    }

    fn has(&self, deviation: RecordDeviation) -> bool {
        match deviation {
            RecordDeviation::DelimitersUnusable => self.has_header && !self.usable,
            RecordDeviation::NoHeader => !self.has_header,
            RecordDeviation::NoTerminator => {
                self.records().last().is_none_or(|last| last.kind() != RecordKind::Terminator)
            }
            RecordDeviation::RecordNumber => self.records().any(|record| match record.name() {
                [number @ .., b'A'..=b'Z'] => {
                    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
                }
                _ => false,
            }),
            RecordDeviation::UnknownRecord => {
                self.records().any(|record| record.kind() == RecordKind::Other)
            }
        }
    }
}

// Records are health data.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} bytes, {} records)", self.bytes.len(), self.records().count())
    }
}
