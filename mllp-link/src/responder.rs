//! The receiving end of a link: messages in, answers out.

use ack_gen::Ack;
use mllp_core::{Fault, FrameKind, ReceiveBuffer, Received, Storage};

use crate::answers::{Refusal, Ticket};
use crate::event::{Arrived, CloseReason, Refuse, ResponderEvent, Unanswered};
use crate::outbox::Outbox;
use crate::settings::{OverLimit, ResponderConfig};
use crate::timer::{Expired, Millis, Timer, Waiting};

/// One connection, seen from the end that receives messages.
///
/// `S` stores what is received, `T` the answers that wait, `WINDOW` messages can be without an
/// answer at a time. The loop that drives it is in the crate documentation.
///
/// Answers leave in the order of the messages, in whatever order they are given. While
/// [`wants_input`](Responder::wants_input) is false, too much is unanswered or unsent: the host does
/// not read, and the peer feels it.
#[derive(Debug)]
pub struct Responder<S, T, const WINDOW: usize> {
    incoming: ReceiveBuffer<S>,
    outbox: Outbox<T, WINDOW>,
    timer: Timer,
    over_limit: OverLimit,
    /// Number of the message whose payload is at hand.
    current: Option<u32>,
    /// The rest of a refused message is being skipped.
    skipping: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing more is read; what has been received is still delivered.
    Ending(CloseReason),
    /// Nothing more is delivered; the reason has not been reported yet.
    Ended(CloseReason),
    /// The reason has been reported; answers may still be owed.
    Closing,
}

impl<S: Storage, T: Storage, const WINDOW: usize> Responder<S, T, WINDOW> {
    /// A responder for a connection that was accepted at `now`.
    pub fn new(incoming: S, answers: T, config: ResponderConfig, now: Millis) -> Self {
        Responder {
            incoming: ReceiveBuffer::new(incoming, config.decoder),
            outbox: Outbox::new(
                answers,
                config.max_answer_len,
                config.decoder.framing,
                config.policy,
                config.commit_blocks,
            ),
            timer: Timer::new(config.times, now),
            over_limit: config.over_limit,
            current: None,
            skipping: false,
            state: State::Open,
        }
    }

    /// Whether the host should read from the socket.
    pub fn wants_input(&self) -> bool {
        self.state == State::Open && self.takes_more()
    }

    /// The rest of a refused message needs no room: its refusal waits for that rest to pass.
    fn takes_more(&self) -> bool {
        self.skipping || self.outbox.has_room()
    }

    /// Room for the socket to read into; empty while no input is wanted. Take every event first.
    pub fn spare_mut(&mut self, want: usize) -> &mut [u8] {
        self.current = None;
        if self.wants_input() { self.incoming.spare_mut(want) } else { &mut [] }
    }

    /// The socket has read `len` bytes into the spare room.
    pub fn commit_read(&mut self, len: usize, now: Millis) {
        self.incoming.commit(len);
        self.timer.read(now);
        self.watch(now);
    }

    /// Takes bytes from a buffer of the host's, as many as there is room for, and returns how many.
    pub fn receive(&mut self, bytes: &[u8], now: Millis) -> usize {
        let room = self.spare_mut(bytes.len());
        let len = room.len().min(bytes.len());
        match (room.get_mut(..len), bytes.get(..len)) {
            (Some(room), Some(bytes)) if len > 0 => room.copy_from_slice(bytes),
            _ => return 0,
        }
        self.commit_read(len, now);
        len
    }

    /// What has happened. `None`: read, send, or wait for [`next_deadline`](Self::next_deadline).
    pub fn next_event(&mut self, now: Millis) -> Option<ResponderEvent> {
        let event = self.take_event();
        self.watch(now);
        event
    }

    fn take_event(&mut self) -> Option<ResponderEvent> {
        self.current = None;
        if let State::Ended(reason) = self.state {
            self.state = State::Closing;
            return Some(ResponderEvent::Closing(reason));
        }
        if self.state == State::Closing || !self.takes_more() {
            return None;
        }
        let received = match (self.incoming.next_event(), self.state) {
            (Some(received), _) => Some(detach(received)),
            (None, State::Ending(_)) => self.incoming.finish().map(detach),
            (None, _) => None,
        };
        match (received, self.state) {
            (Some(detached), _) => Some(self.report(detached)),
            (None, State::Ending(reason)) => {
                self.state = State::Closing;
                Some(ResponderEvent::Closing(reason))
            }
            (None, _) => None,
        }
    }

    /// The payload of the message, or the beginning of the refused one, that
    /// [`next_event`](Self::next_event) gave last, until it is called again or bytes are taken.
    pub fn payload(&self) -> &[u8] {
        self.incoming.payload()
    }

    /// Answers the message whose [`payload`](Self::payload) is at hand. `ack.header` and
    /// `ack.policy` are filled in from it and from the settings.
    ///
    /// # Errors
    ///
    /// [`Unanswered`] with the ticket: when the payload is no longer at hand
    /// ([`answer_later`](Self::answer_later) takes it from the host), when the policy `conformant`
    /// has no answer for it, or when not even an answer without names fits.
    pub fn answer(&mut self, ticket: Ticket, ack: &Ack<'_>, now: Millis) -> Result<(), Unanswered> {
        if self.current != Some(ticket.number) {
            return Err(Unanswered(ticket));
        }
        let answered = self.outbox.acknowledge(ticket, self.incoming.payload(), ack);
        self.watch(now);
        answered
    }

    /// Answers a message whose payload the host has kept.
    ///
    /// # Errors
    ///
    /// Those of [`answer`](Self::answer).
    pub fn answer_later(
        &mut self,
        ticket: Ticket,
        payload: &[u8],
        ack: &Ack<'_>,
        now: Millis,
    ) -> Result<(), Unanswered> {
        let answered = self.outbox.acknowledge(ticket, payload, ack);
        self.watch(now);
        answered
    }

    /// Answers with a payload that the host made.
    ///
    /// # Errors
    ///
    /// [`Unanswered`] with the ticket, when the payload is too long or holds framing bytes.
    pub fn answer_with(
        &mut self,
        ticket: Ticket,
        answer: &[u8],
        now: Millis,
    ) -> Result<(), Unanswered> {
        let answered = self.outbox.answer_with(ticket, answer);
        self.watch(now);
        answered
    }

    /// The message gets no answer: enhanced mode asked for none, or it is an acknowledgment itself.
    pub fn leave_unanswered(&mut self, ticket: Ticket, now: Millis) {
        self.outbox.leave_unanswered(ticket);
        self.watch(now);
    }

    /// MLLP release 2: the message is in safe storage, and its sender may know before the message is
    /// answered. An answer without it does the same.
    pub fn commit(&mut self, ticket: &Ticket, now: Millis) {
        self.outbox.commit(ticket);
        self.watch(now);
    }

    /// MLLP release 2: the message could not be stored. It gets no other answer, and its sender
    /// sends it again.
    pub fn refuse_commit(&mut self, ticket: Ticket, now: Millis) {
        self.outbox.refuse_commit(ticket);
        self.watch(now);
    }

    /// Refuses the message over the limit whose beginning is at hand in
    /// [`payload`](Self::payload). `ack.code` is replaced by a negative one at the same level.
    ///
    /// # Errors
    ///
    /// As for [`answer`](Self::answer); the message then stays unanswered.
    pub fn refuse(
        &mut self,
        refusal: Refusal,
        refuse: Refuse,
        ack: &Ack<'_>,
        now: Millis,
    ) -> Result<(), Refusal> {
        if self.current != Some(refusal.number) {
            return Err(refusal);
        }
        let payload = self.incoming.payload();
        let refused = self.outbox.refuse(refusal, self.skipping, payload, refuse, ack);
        self.watch(now);
        refused
    }

    /// Bytes for the socket.
    pub fn outgoing(&self) -> &[u8] {
        self.outbox.answers.outgoing()
    }

    /// The socket has taken `len` of the outgoing bytes.
    pub fn sent(&mut self, len: usize, now: Millis) {
        self.outbox.answers.sent(len);
        self.timer.sent(now);
        self.watch(now);
    }

    /// When [`on_time`](Self::on_time) is to be called, unless something else happens before.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.timer.next().map(|(at, _)| at)
    }

    /// Time has passed. A time that has run out ends the connection: what was received whole is
    /// still answered, an open frame is reported as lost.
    pub fn on_time(&mut self, now: Millis) {
        match self.timer.expired(now) {
            None => return,
            // Nobody takes the answers: there is nothing left to wait for.
            Some(Expired::Send) => {
                self.state = State::Ended(CloseReason::Expired(Expired::Send));
                self.outbox.answers.clear();
            }
            Some(expired) if self.state == State::Open => {
                self.state = State::Ending(CloseReason::Expired(expired));
            }
            Some(_) => {}
        }
        self.watch(now);
    }

    /// The peer will send nothing more. It may still take answers.
    pub fn peer_closed(&mut self, now: Millis) {
        self.end(CloseReason::PeerClosed, now);
    }

    /// The host wants to end the connection: what has been received is answered first.
    pub fn close(&mut self, now: Millis) {
        self.end(CloseReason::Host, now);
    }

    /// Whether the connection can be closed: everything is reported, answered and sent.
    pub fn is_finished(&self) -> bool {
        self.state == State::Closing && self.outbox.answers.is_empty()
    }

    /// How many messages wait for an answer.
    pub fn waiting(&self) -> usize {
        self.outbox.answers.waiting()
    }

    /// The state machine of the frames: offsets, pending bytes, counters.
    pub fn scanner(&self) -> &mllp_core::Scanner {
        self.incoming.scanner()
    }

    fn end(&mut self, reason: CloseReason, now: Millis) {
        if self.state == State::Open {
            self.state = State::Ending(reason);
        }
        self.watch(now);
    }

    fn report(&mut self, detached: Detached) -> ResponderEvent {
        match detached {
            Detached::Frame(arrived) if self.outbox.commits() && is_commit(arrived.kind) => {
                ResponderEvent::Commit { positive: arrived.kind == FrameKind::CommitAck }
            }
            Detached::Frame(arrived) => match self.outbox.open() {
                Some(number) => {
                    self.current = Some(number);
                    ResponderEvent::Message(Ticket { number }, arrived)
                }
                // take_event() has made sure of the room.
                None => ResponderEvent::Fault { fault: Fault::TooLarge, offset: arrived.offset },
            },
            Detached::TooLarge { offset } => {
                if self.over_limit == OverLimit::Refuse
                    && let Some(number) = self.outbox.open()
                {
                    self.current = Some(number);
                    self.skipping = true;
                    return ResponderEvent::TooLarge(Refusal { number }, offset);
                }
                self.state = State::Ended(CloseReason::TooLarge);
                ResponderEvent::Fault { fault: Fault::TooLarge, offset }
            }
            Detached::Other(event) => {
                if let ResponderEvent::Discard(_) = event
                    && core::mem::take(&mut self.skipping)
                {
                    self.outbox.answers.release();
                }
                event
            }
        }
    }

    fn watch(&mut self, now: Millis) {
        let scanner = self.incoming.scanner();
        let pending = scanner.pending();
        let waiting = Waiting {
            reads: self.wants_input(),
            frame: (pending > 0).then(|| scanner.offset().wrapping_sub(pending)),
            owes: !self.outbox.answers.is_empty(),
            sends: !self.outbox.answers.outgoing().is_empty(),
        };
        self.timer.observe(waiting, now);
    }
}

/// What the receive buffer reports, without its bytes.
enum Detached {
    Frame(Arrived),
    TooLarge { offset: u64 },
    Other(ResponderEvent),
}

fn detach(received: Received<'_>) -> Detached {
    match received {
        Received::Frame(frame) => Detached::Frame(Arrived {
            offset: frame.offset,
            kind: frame.kind,
            deviations: frame.deviations,
        }),
        Received::Fault { fault: Fault::TooLarge, offset, .. } => Detached::TooLarge { offset },
        Received::Fault { fault, offset, .. } => {
            Detached::Other(ResponderEvent::Fault { fault, offset })
        }
        Received::Warning { deviation, offset } => {
            Detached::Other(ResponderEvent::Warning { deviation, offset })
        }
        Received::Discard(discard) => Detached::Other(ResponderEvent::Discard(discard)),
    }
}

const fn is_commit(kind: FrameKind) -> bool {
    matches!(kind, FrameKind::CommitAck | FrameKind::CommitNak)
}
