//! Records into a buffer of the caller.

use crate::control::CR;
use crate::escape::{Output, push_escaped};
use crate::scan::Scan;
use crate::{Delimiters, Error};

/// Writes a message, record by record, each with its CR, ready for [`Link::offer`](crate::Link::offer).
///
/// ```
/// use astm_core::{Delimiters, RecordWriter};
///
/// let mut out = [0; 128];
/// let mut writer = RecordWriter::new(&mut out, Delimiters::DEFAULT);
/// writer.header().field(5, b"LIS").end()?;
/// writer.record(b'O').field(2, b"1").field(3, b"S|1").repeats(5, &[b"^^^GLU", b"^^^UREA"]).end()?;
/// writer.terminator(b'N')?;
/// let len = writer.finish()?;
/// assert_eq!(&out[..len], b"H|\\^&|||LIS\rO|1|S&F&1||^^^GLU\\^^^UREA\rL|1|N\r");
/// # Ok::<(), astm_core::Error>(())
/// ```
pub struct RecordWriter<'o> {
    output: Output<'o>,
    delimiters: Delimiters,
    scan: Scan,
    headed: bool,
    ended: bool,
}

impl<'o> RecordWriter<'o> {
    /// A writer of one message.
    pub fn new(out: &'o mut [u8], delimiters: Delimiters) -> RecordWriter<'o> {
        let scan = Scan::SingleByte;
        RecordWriter { output: Output::new(out), delimiters, scan, headed: false, ended: false }
    }

    /// For values in a character set whose second bytes may be delimiters.
    pub fn with_scan(self, scan: Scan) -> RecordWriter<'o> {
        RecordWriter { scan, ..self }
    }

    /// The header record, which comes first and once. Its first field to be written is 3.
    pub fn header(&mut self) -> RecordInProgress<'_, 'o> {
        let Delimiters { field, repeat, component, escape } = self.delimiters;
        let wrong = self.headed
            || Delimiters::of_header(&[b'H', field, repeat, component, escape]).is_none();
        let mut record = self.begin(b'H', wrong);
        let written = record.writer.output.push(&[field, repeat, component, escape]);
        record.error = record.error.or(written.err());
        record.at = 2;
        record
    }

    /// A record of another type, whose first field to be written is 2.
    pub fn record(&mut self, kind: u8) -> RecordInProgress<'_, 'o> {
        let wrong = !self.headed || self.ended || kind == b'H' || !kind.is_ascii_uppercase();
        self.begin(kind, wrong)
    }

    /// The terminator record, with its code: `N` is normal.
    ///
    /// # Errors
    ///
    /// Those of [`RecordInProgress::end`].
    pub fn terminator(&mut self, code: u8) -> Result<(), Error> {
        self.record(b'L').field(2, b"1").field(3, &[code]).end()?;
        self.ended = true;
        Ok(())
    }

    /// The length of the message.
    ///
    /// # Errors
    ///
    /// [`RecordOrder`](Error::RecordOrder) without a terminator.
    pub fn finish(self) -> Result<usize, Error> {
        if self.ended { Ok(self.output.len()) } else { Err(Error::RecordOrder) }
    }

    fn begin(&mut self, kind: u8, wrong: bool) -> RecordInProgress<'_, 'o> {
        let start = self.output.len();
        let written = self.output.push(&[kind]);
        let error = if wrong { Some(Error::RecordOrder) } else { written.err() };
        RecordInProgress { writer: self, start, at: 1, error, kind }
    }
}

/// A record being written. Its fields are given in the order of their numbers; what is left out is empty.
/// Nothing of it stays unless [`end`](RecordInProgress::end) succeeds.
#[must_use = "nothing is written before `end`"]
pub struct RecordInProgress<'w, 'o> {
    writer: &'w mut RecordWriter<'o>,
    start: usize,
    /// The number of the last field.
    at: u32,
    error: Option<Error>,
    kind: u8,
}

impl RecordInProgress<'_, '_> {
    /// A field with one value, which is escaped.
    pub fn field(self, number: u32, value: &[u8]) -> Self {
        self.parts(number, &[value], |delimiters| delimiters.repeat, true)
    }

    /// A field with one value in several components, each of which is escaped.
    pub fn components(self, number: u32, values: &[&[u8]]) -> Self {
        self.parts(number, values, |delimiters| delimiters.component, true)
    }

    /// A field with several repeats as they are: they may have components.
    pub fn repeats(self, number: u32, values: &[&[u8]]) -> Self {
        self.parts(number, values, |delimiters| delimiters.repeat, false)
    }

    /// A field as it is, such as one that is copied from a query.
    pub fn raw(self, number: u32, value: &[u8]) -> Self {
        self.parts(number, &[value], |delimiters| delimiters.repeat, false)
    }

    /// Ends the record.
    ///
    /// # Errors
    ///
    /// The first of: [`RecordOrder`](Error::RecordOrder), [`FieldOrder`](Error::FieldOrder),
    /// [`IllegalByte`](Error::IllegalByte) in a raw value, [`BufferTooSmall`](Error::BufferTooSmall).
    pub fn end(self) -> Result<(), Error> {
        let written = match self.error {
            Some(error) => Err(error),
            None => self.writer.output.push(&[CR]),
        };
        match written {
            Ok(()) => self.writer.headed |= self.kind == b'H',
            Err(_) => self.writer.output.truncate(self.start),
        }
        written
    }

    fn parts(
        mut self,
        number: u32,
        values: &[&[u8]],
        separator: fn(&Delimiters) -> u8,
        escaped: bool,
    ) -> Self {
        if self.error.is_none() {
            self.error = self.write(number, values, separator, escaped).err();
        }
        self
    }

    fn write(
        &mut self,
        number: u32,
        values: &[&[u8]],
        separator: fn(&Delimiters) -> u8,
        escaped: bool,
    ) -> Result<(), Error> {
        let RecordWriter { output, delimiters, scan, .. } = &mut *self.writer;
        if number <= self.at {
            return Err(Error::FieldOrder);
        }
        for _ in self.at..number {
            output.push(&[delimiters.field])?;
        }
        self.at = number;
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                output.push(&[separator(delimiters)])?;
            }
            let field = delimiters.field;
            let illegal = |byte: u8| byte < 0x20 && byte != b'\t' || byte == field;
            if escaped {
                push_escaped(value, delimiters, *scan, output)?;
            } else if scan.position(value, illegal).is_some() {
                return Err(Error::IllegalByte);
            } else {
                output.push(value)?;
            }
        }
        Ok(())
    }
}
