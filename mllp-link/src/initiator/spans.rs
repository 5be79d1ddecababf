//! Messages that the host does not have whole: it submits the header, and shows the rest span by span
//! when it is their turn.

use mllp_core::Storage;

use super::Initiator;
use super::entry::{Entry, Stage};
use crate::fate::Fate;
use crate::submission::{Handle, SpanError, SubmitError};
use crate::timer::Millis;

/// How far a payload has come that passes by in spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spans {
    len: u64,
    /// Bytes that the host has shown in this attempt.
    shown: u64,
    /// All that was shown has left: it is the host's turn, and the peer cannot be late.
    pub(super) waits: bool,
}

impl Spans {
    pub(super) const fn new(len: u64) -> Spans {
        Spans { len, shown: 0, waits: true }
    }

    /// The message is written from its beginning.
    pub(super) const fn begin(&mut self) {
        *self = Spans::new(self.len);
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.shown == self.len
    }
}

impl<S: Storage, const WINDOW: usize, const ID: usize> Initiator<S, WINDOW, ID> {
    /// Takes a message of which the host has only the beginning: its first segment at least. When
    /// [`next_to_send`](Initiator::next_to_send) names the message, the host writes the start block,
    /// then each span of the payload after [`span`](Initiator::span) has taken it, the beginning
    /// included, and the end block after the last. `len` is the length of the payload in bytes.
    ///
    /// ```
    /// # use mllp_core::Framing;
    /// # use mllp_link::{Initiator, InitiatorConfig};
    /// let parts = [&b"MSH|^~\\&|A|B|C|D|2026||MDM^T02|M1|P|2.5\r"[..], b"OBX|1|ED|scan\r"];
    /// let len = parts.iter().map(|part| part.len() as u64).sum();
    /// let mut link: Initiator<_, 4, 64> = Initiator::new([0; 4096], InitiatorConfig::default());
    /// let handle = link.submit_header(parts[0], len, 0)?;
    /// link.connected();
    /// assert_eq!(link.next_to_send(0), Some(handle));
    /// let mut socket = vec![Framing::MLLP.start_block()];
    /// for part in parts {
    ///     link.span(handle, part, 0)?;
    ///     socket.extend_from_slice(part);
    ///     link.span_left(handle, 0); // the socket has taken all of it
    /// }
    /// socket.extend_from_slice(b"\x1c\r");
    /// link.sent(handle, 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`submit`](Initiator::submit), where the framing of the beginning alone is checked.
    /// [`SubmitError::IdTooLong`] also if the first segment goes on beyond the beginning.
    pub fn submit_header(
        &mut self,
        beginning: &[u8],
        len: u64,
        now: Millis,
    ) -> Result<Handle, SubmitError> {
        let is_whole = beginning.len() as u64 >= len;
        if !is_whole && self.is_header_cut(beginning) {
            return Err(SubmitError::IdTooLong);
        }
        self.enter(beginning, Some(Spans::new(len)), now)
    }

    /// Whether there is a header, and it may go on.
    fn is_header_cut(&self, beginning: &[u8]) -> bool {
        use hl7_peek::MessageHeader;
        let scan = self.config.scan;
        let end = beginning.iter().rposition(|byte| matches!(byte, b'\r' | b'\n'));
        let segments = end.and_then(|at| beginning.get(..=at)).unwrap_or_default();
        MessageHeader::parse_lenient_with(beginning, scan).is_some()
            && MessageHeader::parse_lenient_with(segments, scan).is_none()
    }

    /// Takes the next bytes of the payload that is being written, right before the host writes them.
    /// Returns how many bytes are still to come.
    ///
    /// # Errors
    ///
    /// [`SpanError`]: these bytes may not be written, and nothing has changed.
    /// [`NotWriting`](SpanError::NotWriting) means that the message goes no further: take the events.
    /// After any other error [`break_off`](Initiator::break_off) is all that is left.
    pub fn span(&mut self, handle: Handle, bytes: &[u8], now: Millis) -> Result<u64, SpanError> {
        let framing = self.config.decoder.framing;
        let entry = self.being_written(handle).and_then(|at| self.entries.get_mut(at));
        let spans =
            entry.and_then(|entry| entry.spans.as_mut().map(|spans| (spans, &mut entry.stage)));
        let Some((spans, stage)) = spans else { return Err(SpanError::NotWriting) };
        let left = spans.len.saturating_sub(spans.shown);
        let len = bytes.len() as u64;
        if len > left {
            return Err(SpanError::TooLong);
        }
        if let Err(error) = framing.encode_slices(bytes) {
            return Err(SpanError::Frame(error));
        }
        spans.shown = spans.shown.saturating_add(len);
        if len > 0 && core::mem::take(&mut spans.waits) {
            *stage = Stage::Writing(now);
        }
        Ok(left.saturating_sub(len))
    }

    /// The socket has taken some of what [`span`](Initiator::span) took: the time for sending begins
    /// again.
    pub fn span_advanced(&mut self, handle: Handle, now: Millis) {
        self.advance(handle, false, now);
    }

    /// The socket has taken all of what [`span`](Initiator::span) took: until the next span it is the
    /// host's turn, and the time for sending stands still.
    pub fn span_left(&mut self, handle: Handle, now: Millis) {
        self.advance(handle, true, now);
    }

    fn advance(&mut self, handle: Handle, waits: bool, now: Millis) {
        let entry = self.being_written(handle).and_then(|at| self.entries.get_mut(at));
        let Some(entry) = entry else { return };
        if let Some(spans) = &mut entry.spans {
            // Behind the last span comes the end block, which the peer has to take.
            spans.waits = waits && !spans.is_complete();
            entry.stage = Stage::Writing(now);
        }
    }

    /// Takes back the message that is being written, because its bytes cannot be had or framed. It
    /// has no verdict, and its connection has to be given up: half a frame is on it. Returns whether
    /// it was being written.
    pub fn break_off(&mut self, handle: Handle) -> bool {
        let Some(at) = self.being_written(handle) else { return false };
        if let Some(entry) = self.entries.get(at) {
            self.recent.remember(&entry.id, Fate::Uncertain);
        }
        if at < self.entries.len() {
            self.entries.remove(at);
        }
        self.reconnect = true;
        true
    }

    /// Whether a message that passes by in spans has to be shown further before anything else.
    pub(super) fn is_mid_span(&self) -> bool {
        let incomplete = |entry: &Entry<ID>| {
            entry.is_being_written() && entry.spans.is_some_and(|spans| !spans.is_complete())
        };
        self.entries.iter().any(incomplete)
    }
}
