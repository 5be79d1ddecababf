//! The state machine: bytes in, frames out, nothing stored.

mod states;

use core::fmt;

use crate::control::Control;
use crate::event::{Deviation, Deviations, Discard, Fault};
use crate::frame::{FrameEnding, FrameNumber, digits};

/// One step of a [`Scanner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'i> {
    /// How many bytes of the input are done with, whatever the event. The next step takes the rest.
    pub consumed: usize,
    /// What happened. `None`: all of the input was consumed, and more is needed.
    pub event: Option<Event<'i>>,
}

/// What a scanner sees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event<'i> {
    /// A control byte outside frames, and its offset.
    Control(Control, u64),
    /// A frame begins.
    Start {
        /// Where its STX is.
        offset: u64,
    },
    /// Text of the open frame, the frame number excluded.
    Text(&'i [u8]),
    /// The open frame has ended.
    End(Frame),
    /// The open frame is lost.
    Fault {
        /// Why.
        fault: Fault,
        /// Where its STX is.
        offset: u64,
        /// How many of its bytes are gone.
        len: u64,
    },
    /// Bytes outside frames.
    Discard(Discard),
}

// Text is health data.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Control(control, offset) => write!(f, "Control({control:?}, {offset})"),
            Event::Start { offset } => write!(f, "Start {{ offset: {offset} }}"),
            Event::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Event::End(frame) => frame.fmt(f),
            Event::Fault { fault, offset, len } => {
                write!(f, "Fault {{ {}, offset: {offset}, len: {len} }}", fault.name())
            }
            Event::Discard(discard) => discard.fmt(f),
        }
    }
}

/// A frame that has ended, good or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where its STX is.
    pub offset: u64,
    /// Its length, from STX to the last byte of its tail.
    pub len: u64,
    /// Its number. `None`: its first byte is no digit from 0 to 7, and belongs to the text.
    pub number: Option<FrameNumber>,
    /// How the text ended.
    pub ending: FrameEnding,
    /// The length of the text.
    pub text_len: u64,
    /// What stands after the text.
    pub sum: Sum,
    /// [`Fault::DamagedFrame`] or [`Fault::TooLong`].
    pub fault: Option<Fault>,
    /// What the scanner can see: tails, and bytes in the text.
    pub deviations: Deviations,
    /// An STX ended it: the next frame has begun, so that a refusal would meet that one.
    pub cut_by_stx: bool,
}

/// The check sum of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sum {
    /// As E1381 writes it.
    Right,
    /// Right, in lower case.
    LowerCase,
    /// Wrong, or half of one.
    Wrong,
    /// There is none.
    Absent,
}

/// Cuts a stream into frames without storing any of it: text leaves as spans of the input.
///
/// The events, spans joined, are the same for every chunking of a stream. Silence is an input like a
/// byte: [`quiet`](Scanner::quiet) and [`broken_off`](Scanner::broken_off).
#[derive(Clone, PartialEq, Eq)]
pub struct Scanner {
    max_text: u64,
    state: State,
    /// Offset of the next byte of the stream.
    offset: u64,
    /// Offset of the STX of the open, or last, frame.
    start: u64,
    number: Option<FrameNumber>,
    ending: FrameEnding,
    text_len: u64,
    sum: u8,
    /// The byte before, for an LF after CR.
    before: u8,
    digits: [u8; 2],
    digit_count: u8,
    tail: Tail,
    fault: Option<Fault>,
    deviations: Deviations,
    /// ENQ or EOT was the last byte, inside a frame or in its tail.
    held: Option<Control>,
    run: u64,
    /// STX is a byte like others.
    deaf: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    Number,
    Text,
    Sum,
    Tail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Nothing,
    Cr,
    Noise,
    CrNoise,
}

// The last byte of a text and the digits of a sum stay out.
impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut scanner = f.debug_struct("Scanner");
        scanner.field("state", &self.state).field("offset", &self.offset);
        scanner.field("start", &self.start).field("text_len", &self.text_len);
        scanner.field("held", &self.held).finish_non_exhaustive()
    }
}

impl Scanner {
    /// A scanner at the beginning of a stream. A text longer than `max_text` is a fault of its frame.
    pub const fn new(max_text: usize) -> Scanner {
        Scanner {
            max_text: max_text as u64,
            state: State::Outside,
            offset: 0,
            start: 0,
            number: None,
            ending: FrameEnding::Etx,
            text_len: 0,
            sum: 0,
            before: 0,
            digits: [0; 2],
            digit_count: 0,
            tail: Tail::Nothing,
            fault: None,
            deviations: Deviations::NONE,
            held: None,
            run: 0,
            deaf: false,
        }
    }

    /// Whether an STX opens a frame.
    pub(crate) fn expect_frames(&mut self, expected: bool) {
        self.deaf = !expected;
    }

    /// Looks at the bytes that come next in the stream, up to the next event.
    ///
    /// Call it again with what `consumed` leaves of the input until the event is `None`; then all of
    /// the input is consumed.
    pub fn step<'i>(&mut self, input: &'i [u8]) -> Step<'i> {
        let mut rest = input;
        while let Some(&byte) = rest.first() {
            let event = match self.state {
                State::Outside => self.outside(byte, &mut rest),
                State::Number => self.first(byte, &mut rest),
                State::Text => self.text(&mut rest),
                State::Sum => self.after_text(byte, &mut rest),
                State::Tail => self.tail(byte, &mut rest),
            };
            if event.is_some() {
                return Step { consumed: input.len().saturating_sub(rest.len()), event };
            }
        }
        Step { consumed: input.len(), event: None }
    }

    /// The line has been quiet: a frame whose text has ended is complete now, whatever it lacks.
    pub fn quiet(&mut self) -> Option<Event<'static>> {
        self.wants_quiet().then(|| self.end(false, false))
    }

    /// Whether [`quiet`](Scanner::quiet) would change anything.
    pub const fn wants_quiet(&self) -> bool {
        matches!(self.state, State::Sum | State::Tail)
    }

    /// The line has been silent for so long that the sender has broken off. ENQ or EOT as the last byte
    /// counts now, and the frame around it is given up; any other open frame is lost.
    pub fn broken_off(&mut self) -> Option<Event<'static>> {
        if self.wants_quiet() {
            return self.quiet();
        }
        let inside = self.in_frame();
        self.state = State::Outside;
        match self.held.take() {
            Some(control) => Some(Event::Control(control, self.offset.saturating_sub(1))),
            None => inside.then(|| self.lost(Fault::TruncatedFrame)),
        }
    }

    /// Whether [`broken_off`](Scanner::broken_off) would change anything.
    pub const fn wants_broken_off(&self) -> bool {
        self.in_frame() || self.held.is_some()
    }

    /// The stream has ended. Call it until it returns `None`; the scanner then stands between frames.
    pub fn finish(&mut self) -> Option<Event<'static>> {
        self.held = None;
        if self.in_frame() { Some(self.lost(Fault::TruncatedFrame)) } else { self.end_run() }
    }

    /// Stream offset of the next byte.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether a frame is open.
    pub const fn in_frame(&self) -> bool {
        !matches!(self.state, State::Outside)
    }

    fn end_run(&mut self) -> Option<Event<'static>> {
        let len = core::mem::take(&mut self.run);
        let discard = Discard { offset: self.offset.saturating_sub(len), len };
        (len > 0).then_some(Event::Discard(discard))
    }

    fn lost(&mut self, fault: Fault) -> Event<'static> {
        self.state = State::Outside;
        Event::Fault { fault, offset: self.start, len: self.offset.saturating_sub(self.start) }
    }

    fn end(&mut self, lf: bool, cut_by_stx: bool) -> Event<'static> {
        self.state = State::Outside;
        match (self.tail, lf) {
            (Tail::Cr | Tail::CrNoise, true) => {}
            (Tail::Cr | Tail::CrNoise, false) => self.deviations.insert(Deviation::TailCr),
            (Tail::Nothing | Tail::Noise, true) => self.deviations.insert(Deviation::TailLf),
            (Tail::Nothing | Tail::Noise, false) => self.deviations.insert(Deviation::TailNone),
        }
        let right = digits(self.sum);
        let sum = match (self.digit_count, self.digits) {
            (0, _) => Sum::Absent,
            (2, found) if found == right => Sum::Right,
            (2, found) if found.eq_ignore_ascii_case(&right) => Sum::LowerCase,
            _ => Sum::Wrong,
        };
        if sum == Sum::LowerCase {
            self.deviations.insert(Deviation::LowercaseChecksum);
        }
        Event::End(Frame {
            offset: self.start,
            len: self.offset.saturating_sub(self.start),
            number: self.number,
            ending: self.ending,
            text_len: self.text_len,
            sum,
            fault: self.fault,
            deviations: self.deviations,
            cut_by_stx,
        })
    }

    /// The next bytes of the stream: they are consumed.
    fn take<'i>(&mut self, rest: &mut &'i [u8], len: usize) -> &'i [u8] {
        let (bytes, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        *rest = after;
        self.offset = self.offset.wrapping_add(bytes.len() as u64);
        bytes
    }
}
