//! The sending end: one message, and one verdict.

use crate::control::{CR, Control, ENQ, EOT};
use crate::frame::{FrameEnding, FrameNumber, encode_frame};
use crate::settings::{Millis, Packing, SenderConfig};
use crate::{Error, Role};

/// A frame is sent so often, and the line is asked for so often.
const MAX_ATTEMPTS: u8 = 6;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendVerdict {
    /// Its last frame is acknowledged.
    Delivered,
    /// A frame was refused six times. The message may be stored all the same if it was the last one and
    /// the peer was slow.
    Refused,
    /// No answer in time.
    NoReply {
        /// The last frame had been sent: the message may be stored.
        uncertain: bool,
    },
    /// The peer answered NAK to the sixth ENQ as well.
    Busy,
    /// Six contentions.
    Contention,
    /// The peer interrupted six times.
    Interrupted {
        /// So many frames were acknowledged the last time.
        frames: u32,
    },
    /// The line was lost.
    LineLost {
        /// The last frame had been sent: the message may be stored.
        uncertain: bool,
    },
}

impl SendVerdict {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            SendVerdict::Delivered => "delivered",
            SendVerdict::Refused => "refused",
            SendVerdict::NoReply { .. } => "no_reply",
            SendVerdict::Busy => "busy",
            SendVerdict::Contention => "contention",
            SendVerdict::Interrupted { .. } => "interrupted",
            SendVerdict::LineLost { .. } => "line_lost",
        }
    }
}

/// What happened on the sending side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderEvent {
    /// The end of a message.
    Verdict(SendVerdict),
    /// The peer has no room: it is asked again.
    Busy,
    /// Both ends have asked for the line.
    Contention,
    /// The peer asks for the line after so many frames; the message begins again afterwards.
    Interrupted {
        /// Frames that were acknowledged.
        frames: u32,
    },
    /// The peer asks for the line and gets it: this ENQ is to be received, and
    /// [`resume`](Sender::resume) called after the peer's session.
    Asked,
    /// A byte that answers nothing.
    Stray,
}

/// One step of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderStep {
    /// How many bytes are done with.
    pub consumed: usize,
    /// What happened. `None`: all bytes are consumed.
    pub event: Option<SenderEvent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// The peer has the line; the message waits.
    Waiting,
    Enq,
    Busy,
    Contention,
    Hold,
    Frame,
}

/// What is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Enq,
    Frame,
    Eot,
}

/// The sending end of a line.
///
/// The message stays with the host: records, each with its CR. The host writes what
/// [`outgoing`](Sender::outgoing) gives and says [`sent`](Sender::sent) when the last byte has left: only
/// bytes that come later are replies, so that a doubled ACK does not answer a frame that was not seen.
#[derive(Debug)]
pub struct Sender {
    config: SenderConfig,
    state: State,
    due: Option<Due>,
    message_len: usize,
    /// Where the text of the current frame begins.
    at: usize,
    /// Where it ends.
    end: usize,
    /// The current frame, counted from 1.
    frame: u32,
    refusals: u8,
    rounds: u8,
    deadline: Option<Millis>,
    /// Noise came in place of a reply: when it counts as a refusal.
    noise: Option<Millis>,
    /// The current frame is the last one. Known once it has been written.
    last: bool,
}

impl Sender {
    /// A sender with nothing to send.
    pub fn new(config: SenderConfig) -> Sender {
        Sender {
            config,
            state: State::Idle,
            due: None,
            message_len: 0,
            at: 0,
            end: 0,
            frame: 0,
            refusals: 0,
            rounds: 0,
            deadline: None,
            noise: None,
            last: false,
        }
    }

    /// Begins with a message of so many bytes.
    pub fn start(&mut self, message_len: usize) {
        self.message_len = message_len;
        self.rounds = 0;
        self.resume();
    }

    /// Asks for the line again, for the message that waits.
    pub fn resume(&mut self) {
        self.state = State::Enq;
        self.due = Some(Due::Enq);
        self.deadline = None;
    }

    /// Whether the line is ours, or we wait for it: bytes of the peer belong here.
    pub fn is_active(&self) -> bool {
        self.due.is_some() || !matches!(self.state, State::Idle | State::Waiting)
    }

    /// Whether a message waits for the peer's session to end.
    pub fn is_waiting(&self) -> bool {
        self.state == State::Waiting
    }

    /// Writes what is to leave now, ENQ, a frame or EOT, and returns its length.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`](Error::BufferTooSmall): `max_text` and [`FRAME_OVERHEAD`](crate::FRAME_OVERHEAD)
    /// bytes are enough. [`IllegalByte`](Error::IllegalByte): the message cannot be sent;
    /// [`give_up`](Sender::give_up).
    pub fn outgoing(&mut self, message: &[u8], out: &mut [u8]) -> Result<usize, Error> {
        let byte = match self.due {
            None => return Ok(0),
            Some(Due::Enq) => ENQ,
            Some(Due::Eot) => EOT,
            Some(Due::Frame) => return self.write_frame(message, out),
        };
        *out.first_mut().ok_or(Error::BufferTooSmall)? = byte;
        Ok(1)
    }

    fn write_frame(&mut self, message: &[u8], out: &mut [u8]) -> Result<usize, Error> {
        let message = message.get(..self.message_len).unwrap_or(message);
        let rest = message.get(self.at..).unwrap_or_default();
        let piece = match self.config.packing {
            Packing::Message => rest,
            Packing::Records => {
                let end = rest.iter().position(|&byte| byte == CR);
                end.and_then(|end| rest.get(..=end)).unwrap_or(rest)
            }
        };
        let text = piece.get(..self.config.max_text.max(1)).unwrap_or(piece);
        let ending = if text.len() == piece.len() { FrameEnding::Etx } else { FrameEnding::Etb };
        self.end = self.at.saturating_add(text.len());
        self.last = self.end >= message.len();
        // The last three bits count modulo 8.
        encode_frame(FrameNumber::new((self.frame & 7) as u8), text, ending, out)
    }

    /// The last byte of what was [`outgoing`](Sender::outgoing) has left.
    pub fn sent(&mut self, now: Millis) {
        let times = &self.config.times;
        let time = match (self.due.take(), self.state) {
            (None, _) => return,
            (Some(Due::Enq), _) => times.enq_reply,
            (Some(Due::Frame), _) => times.frame_reply,
            (Some(Due::Eot), State::Hold) => times.hold,
            (Some(Due::Eot), _) => 0,
        };
        self.wait(time, now);
    }

    /// Looks at bytes of the peer, up to the next event.
    pub fn receive(&mut self, bytes: &[u8], now: Millis) -> SenderStep {
        let mut consumed = 0;
        for &byte in bytes {
            consumed += 1;
            let event = self.byte(byte, now);
            if event.is_some() {
                return SenderStep { consumed, event };
            }
        }
        SenderStep { consumed, event: None }
    }

    /// When [`on_time`](Sender::on_time) is to be called.
    pub fn next_deadline(&self) -> Option<Millis> {
        match (self.due, self.noise, self.deadline) {
            (Some(_), ..) => None,
            (None, Some(noise), Some(deadline)) => Some(noise.min(deadline)),
            (None, noise, deadline) => noise.or(deadline),
        }
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: Millis) -> Option<SenderEvent> {
        self.next_deadline().filter(|at| *at <= now)?;
        match self.state {
            State::Frame if self.noise.is_some_and(|at| at <= now) => self.refused(),
            State::Enq => self.verdict(SendVerdict::NoReply { uncertain: false }, true),
            State::Frame => self.verdict(SendVerdict::NoReply { uncertain: self.last }, true),
            State::Busy | State::Contention | State::Hold => {
                self.resume();
                None
            }
            State::Idle | State::Waiting => {
                self.deadline = None;
                None
            }
        }
    }

    /// The connection is lost.
    pub fn line_lost(&mut self) -> Option<SenderEvent> {
        if self.state == State::Idle {
            self.due = None;
            return None;
        }
        let uncertain = self.state == State::Frame && self.last;
        self.verdict(SendVerdict::LineLost { uncertain }, false)
    }

    /// The host gives the message up: EOT leaves where the line is ours, and nothing is reported.
    pub fn give_up(&mut self) {
        let ours =
            matches!(self.state, State::Frame) || self.state == State::Enq && self.due.is_none();
        self.verdict(SendVerdict::Refused, ours);
    }
}

impl Sender {
    fn byte(&mut self, byte: u8, now: Millis) -> Option<SenderEvent> {
        let control = Control::of(byte);
        if self.due == Some(Due::Enq) && control == Some(Control::Enq) {
            return self.asked();
        }
        if self.due.is_some() {
            return Some(SenderEvent::Stray);
        }
        match (self.state, control) {
            (State::Enq, Some(Control::Ack)) => {
                (self.at, self.frame, self.refusals) = (0, 0, 0);
                self.next_frame(0)
            }
            (State::Enq, Some(Control::Nak)) => self.round(State::Busy, now),
            (State::Enq, Some(Control::Enq)) => self.round(State::Contention, now),
            (State::Frame, Some(Control::Eot)) if !self.last => self.round(State::Hold, now),
            (State::Frame, Some(Control::Ack | Control::Eot)) if self.last => {
                self.verdict(SendVerdict::Delivered, true)
            }
            (State::Frame, Some(Control::Ack)) => {
                self.refusals = 0;
                self.next_frame(self.end)
            }
            (State::Frame, Some(Control::Nak)) => self.refused(),
            (State::Frame, _) => {
                let quiet = self.config.times.quiet;
                self.noise = (quiet > 0).then(|| now.saturating_add(quiet));
                Some(SenderEvent::Stray)
            }
            (State::Busy | State::Contention | State::Hold, Some(Control::Enq)) => self.asked(),
            _ => Some(SenderEvent::Stray),
        }
    }

    fn wait(&mut self, time: Millis, now: Millis) {
        self.deadline = (time > 0).then(|| now.saturating_add(time));
    }

    fn asked(&mut self) -> Option<SenderEvent> {
        (self.state, self.due, self.deadline) = (State::Waiting, None, None);
        Some(SenderEvent::Asked)
    }

    fn next_frame(&mut self, at: usize) -> Option<SenderEvent> {
        self.at = at;
        self.last = false;
        self.frame = self.frame.wrapping_add(1);
        self.send_frame()
    }

    fn send_frame(&mut self) -> Option<SenderEvent> {
        (self.state, self.due) = (State::Frame, Some(Due::Frame));
        (self.deadline, self.noise) = (None, None);
        None
    }

    fn refused(&mut self) -> Option<SenderEvent> {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals >= MAX_ATTEMPTS {
            return self.verdict(SendVerdict::Refused, true);
        }
        self.send_frame()
    }

    /// The peer keeps us from sending: wait, and give up the sixth time.
    fn round(&mut self, state: State, now: Millis) -> Option<SenderEvent> {
        let frames = self.frame;
        self.rounds = self.rounds.saturating_add(1);
        self.noise = None;
        let times = self.config.times;
        let (time, verdict, event) = match state {
            State::Busy => (times.busy, SendVerdict::Busy, SenderEvent::Busy),
            State::Hold => (
                times.hold,
                SendVerdict::Interrupted { frames },
                SenderEvent::Interrupted { frames },
            ),
            _ => (times.contention, SendVerdict::Contention, SenderEvent::Contention),
        };
        if self.rounds >= MAX_ATTEMPTS {
            return self.verdict(verdict, state == State::Hold);
        }
        self.state = state;
        self.due = (state == State::Hold).then_some(Due::Eot);
        self.wait(time, now);
        Some(event)
    }

    fn verdict(&mut self, verdict: SendVerdict, eot: bool) -> Option<SenderEvent> {
        self.state = State::Idle;
        (self.deadline, self.noise) = (None, None);
        self.due = eot.then_some(Due::Eot);
        Some(SenderEvent::Verdict(verdict))
    }

    /// Which end of the line this is.
    pub const fn role(&self) -> Role {
        self.config.role
    }
}
