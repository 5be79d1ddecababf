//! The answering half of both responders.

use ack_gen::Ack;
use hl7_peek::MessageHeader;
use mllp_core::{Scanner, Storage};

use crate::answers::{Refusal, Ticket};
use crate::conversation::Conversation;
use crate::error::{AnswerError, Unanswered, Unrefused};
use crate::event::{CloseReason, Refuse};
use crate::timer::Millis;

/// How a responder receives: [`Stored`](crate::Stored) or [`Passing`](crate::Passing).
pub trait Receiving {
    /// The state machine of the frames.
    fn scanner(&self) -> &Scanner;

    /// What is at hand of the message that came last, for its answer: its payload or its header.
    fn at_hand(&self) -> &[u8];
}

/// One connection, seen from the end that receives messages and answers them: a
/// [`Responder`](crate::Responder) or a [`StreamResponder`](crate::StreamResponder).
///
/// `R` is how messages are received, and what differs between the two. Answers, tickets and times are
/// the same. `T` stores the answers that wait, and `WINDOW` messages can be without one at a time.
///
/// Answers leave in the order of the messages, in whatever order they are given. While
/// [`wants_input`](Self::wants_input) is false, too much is unanswered or unsent: the host does not
/// read, and the peer feels it.
#[derive(Debug)]
pub struct Answering<R, T, const WINDOW: usize> {
    pub(crate) receiving: R,
    pub(crate) conversation: Conversation<T, WINDOW>,
}

impl<R: Receiving, T: Storage, const WINDOW: usize> Answering<R, T, WINDOW> {
    /// Whether the host should read from the socket. While it is false, no input is taken.
    pub fn wants_input(&self) -> bool {
        self.conversation.wants_input()
    }

    /// Says whether the host reads nothing for a reason of its own, such as a disk that is slow to
    /// take what came before. Meanwhile the peer cannot be late; its times begin again afterwards.
    pub fn set_paused(&mut self, paused: bool, now: Millis) {
        self.conversation.set_paused(paused);
        self.watch(now);
    }

    /// Answers the message that came last, while its payload or its header is at hand. `ack.header`
    /// and `ack.policy` are filled in from it and from the settings. An answer that is too long is
    /// tried again without the names of the header.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], with the ticket and the reason.
    pub fn answer(&mut self, ticket: Ticket, ack: &Ack<'_>, now: Millis) -> Result<(), Unanswered> {
        if !self.conversation.is_at_hand(ticket.number) {
            return Err(Unanswered { ticket, error: AnswerError::NotAtHand });
        }
        let payload = self.receiving.at_hand();
        let answered = self.conversation.outbox.acknowledge(ticket, payload, ack);
        self.watch(now);
        answered
    }

    /// Answers a message that the host has kept: its payload, or of one that passed by its
    /// [`header_bytes`](crate::StreamResponder::header_bytes).
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

    /// Refuses the message over the limit whose beginning is at hand. `ack.code` is replaced by a
    /// negative one at the same level.
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
        let (payload, held) = (self.receiving.at_hand(), self.conversation.is_skipping());
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
    /// ends nothing: the next event then is the complete frame.
    ///
    /// A host that comes late reads what has come, and takes its events, before it calls this.
    pub fn on_time(&mut self, now: Millis) {
        self.conversation.on_time(now);
        self.watch(now);
    }

    /// The peer will send nothing more. It may still take answers. Step over everything that was
    /// read for a [`StreamResponder`](crate::StreamResponder) first: no more is taken.
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
    /// [`AnswersLost`](crate::ResponderEvent::AnswersLost) never is.
    pub fn settled(&self) -> u32 {
        self.conversation.outbox.answers.settled()
    }

    /// The state machine of the frames: offsets, pending bytes, counters.
    pub fn scanner(&self) -> &Scanner {
        self.receiving.scanner()
    }

    pub(crate) fn watch(&mut self, now: Millis) {
        self.conversation.watch(self.receiving.scanner(), now);
    }
}
