//! The receiving end of a link: messages in, answers out.

mod feed;

use ack_gen::Ack;
use hl7_peek::{MessageHeader, whole_fields};
use mllp_core::{Fault, ReceiveBuffer, Received, Storage};

use crate::answers::{Refusal, Ticket};
use crate::conversation::{Conversation, Notice};
use crate::error::{AnswerError, Unanswered, Unrefused};
use crate::event::{Arrived, CloseReason, Refuse, ResponderEvent};
use crate::settings::ResponderConfig;
use crate::timer::Millis;

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
    conversation: Conversation<T, WINDOW>,
}

impl<S: Storage, T: Storage, const WINDOW: usize> Responder<S, T, WINDOW> {
    /// A responder for a connection that was accepted at `now`.
    pub fn new(incoming: S, answers: T, config: ResponderConfig, now: Millis) -> Self {
        Responder {
            incoming: ReceiveBuffer::new(incoming, config.decoder),
            conversation: Conversation::new(answers, config, now),
        }
    }

    /// Whether the host should read from the socket.
    pub fn wants_input(&self) -> bool {
        self.conversation.wants_input()
    }

    /// Room for the socket to read into; empty while no input is wanted. Take every event first.
    pub fn spare_mut(&mut self, want: usize) -> &mut [u8] {
        self.conversation.drop_payload();
        if self.wants_input() { self.incoming.spare_mut(want) } else { &mut [] }
    }

    /// The socket has read `len` bytes into the spare room.
    pub fn commit_read(&mut self, len: usize, now: Millis) {
        let before = self.incoming.unread().len();
        self.incoming.commit(len);
        let read = self.incoming.unread().get(before..).unwrap_or_default();
        self.conversation.recognise(read);
        self.conversation.read(now);
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
        self.conversation.drop_payload();
        if let Some(notice) = self.conversation.notice() {
            return Some(notice.into());
        }
        if !self.conversation.delivers() {
            return None;
        }
        let mut received = self.incoming.next_event().map(detach);
        if received.is_none() && self.conversation.is_ending() {
            received = self.incoming.finish().map(detach);
        } else if received.is_none() && self.conversation.is_idle() {
            received = self.incoming.idle().map(detach);
        }
        match received {
            Some(detached) => Some(self.report(detached)),
            None => self.conversation.delivered().map(ResponderEvent::from),
        }
    }

    /// The payload of the message, or the beginning of the refused one, that
    /// [`next_event`](Self::next_event) or [`feed`](Self::feed) gave last, until one is called again
    /// or bytes are taken. Empty where `feed` has lent the payload itself. The beginning ends with a
    /// whole field: see [`whole_fields`].
    pub fn payload(&self) -> &[u8] {
        let payload = self.incoming.payload();
        if self.conversation.is_skipping() { whole_fields(payload) } else { payload }
    }

    /// Answers the message whose [`payload`](Self::payload) is at hand. `ack.header` and
    /// `ack.policy` are filled in from it and from the settings. An answer that is too long is tried
    /// again without the names of the header.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], with the ticket and the reason.
    pub fn answer(&mut self, ticket: Ticket, ack: &Ack<'_>, now: Millis) -> Result<(), Unanswered> {
        if !self.conversation.is_at_hand(ticket.number) {
            return Err(Unanswered { ticket, error: AnswerError::NotAtHand });
        }
        let payload = self.incoming.payload();
        let answered = self.conversation.outbox.acknowledge(ticket, payload, ack);
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
        let answered = self.conversation.outbox.acknowledge(ticket, payload, ack);
        self.watch(now);
        answered
    }

    /// [`answer_later`](Self::answer_later) for a host that sends at once: returns how many bytes of
    /// `out` are the answer, which count as sent. 0: `out` was too short or it is not the turn of
    /// this answer, and [`outgoing`](Self::outgoing) has it when it is.
    ///
    /// # Errors
    ///
    /// Those of [`answer`](Self::answer).
    pub fn answer_now(
        &mut self,
        ticket: Ticket,
        payload: &[u8],
        ack: &Ack<'_>,
        out: &mut [u8],
        now: Millis,
    ) -> Result<usize, Unanswered> {
        let is_read = self.conversation.outbox.goes_at_once(&ticket);
        let header =
            is_read.then(|| MessageHeader::parse_lenient_with(payload, ack.scan)).flatten();
        self.answer_read(ticket, payload, &Ack { header: header.as_ref(), ..*ack }, out, now)
    }

    /// [`answer_now`](Self::answer_now) for a host that has read the header of this payload already:
    /// `ack.header` is used as it is. It must be what [`MessageHeader::parse_lenient_with`] gives for
    /// the payload and `ack.scan`; that of another message would acknowledge the other message.
    ///
    /// # Errors
    ///
    /// Those of [`answer`](Self::answer).
    pub fn answer_read(
        &mut self,
        ticket: Ticket,
        payload: &[u8],
        ack: &Ack<'_>,
        out: &mut [u8],
        now: Millis,
    ) -> Result<usize, Unanswered> {
        let answered = self.conversation.answer_read(ticket, payload, ack, out, now);
        self.watch(now);
        answered
    }

    /// Answers with a payload that the host made.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], with the ticket: the payload is too long or holds framing bytes.
    pub fn answer_with(
        &mut self,
        ticket: Ticket,
        answer: &[u8],
        now: Millis,
    ) -> Result<(), Unanswered> {
        let answered = self.conversation.outbox.answer_with(ticket, answer);
        self.watch(now);
        answered
    }

    /// The message gets no answer: enhanced mode asked for none, or it is an acknowledgment itself.
    pub fn leave_unanswered(&mut self, ticket: Ticket, now: Millis) {
        self.conversation.outbox.leave_unanswered(ticket);
        self.watch(now);
    }

    /// MLLP release 2: the message is in safe storage, and its sender may know before the message is
    /// answered. An answer without it does the same.
    pub fn commit(&mut self, ticket: &Ticket, now: Millis) {
        self.conversation.outbox.commit(ticket);
        self.watch(now);
    }

    /// MLLP release 2: the message could not be stored. It gets no other answer, and its sender
    /// sends it again.
    pub fn refuse_commit(&mut self, ticket: Ticket, now: Millis) {
        self.conversation.outbox.refuse_commit(ticket);
        self.watch(now);
    }

    /// Refuses the message over the limit whose beginning is at hand in
    /// [`payload`](Self::payload). `ack.code` is replaced by a negative one at the same level.
    ///
    /// MLLP release 2: the negative commit block is all that the sender gets, because the message is
    /// not in safe storage (1.2.1).
    ///
    /// # Errors
    ///
    /// [`Unrefused`], with the refusal and the reason.
    pub fn refuse(
        &mut self,
        refusal: Refusal,
        refuse: Refuse,
        ack: &Ack<'_>,
        now: Millis,
    ) -> Result<(), Unrefused> {
        if !self.conversation.is_at_hand(refusal.number) {
            return Err(Unrefused { refusal, error: AnswerError::NotAtHand });
        }
        let (payload, held) = (self.incoming.payload(), self.conversation.is_skipping());
        let refused = self.conversation.outbox.refuse(refusal, held, payload, refuse, ack);
        self.watch(now);
        refused
    }

    /// The message over the limit gets no answer: there is no way to refuse it.
    pub fn leave_unrefused(&mut self, refusal: Refusal, now: Millis) {
        self.conversation.outbox.leave_unrefused(refusal);
        self.watch(now);
    }

    /// Bytes for the socket.
    pub fn outgoing(&self) -> &[u8] {
        self.conversation.outbox.answers.outgoing()
    }

    /// The socket has taken `len` of the outgoing bytes.
    pub fn sent(&mut self, len: usize, now: Millis) {
        self.conversation.sent(len, now);
        self.watch(now);
    }

    /// When [`on_time`](Self::on_time) is to be called, unless something else happens before.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.conversation.next_deadline()
    }

    /// Time has passed. A time that has run out ends the connection: what was received whole is
    /// still answered, an open frame is reported as lost. Only [`Times::trailer`](crate::Times)
    /// ends nothing: [`next_event`](Self::next_event) then gives the frame.
    ///
    /// A host that comes late reads what has come before it calls this.
    pub fn on_time(&mut self, now: Millis) {
        self.conversation.on_time(now);
        self.watch(now);
    }

    /// The peer will send nothing more. It may still take answers.
    pub fn peer_closed(&mut self, now: Millis) {
        self.conversation.end(CloseReason::PeerClosed);
        self.watch(now);
    }

    /// The host wants to end the connection: what has been received is answered first.
    pub fn close(&mut self, now: Millis) {
        self.conversation.end(CloseReason::Host);
        self.watch(now);
    }

    /// Whether the connection can be closed: everything is reported, answered and sent.
    pub fn is_finished(&self) -> bool {
        self.conversation.is_finished()
    }

    /// How many messages wait for an answer.
    pub fn waiting(&self) -> usize {
        self.conversation.outbox.answers.waiting()
    }

    /// The [`number`](Ticket::number) of the first place that is not done yet: an answer is done
    /// when the socket has taken all of it, a message that is left unanswered at once. A ticket is
    /// settled when `settled().wrapping_sub(number)` is from 1 to `u32::MAX / 2`. What was lost with
    /// [`AnswersLost`](ResponderEvent::AnswersLost) never is.
    pub fn settled(&self) -> u32 {
        self.conversation.outbox.answers.settled()
    }

    /// The state machine of the frames: offsets, pending bytes, counters.
    pub fn scanner(&self) -> &mllp_core::Scanner {
        self.incoming.scanner()
    }

    fn watch(&mut self, now: Millis) {
        self.conversation.watch(self.incoming.scanner(), now);
    }

    fn report(&mut self, detached: Detached) -> ResponderEvent {
        match detached {
            Detached::Frame(arrived) => {
                if let Some(positive) = self.conversation.commit_block(arrived.kind) {
                    return ResponderEvent::Commit { positive };
                }
                match self.conversation.open() {
                    Some(ticket) => ResponderEvent::Message(ticket, arrived),
                    // delivers() has made sure of the room.
                    None => {
                        ResponderEvent::Fault { fault: Fault::TooLarge, offset: arrived.offset }
                    }
                }
            }
            Detached::TooLarge { offset } => match self.conversation.too_large() {
                Some(refusal) => ResponderEvent::TooLarge(refusal, offset),
                None => ResponderEvent::Fault { fault: Fault::TooLarge, offset },
            },
            Detached::Other(event) => {
                if let ResponderEvent::Discard(_) = event {
                    self.conversation.discard();
                }
                event
            }
        }
    }
}

impl From<Notice> for ResponderEvent {
    fn from(notice: Notice) -> ResponderEvent {
        match notice {
            Notice::Protocol(protocol) => ResponderEvent::Protocol(protocol),
            Notice::AnswersLost { answers } => ResponderEvent::AnswersLost { answers },
            Notice::Closing(reason) => ResponderEvent::Closing(reason),
        }
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
