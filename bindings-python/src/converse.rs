//! One read of a receiving host, in one call: bytes in, handler calls, answers out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ack_gen::AckCode;
use hl7_peek::{MessageHeader, Scan};
use mllp_link::{Arrived, Millis, ResponderEvent, Ticket as CoreTicket};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use crate::ack::exactly;
use crate::answer_room::AnswerRoom;
use crate::deviations;
use crate::event::Names;
use crate::input::Input;
use crate::message::Message;
use crate::payload::Payload;
use crate::responder::Responder;
use crate::responder_event::{Raised, Returned, Unusual, object};
use crate::stamp::since_1970;
use crate::ticket::Ticket;
use crate::time::{Seconds, seconds};

/// Bytes for the socket, the lengths of the answers, what is left for the host to do, the next deadline,
/// and whether there is more.
pub(crate) type Conversed<'py> =
    (Bound<'py, PyBytes>, Bound<'py, PyTuple>, Option<Bound<'py, PyList>>, Option<f64>, bool);

/// Handlers that have taken so long in one call end it: the answers that are finished go before the
/// next handler begins.
const PATIENCE: Duration = Duration::from_millis(1);

/// A shorter payload is copied for its handler: that costs less than to lend it.
const LENT_LEN: usize = 512;

pub(crate) fn converse<'py>(
    responder: &Bound<'py, Responder>,
    data: Input<'py>,
    now: Seconds,
    handler: &Bound<'py, PyAny>,
    hold: bool,
    pause: bool,
) -> PyResult<Conversed<'py>> {
    let py = responder.py();
    let Some(chunk) = responder.borrow_mut().core().begin(py, data) else {
        // A handler of an outer call gave these bytes, and that call goes on with them.
        let deadline = responder.borrow_mut().core().next_deadline().map(seconds);
        return Ok((PyBytes::new(py, b""), PyTuple::empty(py), None, deadline, false));
    };
    let mut rest = chunk.as_bytes();
    let mut conversation = Conversation {
        responder,
        handler,
        chunk: &chunk,
        clock: Clock::new(now.point()),
        room: AnswerRoom::new(),
        lengths: Vec::new(),
        left: None,
        hold,
        pause,
    };
    let done = conversation.go_on(&mut rest);
    let now = conversation.clock.now;
    let mut link = responder.borrow_mut();
    let kept = link.core().finish(rest, now);
    let more = !done? || kept;
    let deadline = link.core().next_deadline().map(seconds);
    let answers = PyBytes::new(py, conversation.room.written());
    let lengths = conversation.lengths;
    let lengths = if pause { PyTuple::new(py, lengths)? } else { PyTuple::empty(py) };
    Ok((answers, lengths, conversation.left, deadline, more))
}

/// What comes after an event.
enum Next {
    Event,
    /// The host, which has to do something first.
    Host,
    /// Nothing: all bytes are taken, or there is no room for more messages.
    Nothing,
}

/// A message and its header, which its answer repeats.
pub(crate) struct Read<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) header: Option<MessageHeader<'a>>,
}

struct Conversation<'a, 'py> {
    responder: &'a Bound<'py, Responder>,
    handler: &'a Bound<'py, PyAny>,
    chunk: &'a Bound<'py, PyBytes>,
    clock: Clock,
    room: AnswerRoom,
    /// Of the answers that were given here, for a host that keeps records of each: with `pause`.
    lengths: Vec<usize>,
    left: Option<Bound<'py, PyList>>,
    hold: bool,
    pause: bool,
}

impl<'py> Conversation<'_, 'py> {
    /// Goes through the bytes, until nothing more is in them, the host has something to do, or the
    /// answers have waited long enough. Whether there was nothing more.
    fn go_on(&mut self, rest: &mut &[u8]) -> PyResult<bool> {
        self.take_outgoing();
        loop {
            match self.take_event(rest)? {
                Next::Nothing => return Ok(true),
                Next::Host => return Ok(false),
                Next::Event if self.clock.taken >= PATIENCE => return Ok(false),
                Next::Event if self.pause && self.left.is_some() => return Ok(false),
                Next::Event => {}
            }
        }
    }

    /// Does what the next event asks for.
    fn take_event(&mut self, rest: &mut &[u8]) -> PyResult<Next> {
        let py = self.responder.py();
        let mut responder = self.responder.borrow_mut();
        let scan = responder.scan();
        let link = responder.core();
        let fed = link.feed(rest, self.clock.now);
        *rest = rest.get(fed.consumed..).unwrap_or_default();
        let Some(event) = fed.event else { return Ok(Next::Nothing) };
        let ResponderEvent::Message(ticket, arrived) = event else {
            let last = matches!(event, ResponderEvent::TooLarge(..) | ResponderEvent::Protocol(_));
            let event = object(py, link, event, scan)?;
            self.leave(event)?;
            // The refusal is given while the beginning of its message is at hand, and whether bytes
            // of another protocol are looked at is for the host to say.
            return Ok(if last { Next::Host } else { Next::Event });
        };
        let lent = fed.payload.filter(|lent| lent.len() >= LENT_LEN);
        let payload = Arc::new(match lent {
            Some(lent) => Payload::lent(self.chunk, lent),
            None => {
                let payload = fed.payload.unwrap_or_else(|| link.payload());
                Payload::new(PyBytes::new(py, payload).unbind())
            }
        });
        let message = Message::of(payload.clone(), scan);
        // A handler may use the responder itself, so it is not kept borrowed while one runs.
        drop(responder);
        let place = payload.place(py);
        let bytes = place.bytes(py);
        let read = Read { bytes, header: MessageHeader::parse_lenient_with(bytes, scan) };
        self.deviate(&arrived, &read, scan)?;
        self.hand_over(ticket, &payload, &read, message)
    }

    /// Reports what is unusual about a message and its frame, before it is handed over.
    fn deviate(&mut self, arrived: &Arrived, read: &Read<'_>, scan: Scan) -> PyResult<()> {
        let message = deviations::of_message(read.bytes, read.header.as_ref(), scan);
        let deviations = Names { frame: arrived.deviations, message };
        if deviations.is_empty() {
            return Ok(());
        }
        let unusual = Unusual { deviations, length: read.bytes.len() };
        self.leave(Bound::new(self.responder.py(), unusual)?.into_any())
    }

    /// Calls the handler, and answers with what it returns.
    fn hand_over(
        &mut self,
        ticket: CoreTicket,
        payload: &Arc<Payload>,
        read: &Read<'_>,
        message: Message,
    ) -> PyResult<Next> {
        let py = self.responder.py();
        let message = Bound::new(py, message)?;
        let result = self.handler.call1((&message,));
        self.clock.read();
        let ticket_of = |core| Py::new(py, Ticket::new(core, payload.object(py)));
        let event = match result {
            Ok(result) => {
                let ticket = match code(&result) {
                    Some(code) => match self.answer(ticket, read, code) {
                        None => {
                            drop(message);
                            if Arc::strong_count(payload) > 1 {
                                // The message is kept by somebody, and so needs bytes of its own.
                                payload.object(py);
                            }
                            return Ok(Next::Event);
                        }
                        Some(ticket) => ticket,
                    },
                    None => ticket,
                };
                let (ticket, message) = (ticket_of(ticket)?, message.unbind());
                Bound::new(py, Returned { ticket, message, result: result.unbind() })?.into_any()
            }
            Err(error) => {
                let (ticket, message) = (ticket_of(ticket)?, message.unbind());
                let error = error.into_value(py);
                Bound::new(py, Raised { ticket, message, error })?.into_any()
            }
        };
        self.leave(event)?;
        // What follows may have to wait for what the host makes of this.
        Ok(Next::Host)
    }

    /// Answers a message by a code. The ticket is back where there is no such answer.
    fn answer(&mut self, ticket: CoreTicket, read: &Read<'_>, code: AckCode) -> Option<CoreTicket> {
        let before = if self.pause { self.given() } else { 0 };
        let out = if self.hold { &mut [] } else { self.room.spare() };
        let seconds = self.clock.unix_seconds();
        let mut responder = self.responder.borrow_mut();
        match responder.acknowledge_now(ticket, read, code, seconds, out, self.clock.now) {
            Ok(0) => {
                drop(responder);
                self.take_outgoing();
            }
            Ok(len) => {
                drop(responder);
                self.room.advance(len);
            }
            Err(unanswered) => return Some(unanswered.ticket),
        }
        if self.pause {
            self.lengths.push(self.given() - before);
        }
        None
    }

    /// How many bytes of answers there are, handed out by this call or waiting for the socket.
    fn given(&self) -> usize {
        self.room.written().len() + self.responder.borrow_mut().core().outgoing().len()
    }

    /// Hands out what the link has for the socket.
    fn take_outgoing(&mut self) {
        let mut responder = self.responder.borrow_mut();
        let link = responder.core();
        while let (false, outgoing @ [_, ..]) = (self.hold, link.outgoing()) {
            let len = outgoing.len();
            self.room.append(outgoing);
            link.sent(len, self.clock.now);
        }
    }

    fn leave(&mut self, event: Bound<'py, PyAny>) -> PyResult<()> {
        let py = self.responder.py();
        self.left.get_or_insert_with(|| PyList::empty(py)).append(event)
    }
}

/// The clock of the host, which goes on while its handlers work. Read once for each of them: nothing
/// else here takes time.
struct Clock {
    called: Millis,
    since: Instant,
    taken: Duration,
    now: Millis,
    /// The time of day when the call began, since 1970.
    day: Duration,
}

impl Clock {
    fn new(called: Millis) -> Clock {
        let (since, taken) = (Instant::now(), Duration::ZERO);
        Clock { called, since, taken, now: called, day: since_1970() }
    }

    fn read(&mut self) {
        self.taken = self.since.elapsed();
        self.now = self.called.saturating_add(self.taken.as_micros() as Millis);
    }

    fn unix_seconds(&self) -> i64 {
        (self.day + self.taken).as_secs() as i64
    }
}

/// The code that a handler's result stands for. Anything else is for the host.
fn code(result: &Bound<'_, PyAny>) -> Option<AckCode> {
    if result.is_none() {
        return Some(AckCode::AA);
    }
    let text = result.cast::<PyString>().ok()?;
    exactly(text.to_str().ok()?)
}
