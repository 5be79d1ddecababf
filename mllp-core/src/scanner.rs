//! The state machine: bytes in, events out, nothing stored.

mod report;
mod search;

use core::fmt;

use crate::find::{memchr, memchr2};

use crate::bytes::{find_special, is_blank, one_byte};
use crate::event::{Deviation, Deviations, Event, Fault};
use crate::framing::{CARRIAGE_RETURN, LINE_FEED};
use crate::{Config, Counters, Profile};

/// One step of a [`Scanner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// How many bytes of the input are done with, whatever the event. The next step takes the rest.
    pub consumed: usize,
    /// What happened. `None`: all of the input was consumed, and more is needed.
    pub event: Option<Event<'a>>,
}

/// Cuts a stream into frames without storing any of it: payload leaves as spans of the input.
///
/// This is the one state machine of the crate. [`Decoder`](crate::Decoder) and
/// [`ReceiveBuffer`](crate::ReceiveBuffer) put its spans together; use it directly when messages are
/// larger than memory. The events, spans joined, are the same for every chunking of a stream.
///
/// Costs no more than one pass over each byte (two for bytes between frames), whatever the chunks.
///
/// ```
/// use mllp_core::{Config, Event, Scanner};
///
/// let mut scanner = Scanner::new(Config::DEFAULT);
/// let mut payload = Vec::new();
/// for mut chunk in [&b"\x0bMSH|^~"[..], b"\\&|\r\x1c", b"\r"] {
///     loop {
///         let step = scanner.step(chunk);
///         chunk = &chunk[step.consumed..];
///         match step.event {
///             Some(Event::Payload { bytes, .. }) => payload.extend_from_slice(bytes),
///             Some(Event::FrameEnd(end)) => assert_eq!(end.payload_len, payload.len() as u64),
///             Some(_) => {}
///             None => break,
///         }
///     }
/// }
/// assert_eq!(payload, b"MSH|^~\\&|\r");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Scanner {
    config: Config,
    state: State,
    /// Offset of the next byte of the stream.
    offset: u64,
    /// Offset of the start block of the open, or last, frame.
    frame: u64,
    payload_len: u64,
    /// The first payload byte; it tells a commit block when it is the only one.
    first: u8,
    deviations: Deviations,
    /// The run of bytes outside frames that has not ended yet.
    run: Option<Run>,
    counters: Counters,
}

// The first byte of a payload stays out.
impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut scanner = f.debug_struct("Scanner");
        scanner.field("config", &self.config).field("state", &self.state);
        scanner.field("offset", &self.offset).field("frame", &self.frame);
        scanner.field("payload_len", &self.payload_len).field("deviations", &self.deviations);
        scanner.field("counters", &self.counters).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between frames.
    Outside,
    /// In a frame.
    Payload,
    /// `resync`, `strict`: after an end block; the next byte decides what it was.
    EndBlock,
    /// `permissive`: the frame has been delivered, its trailer may follow.
    Trailer,
    /// `permissive`: in the rest of a frame over the limit.
    Skip,
    /// A fault was reported; the extent of the lost frame is reported next.
    Dropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    offset: u64,
    blank: bool,
}

impl Scanner {
    /// A scanner at the beginning of a stream.
    pub const fn new(config: Config) -> Scanner {
        Scanner {
            config,
            state: State::Outside,
            offset: 0,
            frame: 0,
            payload_len: 0,
            first: 0,
            deviations: Deviations::NONE,
            run: None,
            counters: Counters::NONE,
        }
    }

    /// Looks at the bytes that come next in the stream, up to the next event.
    ///
    /// Call it again with what `consumed` leaves of the input until the event is `None`; then all
    /// of the input is consumed. An empty input is allowed and changes nothing but may report an
    /// event that was still due.
    pub fn step<'a>(&mut self, input: &'a [u8]) -> Step<'a> {
        self.advance::<true>(input)
    }

    /// [`step`](Scanner::step) for a caller that keeps the bytes itself: without the events that
    /// say where a payload begins and which bytes it has.
    pub(crate) fn step_over_payload<'a>(&mut self, input: &'a [u8]) -> Step<'a> {
        self.advance::<false>(input)
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn advance<'a, const SPANS: bool>(&mut self, input: &'a [u8]) -> Step<'a> {
        let mut rest = input;
        loop {
            let event = match (self.state, rest.first()) {
                (State::Dropped, _) => Some(self.drop_frame()),
                (_, None) => return Step { consumed: input.len(), event: None },
                (State::Outside, Some(&byte)) => self.outside::<SPANS>(byte, &mut rest),
                (State::Payload, Some(&byte)) => self.payload::<SPANS>(byte, &mut rest),
                (State::EndBlock, Some(&byte)) => self.after_end_block::<SPANS>(byte, &mut rest),
                (State::Trailer, Some(&byte)) => self.trailer(byte, &mut rest),
                (State::Skip, Some(_)) => self.skip(&mut rest),
            };
            if event.is_some() {
                return Step { consumed: input.len().saturating_sub(rest.len()), event };
            }
        }
    }

    /// The line has been idle for as long as the caller waits for a trailer.
    ///
    /// In `resync`, a frame whose end block was the last byte is complete now. Everywhere else an
    /// idle line means nothing.
    pub fn idle(&mut self) -> Option<Event<'static>> {
        if !self.awaits_trailer() {
            return None;
        }
        self.note(Deviation::MissingCr, self.offset);
        Some(self.end_frame())
    }

    /// The stream has ended. Call it until it returns `None`; the scanner then stands between
    /// frames, at the same offset.
    pub fn finish(&mut self) -> Option<Event<'static>> {
        match (self.state, self.config.profile) {
            (State::Payload, _) => Some(self.fault(Fault::Truncated)),
            (State::EndBlock, Profile::Strict) => Some(self.fault(Fault::MissingCr)),
            (State::EndBlock, _) => self.idle(),
            (State::Trailer, _) => {
                self.state = State::Outside;
                Some(self.missing_trailer())
            }
            (State::Skip | State::Dropped, _) => Some(self.drop_frame()),
            (State::Outside, _) => self.end_run(self.offset),
        }
    }

    /// Gives the open frame up, as if it had reached the limit here: for a caller that cannot keep
    /// its payload. Returns the fault, or `None` between frames.
    pub fn abandon(&mut self) -> Option<Event<'static>> {
        if self.in_frame() { Some(self.fault(Fault::TooLarge)) } else { None }
    }

    /// Forgets the stream and keeps the settings.
    pub fn reset(&mut self) {
        *self = Scanner::new(self.config);
    }

    /// The settings.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Stream offset of the next byte: how many have been consumed.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes of an unfinished frame have been consumed, counted from its start block; 0
    /// between frames.
    pub const fn pending(&self) -> u64 {
        match self.state {
            State::Outside | State::Trailer => 0,
            _ => self.offset.wrapping_sub(self.frame),
        }
    }

    /// Whether a step without input has nothing to report.
    pub(crate) const fn is_settled(&self) -> bool {
        !matches!(self.state, State::Dropped)
    }

    /// Whether the payload of the open frame may still become a message.
    pub(crate) const fn in_frame(&self) -> bool {
        matches!(self.state, State::Payload | State::EndBlock)
    }

    /// Whether an idle line would complete a frame: its end block was the last byte.
    pub const fn awaits_trailer(&self) -> bool {
        matches!((self.state, self.config.profile), (State::EndBlock, Profile::Resync))
    }

    /// Payload bytes of the open frame, or of the one that a fault has just ended.
    pub(crate) const fn payload_len(&self) -> u64 {
        self.payload_len
    }

    /// Totals of this stream.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }
}

// One function for each state. What it consumes, it takes from the rest of the input. With SPANS,
// it stops where a payload begins and after each span of it; without, it goes on to the next state
// at once where that is the usual one.
impl Scanner {
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn outside<'a, const SPANS: bool>(
        &mut self,
        byte: u8,
        rest: &mut &'a [u8],
    ) -> Option<Event<'a>> {
        let start_block = self.config.framing.start_block();
        // Back to back frames are the normal case: look at one byte before searching.
        if byte == start_block && self.run.is_none() {
            let event = self.start_frame();
            self.take(rest, 1);
            return match rest.first() {
                Some(&byte) if !SPANS => self.payload::<SPANS>(byte, rest),
                _ => SPANS.then_some(event),
            };
        }
        let ended = memchr(start_block, rest);
        let offset = self.offset;
        let bytes = self.take(rest, ended.unwrap_or(rest.len()));
        let run = self.run.get_or_insert(Run { offset, blank: true });
        run.blank = run.blank && bytes.iter().all(is_blank);
        ended.and_then(|_| self.end_run(self.offset))
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn payload<'a, const SPANS: bool>(
        &mut self,
        byte: u8,
        rest: &mut &'a [u8],
    ) -> Option<Event<'a>> {
        let framing = &self.config.framing;
        let profile = self.config.profile;
        if byte == framing.end_block() {
            return self.end_block(rest);
        }
        if profile != Profile::Permissive && byte == framing.start_block() {
            return Some(self.fault(Fault::SbInBlock));
        }
        if profile == Profile::Strict && !self.is_legal(byte) {
            return Some(self.fault(Fault::IllegalByte));
        }
        let room = (self.config.max_payload_len as u64).saturating_sub(self.payload_len);
        if room == 0 {
            return Some(self.fault(Fault::TooLarge));
        }
        if self.payload_len == 0 {
            self.first = byte;
        }
        let window = rest.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(rest);
        // A lone commit byte is legal only as the whole payload: it is a span of its own.
        let len = match profile {
            Profile::Permissive => self.find_end_block(window),
            Profile::Resync => memchr2(framing.start_block(), framing.end_block(), window),
            Profile::Strict if byte < 0x20 && byte != CARRIAGE_RETURN => Some(1),
            Profile::Strict => find_special(framing.start_block(), framing.end_block(), window),
        };
        let offset = self.offset;
        let bytes = self.take(rest, len.unwrap_or(window.len()));
        self.payload_len = self.payload_len.wrapping_add(bytes.len() as u64);
        match rest.first() {
            _ if SPANS => Some(Event::Payload { offset, bytes }),
            Some(&byte) if byte == self.config.framing.end_block() => self.end_block(rest),
            _ => None,
        }
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn end_block<'a>(&mut self, rest: &mut &'a [u8]) -> Option<Event<'a>> {
        let trailer = self.config.framing.trailer();
        // The trailer mostly comes with the end block: no need to come back for it.
        let trailed = trailer.is_some_and(|byte| rest.get(1) == Some(&byte));
        self.take(rest, if trailed { 2 } else { 1 });
        if trailed || trailer.is_none() {
            let event = self.end_frame();
            self.state = State::Outside;
            return Some(event);
        }
        if self.config.profile != Profile::Permissive {
            self.state = State::EndBlock;
            return None;
        }
        Some(self.end_frame())
    }

    fn after_end_block<'a, const SPANS: bool>(
        &mut self,
        byte: u8,
        rest: &mut &'a [u8],
    ) -> Option<Event<'a>> {
        let framing = &self.config.framing;
        let end_block = framing.end_block();
        if Some(byte) == framing.trailer() {
            self.take(rest, 1);
            return Some(self.end_frame());
        }
        if self.config.profile == Profile::Strict {
            return Some(self.fault(Fault::MissingCr));
        }
        if byte == framing.start_block() {
            self.note(Deviation::MissingCr, self.offset);
            return Some(self.end_frame());
        }
        if byte == LINE_FEED {
            self.note(Deviation::LfForCr, self.offset);
            self.take(rest, 1);
            return Some(self.end_frame());
        }
        // The end block was payload. This byte may be the next end block: State::Payload tells.
        let offset = self.offset.wrapping_sub(1);
        self.note(Deviation::FsInPayload, offset);
        if self.payload_len >= self.config.max_payload_len as u64 {
            return Some(self.fault(Fault::TooLarge));
        }
        if self.payload_len == 0 {
            self.first = end_block;
        }
        self.payload_len = self.payload_len.wrapping_add(1);
        self.state = State::Payload;
        // Its chunk may be gone, so the byte is lent from the table.
        SPANS.then(|| Event::Payload { offset, bytes: one_byte(end_block) })
    }

    fn trailer<'a>(&mut self, byte: u8, rest: &mut &'a [u8]) -> Option<Event<'a>> {
        self.state = State::Outside;
        if Some(byte) == self.config.framing.trailer() {
            self.take(rest, 1);
            return None;
        }
        Some(self.missing_trailer())
    }

    fn skip<'a>(&mut self, rest: &mut &'a [u8]) -> Option<Event<'a>> {
        let end = memchr(self.config.framing.end_block(), rest);
        self.take(rest, end.map_or(rest.len(), |at| at.saturating_add(1)));
        end?;
        let event = self.drop_frame();
        self.state = self.after_frame();
        Some(event)
    }

    /// The next bytes of the stream: they are consumed.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn take<'a>(&mut self, rest: &mut &'a [u8], len: usize) -> &'a [u8] {
        let (bytes, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        *rest = after;
        self.offset = self.offset.wrapping_add(bytes.len() as u64);
        bytes
    }
}
