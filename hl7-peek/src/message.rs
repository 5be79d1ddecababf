//! A message: its delimiters, and everything that is reached through them.

use core::fmt;

use crate::delimiters::has_doubled_escape;
use crate::opening::Opening;
use crate::segment::Syntax;
use crate::terminator::{Lines, has_id, has_long_id};
use crate::{Delimiters, Error, MessageHeader, Path, Scan, Segment, Segments, Terminator, Value};

/// A view of one payload: a message, or a batch of them.
///
/// Copying it is cheap, and what it gives out borrows from the payload, not from it.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    payload: &'a [u8],
    opening: Opening<'a>,
    syntax: Syntax,
}

/// What a payload holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One message.
    Single,
    /// A file or batch header, or more than one MSH (HL7 v2.9.1 chapter 2, 2.9.3). No single
    /// acknowledgment can answer it.
    Batch,
}

impl<'a> Message<'a> {
    /// Reads MSH-1 and MSH-2 (or those of a leading FHS or BHS) and finds the first terminator.
    ///
    /// One UTF-8 byte order mark and leading bytes up to 20 (hex) are skipped. For payloads in
    /// Shift_JIS, GB 18030, Big5 or ISO-2022-JP use [`parse_with`](Message::parse_with).
    ///
    /// # Errors
    ///
    /// [`NoHeader`](Error::NoHeader), [`ShortHeader`](Error::ShortHeader),
    /// [`BadFieldSeparator`](Error::BadFieldSeparator),
    /// [`NoEncodingCharacters`](Error::NoEncodingCharacters),
    /// [`BadEncodingCharacter`](Error::BadEncodingCharacter) and
    /// [`DuplicateDelimiter`](Error::DuplicateDelimiter), the first that applies.
    /// [`MessageHeader::parse_lenient`] needs less.
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Result<Message<'a>, Error> {
        Message::parse_with(payload, Scan::SingleByte)
    }

    /// As [`parse`](Message::parse), for a payload whose delimiters must be searched by `scan`.
    /// [`Scan::Auto`] finds out by itself which one that is.
    ///
    /// ```
    /// use hl7_peek::{Message, Path, Scan};
    ///
    /// // The family name is one Shift_JIS character, 83 7C: its second byte is `|` in ASCII.
    /// let payload = b"MSH|^~\\&|||||||ADT^A08|1|P|2.5||||||ISO IR14\rPID|1||2||\x83\x7C^X\r";
    /// let family = Path::parse("PID-5.1")?;
    /// assert_eq!(Message::parse(payload)?.get(family), Some(&b"\x83"[..]));
    /// assert_eq!(Message::parse_with(payload, Scan::ShiftJis)?.get(family), Some(&b"\x83\x7C"[..]));
    ///
    /// let message = Message::parse_with(payload, Scan::Auto)?;
    /// assert_eq!(message.get(family), Some(&b"\x83\x7C"[..]));
    /// assert_eq!(message.header().scan(), Scan::ShiftJis);
    /// # Ok::<(), hl7_peek::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Message::parse).
    #[inline]
    pub fn parse_with(payload: &'a [u8], scan: Scan) -> Result<Message<'a>, Error> {
        let opening = Opening::read(payload)?;
        let delimiters = Delimiters::read(opening.separator(), opening.encoding_characters)?;
        let (scan, opening) = scan.chosen_for(opening, delimiters);
        Ok(Message { payload, opening, syntax: Syntax { delimiters, scan } })
    }

    /// As [`parse_with`](Message::parse_with), but an MSH-2 whose escape character is doubled is read as
    /// it was meant: `^~\\&`, pasted from source code, as `^~\&`. [`deviation`](Message::deviation)
    /// tells. For the policy `conformant`, which would otherwise leave such a sender without an answer.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Message::parse).
    // Apart from its caller, so that neither needs the stack of the other.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn parse_undoubled(payload: &'a [u8], scan: Scan) -> Result<Message<'a>, Error> {
        let opening = Opening::read(payload)?;
        let (separator, characters) = (opening.separator(), opening.encoding_characters);
        let delimiters = match Delimiters::read(separator, characters) {
            Err(Error::DuplicateDelimiter) if has_doubled_escape(characters) => {
                Delimiters::read_lenient(separator, characters)
            }
            read => read?,
        };
        let (scan, opening) = scan.chosen_for(opening, delimiters);
        Ok(Message { payload, opening, syntax: Syntax { delimiters, scan } })
    }

    /// Reads as much of a message as there is: for whoever must tell what a damaged message is called.
    ///
    /// As [`parse_with`](Message::parse_with), but MSH-2 may be unusable: see
    /// [`MessageHeader::parse_lenient`]. `None` without MSH, FHS or BHS and a usable separator.
    pub fn parse_lenient(payload: &'a [u8], scan: Scan) -> Option<Message<'a>> {
        Some(Message::opened_leniently(payload, Opening::read(payload).ok()?, scan))
    }

    /// [`parse_lenient`](Message::parse_lenient), of a payload whose opening has been read.
    pub(crate) fn opened_leniently(
        payload: &'a [u8],
        opening: Opening<'a>,
        scan: Scan,
    ) -> Message<'a> {
        let delimiters = Delimiters::read_lenient(opening.separator(), opening.encoding_characters);
        let (scan, opening) = scan.chosen_for(opening, delimiters);
        Message { payload, opening, syntax: Syntax { delimiters, scan } }
    }

    /// One segment of this message, from the bytes that [`Segment::raw`] gave.
    pub fn segment_of(&self, raw: &'a [u8]) -> Segment<'a> {
        Segment::new(raw, self.opening.field_separator, self.syntax)
    }

    /// The bytes this was parsed from, all of them.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// MSH-1 and MSH-2 as delimiters.
    pub fn delimiters(&self) -> Delimiters {
        self.syntax.delimiters
    }

    /// MSH-2 as it stands, a sixth and later character included.
    pub fn encoding_characters(&self) -> &'a [u8] {
        self.opening.encoding_characters
    }

    /// How the sender left the grammar in MSH-2, by a stable name, where what was meant is certain:
    /// `doubled_escape` for `^~\\&`.
    pub fn deviation(&self) -> Option<&'static str> {
        has_doubled_escape(self.encoding_characters()).then_some("doubled_escape")
    }

    /// How delimiters are searched; never [`Scan::Auto`], but what that stood for.
    pub fn scan(&self) -> Scan {
        self.syntax.scan
    }

    /// Which byte ends the segments.
    pub fn terminator(&self) -> Terminator {
        self.opening.terminator.unwrap_or_default()
    }

    /// All fields of the first MSH segment, in one pass.
    ///
    /// In a batch that starts with FHS or BHS this is the first MSH behind it, or a header whose
    /// fields are all empty if there is none.
    #[inline]
    pub fn header(&self) -> MessageHeader<'a> {
        if self.opening.is_message() {
            return self.header_of(self.opening.line);
        }
        match self.lines().find(|line| has_id(line, b"MSH", self.syntax.delimiters.field)) {
            Some(line) => self.header_of(line),
            None => MessageHeader::empty(self.syntax.delimiters),
        }
    }

    /// The bytes that `path` addresses, or `None` if they are not there.
    ///
    /// Exactly the addressed node: a path without a field is the whole segment, a path without a
    /// repetition and a component is the whole field with all its repetitions. MSH-1 is the field
    /// separator and MSH-2 the encoding characters; neither is ever split.
    ///
    /// Nothing is remembered between calls: each one searches from the start of the payload.
    pub fn get(&self, path: Path) -> Option<&'a [u8]> {
        let segment = self.segment(path)?;
        let Some(field) = path.field() else { return Some(segment.raw()) };
        let field = segment.field(index(field))?;
        let Some(repetition) = path.repetition() else { return Some(field.raw()) };
        let repetition = field.repetitions().nth(below(repetition))?;
        let Some(component) = path.component() else { return Some(repetition.raw()) };
        let component = repetition.components().nth(below(component))?;
        let Some(subcomponent) = path.subcomponent() else { return Some(component.raw()) };
        component.subcomponents().nth(below(subcomponent))
    }

    /// The single value at `path`: where the path names no repetition, component or subcomponent,
    /// the first one.
    ///
    /// `None` if it is not there, and for a path without a field.
    pub fn leaf(&self, path: Path) -> Option<&'a [u8]> {
        let field = self.segment(path)?.field(index(path.field()?))?;
        let repetition = field.repetitions().nth(path.repetition().map_or(0, below))?;
        let component = repetition.components().nth(path.component().map_or(0, below))?;
        component.subcomponents().nth(path.subcomponent().map_or(0, below))
    }

    /// [`leaf`](Message::leaf), with absent, empty and null told apart.
    pub fn value(&self, path: Path) -> Value<'a> {
        Value::of(self.leaf(path))
    }

    /// All segments in order. Empty ones are skipped.
    pub fn segments(&self) -> Segments<'a> {
        Segments::new(self.lines(), self.opening.field_separator, self.syntax)
    }

    /// Whether this is one message or a batch: a search for a second MSH to the end of the payload.
    pub fn kind(&self) -> Kind {
        let field = self.syntax.delimiters.field;
        let is_batch = !self.opening.is_message()
            || self.lines().skip(1).any(|line| has_id(line, b"MSH", field));
        if is_batch { Kind::Batch } else { Kind::Single }
    }

    /// Whether a segment goes on in an ADD segment (HL7 v2.9.1 chapter 2, 2.10.2): the last field of the
    /// segment before it continues in ADD-1, and the fields behind that are ADD-2 and so on.
    ///
    /// Values are slices of the payload, so they are not joined here: `get("OBX-5")` is the part in OBX,
    /// `get("ADD-1")` the rest. A search to the end of the payload.
    pub fn has_addenda(&self) -> bool {
        let field = self.syntax.delimiters.field;
        self.lines().skip(1).any(|line| has_id(line, b"ADD", field))
    }

    fn segment(&self, path: Path) -> Option<Segment<'a>> {
        let field = self.syntax.delimiters.field;
        let (lines, nth) = (self.lines(), below(path.occurrence()));
        let line = match *path.segment() {
            [a, b, c] => lines.filter(|line| has_id(line, &[a, b, c], field)).nth(nth),
            ref id => lines.filter(|line| has_long_id(line, id, field)).nth(nth),
        }?;
        Some(Segment::new(line, self.opening.field_separator, self.syntax))
    }

    fn lines(&self) -> Lines<'a> {
        Lines::new(self.opening.body, self.terminator())
    }

    #[inline]
    fn header_of(&self, line: &'a [u8]) -> MessageHeader<'a> {
        MessageHeader::read(line, self.opening.field_separator, self.syntax)
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("payload_len", &self.payload.len())
            .field("delimiters", &self.syntax.delimiters)
            .field("terminator", &self.terminator())
            .field("scan", &self.syntax.scan)
            .finish()
    }
}

/// A number of a path as a `usize`. Where that has 16 bits, a number beyond it addresses nothing.
fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// How many nodes stand before the one of this number; numbers count from 1.
fn below(number: u32) -> usize {
    index(number).saturating_sub(1)
}
