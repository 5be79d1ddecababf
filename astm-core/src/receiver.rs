//! The receiving end: judges frames, puts messages together, answers.

mod judging;
mod queue;
mod session;

use core::fmt;
use core::ops::Range;

use crate::buffer::{FrameBuffer, Storage};
use crate::control::Control;
use crate::event::{Deviations, Discard, Fault, FrameInfo, ReceiverEvent, Ticket};
use crate::frame::FrameNumber;
use crate::scanner::{Event, Scanner};
use crate::settings::{Millis, Profile, ReceiverConfig, SlowHandler};
use queue::{Queue, Replies};
use session::Session;

/// One step of a receiver.
#[derive(Debug, PartialEq, Eq)]
pub struct Fed {
    /// How many bytes of the chunk are done with. The next call takes the rest.
    pub consumed: usize,
    /// What happened. `None`: nothing more, until there are more bytes, until the host has answered, or
    /// until its replies have left.
    pub event: Option<ReceiverEvent>,
}

/// What became of the host's answer to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The reply is [`outgoing`](Receiver::outgoing).
    Sent,
    /// The frame was refused meanwhile: the answer is kept for the frame when it comes again.
    Kept,
    /// The sender has given up. An accepted message is ours, and will come again.
    Late,
}

/// What the host said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Accept,
    Interrupt,
    Refuse,
}

/// A frame that waits for the host.
#[derive(Clone, Copy, Debug)]
struct Owed {
    ticket: u32,
    key: Key,
    info: FrameInfo,
    /// The message was so long before it.
    len_before: usize,
    /// It completes a message, whose fingerprint this is.
    whole: Option<u64>,
    since: Millis,
    /// The answer, if it came when the frame had been refused.
    answer: Option<Answer>,
}

/// What tells a frame from others: number and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    number: Option<FrameNumber>,
    fingerprint: u64,
}

/// An ENQ that does not count yet.
#[derive(Clone, Copy, Debug)]
struct HeldEnq {
    offset: u64,
    /// Silence after which it counts.
    hold: Millis,
    /// Its sender was refused, has waited, and asks again.
    again: bool,
}

/// The receiving end of a line.
///
/// The host gives it bytes and time, answers the tickets of its events, and sends what is
/// [`outgoing`](Receiver::outgoing). While the host owes an answer no byte is consumed: a sender that
/// keeps to the standard sends none. A [`Link`](crate::Link) can also send.
pub struct Receiver<S> {
    config: ReceiverConfig,
    scanner: Scanner,
    buffer: FrameBuffer<S>,
    events: Queue<ReceiverEvent, 8>,
    replies: Replies,
    ready: bool,
    /// A message of the buffer is done with; its bytes stay until a frame begins.
    done: bool,
    session: Option<Session>,
    owed: Option<Owed>,
    /// A frame that was refused because the host is slow.
    slow: Option<Owed>,
    tickets: u32,
    /// Where the text of the last good frame is in the message.
    text: Range<usize>,
    /// An ENQ outside frames that counts when the line is silent.
    enq: Option<HeldEnq>,
    /// When an ENQ in a session was refused, if no byte came since.
    asked: Option<Millis>,
    /// The same, before the byte that is looked at.
    asked_before: Option<Millis>,
    /// When noise came between frames.
    noise_at: Option<Millis>,
    /// A frame of this connection had a sum.
    seen_sum: bool,
    last_byte: Millis,
    last_reply: Millis,
    /// Fingerprints of the last messages.
    known: [u64; 16],
    known_next: usize,
}

impl<S: Storage> Receiver<S> {
    /// A receiver on a line that has just been opened.
    pub fn new(storage: S, config: ReceiverConfig, now: Millis) -> Receiver<S> {
        let mut scanner = Scanner::new(config.max_text);
        scanner.expect_frames(config.profile == Profile::Default);
        Receiver {
            config,
            scanner,
            buffer: FrameBuffer::new(storage),
            events: Queue::new(),
            replies: Replies::default(),
            ready: true,
            done: false,
            session: None,
            owed: None,
            slow: None,
            tickets: 0,
            text: 0..0,
            enq: None,
            asked: None,
            asked_before: None,
            noise_at: None,
            seen_sum: false,
            last_byte: now,
            last_reply: now,
            known: [0; 16],
            known_next: 0,
        }
    }

    /// Looks at the next bytes of the line, up to the next event. Call it again with what `consumed`
    /// leaves until the event is `None`; after [`on_time`](Receiver::on_time), with nothing.
    pub fn feed(&mut self, chunk: &[u8], now: Millis) -> Fed {
        let mut rest = chunk;
        loop {
            if let Some(event) = self.events.pop() {
                return Fed {
                    consumed: chunk.len().saturating_sub(rest.len()),
                    event: Some(event),
                };
            }
            if rest.is_empty() || !self.wants_input() {
                return Fed { consumed: chunk.len().saturating_sub(rest.len()), event: None };
            }
            if let Some(HeldEnq { offset, .. }) = self.enq.take() {
                self.events.push(ReceiverEvent::Discard(Discard { offset, len: 1 }));
                continue;
            }
            let step = self.scanner.step(rest);
            let (taken, after) = rest.split_at_checked(step.consumed).unwrap_or((rest, &[]));
            rest = after;
            self.last_byte = now;
            self.asked_before = self.asked.take();
            match step.event {
                None => self.look_at_noise(taken, now),
                Some(Event::Discard(discard)) => {
                    self.look_at_noise(taken, now);
                    self.events.push(ReceiverEvent::Discard(discard));
                }
                Some(event) => self.take(event, now),
            }
        }
    }

    /// Whether bytes would be consumed: the host owes no answer, and its replies have left.
    pub fn wants_input(&self) -> bool {
        self.owed.is_none() && !self.replies.is_full()
    }

    /// The message so far, in whole records: at [`ReceiverEvent::Message`] all of it. Valid until the
    /// next frame begins.
    pub fn message(&self) -> &[u8] {
        self.buffer.message()
    }

    /// The text of the frame that was reported last.
    pub fn text(&self) -> &[u8] {
        self.buffer.message().get(self.text.clone()).unwrap_or_default()
    }

    /// The frame is acknowledged. With the one that completes a message, the message is ours.
    pub fn accept(&mut self, ticket: Ticket, now: Millis) -> Answered {
        self.answer(ticket, Answer::Accept, now)
    }

    /// The frame is refused: the sender sends it again, up to six times in all.
    pub fn refuse(&mut self, ticket: Ticket, now: Millis) -> Answered {
        self.answer(ticket, Answer::Refuse, now)
    }

    /// The frame is acknowledged with EOT: we would like to send.
    pub fn accept_and_interrupt(&mut self, ticket: Ticket, now: Millis) -> Answered {
        self.answer(ticket, Answer::Interrupt, now)
    }

    /// Whether there is room for a message; if not, ENQ is answered with NAK.
    pub fn set_ready(&mut self, ready: bool) {
        self.ready = ready;
    }

    /// What is to be sent.
    pub fn outgoing(&self) -> &[u8] {
        self.replies.as_bytes()
    }

    /// So many bytes of it have left.
    pub fn sent(&mut self, len: usize) {
        self.replies.leave(len);
    }

    /// Whether a session is open.
    pub fn in_session(&self) -> bool {
        self.session.is_some()
    }

    /// Whether a frame is open: a refusal now would meet its sender in the middle of it.
    pub fn in_frame(&self) -> bool {
        self.scanner.in_frame()
    }

    /// When [`on_time`](Receiver::on_time) is to be called.
    pub fn next_deadline(&self) -> Option<Millis> {
        let times = &self.config.times;
        let after = |since: Millis, time: Millis| (time > 0).then(|| since.saturating_add(time));
        if let Some(owed) = &self.owed {
            let waits = owed.whole.is_some() && self.config.slow == SlowHandler::Nak;
            return if waits { after(owed.since, times.handler) } else { None };
        }
        let silence = self.scanner.wants_broken_off();
        let frame = self.session.is_some() && !self.scanner.in_frame();
        [
            self.scanner.wants_quiet().then(|| after(self.last_byte, times.quiet)),
            self.enq.map(|enq| Some(self.last_byte.saturating_add(enq.hold))),
            silence.then(|| after(self.last_byte, times.broken_off)),
            frame.then(|| after(self.last_reply, times.next_frame)),
        ]
        .into_iter()
        .flatten()
        .flatten()
        .min()
    }

    /// Time has passed. Then [`feed`](Receiver::feed) gives the events, with or without bytes.
    pub fn on_time(&mut self, now: Millis) {
        while self.events.is_empty() && self.next_deadline().is_some_and(|at| at <= now) {
            self.due(now);
        }
    }

    /// The connection is lost: its session is over, and what comes next is a new connection. Tickets
    /// that are still answered are [`Answered::Late`].
    pub fn line_lost(&mut self, now: Millis) {
        self.owed = None;
        (self.enq, self.asked, self.noise_at) = (None, None, None);
        while let Some(event) = self.scanner.finish() {
            if let Event::Discard(discard) = event {
                self.events.push(ReceiverEvent::Discard(discard));
            }
        }
        self.end(crate::EndReason::EndOfStream, now);
        self.seen_sum = false;
        self.replies = Replies::default();
    }

    fn due(&mut self, now: Millis) {
        let times = self.config.times;
        let over = |time: Millis| time > 0 && self.last_byte.saturating_add(time) <= now;
        if let Some(owed) = self.owed.take() {
            self.slow = Some(owed);
            self.refused(Fault::RefusedByHost, owed.key.number, now);
        } else if self.scanner.wants_quiet() && over(times.quiet) {
            if let Some(event) = self.scanner.quiet() {
                self.take(event, now);
            }
        } else if let Some(enq) = self.enq {
            // Nothing else is due: no frame is open.
            self.enq = None;
            self.enq_counts(enq, now);
        } else if over(times.broken_off) && self.scanner.wants_broken_off() {
            self.broken_off(now);
        } else {
            while let Some(event) = self.scanner.finish() {
                self.take(event, now);
            }
            self.end(crate::EndReason::FrameTimeout, now);
        }
    }

    fn reply(&mut self, control: Control, now: Millis) {
        self.replies.push(control.byte());
        self.last_reply = now;
    }

    fn is_known(&self, fingerprint: u64) -> bool {
        self.known.contains(&fingerprint)
    }

    fn remember(&mut self, fingerprint: u64) {
        if let Some(place) = self.known.get_mut(self.known_next) {
            *place = fingerprint;
        }
        self.known_next = (self.known_next + 1) % self.known.len();
    }
}

// Text is health data.
impl<S> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut receiver = f.debug_struct("Receiver");
        receiver.field("scanner", &self.scanner).field("in_session", &self.session.is_some());
        receiver.field("owes_an_answer", &self.owed.is_some()).finish_non_exhaustive()
    }
}

impl FrameInfo {
    const NONE: FrameInfo = FrameInfo {
        number: None,
        ending: crate::FrameEnding::Etx,
        text_len: 0,
        deviations: Deviations::NONE,
    };
}
