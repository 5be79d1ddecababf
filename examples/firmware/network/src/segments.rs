//! What the segments behind the header say about a message, seen while they pass by.

use ack_gen::Inbound;
use hl7_peek::{Kind, Message, Scan, Terminator};

/// Looks at the first bytes of every segment, however the payload is cut into spans.
pub struct Segments {
    /// MSH-1.
    field: u8,
    /// A line feed ends a segment too.
    line_feed: bool,
    /// The first bytes of the current segment: `MSA|AA` is the longest that tells something.
    start: [u8; 6],
    /// How many bytes of the current segment have come, up to the length of `start`.
    len: usize,
    kind: Kind,
    inbound: Inbound,
}

impl Segments {
    /// Behind the header of a message.
    pub fn behind(header: &[u8]) -> Segments {
        let message = Message::parse_lenient(header, Scan::SingleByte);
        Segments {
            field: message.map_or(0, |message| message.delimiters().field),
            line_feed: message.is_some_and(|it| it.terminator() == Terminator::LineFeed),
            start: [0; 6],
            len: 0,
            kind: message.map_or(Kind::Single, |message| message.kind()),
            inbound: Inbound::Message,
        }
    }

    /// The next bytes of the payload.
    pub fn pass(&mut self, span: &[u8]) {
        let line_feed = self.line_feed;
        let mut lines = span.split(|byte| *byte == b'\r' || (*byte == b'\n' && line_feed));
        self.extend(lines.next().unwrap_or_default());
        for line in lines {
            self.end();
            self.extend(line);
        }
    }

    /// The payload has ended.
    pub fn end(&mut self) {
        match *self.start.get(..self.len).unwrap_or_default() {
            [b'M', b'S', b'H', field, ..] if field == self.field => self.kind = Kind::Batch,
            [b'M', b'S', b'A', field, ref code @ ..] if field == self.field => {
                self.inbound = Inbound::from_msa(Some(code));
            }
            _ => {}
        }
        self.len = 0;
    }

    /// Whether it is a batch, which has no single acknowledgment (2.9.3).
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it is an acknowledgment itself.
    pub fn inbound(&self) -> Inbound {
        self.inbound
    }

    fn extend(&mut self, line: &[u8]) {
        // A line feed behind a carriage return belongs to it.
        let line = if self.len == 0 { line.strip_prefix(b"\n").unwrap_or(line) } else { line };
        let room = self.start.get_mut(self.len..).unwrap_or_default();
        let len = room.len().min(line.len());
        room[..len].copy_from_slice(&line[..len]);
        self.len += len;
    }
}
