//! The receiving end of a link for messages larger than memory: spans in, answers out.

use ack_gen::Ack;
use hl7_peek::MessageHeader;
use mllp_core::{Event, Fault, Scanner, Storage};

use crate::answers::{Refusal, Ticket};
use crate::conversation::{Conversation, Notice};
use crate::error::{AnswerError, Unanswered, Unrefused};
use crate::event::{Arrived, CloseReason, Refuse, StreamEvent, StreamStep};
use crate::header::Header;
use crate::settings::ResponderConfig;
use crate::timer::Millis;

/// A [`Responder`](crate::Responder) that stores no payload: its bytes pass by as spans of the
/// input, and the answer is made from the header, of which up to `HEADER` bytes are kept.
///
/// `T` stores the answers that wait, `WINDOW` messages can be without one at a time. The length of
/// a message is limited by [`max_payload_len`](mllp_core::Config::max_payload_len) alone, which may
/// be [`UNLIMITED`](mllp_core::Config::UNLIMITED). The loop is in the crate documentation.
///
/// A header fits when its MSH segment, with the CR behind it, has up to `HEADER` bytes; in a batch
/// FHS and BHS count too. Then the answer is the one that `Responder` gives. Of a longer header, the
/// fields that were kept whole are there, and the others are absent: no control ID is ever cut
/// short.
///
/// Only [`StreamEvent::End`] has a [`Ticket`], so that no part of a message is answered positively.
/// What is lost can be refused at most:
///
/// ```
/// # use ack_gen::{Ack, AckCode};
/// # use mllp_link::{OverLimit, Refuse, ResponderConfig, StreamEvent, StreamResponder};
/// # let config = ResponderConfig { over_limit: OverLimit::Refuse, ..ResponderConfig::DEFAULT };
/// # let mut responder: StreamResponder<_, 512, 4> = StreamResponder::new([0; 4096], config, 0);
/// # let ack = Ack::always(AckCode::AA, None, b"4711", b"20260101");
/// let step = responder.step(b"\x0bMSH|^~\\&|", 0);
/// if let Some(StreamEvent::Lost { refusal: Some(refusal), .. }) = step.event {
///     responder.refuse(refusal, Refuse::Reject, &ack, 0).expect("a refusal fits");
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use ack_gen::{Ack, AckCode};
/// # use mllp_link::{OverLimit, Refuse, ResponderConfig, StreamEvent, StreamResponder};
/// # let config = ResponderConfig { over_limit: OverLimit::Refuse, ..ResponderConfig::DEFAULT };
/// # let mut responder: StreamResponder<_, 512, 4> = StreamResponder::new([0; 4096], config, 0);
/// # let ack = Ack::always(AckCode::AA, None, b"4711", b"20260101");
/// let step = responder.step(b"\x0bMSH|^~\\&|", 0);
/// if let Some(StreamEvent::Lost { refusal: Some(refusal), .. }) = step.event {
///     responder.answer(refusal, &ack, 0).expect("an answer fits"); // not a ticket
/// }
/// ```
#[derive(Debug)]
pub struct StreamResponder<T, const HEADER: usize, const WINDOW: usize> {
    scanner: Scanner,
    header: Header<HEADER>,
    /// The header is complete, and that has not been reported.
    header_due: bool,
    /// Stream offset of the first byte that the detection of the protocol has not seen.
    seen: u64,
    conversation: Conversation<T, WINDOW>,
}

impl<T: Storage, const HEADER: usize, const WINDOW: usize> StreamResponder<T, HEADER, WINDOW> {
    /// A responder for a connection that was accepted at `now`.
    pub fn new(answers: T, config: ResponderConfig, now: Millis) -> Self {
        StreamResponder {
            scanner: Scanner::new(config.decoder),
            header: Header::new(),
            header_due: false,
            seen: 0,
            conversation: Conversation::new(answers, config, now),
        }
    }

    /// Whether the host should read from the socket. While it is false, no input is consumed.
    pub fn wants_input(&self) -> bool {
        self.conversation.wants_input()
    }

    /// Says whether the host reads nothing for a reason of its own, such as a disk that is slow to
    /// take what came before. Meanwhile the peer cannot be late; its times begin again afterwards.
    pub fn set_paused(&mut self, paused: bool, now: Millis) {
        self.conversation.set_paused(paused);
        self.watch(now);
    }

    /// Looks at the bytes that come next in the stream, up to the next event.
    ///
    /// Call it again with what `consumed` leaves of the input until the event is `None`. Then the
    /// input is consumed, or [`wants_input`](Self::wants_input) is false and the rest is for later.
    /// Without input it reports what is due. Costs what [`Scanner::step`] costs.
    pub fn step<'i>(&mut self, input: &'i [u8], now: Millis) -> StreamStep<'i> {
        let step = self.advance(input);
        if step.consumed > 0 {
            self.conversation.read(now);
        }
        self.watch(now);
        step
    }

    fn advance<'i>(&mut self, input: &'i [u8]) -> StreamStep<'i> {
        let input = if self.wants_input() { input } else { &[] };
        self.recognise(input);
        if let Some(notice) = self.conversation.notice() {
            return StreamStep { consumed: 0, event: Some(notice.into()) };
        }
        if !self.conversation.delivers() {
            return StreamStep { consumed: 0, event: None };
        }
        if core::mem::take(&mut self.header_due) {
            return StreamStep { consumed: 0, event: Some(StreamEvent::Header) };
        }
        let mut consumed = 0usize;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let step = self.scanner.step(self.header.piece(rest));
            consumed = consumed.saturating_add(step.consumed);
            if let Some(event) = step.event {
                return StreamStep { consumed, event: Some(self.report(event)) };
            }
            if consumed >= input.len() {
                return StreamStep { consumed, event: self.pause(consumed > 0) };
            }
        }
    }

    /// The protocol is told before any of its bytes is taken.
    fn recognise(&mut self, input: &[u8]) {
        if self.conversation.recognises() {
            let offset = self.scanner.offset();
            let seen = usize::try_from(self.seen.saturating_sub(offset)).unwrap_or(usize::MAX);
            self.conversation.recognise(input.get(seen..).unwrap_or_default());
            self.seen = self.seen.max(offset.saturating_add(input.len() as u64));
        }
    }

    /// What there is to report when there are no more bytes for now.
    fn pause<'i>(&mut self, read: bool) -> Option<StreamEvent<'i>> {
        let event = if self.conversation.is_ending() {
            self.scanner.finish()
        } else if self.conversation.is_idle() && !read {
            self.scanner.idle()
        } else {
            None
        };
        match event {
            Some(event) => Some(self.report(event)),
            None => self.conversation.delivered().map(StreamEvent::from),
        }
    }

    fn report<'i>(&mut self, event: Event<'i>) -> StreamEvent<'i> {
        match event {
            Event::FrameStart { offset } => {
                self.conversation.drop_payload();
                self.header.begin();
                StreamEvent::Start { offset }
            }
            Event::Payload { bytes, .. } => {
                self.header_due = self.header.take(bytes);
                StreamEvent::Span(bytes)
            }
            Event::FrameEnd(end) => {
                self.header.end();
                if let Some(positive) = self.conversation.commit_block(end.kind) {
                    return StreamEvent::Commit { positive };
                }
                let (offset, kind, deviations) = (end.offset, end.kind, end.deviations);
                match self.conversation.open() {
                    Some(ticket) => StreamEvent::End(ticket, Arrived { offset, kind, deviations }),
                    // delivers() has made sure of the room.
                    None => StreamEvent::Lost { refusal: None, fault: Fault::TooLarge, offset },
                }
            }
            Event::Fault { fault, offset } => {
                self.header.cut();
                let over_limit = fault == Fault::TooLarge;
                let refusal = if over_limit { self.conversation.too_large() } else { None };
                StreamEvent::Lost { refusal, fault, offset }
            }
            Event::Warning { deviation, offset } => StreamEvent::Warning { deviation, offset },
            Event::Discard(discard) => {
                self.conversation.discard();
                StreamEvent::Discard(discard)
            }
        }
    }

    /// The header of the message whose frame began last, as far as it has come and is kept: see
    /// [`MessageHeader::parse_lenient`]. For names in Shift_JIS and the like, read
    /// [`header_bytes`](Self::header_bytes).
    pub fn header(&self) -> Option<MessageHeader<'_>> {
        MessageHeader::parse_lenient(self.header_bytes())
    }

    /// The bytes that are kept of it, for a host that answers later: the whole MSH segment and what
    /// stands before it, or as many whole fields as there is room for.
    pub fn header_bytes(&self) -> &[u8] {
        self.header.bytes()
    }

    /// Answers the message whose header is at hand: until the next frame begins. `ack.header` and
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
        let answered = self.conversation.outbox.acknowledge(ticket, self.header.bytes(), ack);
        self.watch(now);
        answered
    }

    /// Answers a message whose [`header_bytes`](Self::header_bytes) the host has kept.
    ///
    /// # Errors
    ///
    /// Those of [`answer`](Self::answer).
    pub fn answer_later(
        &mut self,
        ticket: Ticket,
        header_bytes: &[u8],
        ack: &Ack<'_>,
        now: Millis,
    ) -> Result<(), Unanswered> {
        let answered = self.conversation.outbox.acknowledge(ticket, header_bytes, ack);
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

    /// The message gets no answer: see [`Responder`](crate::Responder::leave_unanswered).
    pub fn leave_unanswered(&mut self, ticket: Ticket, now: Millis) {
        self.conversation.outbox.leave_unanswered(ticket);
        self.watch(now);
    }

    /// MLLP release 2: the message is in safe storage; see [`Responder`](crate::Responder::commit).
    pub fn commit(&mut self, ticket: &Ticket, now: Millis) {
        self.conversation.outbox.commit(ticket);
        self.watch(now);
    }

    /// MLLP release 2: the message could not be stored; see
    /// [`Responder`](crate::Responder::refuse_commit).
    pub fn refuse_commit(&mut self, ticket: Ticket, now: Millis) {
        self.conversation.outbox.refuse_commit(ticket);
        self.watch(now);
    }

    /// Refuses the message over the limit whose header is at hand; see
    /// [`Responder`](crate::Responder::refuse).
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
        let (header, held) = (self.header.bytes(), self.conversation.is_skipping());
        let refused = self.conversation.outbox.refuse(refusal, held, header, refuse, ack);
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

    /// Time has passed: see [`Responder`](crate::Responder::on_time). A host that comes late reads
    /// what has come, and steps over it, before it calls this.
    pub fn on_time(&mut self, now: Millis) {
        self.conversation.on_time(now);
        self.watch(now);
    }

    /// The peer will send nothing more. It may still take answers. Step over everything that was
    /// read first: no more is consumed.
    pub fn peer_closed(&mut self, now: Millis) {
        self.conversation.end(CloseReason::PeerClosed);
        self.watch(now);
    }

    /// The host wants to end the connection: the messages that were complete are answered first.
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

    /// The number of the first place that is not done yet: see
    /// [`Responder`](crate::Responder::settled).
    pub fn settled(&self) -> u32 {
        self.conversation.outbox.answers.settled()
    }

    /// The state machine of the frames: offsets, pending bytes, counters.
    pub fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    fn watch(&mut self, now: Millis) {
        self.conversation.watch(&self.scanner, now);
    }
}

impl From<Notice> for StreamEvent<'_> {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Protocol(protocol) => StreamEvent::Protocol(protocol),
            Notice::AnswersLost { answers } => StreamEvent::AnswersLost { answers },
            Notice::Closing(reason) => StreamEvent::Closing(reason),
        }
    }
}
