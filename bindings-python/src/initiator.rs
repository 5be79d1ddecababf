//! The sending end of a link.

use std::collections::{HashMap, HashSet};

use hl7_peek::Scan;
use mllp_core::{Config, Framing};
use mllp_link::{
    Fate, Handle, Initiator as Core, InitiatorConfig, InitiatorEvent, Rules, SubmitError,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::error::{frame_error, link_error};
use crate::frame::encode;
use crate::initiator_event::object;
use crate::input::{Input, ScanArgument, read_profile};
use crate::storage::Growing;
use crate::time::{Seconds, seconds};
use crate::writing::Writing;

/// Messages without a verdict that one link holds at a time.
const CAPACITY: usize = 64;
/// MSH-10 has at most 199 characters (2.9); more bytes than that in UTF-8.
const MAX_CONTROL_ID: usize = 256;

/// One link, seen from the end that sends messages: a state machine without a socket or a clock.
///
/// Every message that is submitted ends in exactly one event `verdict`. Times are seconds of one
/// clock that never goes back, such as `time.monotonic()`; a length of 0 turns a time off. `rules`
/// is a list of `condition=action`, such as `CE=retry, no-msa=accept+warn`; the first that applies
/// acts, and built-in rules where none does. `window` messages may wait for replies at a time.
#[pyclass(module = "fastmllp")]
pub(crate) struct Initiator {
    core: Box<Core<Growing, CAPACITY, MAX_CONTROL_ID>>,
    /// The payloads that may be asked for again, by the numbers of their handles.
    payloads: HashMap<u32, Py<PyBytes>>,
    /// The control IDs of the messages that wait with the host.
    held: HashSet<Vec<u8>>,
    /// What `take_outgoing` gave and `written` has not seen leave.
    writing: Writing,
}

#[pymethods]
impl Initiator {
    #[new]
    #[pyo3(
        signature = (
            *,
            rules = "",
            window = 1,
            profile = "permissive",
            max_payload_len = Config::DEFAULT.max_payload_len,
            scan = ScanArgument(Scan::SingleByte),
            send = Seconds(10.0),
            reply = Seconds(10.0),
            trailer = Seconds(0.25),
            application = Seconds(60.0),
            max_attempts = 5,
            back_off = Seconds(1.0),
            max_back_off = Seconds(60.0),
        ),
        text_signature = "(*, rules='', window=1, profile='permissive', max_payload_len=1048576, \
            scan='single_byte', send=10.0, reply=10.0, trailer=0.25, application=60.0, \
            max_attempts=5, back_off=1.0, max_back_off=60.0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn new(
        rules: &str,
        window: usize,
        profile: &str,
        max_payload_len: usize,
        scan: ScanArgument,
        send: Seconds,
        reply: Seconds,
        trailer: Seconds,
        application: Seconds,
        max_attempts: u32,
        back_off: Seconds,
        max_back_off: Seconds,
    ) -> PyResult<Self> {
        if !(1..=CAPACITY).contains(&window) {
            let text = format!("window must be from 1 to {CAPACITY}, not {window}");
            return Err(PyValueError::new_err(text));
        }
        let bad_rules = |error: mllp_link::RuleError| PyValueError::new_err(error.to_string());
        let config = InitiatorConfig {
            decoder: Config { profile: read_profile(profile)?, max_payload_len, ..Config::DEFAULT },
            rules: Rules::parse(rules).map_err(bad_rules)?,
            window,
            scan: scan.0,
            send: send.length(),
            reply: reply.length(),
            trailer: trailer.length(),
            application: application.length(),
            max_attempts,
            back_off: back_off.length(),
            max_back_off: max_back_off.length(),
        };
        let core = Box::new(Core::new(Growing::default(), config));
        Ok(Initiator {
            core,
            payloads: HashMap::new(),
            held: HashSet::new(),
            writing: Writing::default(),
        })
    }

    /// Takes a message and returns its handle, a number that no other message of this link has.
    ///
    /// Raises LinkError: `full` when 64 messages have no verdict, `id_in_use` when one of them or one
    /// that is held has this MSH-10, `id_too_long` for one above 256 bytes; FrameError for a payload
    /// that holds framing bytes.
    fn submit(&mut self, py: Python<'_>, payload: Input<'_>, now: Seconds) -> PyResult<u32> {
        if !self.held.is_empty() {
            self.unused_id(&payload)?;
        }
        let handle = self.core.submit(&payload, now.point()).map_err(submit_error)?;
        self.payloads.insert(handle.number(), payload.into_bytes(py).unbind());
        Ok(handle.number())
    }

    /// A message waits with the host until there is room: from now on no message without MSH-10 takes
    /// a reply that names it. Call `release` before it is submitted, or when it is given up.
    ///
    /// Raises LinkError and FrameError as `submit` does, but never `full`.
    fn hold(&mut self, payload: Input<'_>) -> PyResult<()> {
        let id = self.unused_id(&payload)?;
        if !id.is_empty() {
            self.held.insert(id.to_vec());
        }
        Ok(())
    }

    /// A message that was held waits with the host no more.
    fn release(&mut self, payload: Input<'_>) {
        if let Ok(id) = self.core.check(&payload) {
            self.held.remove(id);
        }
    }

    /// Takes back a message that waits: before it was written, between two attempts, or after CA for
    /// its application acknowledgment. Returns whether it could be; then it has no verdict.
    fn withdraw(&mut self, handle: u32) -> bool {
        let withdrawn = self.core.withdraw(Handle::from_number(handle));
        if withdrawn {
            self.payloads.remove(&handle);
        }
        withdrawn
    }

    /// Whether to connect now. Take every event of the last connection first.
    fn wants_connection(&self, now: Seconds) -> bool {
        self.core.wants_connection(now.point())
    }

    /// A connection is open. What was received on an earlier one is forgotten.
    fn connected(&mut self) {
        self.core.connected();
        self.writing = Writing::default();
    }

    /// No connection could be opened.
    fn connect_failed(&mut self, now: Seconds) {
        self.core.connect_failed(now.point());
    }

    /// The connection was lost or its stream has ended. Take the events that follow from it.
    fn disconnected(&mut self, now: Seconds) {
        self.core.disconnected(now.point());
    }

    /// Handle and frame of the message to write now; None when there is none. Take every event
    /// first, and write nothing else before `sent`.
    fn next_to_send<'py>(
        &mut self,
        py: Python<'py>,
        now: Seconds,
    ) -> PyResult<Option<(u32, Bound<'py, PyBytes>)>> {
        let Some(handle) = self.core.next_to_send(now.point()) else { return Ok(None) };
        let number = handle.number();
        let Some(payload) = self.payloads.get(&number) else { return Ok(None) };
        encode(py, Framing::MLLP, payload.as_bytes(py)).map(|frame| Some((number, frame)))
    }

    /// The last byte of the message has been written. One that asks for no answer in any case (MSH-15
    /// and MSH-16) has its verdict now: take the events.
    fn sent(&mut self, handle: u32, now: Seconds) {
        self.core.sent(Handle::from_number(handle), now.point());
    }

    /// No byte of the message that `next_to_send` gave has left this host, so no receiver can have it.
    /// Say it right before `disconnected` or `on_time`: it counts for that call. Without this, what
    /// was to be written counts as possibly received.
    fn not_sent(&mut self, handle: u32) {
        self.core.not_sent(Handle::from_number(handle));
    }

    /// The frames of the messages to write now, in one piece; empty when there is none. Take every
    /// event first. Ends with the message that reaches `max_len` bytes. For a host that calls
    /// `written`, and neither `next_to_send` nor `sent`.
    #[pyo3(signature = (now, max_len = 65_536))]
    fn take_outgoing<'py>(
        &mut self,
        py: Python<'py>,
        now: Seconds,
        max_len: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (mut payloads, mut len) = (Vec::new(), 0);
        while len < max_len.max(1) {
            let Some(handle) = self.core.next_to_send_along(now.point()) else { break };
            let Some(payload) = self.payloads.get(&handle.number()) else { break };
            let payload = payload.as_bytes(py);
            let frame_len = Framing::MLLP.encoded_len(payload.len());
            self.writing.push(handle, frame_len);
            payloads.push(payload);
            len += frame_len;
        }
        let mut fault = None;
        let frames = PyBytes::new_with(py, len, |mut out| {
            for payload in payloads {
                let Some((frame, rest)) =
                    out.split_at_mut_checked(Framing::MLLP.encoded_len(payload.len()))
                else {
                    break;
                };
                fault = fault.or(Framing::MLLP.encode(payload, frame).err());
                out = rest;
            }
            Ok(())
        })?;
        fault.map_or(Ok(frames), |error| Err(frame_error(error)))
    }

    /// Of what `take_outgoing` gave, all but the last `unsent` bytes have left. Tell it before the
    /// link gets what was read after that, and before `on_time`.
    fn written(&mut self, unsent: usize, now: Seconds) {
        while let Some(handle) = self.writing.pop_written(unsent) {
            self.core.sent(handle, now.point());
        }
    }

    /// The last `unsent` bytes of what `take_outgoing` gave have not left this host: a message of
    /// which none has left can be with no receiver. Say it right before `disconnected` or `on_time`:
    /// it counts for that call, as `not_sent` does.
    fn not_written(&mut self, unsent: usize) {
        for handle in self.writing.untouched(unsent) {
            self.core.not_sent(handle);
        }
    }

    /// Does what `receive` does, in a shorter form: a verdict with the fate `answered` is a pair, the
    /// handle and the payload of the reply.
    fn replies<'py>(
        &mut self,
        py: Python<'py>,
        data: Input<'py>,
        now: Seconds,
    ) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        self.take(&data, now, |link, event| match event {
            InitiatorEvent::Verdict { handle, fate: Fate::Answered, .. } => {
                link.payloads.remove(&handle.number());
                events.append((handle.number(), link.reply(py)))
            }
            event => events.append(link.object(py, event)?),
        })?;
        Ok(events)
    }

    /// Takes bytes of the peer and returns everything that they show, in order.
    fn receive<'py>(
        &mut self,
        py: Python<'py>,
        data: Input<'py>,
        now: Seconds,
    ) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        self.take(&data, now, |link, event| events.append(link.object(py, event)?))?;
        Ok(events)
    }

    /// Everything that has happened since events were taken last, in order.
    fn events<'py>(&mut self, py: Python<'py>, now: Seconds) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        self.take(&[], now, |link, event| events.append(link.object(py, event)?))?;
        Ok(events)
    }

    /// When `on_time` is to be called, unless something else happens before; None: never.
    fn next_deadline(&self) -> Option<f64> {
        self.core.next_deadline().map(seconds)
    }

    /// Time has passed: read what has come before this call, and take the events after it.
    fn on_time(&mut self, now: Seconds) {
        self.core.on_time(now.point());
    }

    /// Whether a rule has suspended the link: nothing is sent until `resume`.
    #[getter]
    fn is_suspended(&self) -> bool {
        self.core.is_suspended()
    }

    /// Goes on after a suspension.
    fn resume(&mut self) {
        self.core.resume();
    }

    /// How many messages have no verdict yet.
    #[getter]
    fn open_messages(&self) -> usize {
        self.core.open_messages()
    }
}

impl Initiator {
    /// The control ID of a message that may be held or submitted.
    fn unused_id<'a>(&self, payload: &'a [u8]) -> PyResult<&'a [u8]> {
        let id = self.core.check(payload).map_err(submit_error)?;
        if self.held.contains(id) {
            return Err(submit_error(SubmitError::IdInUse));
        }
        Ok(id)
    }

    /// Hands the link every byte, and `report` every event.
    fn take(
        &mut self,
        mut data: &[u8],
        now: Seconds,
        mut report: impl FnMut(&mut Self, InitiatorEvent) -> PyResult<()>,
    ) -> PyResult<()> {
        loop {
            let taken = if data.is_empty() { 0 } else { self.core.receive(data, now.point()) };
            data = data.get(taken..).unwrap_or_default();
            while let Some(event) =
                self.core.next_event_beside(&|id| self.held.contains(id), now.point())
            {
                report(self, event)?;
            }
            if data.is_empty() || taken == 0 {
                return Ok(());
            }
        }
    }

    /// The event as an object. Payloads are given up with the verdicts of their messages.
    fn object<'py>(
        &mut self,
        py: Python<'py>,
        event: InitiatorEvent,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let InitiatorEvent::Verdict { handle, .. } = event {
            self.payloads.remove(&handle.number());
        }
        object(py, event, self.core.reply())
    }

    fn reply<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.core.reply().map(|payload| PyBytes::new(py, payload))
    }
}

fn submit_error(error: SubmitError) -> PyErr {
    match error {
        SubmitError::Frame(error) => frame_error(error),
        _ => link_error(error.to_string(), error.name()),
    }
}
