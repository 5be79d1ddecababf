//! Whole segments: adding, inserting, replacing, deleting.

use alloc::vec::Vec;

use hl7_peek::{Path, Terminator};

use crate::syntax::{Level, is_header_id};
use crate::{Content, Error, MessageBuf};

impl MessageBuf {
    /// Adds a segment at the end of the message. It is written as it stands, with the delimiters of this
    /// message; a line end after it is dropped, and the terminator of the first segment is used.
    ///
    /// ```
    /// let mut message = hl7_edit::MessageBuf::parse(b"MSH|^~\\&|LAB\r\nPID|1")?;
    /// message.add_segment(b"NTE|1||a^b\r")?;
    /// assert_eq!(message.as_bytes(), b"MSH|^~\\&|LAB\r\nPID|1\r\nNTE|1||a^b");
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BadSegment`](Error::BadSegment), [`Header`](Error::Header),
    /// [`NoDelimiter`](Error::NoDelimiter) for a line end in it that cannot be escaped, and
    /// [`OpenCharacter`](Error::OpenCharacter).
    pub fn add_segment(&mut self, segment: &[u8]) -> Result<(), Error> {
        let segment = self.encode_segment(segment)?;
        self.write_segment_at(self.text().end(), &segment);
        Ok(())
    }

    /// Inserts a segment before the one that the path names, as [`add_segment`](MessageBuf::add_segment)
    /// writes it.
    ///
    /// # Errors
    ///
    /// Those of [`add_segment`](MessageBuf::add_segment), [`Absent`](Error::Absent),
    /// [`BadPath`](Error::BadPath) for a path with a field, and [`Header`](Error::Header) for MSH, which
    /// comes first.
    pub fn insert_segment_before(&mut self, path: Path, segment: &[u8]) -> Result<(), Error> {
        let segment = self.encode_segment(segment)?;
        if is_header_id(path.segment()) {
            return Err(Error::Header);
        }
        let start = self.beside(path)?.start;
        self.replace(start..start, &[&segment, self.text().line_break]);
        Ok(())
    }

    /// Inserts a segment after the one that the path names, as [`add_segment`](MessageBuf::add_segment)
    /// writes it.
    ///
    /// ```
    /// use hl7_peek::Path;
    ///
    /// let mut message = hl7_edit::MessageBuf::parse(b"MSH|^~\\&|LAB\rOBX|1\rOBX|2\r")?;
    /// message.insert_segment_after(Path::parse("OBX[1]")?, b"NTE|1||checked")?;
    /// message.insert_segment_before(Path::parse("OBX[1]")?, b"OBR|1")?;
    /// assert_eq!(message.as_bytes(), b"MSH|^~\\&|LAB\rOBR|1\rOBX|1\rNTE|1||checked\rOBX|2\r");
    /// # Ok::<(), hl7_edit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`add_segment`](MessageBuf::add_segment), [`Absent`](Error::Absent), and
    /// [`BadPath`](Error::BadPath) for a path with a field.
    pub fn insert_segment_after(&mut self, path: Path, segment: &[u8]) -> Result<(), Error> {
        let segment = self.encode_segment(segment)?;
        let end = self.beside(path)?.end;
        self.write_segment_at(end, &segment);
        Ok(())
    }

    /// Writes a segment, whose ID is that of the path, in place of the one that the path names.
    pub(crate) fn put_segment(&mut self, path: Path, segment: &[u8]) -> Result<(), Error> {
        let segment = self.encode_segment(segment)?;
        match self.text().segment(path) {
            Ok(range) => self.replace(range, &[&segment]),
            Err(count) if count.saturating_add(1) == path.occurrence() => {
                self.write_segment_at(self.text().end(), &segment);
            }
            Err(_) => return Err(Error::Gap),
        }
        Ok(())
    }

    pub(crate) fn delete_segment(&mut self, path: Path) -> Result<bool, Error> {
        if is_header_id(path.segment()) {
            return Err(Error::Header);
        }
        let text = self.text();
        let Ok(range) = text.segment(path) else { return Ok(false) };
        let next = range.end.saturating_add(text.terminator_at(range.end).len());
        let before = text.get(0..range.start);
        // The last segment may have no terminator, and then the one before it will have none. A blank
        // line that begins with LF must not come to stand after a CR, which would take the LF.
        let follows_line_feed =
            self.terminator == Terminator::CarriageReturn && text.bytes.get(next) == Some(&b'\n');
        let range = if next == range.end || follows_line_feed {
            let terminator = if before.ends_with(b"\r\n") { 2 } else { 1 };
            range.start.saturating_sub(terminator)..range.end
        } else {
            range.start..next
        };
        self.replace(range, &[]);
        Ok(true)
    }

    /// Where the segment stands beside which another is inserted.
    fn beside(&self, path: Path) -> Result<core::ops::Range<usize>, Error> {
        if Level::of(path) != Level::Segment {
            return Err(Error::BadPath);
        }
        self.text().segment(path).map_err(|_| Error::Absent)
    }

    /// Writes a segment after the one that ends here, whose terminator then ends the new one.
    fn write_segment_at(&mut self, end: usize, segment: &[u8]) {
        self.replace(end..end, &[self.text().line_break, segment]);
    }

    fn encode_segment(&self, segment: &[u8]) -> Result<Vec<u8>, Error> {
        let segment = segment.strip_suffix(b"\n").unwrap_or(segment);
        let segment = segment.strip_suffix(b"\r").unwrap_or(segment);
        let end = segment.iter().position(|byte| *byte == self.syntax.delimiters.field);
        let id = end.and_then(|end| segment.get(..end)).unwrap_or(segment);
        match Path::parse_bytes(id) {
            Ok(path) if path.segment() != id => return Err(Error::BadSegment),
            Ok(_) if is_header_id(id) => return Err(Error::Header),
            Ok(_) => {}
            Err(_) => return Err(Error::BadSegment),
        }
        Content::Raw(segment).encode(Level::Segment, self.syntax)
    }
}
