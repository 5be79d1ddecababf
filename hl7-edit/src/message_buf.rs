//! A message that can be changed.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use hl7_peek::{Kind, Message, Path, Scan, Terminator};

use crate::place::{Place, Text};
use crate::syntax::{Level, Syntax, is_header_id};
use crate::transcode::transcode;
use crate::{Content, Error};

/// One message with its own bytes, which are changed where they stand.
///
/// Every call either does what it says or changes nothing and returns an error. What a call does not
/// name keeps its bytes: other fields, blank lines, trailing separators, line ends of all kinds, a
/// missing last terminator.
///
/// Segments and repetitions are lists. They grow by one at the end, and what stands after a deleted
/// one moves up. Fields, components and subcomponents have positions, which do not move.
#[derive(Clone)]
pub struct MessageBuf {
    pub(crate) bytes: Vec<u8>,
    pub(crate) syntax: Syntax,
    pub(crate) terminator: Terminator,
    /// Kept, so that a message whose only terminator has been deleted gets the same one again.
    line_break: &'static [u8],
}

impl MessageBuf {
    /// Takes a message in a character set whose bytes are never mistaken for delimiters.
    ///
    /// # Errors
    ///
    /// [`Unreadable`](Error::Unreadable) where [`Message::parse`] fails, and [`Batch`](Error::Batch).
    pub fn parse(payload: impl Into<Vec<u8>>) -> Result<MessageBuf, Error> {
        MessageBuf::parse_with(payload, Scan::SingleByte)
    }

    /// As [`parse`](MessageBuf::parse), for a message whose delimiters must be searched by `scan`.
    ///
    /// [`Scan::Auto`] follows MSH-18 as it is now: a later change of MSH-18 changes no other byte, and
    /// not how this message is read here.
    ///
    /// ```
    /// use hl7_edit::MessageBuf;
    /// use hl7_peek::{Path, Scan};
    ///
    /// // The family name is one Shift_JIS character, 83 7C: its second byte is `|` in ASCII.
    /// let payload = b"MSH|^~\\&|||||||ADT^A08|1|P|2.5||||||ISO IR14\rPID|1||2||\x83\x7C^X\r";
    /// let mut message = MessageBuf::parse_with(payload, Scan::Auto)?;
    /// message.set(Path::parse("PID-5.1")?, b"\x83\x5C|")?;
    /// assert!(message.as_bytes().ends_with(b"PID|1||2||\x83\x5C\\F\\^X\r"));
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`parse`](MessageBuf::parse).
    pub fn parse_with(payload: impl Into<Vec<u8>>, scan: Scan) -> Result<MessageBuf, Error> {
        let bytes = payload.into();
        let message = Message::parse_with(&bytes, scan)?;
        if message.kind() == Kind::Batch {
            return Err(Error::Batch);
        }
        let Text { syntax, terminator, line_break, .. } = Text::of(&message);
        Ok(MessageBuf { bytes, syntax, terminator, line_break })
    }

    /// The message as it is now.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message as it is now, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The message as it is now, for reading.
    ///
    /// # Errors
    ///
    /// None: a message that has been parsed stays one. The type says so because this crate has no panic.
    pub fn message(&self) -> Result<Message<'_>, hl7_peek::Error> {
        Message::parse_with(&self.bytes, self.syntax.scan)
    }

    /// The bytes that `path` addresses, still escaped: [`Message::get`].
    pub fn get(&self, path: Path) -> Option<&[u8]> {
        self.message().ok()?.get(path)
    }

    /// Writes a field, repetition, component or subcomponent: exactly the node that the path names, with
    /// all that is in it. `PID-3` is the whole field with all its repetitions.
    ///
    /// What is missing is created: separators up to the node, and a segment at the end of the message if
    /// its occurrence is the next one. Empty content creates nothing, because a receiver does not tell
    /// empty from absent (2.5.3).
    ///
    /// ```
    /// use hl7_edit::{Content, MessageBuf};
    /// use hl7_peek::Path;
    ///
    /// let mut message = MessageBuf::parse(b"MSH|^~\\&|LAB\rPID|1||1001\r")?;
    /// message.set(Path::parse("PID-5.2")?, "JANE & CO")?;
    /// message.set(Path::parse("PID-3[2]")?, Content::Raw(b"2002^^^PI"))?;
    /// message.set(Path::parse("NTE-3")?, "two\rlines")?;
    /// let expected = br"PID|1||1001~2002^^^PI||^JANE \T\ CO";
    /// assert_eq!(message.get(Path::parse("PID")?), Some(&expected[..]));
    /// assert_eq!(message.get(Path::parse("NTE")?), Some(&br"NTE|||two\X0D\lines"[..]));
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BadPath`](Error::BadPath) for a path without a field, [`Header`](Error::Header),
    /// [`Gap`](Error::Gap), [`TooFar`](Error::TooFar), [`NoDelimiter`](Error::NoDelimiter) and
    /// [`OpenCharacter`](Error::OpenCharacter).
    pub fn set<'c>(&mut self, path: Path, content: impl Into<Content<'c>>) -> Result<(), Error> {
        let place = Place::find(self.text(), path)?;
        let content = content.into().encode(Level::of(path), self.syntax)?;
        if place.is_found() || !content.is_empty() {
            self.replace(place.range, &[&place.padding, &content]);
        }
        Ok(())
    }

    /// Deletes what the path names and returns whether it was there.
    ///
    /// A segment goes with its terminator, a repetition with its separator. A field, component or
    /// subcomponent becomes empty; the last one goes with the separator before it. To tell a receiver to
    /// delete what it has stored, [`set`](MessageBuf::set) the null value `""`.
    ///
    /// ```
    /// use hl7_edit::MessageBuf;
    /// use hl7_peek::Path;
    ///
    /// let mut message = MessageBuf::parse(b"MSH|^~\\&|LAB\rPID|1||7~8|4\rZZ1|5\r")?;
    /// assert!(message.delete(Path::parse("PID-1")?)?);
    /// assert!(message.delete(Path::parse("PID-3[1]")?)?);
    /// assert!(message.delete(Path::parse("PID-4")?)?);
    /// assert!(message.delete(Path::parse("ZZ1")?)?);
    /// assert!(!message.delete(Path::parse("ZZ1")?)?);
    /// assert_eq!(message.as_bytes(), b"MSH|^~\\&|LAB\rPID|||8\r");
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Header`](Error::Header).
    pub fn delete(&mut self, path: Path) -> Result<bool, Error> {
        let level = Level::of(path);
        if level == Level::Segment {
            return self.delete_segment(path);
        }
        let Range { start, end } = match Place::find(self.text(), path) {
            Ok(place) if place.is_found() => place.range,
            Err(Error::Header) => return Err(Error::Header),
            // What cannot be created is not there.
            _ => return Ok(false),
        };
        let is_separator = |at: Option<usize>| {
            let byte = at.and_then(|at| self.bytes.get(at).copied());
            byte.is_some() && byte == self.syntax.separator(level)
        };
        let (before, after) = (start.checked_sub(1), end.saturating_add(1));
        let range = match (before, is_separator(before), is_separator(Some(end))) {
            (_, _, true) if level == Level::Repetition => start..after,
            (_, _, true) => start..end,
            (Some(before), true, false) => before..end,
            _ => start..end,
        };
        self.replace(range, &[]);
        Ok(true)
    }

    /// Adds a repetition after those of a field. An absent or empty field has none yet.
    ///
    /// ```
    /// use hl7_edit::{Content, MessageBuf};
    /// use hl7_peek::Path;
    ///
    /// let mut message = MessageBuf::parse(b"MSH|^~\\&|LAB\rPID|1||7\r")?;
    /// let identifiers = Path::parse("PID-3")?;
    /// message.add_repetition(identifiers, Content::Raw(b"8^^^MR"))?;
    /// assert_eq!(message.get(identifiers), Some(&b"7~8^^^MR"[..]));
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](MessageBuf::set), and [`BadPath`](Error::BadPath) for a path that names anything
    /// but a field.
    pub fn add_repetition<'c>(
        &mut self,
        field: Path,
        content: impl Into<Content<'c>>,
    ) -> Result<(), Error> {
        if Level::of(field) != Level::Field {
            return Err(Error::BadPath);
        }
        let Place { range, mut padding } = Place::find(self.text(), field)?;
        let content = content.into().encode(Level::Repetition, self.syntax)?;
        if !range.is_empty() {
            let separator = self.syntax.separator(Level::Repetition).ok_or(Error::NoDelimiter)?;
            if !self.syntax.is_closed(self.text().get(range.clone())) {
                return Err(Error::OpenCharacter);
            }
            padding.push(separator);
        } else if content.is_empty() {
            return Ok(());
        }
        self.replace(range.end..range.end, &[&padding, &content]);
        Ok(())
    }

    /// Inserts a repetition before the one that the path names; as [`set`](MessageBuf::set) where that
    /// one is missing, or is the only one and empty.
    ///
    /// # Errors
    ///
    /// Those of [`set`](MessageBuf::set), and [`BadPath`](Error::BadPath) for a path that names anything
    /// but a repetition.
    pub fn insert_repetition<'c>(
        &mut self,
        before: Path,
        content: impl Into<Content<'c>>,
    ) -> Result<(), Error> {
        if Level::of(before) != Level::Repetition {
            return Err(Error::BadPath);
        }
        let content = content.into();
        let Place { range, padding } = Place::find(self.text(), before)?;
        let start = range.start..range.start;
        let separator = self.syntax.separator(Level::Repetition);
        let is_only = before.repetition() == Some(1)
            && (separator.is_none() || self.bytes.get(range.end).copied() != separator);
        if !padding.is_empty() || range.is_empty() && is_only {
            return self.set(before, content);
        }
        let separator = separator.ok_or(Error::NoDelimiter)?;
        let content = content.encode(Level::Repetition, self.syntax)?;
        self.replace(start, &[&content, &[separator]]);
        Ok(())
    }

    /// Copies a node of another message and returns whether it was there; if it was not, nothing changes.
    ///
    /// Where MSH-1 and MSH-2 of the two differ, the delimiters become those of this message and the
    /// escape sequences keep their meaning. A node that is copied into a smaller one is
    /// escaped like [`Content::Raw`]: a field with components is one text in a component. A segment takes
    /// the place of one of the same ID, or is added at the end if its occurrence is the next one. Bytes
    /// are not converted to another character set.
    ///
    /// Within one message, copy from a clone of it, or [`set`](MessageBuf::set) what
    /// [`get`](MessageBuf::get) returns as [`Content::Raw`].
    ///
    /// ```
    /// use hl7_edit::MessageBuf;
    /// use hl7_peek::{Message, Path};
    ///
    /// let other = Message::parse(b"MSH:!@*%:ADT\rPID:1::7!MR:::5*F*6|7\r")?;
    /// let mut message = MessageBuf::parse(b"MSH|^~\\&|LAB\r")?;
    /// let patient = Path::parse("PID")?;
    /// assert!(message.copy(&other, patient, patient)?);
    /// assert_eq!(message.get(patient), Some(&br"PID|1||7^MR|||5:6\F\7"[..]));
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](MessageBuf::set), and [`BadPath`](Error::BadPath) where one path names a segment
    /// and the other does not name one of the same ID.
    pub fn copy(&mut self, from: &Message<'_>, source: Path, to: Path) -> Result<bool, Error> {
        let level = Level::of(source);
        let is_segment = level == Level::Segment;
        if is_segment != (Level::of(to) == Level::Segment)
            || is_segment && source.segment() != to.segment()
        {
            return Err(Error::BadPath);
        }
        let Some(raw) = from.get(source) else { return Ok(false) };
        let syntax = Syntax::of(from);
        // MSH-1 and MSH-2 are not cut by what they define.
        let is_definition = is_header_id(source.segment()) && matches!(source.field(), Some(1 | 2));
        if is_definition {
            return self.set(to, raw).map(|()| true);
        }
        let raw = transcode(raw, level, syntax, self.syntax)?;
        if is_segment {
            self.put_segment(to, &raw)?
        } else {
            self.set(to, Content::Raw(&raw))?
        }
        Ok(true)
    }

    /// Gives the message other separators: MSH-1 and MSH-2 as they are to follow `MSH`, such as
    /// `|^~\&`. All values keep their meaning; an LF in one, which CR as the terminator allows, becomes
    /// `\X0A\`.
    ///
    /// ```
    /// use hl7_edit::MessageBuf;
    ///
    /// let mut message = MessageBuf::parse(b"MSH:!@*%:LAB\rOBX:1:ST:::5*F*6|7!x\r")?;
    /// message.reencode(br"|^~\&")?;
    /// assert_eq!(message.as_bytes(), b"MSH|^~\\&|LAB\rOBX|1|ST|||5:6\\F\\7^x\r");
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unreadable`](Error::Unreadable) for separators that no message can have,
    /// [`NoDelimiter`](Error::NoDelimiter) if the message uses what they leave out, and
    /// [`OpenCharacter`](Error::OpenCharacter).
    pub fn reencode(&mut self, separators: &[u8]) -> Result<(), Error> {
        let header = [b"MSH", separators].concat();
        let message = Message::parse_with(&header, self.syntax.scan)?;
        if message.encoding_characters().len().saturating_add(1) != separators.len() {
            return Err(Error::Unreadable(hl7_peek::Error::BadEncodingCharacter));
        }
        let to = Syntax { delimiters: message.delimiters(), ..self.syntax };
        let text = self.text();
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut done = 0;
        for range in text.segments() {
            bytes.extend_from_slice(text.get(done..range.start));
            done = range.end;
            let segment = text.get(range);
            let rest = match after_separators(segment, self.syntax) {
                Some(rest) => {
                    bytes.extend_from_slice(segment.get(..3).unwrap_or_default());
                    bytes.extend_from_slice(separators);
                    rest
                }
                None => segment,
            };
            bytes.extend(transcode(rest, Level::Segment, self.syntax, to)?);
        }
        bytes.extend_from_slice(text.get(done..self.bytes.len()));
        (self.bytes, self.syntax) = (bytes, to);
        Ok(())
    }

    pub(crate) fn text(&self) -> Text<'_> {
        let MessageBuf { ref bytes, syntax, terminator, line_break } = *self;
        Text { bytes, syntax, terminator, line_break }
    }

    /// Writes these pieces in place of a range.
    pub(crate) fn replace(&mut self, range: Range<usize>, pieces: &[&[u8]]) {
        if self.bytes.get(range.clone()).is_some() {
            let pieces = pieces.concat();
            drop(self.bytes.splice(range, pieces));
        }
    }
}

/// What stands after MSH-2 in a segment that defines delimiters; `None` for any other.
fn after_separators(segment: &[u8], syntax: Syntax) -> Option<&[u8]> {
    let (opening, rest) = segment.split_at_checked(4)?;
    let (id, separator) = opening.split_at_checked(3)?;
    if !is_header_id(id) || separator != [syntax.delimiters.field] {
        return None;
    }
    let end = syntax.scan.find(syntax.delimiters.field, rest).unwrap_or(rest.len());
    rest.get(end..)
}

impl fmt::Debug for MessageBuf {
    /// The length and the delimiters: the bytes are health data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageBuf")
            .field("len", &self.bytes.len())
            .field("delimiters", &self.syntax.delimiters)
            .field("terminator", &self.terminator)
            .field("scan", &self.syntax.scan)
            .finish()
    }
}
