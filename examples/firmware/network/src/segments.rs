//! What the segments behind the header say about a message, seen while they pass by.

use ack_gen::Inbound;
use hl7_peek::Kind;

/// Looks at the first bytes of every segment, however the payload is cut into spans.
///
/// Segments end at a carriage return (2.5.4). Where a sender ends them with line feeds, only the
/// header is seen, and the message counts as a single one that is no acknowledgment.
pub struct Segments {
    /// The first bytes of the current segment: `MSA|AA` is the longest that tells something.
    start: [u8; 6],
    /// How many bytes of the current segment have come, up to the length of `start`.
    len: usize,
    headers: u8,
    inbound: Inbound,
}

impl Segments {
    pub const NONE: Segments =
        Segments { start: [0; 6], len: 0, headers: 0, inbound: Inbound::Message };

    /// The next bytes of the payload.
    pub fn pass(&mut self, span: &[u8]) {
        let mut lines = span.split(|byte| *byte == b'\r');
        self.extend(lines.next().unwrap_or_default());
        for line in lines {
            self.end();
            self.extend(line);
        }
    }

    /// The payload has ended.
    pub fn end(&mut self) {
        match self.start.get(..self.len).unwrap_or_default() {
            [b'M', b'S', b'H', _, ..] => self.headers = self.headers.saturating_add(1),
            [b'F' | b'B', b'H', b'S', _, ..] => self.headers = u8::MAX,
            [b'M', b'S', b'A', _, code @ ..] => self.inbound = Inbound::from_msa(Some(code)),
            _ => {}
        }
        self.len = 0;
    }

    /// Whether it is a batch, which has no single acknowledgment (2.9.3).
    pub fn kind(&self) -> Kind {
        if self.headers > 1 { Kind::Batch } else { Kind::Single }
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
