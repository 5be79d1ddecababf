//! The beginning of a message, kept while the rest of it passes by.

use core::fmt;

use hl7_peek::{Message, Scan, Terminator, whole_fields};

/// The first bytes of a payload: up to the end of its MSH segment, and `HEADER` at most.
pub(crate) struct Header<const HEADER: usize> {
    bytes: [u8; HEADER],
    len: usize,
    /// Whether the next bytes belong to it.
    collects: bool,
}

impl<const HEADER: usize> Header<HEADER> {
    pub(crate) const fn new() -> Self {
        Header { bytes: [0; HEADER], len: 0, collects: false }
    }

    /// A payload begins.
    pub(crate) fn begin(&mut self) {
        self.len = 0;
        self.collects = HEADER > 0;
    }

    /// The front of the input to look at in one step, so that a span ends where the
    /// header does.
    pub(crate) fn piece<'i>(&self, input: &'i [u8]) -> &'i [u8] {
        if !self.collects {
            return input;
        }
        let input = input.get(..HEADER.saturating_sub(self.len)).unwrap_or(input);
        let line = input.iter().position(|byte| is_line_end(*byte));
        line.and_then(|at| input.get(..=at)).unwrap_or(input)
    }

    /// Keeps the next bytes of the payload. True when they complete the header.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> bool {
        if !self.collects {
            return false;
        }
        for (slot, byte) in self.bytes.iter_mut().skip(self.len).zip(bytes) {
            *slot = *byte;
        }
        self.len = self.len.saturating_add(bytes.len()).min(HEADER);
        if ends_msh(self.bytes()) {
            self.collects = false;
            return true;
        }
        if self.len == HEADER {
            self.cut();
            return true;
        }
        false
    }

    /// The payload has ended, and with it what there is of a header.
    pub(crate) fn end(&mut self) {
        self.collects = false;
    }

    /// The payload goes on or is lost, but no more of it is kept.
    pub(crate) fn cut(&mut self) {
        if self.collects {
            self.collects = false;
            self.len = whole_fields(self.bytes()).len();
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

// The bytes are health data.
impl<const HEADER: usize> fmt::Debug for Header<HEADER> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("len", &self.len).finish()
    }
}

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Whether the last of these bytes ends the MSH segment.
fn ends_msh(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last().copied().filter(|byte| is_line_end(*byte)) else { return false };
    let Some(message) = Message::parse_lenient(bytes, Scan::SingleByte) else { return false };
    let ends_segment = last == b'\r' || message.terminator() == Terminator::LineFeed;
    // In a batch, FHS and BHS come first.
    ends_segment && !message.header().field_separator().is_empty()
}
