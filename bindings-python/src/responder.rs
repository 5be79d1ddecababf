//! The receiving end of a link.

use ack_gen::{Ack as CoreAck, AckCode, Policy};
use hl7_peek::Scan;
use mllp_core::Config;
use mllp_link::{
    Millis, OverLimit, Refuse, Responder as Core, ResponderConfig, ResponderEvent,
    Ticket as CoreTicket, Times, Unanswered,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::ack::{ack_code, read_policy};
use crate::converse::Read;
use crate::converse::{Conversed, converse};
use crate::event;
use crate::input::{Input, ScanArgument, read_profile};
use crate::receiving::{End, Receiving};
use crate::responder_event::object;
use crate::stamp::{ControlIds, Stamp};
use crate::storage::Growing;
use crate::ticket::{Refusal, Ticket};
use crate::time::{Seconds, seconds};

/// The longest answer that a host may give, in bytes; a limit against mistakes, not for memory.
const MAX_ANSWER_LEN: usize = 1 << 31;

/// One connection, seen from the end that receives messages: a state machine without a socket or a
/// clock.
///
/// Every complete frame gives an event `message` with a ticket, and is answered once; answers leave
/// in the order of the messages, in whatever order they are given. Times are seconds of one clock
/// that never goes back, such as `time.monotonic()`; a length of 0 turns a time off. MSH-7 of the
/// answers is universal time, with the policy `conformant` with its offset; with `local_time` it is
/// local time with its offset.
#[pyclass(module = "fastmllp")]
pub(crate) struct Responder {
    core: Receiving,
    control_ids: ControlIds,
    policy: Policy,
    stamp: Stamp,
    scan: Scan,
}

#[pymethods]
impl Responder {
    #[new]
    #[pyo3(
        signature = (
            now,
            *,
            profile = "permissive",
            max_payload_len = Config::DEFAULT.max_payload_len,
            over_limit = "close",
            policy = "always",
            commit_blocks = false,
            scan = ScanArgument(Scan::SingleByte),
            idle = Seconds(10.0),
            byte = Seconds(10.0),
            frame = Seconds(60.0),
            send = Seconds(10.0),
            trailer = Seconds(0.25),
            local_time = false,
        ),
        text_signature = "(now, *, profile='permissive', max_payload_len=1048576, \
            over_limit='close', policy='always', commit_blocks=False, scan='single_byte', \
            idle=10.0, byte=10.0, frame=60.0, send=10.0, trailer=0.25, local_time=False)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn new(
        now: Seconds,
        profile: &str,
        max_payload_len: usize,
        over_limit: &str,
        policy: &str,
        commit_blocks: bool,
        scan: ScanArgument,
        idle: Seconds,
        byte: Seconds,
        frame: Seconds,
        send: Seconds,
        trailer: Seconds,
        local_time: bool,
    ) -> PyResult<Self> {
        let over_limit = match over_limit {
            "close" => OverLimit::Close,
            "refuse" => OverLimit::Refuse,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "over_limit must be 'close' or 'refuse', not {over_limit:?}"
                )));
            }
        };
        let policy = read_policy(policy)?;
        let config = ResponderConfig {
            decoder: Config { profile: read_profile(profile)?, max_payload_len, ..Config::DEFAULT },
            policy,
            over_limit,
            times: Times {
                idle: idle.length(),
                byte: byte.length(),
                frame: frame.length(),
                send: send.length(),
                trailer: trailer.length(),
            },
            max_answer_len: MAX_ANSWER_LEN,
            commit_blocks,
        };
        let core = Core::new(Growing::default(), Growing::default(), config, now.point());
        Ok(Responder {
            core: Receiving::new(core),
            control_ids: ControlIds::new(),
            policy,
            stamp: Stamp::new(policy, local_time),
            scan: scan.0,
        })
    }

    /// Whether to read from the socket: False while too much is unanswered or unsent.
    #[getter]
    fn wants_input(&self) -> bool {
        self.core.wants_input()
    }

    /// Takes bytes of the peer and returns everything that they show, in order.
    ///
    /// Answer what it gives, send, and take `events` until there are none: while too much is
    /// unanswered, what follows waits. Bytes that come although `wants_input` is False are kept.
    fn receive<'py>(
        &mut self,
        py: Python<'py>,
        data: Input<'py>,
        now: Seconds,
    ) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        self.core.take(&data, now.point());
        self.append_events(&events, now)?;
        Ok(events)
    }

    /// Takes bytes of the peer, calls `handler` with a `Message` for every complete frame, and
    /// answers with what it returns: None is AA, a code of table 0008 is that code.
    ///
    /// Returns the bytes for the socket, which count as sent; with `pause` the lengths of the answers,
    /// in the order of their messages; what is left for the host to do, as events, or None when there
    /// is nothing; the next deadline; and whether there is more, for a call with no data. An event
    /// `Returned` has what the handler returned where it was nothing of the above, an event `Raised`
    /// the exception that it raised. With `hold` nothing is handed out, and the answers stay for
    /// `outgoing`; with `pause` it returns as soon as anything is left for the host, so that the host
    /// can come before the next message.
    ///
    /// The answers leave together, but do not wait for handlers that take their time: once those of
    /// this call have taken a millisecond, it returns. One call does the work of `receive`,
    /// `answer`, `outgoing`, `sent` and `next_deadline`.
    #[pyo3(
        signature = (data, now, handler, hold = false, pause = false),
        text_signature = "($self, data, now, handler, hold=False, pause=False)"
    )]
    fn converse<'py>(
        slf: &Bound<'py, Self>,
        data: Input<'py>,
        now: Seconds,
        handler: &Bound<'py, PyAny>,
        hold: bool,
        pause: bool,
    ) -> PyResult<Conversed<'py>> {
        converse(slf, data, now, handler, hold, pause)
    }

    /// Everything that has happened since events were taken last, in order.
    fn events<'py>(&mut self, py: Python<'py>, now: Seconds) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        self.append_events(&events, now)?;
        Ok(events)
    }

    /// Answers a message with the acknowledgment that the policy builds for this code. One that says
    /// more, in whatever character set, comes from `Ack.encode` and goes to `answer_with`.
    ///
    /// Raises AckError for a code outside table 0008 and, with the policy `conformant`, for a
    /// positive one that the message must not have; MessageError where that policy has no answer at
    /// all; LinkError for a ticket that was used, and after the connection was given up. Except for
    /// a used one, the ticket stays good.
    fn answer(
        &mut self,
        py: Python<'_>,
        ticket: &mut Ticket,
        code: &str,
        now: Seconds,
    ) -> PyResult<()> {
        self.acknowledge(py, ticket, ack_code(code)?, now.point())
    }

    /// Answers a message with a payload that the host made.
    ///
    /// Raises FrameError for one that holds framing bytes or is above 2 GiB, and LinkError as
    /// `answer` does.
    fn answer_with(
        &mut self,
        ticket: &mut Ticket,
        answer: Input<'_>,
        now: Seconds,
    ) -> PyResult<()> {
        let core = ticket.take()?;
        let answered = self.core.answer_with(core, &answer, now.point());
        answered.map_err(|unanswered| ticket.give_back(unanswered))
    }

    /// The message gets no answer: enhanced mode asked for none, or it is an acknowledgment itself.
    fn leave_unanswered(&mut self, ticket: &mut Ticket, now: Seconds) -> PyResult<()> {
        let core = ticket.take()?;
        self.core.leave_unanswered(core, now.point());
        Ok(())
    }

    /// MLLP release 2: the message is in safe storage, and its sender may know before the answer.
    fn commit(&mut self, ticket: &Ticket, now: Seconds) -> PyResult<()> {
        self.core.commit(ticket.core()?, now.point());
        Ok(())
    }

    /// MLLP release 2: the message could not be stored. It gets no other answer.
    fn refuse_commit(&mut self, ticket: &mut Ticket, now: Seconds) -> PyResult<()> {
        let core = ticket.take()?;
        self.core.refuse_commit(core, now.point());
        Ok(())
    }

    /// Refuses a message over the limit, of which only the beginning was kept: `error` is AE or, at
    /// the level `accept` of enhanced mode, CE; `reject` is AR or CR. Call it before the next events
    /// are taken.
    #[pyo3(signature = (refusal, how, now, *, level = "application"))]
    fn refuse(
        &mut self,
        refusal: &mut Refusal,
        how: &str,
        now: Seconds,
        level: &str,
    ) -> PyResult<()> {
        let how = match how {
            "error" => Refuse::Error,
            "reject" => Refuse::Reject,
            _ => {
                let text = format!("how must be 'error' or 'reject', not {how:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        let code = match level {
            "accept" => AckCode::CR,
            "application" => AckCode::AR,
            _ => {
                let text = format!("level must be 'accept' or 'application', not {level:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        let core = refusal.take()?;
        let (now, scan) = (now.point(), self.scan);
        let (id, time) = (self.control_ids.next(), self.stamp.now());
        let ack = CoreAck { scan, ..CoreAck::always(code, None, id, time.as_bytes()) };
        let refused = self.core.refuse(core, how, &ack, now);
        refused.map_err(|unrefused| refusal.give_back(unrefused))
    }

    /// Leaves a message over the limit without an answer; later ones wait for that or a refusal.
    fn leave_unrefused(&mut self, refusal: &mut Refusal, now: Seconds) -> PyResult<()> {
        let core = refusal.take()?;
        self.core.leave_unrefused(core, now.point());
        Ok(())
    }

    /// Bytes for the socket: the next ones, at most `max_len` of them.
    #[pyo3(signature = (max_len = 262_144))]
    fn outgoing<'py>(&self, py: Python<'py>, max_len: usize) -> Bound<'py, PyBytes> {
        let outgoing = self.core.outgoing();
        PyBytes::new(py, outgoing.get(..max_len).unwrap_or(outgoing))
    }

    /// How many bytes `outgoing` has for the socket in all.
    #[getter]
    fn unsent(&self) -> usize {
        self.core.outgoing().len()
    }

    /// The socket has taken `length` of the outgoing bytes.
    fn sent(&mut self, length: usize, now: Seconds) {
        self.core.sent(length, now.point());
    }

    /// When `on_time` is to be called, unless something else happens before; None: never.
    fn next_deadline(&self) -> Option<f64> {
        self.core.next_deadline().map(seconds)
    }

    /// Time has passed: read what has come before this call, and take the events behind it.
    fn on_time(&mut self, now: Seconds) {
        self.core.on_time(now.point());
    }

    /// The peer will send nothing more. It may still take answers.
    fn peer_closed(&mut self, now: Seconds) {
        self.core.end(End::PeerClosed, now.point());
    }

    /// Ends the connection: what has been received is answered first.
    fn close(&mut self, now: Seconds) {
        self.core.end(End::Closed, now.point());
    }

    /// Whether the connection can be closed: everything is reported, answered and sent.
    #[getter]
    fn is_finished(&self) -> bool {
        self.core.is_finished()
    }

    /// How many messages wait for an answer.
    #[getter]
    fn waiting(&self) -> usize {
        self.core.waiting()
    }

    /// Whether the answer to the message with this `Ticket.number` has been taken by the socket, or
    /// the message was left unanswered.
    fn is_settled(&self, number: u32) -> bool {
        // Numbers begin anew after 2 ** 32 messages.
        self.core.settled().wrapping_sub(number).wrapping_sub(1) < 1 << 31
    }

    /// Bytes taken of an unfinished frame, counted from its start block; 0 between frames.
    #[getter]
    fn pending(&self) -> u64 {
        self.core.scanner().pending()
    }

    /// How often the stream did what: frames, deviations, faults, discarded bytes.
    #[getter]
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        event::counters(py, self.core.scanner().counters())
    }
}

impl Responder {
    pub(crate) fn core(&mut self) -> &mut Receiving {
        &mut self.core
    }

    pub(crate) fn scan(&self) -> Scan {
        self.scan
    }

    /// Answers a message by a code, at once where it is its turn: returns how many bytes of `out` are
    /// the answer.
    pub(crate) fn acknowledge_now(
        &mut self,
        ticket: CoreTicket,
        read: &Read<'_>,
        code: AckCode,
        unix_seconds: i64,
        out: &mut [u8],
        now: Millis,
    ) -> Result<usize, Unanswered> {
        let (policy, scan, time) = (self.policy, self.scan, self.stamp.at(unix_seconds));
        let header = read.header.as_ref();
        let ack = CoreAck::always(code, header, self.control_ids.next(), time.as_bytes());
        self.core.answer_read(ticket, read.bytes, &CoreAck { policy, scan, ..ack }, out, now)
    }

    /// Answers a message by a code.
    pub(crate) fn acknowledge(
        &mut self,
        py: Python<'_>,
        ticket: &mut Ticket,
        code: AckCode,
        now: Millis,
    ) -> PyResult<()> {
        let core = ticket.take()?;
        let (policy, scan) = (self.policy, self.scan);
        let (id, time) = (self.control_ids.next(), self.stamp.now());
        let ack = CoreAck::always(code, None, id, time.as_bytes());
        let ack = CoreAck { policy, scan, ..ack };
        let answered = self.core.answer_later(core, ticket.bytes(py), &ack, now);
        answered.map_err(|unanswered| ticket.give_back(unanswered))
    }

    fn append_events(&mut self, events: &Bound<'_, PyList>, now: Seconds) -> PyResult<()> {
        let py = events.py();
        while let Some(event) = self.core.next_event(now.point()) {
            // The refusal is given while the beginning of its message is at hand.
            let last = matches!(event, ResponderEvent::TooLarge(..));
            events.append(object(py, &self.core, event, self.scan)?)?;
            if last {
                break;
            }
        }
        Ok(())
    }
}
