//! Whole frames, borrowed from the caller's buffer.

use core::fmt;
use core::ops::Range;

use crate::event::{Deviation, Deviations, Discard, Event, Fault, FrameEnd, FrameKind};
use crate::{Config, Counters, Scanner, Step};

/// A complete frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Stream offset of the start block.
    pub offset: u64,
    /// The bytes between start block and end block, as they stand on the wire.
    pub payload: &'a [u8],
    /// What the payload is.
    pub kind: FrameKind,
    /// Where the sender left the grammar.
    pub deviations: Deviations,
}

/// What a [`Decoder`] or a [`ReceiveBuffer`](crate::ReceiveBuffer) reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Received<'a> {
    /// A complete frame.
    Frame(Frame<'a>),
    /// The sender left the grammar after a frame that had already been delivered.
    Warning {
        /// What the sender did.
        deviation: Deviation,
        /// The byte that showed it; the length of the stream if that had ended.
        offset: u64,
    },
    /// A frame was lost; a [`Discard`] with its extent follows, now or when it ends.
    Fault {
        /// Why.
        fault: Fault,
        /// The byte that showed it; the length of the stream if that had ended.
        offset: u64,
        /// The first bytes of the lost payload. They are for a refusal that quotes the message
        /// control ID, never for a positive answer. They may end inside the control ID:
        /// `hl7_peek::whole_fields` leaves out what was cut.
        prefix: &'a [u8],
    },
    /// Bytes that are in no frame.
    Discard(Discard),
}

// Payloads are health data: a debug output shows how many bytes there are, never which.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("offset", &self.offset)
            .field("payload_len", &self.payload.len())
            .field("kind", &self.kind)
            .field("deviations", &self.deviations)
            .finish()
    }
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Received::Frame(frame) => frame.fmt(f),
            Received::Warning { deviation, offset } => {
                write!(f, "Warning {{ {}, offset: {offset} }}", deviation.name())
            }
            Received::Fault { fault, offset, prefix } => {
                let (fault, len) = (fault.name(), prefix.len());
                write!(f, "Fault {{ {fault}, offset: {offset}, prefix_len: {len} }}")
            }
            Received::Discard(discard) => discard.fmt(f),
        }
    }
}

/// One step of a [`Decoder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// How many bytes at the front of the buffer are done with, whatever the event.
    pub consumed: usize,
    /// What happened. `None`: more bytes are needed, after those that `consumed` leaves.
    pub event: Option<Received<'a>>,
}

/// Finds whole frames in a buffer that the caller owns, and lends their payloads from it.
///
/// The caller shows everything unread and drops `consumed` bytes from the front after each call.
/// The decoder remembers how far it has looked, so a frame that arrives byte by byte costs one pass
/// over its bytes. A buffer of [`buffer_len`](Decoder::buffer_len) bytes holds every frame that the
/// limit allows.
///
/// ```
/// use mllp_core::{Config, Decoder, Received};
///
/// let mut decoder = Decoder::new(Config::DEFAULT);
/// let mut unread = Vec::new();
/// let mut payloads = Vec::new();
/// for chunk in [&b"\x0bfirst\x1c\r\x0bsec"[..], b"ond\x1c\r"] {
///     unread.extend_from_slice(chunk);
///     loop {
///         let decoded = decoder.decode(&unread);
///         if let Some(Received::Frame(frame)) = decoded.event {
///             payloads.push(frame.payload.to_vec());
///         }
///         let (consumed, done) = (decoded.consumed, decoded.event.is_none());
///         unread.drain(..consumed);
///         if done {
///             break;
///         }
///     }
/// }
/// assert_eq!(payloads, [&b"first"[..], b"second"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    scanner: Scanner,
    /// Stream offset of the first byte that the caller shows.
    base: u64,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub const fn new(config: Config) -> Decoder {
        Decoder { scanner: Scanner::new(config), base: 0 }
    }

    /// Looks at everything unread, up to the next event.
    ///
    /// `unread` begins with the first byte that earlier calls did not consume. Bytes that an
    /// earlier call has seen must still be there: if they are not, a frame that needs them is
    /// reported as [`Fault::Truncated`], never delivered.
    pub fn decode<'b>(&mut self, unread: &'b [u8]) -> Decoded<'b> {
        let located = self.locate(unread);
        located.lend(unread)
    }

    /// The line has been idle for as long as the caller waits for a trailer: see
    /// [`Scanner::idle`]. `unread` is what was left after the last [`decode`](Decoder::decode).
    pub fn idle<'b>(&mut self, unread: &'b [u8]) -> Decoded<'b> {
        self.locate_idle(unread.len()).lend(unread)
    }

    /// The stream has ended: see [`Scanner::finish`]. Call it, dropping what it consumes, until the
    /// event is `None`.
    pub fn finish<'b>(&mut self, unread: &'b [u8]) -> Decoded<'b> {
        self.locate_finish(unread.len()).lend(unread)
    }

    /// Forgets the stream and keeps the settings.
    pub fn reset(&mut self) {
        self.scanner.reset();
        self.base = 0;
    }

    /// The size of a buffer, in bytes, that holds every frame the limit allows: start block,
    /// payload, end block, and the byte that decides about the end block.
    pub const fn buffer_len(&self) -> usize {
        self.scanner.config().max_payload_len.saturating_add(FRAME_OVERHEAD)
    }

    /// The state machine underneath: settings, offset, pending bytes and counters.
    pub const fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// Totals of this stream.
    pub const fn counters(&self) -> &Counters {
        self.scanner.counters()
    }

    /// [`decode`](Decoder::decode), with positions in place of slices.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn locate(&mut self, unread: &[u8]) -> Located {
        let seen = self.position(self.scanner.offset());
        let step = self.step(unread.get(seen..).unwrap_or_default());
        self.report(step.event, unread.len())
    }

    /// Looks at bytes that the caller shows for the first time; [`report`](Decoder::report) follows.
    pub(crate) fn step<'b>(&mut self, input: &'b [u8]) -> Step<'b> {
        self.scanner.step_over_payload(input)
    }

    pub(crate) fn locate_idle(&mut self, unread_len: usize) -> Located {
        let event = self.scanner.idle();
        self.report(event, unread_len)
    }

    pub(crate) fn locate_finish(&mut self, unread_len: usize) -> Located {
        let event = self.scanner.finish();
        self.report(event, unread_len)
    }

    pub(crate) fn locate_abandoned(&mut self, unread_len: usize) -> Located {
        let event = self.scanner.abandon();
        self.report(event, unread_len)
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn report(&mut self, event: Option<Event<'_>>, unread_len: usize) -> Located {
        let payload = match event {
            Some(Event::FrameEnd(end)) => {
                let from = self.position(end.offset).saturating_add(1);
                let len = usize::try_from(end.payload_len).unwrap_or(usize::MAX);
                from..from.saturating_add(len)
            }
            Some(Event::Fault { offset, .. }) => {
                let frame = offset.wrapping_sub(self.scanner.pending());
                let from = self.position(frame).saturating_add(1);
                let len = usize::try_from(self.scanner.payload_len()).unwrap_or(usize::MAX);
                from..from.saturating_add(len)
            }
            _ => 0..0,
        };
        let event = match event {
            Some(Event::FrameEnd(end)) if payload.end <= unread_len => Some(Reported::Frame(end)),
            // The caller dropped bytes too early: what is left of this frame is not the message.
            Some(Event::FrameEnd(_)) => {
                Some(Reported::Fault { fault: Fault::Truncated, offset: self.scanner.offset() })
            }
            Some(Event::Fault { fault, offset }) => Some(Reported::Fault { fault, offset }),
            Some(Event::Warning { deviation, offset }) => {
                Some(Reported::Warning { deviation, offset })
            }
            Some(Event::Discard(discard)) => Some(Reported::Discard(discard)),
            Some(Event::FrameStart { .. } | Event::Payload { .. }) | None => None,
        };
        Located { consumed: self.release(), payload, event }
    }

    /// Position in the caller's buffer of a stream offset.
    fn position(&self, offset: u64) -> usize {
        usize::try_from(offset.wrapping_sub(self.base)).unwrap_or(usize::MAX)
    }

    /// Moves the base to the first byte that is still needed.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn release(&mut self) -> usize {
        let offset = self.scanner.offset();
        let kept = if self.scanner.in_frame() { self.scanner.pending() } else { 0 };
        let needed = offset.wrapping_sub(kept);
        let consumed = self.position(needed);
        self.base = needed;
        consumed
    }
}

/// A [`Decoded`] that borrows nothing: the payload is a range of the buffer.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) consumed: usize,
    pub(crate) event: Option<Reported>,
    pub(crate) payload: Range<usize>,
}

/// A [`Received`] without its bytes.
#[derive(Debug)]
pub(crate) enum Reported {
    Frame(FrameEnd),
    Warning { deviation: Deviation, offset: u64 },
    Fault { fault: Fault, offset: u64 },
    Discard(Discard),
}

impl Located {
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn lend(self, unread: &[u8]) -> Decoded<'_> {
        let payload = unread.get(self.payload).unwrap_or_default();
        let event = self.event.map(|event| match event {
            Reported::Frame(end) => Received::Frame(Frame {
                offset: end.offset,
                payload,
                kind: end.kind,
                deviations: end.deviations,
            }),
            Reported::Warning { deviation, offset } => Received::Warning { deviation, offset },
            Reported::Fault { fault, offset } => Received::Fault { fault, offset, prefix: payload },
            Reported::Discard(discard) => Received::Discard(discard),
        });
        Decoded { consumed: self.consumed, event }
    }
}

/// What a buffer must hold beside the payload: start block, end block, and one byte after it.
pub(crate) const FRAME_OVERHEAD: usize = 3;
