//! One read of a receiving host, in one call: bytes in, handler calls, answers out.

use std::time::Instant;

use ack_gen::AckCode;
use mllp_link::{Millis, ResponderEvent};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::event;
use crate::message::Message;
use crate::report::report;
use crate::responder::Responder;
use crate::ticket::Ticket;
use crate::time::{Seconds, seconds};

/// Bytes for the socket, what is left for the host to do, and the next deadline.
pub(crate) type Conversed<'py> = (Bound<'py, PyBytes>, Option<Bound<'py, PyList>>, Option<f64>);

/// The clock of the host, which goes on while its handlers work. Read once for each of them: nothing
/// else here takes time.
struct Clock {
    called: Millis,
    since: Instant,
    now: Millis,
}

impl Clock {
    fn new(called: Millis) -> Clock {
        Clock { called, since: Instant::now(), now: called }
    }

    fn read(&mut self) {
        self.now = self.called.saturating_add(self.since.elapsed().as_micros() as Millis);
    }
}

pub(crate) fn converse<'py>(
    responder: &Bound<'py, Responder>,
    data: &[u8],
    now: Seconds,
    handler: &Bound<'py, PyAny>,
    hold: bool,
    limit: usize,
) -> PyResult<Conversed<'py>> {
    let py = responder.py();
    let mut clock = Clock::new(now.point());
    let (mut left, mut sent) = (None, Vec::new());
    responder.borrow_mut().core().take(data, clock.called);
    let mut messages = 0;
    loop {
        let more = take_event(responder, handler, &mut clock, &mut left, &mut messages)?;
        let mut link = responder.borrow_mut();
        let link = link.core();
        let outgoing = link.outgoing();
        if !hold && !outgoing.is_empty() {
            let len = outgoing.len();
            sent.extend_from_slice(outgoing);
            link.sent(len, clock.now);
        }
        if !more || messages >= limit {
            let deadline = link.next_deadline().map(seconds);
            return Ok((PyBytes::new(py, &sent), left, deadline));
        }
    }
}

/// Does what the next event asks for; false when there is none.
fn take_event<'py>(
    responder: &Bound<'py, Responder>,
    handler: &Bound<'py, PyAny>,
    clock: &mut Clock,
    left: &mut Option<Bound<'py, PyList>>,
    messages: &mut usize,
) -> PyResult<bool> {
    let py = responder.py();
    let mut link = responder.borrow_mut();
    let Some(event) = link.core().next_event(clock.now) else { return Ok(false) };
    let ResponderEvent::Message(core, arrived) = event else {
        let last = matches!(event, ResponderEvent::TooLarge(..) | ResponderEvent::Protocol(_));
        let entry = report(py, link.core(), event)?;
        leave(py, left, entry)?;
        // The refusal is given while the beginning of its message is at hand, and whether bytes of
        // another protocol are looked at is for the host to say.
        return Ok(!last);
    };
    *messages += 1;
    let payload = PyBytes::new(py, link.core().payload()).unbind();
    let message = Message::of(payload.clone_ref(py), link.scan());
    // A handler may use the responder itself, so it is not kept borrowed while one runs.
    drop(link);
    if !arrived.deviations.is_empty() {
        let entry = event::new(py, "deviations")?;
        entry.set_item("warn", event::names(arrived.deviations))?;
        entry.set_item("length", payload.as_bytes(py).len())?;
        leave(py, left, entry)?;
    }
    let mut ticket = Ticket::new(core, payload);
    let message = Bound::new(py, message)?;
    let result = handler.call1((&message,));
    clock.read();
    let entry = match result {
        Ok(result) => {
            if let Some(code) = code(&result) {
                let answered =
                    responder.borrow_mut().acknowledge(py, &mut ticket, code, None, clock.now);
                if answered.is_ok() {
                    return Ok(true);
                }
            }
            let entry = event::new(py, "result")?;
            entry.set_item("result", result)?;
            entry
        }
        Err(error) => {
            let entry = event::new(py, "failure")?;
            entry.set_item("error", error)?;
            entry
        }
    };
    entry.set_item("message", message)?;
    entry.set_item("ticket", Py::new(py, ticket)?)?;
    leave(py, left, entry)?;
    // What follows may have to wait for what the host makes of this.
    Ok(false)
}

/// The code that a handler's result stands for. Anything else is for the host.
fn code(result: &Bound<'_, PyAny>) -> Option<AckCode> {
    if result.is_none() {
        return Some(AckCode::AA);
    }
    let text = result.cast::<PyString>().ok()?;
    AckCode::from_bytes(text.to_str().ok()?.as_bytes())
}

fn leave<'py>(
    py: Python<'py>,
    left: &mut Option<Bound<'py, PyList>>,
    entry: Bound<'py, PyDict>,
) -> PyResult<()> {
    left.get_or_insert_with(|| PyList::empty(py)).append(entry)
}
