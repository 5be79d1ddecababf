//! The receiving end of a link for messages larger than memory: spans in, answers out.

use hl7_peek::MessageHeader;
use mllp_core::{Event, Fault, Scanner, Storage};

use crate::answering::{Answering, Receiving};
use crate::conversation::{Conversation, Notice};
use crate::event::{Arrived, StreamEvent, StreamStep};
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
/// Only [`StreamEvent::End`] has a [`Ticket`](crate::Ticket), so that no part of a message is
/// answered positively. What is lost can be refused at most:
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
pub type StreamResponder<T, const HEADER: usize, const WINDOW: usize> =
    Answering<Passing<HEADER>, T, WINDOW>;

/// How a [`StreamResponder`] receives: payloads pass by, and up to `HEADER` bytes of a header are
/// kept.
#[derive(Debug)]
pub struct Passing<const HEADER: usize> {
    scanner: Scanner,
    header: Header<HEADER>,
    /// The header is complete, and that has not been reported.
    header_due: bool,
    /// Stream offset of the first byte that the detection of the protocol has not seen.
    seen: u64,
}

impl<const HEADER: usize> Receiving for Passing<HEADER> {
    fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    fn at_hand(&self) -> &[u8] {
        self.header.bytes()
    }
}

impl<T: Storage, const HEADER: usize, const WINDOW: usize> Answering<Passing<HEADER>, T, WINDOW> {
    /// A responder for a connection that was accepted at `now`.
    pub fn new(answers: T, config: ResponderConfig, now: Millis) -> Self {
        Answering {
            receiving: Passing {
                scanner: Scanner::new(config.decoder),
                header: Header::new(),
                header_due: false,
                seen: 0,
            },
            conversation: Conversation::new(answers, config, now),
        }
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
        if core::mem::take(&mut self.receiving.header_due) {
            return StreamStep { consumed: 0, event: Some(StreamEvent::Header) };
        }
        let mut consumed = 0usize;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let step = self.receiving.scanner.step(self.receiving.header.piece(rest));
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
            let offset = self.receiving.scanner.offset();
            let seen =
                usize::try_from(self.receiving.seen.saturating_sub(offset)).unwrap_or(usize::MAX);
            self.conversation.recognise(input.get(seen..).unwrap_or_default());
            self.receiving.seen =
                self.receiving.seen.max(offset.saturating_add(input.len() as u64));
        }
    }

    /// What there is to report when there are no more bytes for now.
    fn pause<'i>(&mut self, read: bool) -> Option<StreamEvent<'i>> {
        let event = if self.conversation.is_ending() {
            self.receiving.scanner.finish()
        } else if self.conversation.is_idle() && !read {
            self.receiving.scanner.idle()
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
                self.receiving.header.begin();
                StreamEvent::Start { offset }
            }
            Event::Payload { bytes, .. } => {
                self.receiving.header_due = self.receiving.header.take(bytes);
                StreamEvent::Span(bytes)
            }
            Event::FrameEnd(end) => {
                self.receiving.header.end();
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
                self.receiving.header.cut();
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
        self.receiving.header.bytes()
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
