//! The events of a receiving link as dictionaries.

use hl7_peek::Scan;
use mllp_link::ResponderEvent;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::deviations;
use crate::event;
use crate::receiving::Link;
use crate::ticket::{Refusal, Ticket};

pub(crate) fn report<'py>(
    py: Python<'py>,
    link: &Link,
    event: ResponderEvent,
    scan: Scan,
) -> PyResult<Bound<'py, PyDict>> {
    match event {
        ResponderEvent::Message(core, arrived) => {
            let payload = PyBytes::new(py, link.payload());
            let (kind, warn) = (arrived.kind, arrived.deviations);
            let entry = event::frame(py, "message", arrived.offset, &payload, kind, warn)?;
            let unusual = deviations::of_payload(payload.as_bytes(), scan);
            if !unusual.is_empty() {
                entry.set_item("warn", [&event::names(warn), unusual].concat())?;
            }
            entry.set_item("ticket", Py::new(py, Ticket::new(core, payload.unbind()))?)?;
            Ok(entry)
        }
        ResponderEvent::TooLarge(core, offset) => {
            let entry = event::coded(py, "refusal", "too_large", offset)?;
            entry.set_item("payload", PyBytes::new(py, link.payload()))?;
            entry.set_item("refusal", Py::new(py, Refusal::new(core))?)?;
            Ok(entry)
        }
        ResponderEvent::Commit { positive } => {
            let entry = event::new(py, "commit")?;
            entry.set_item("positive", positive)?;
            Ok(entry)
        }
        ResponderEvent::Warning { deviation, offset } => {
            event::coded(py, "warning", deviation.name(), offset)
        }
        ResponderEvent::Fault { fault, offset } => event::coded(py, "error", fault.name(), offset),
        ResponderEvent::Discard(discard) => event::discard(py, discard),
        ResponderEvent::Protocol(protocol) => {
            let entry = event::new(py, "protocol")?;
            entry.set_item("protocol", protocol.name())?;
            entry.set_item("foreign", protocol.is_foreign())?;
            Ok(entry)
        }
        ResponderEvent::AnswersLost { answers } => {
            let entry = event::new(py, "answers_lost")?;
            entry.set_item("answers", answers)?;
            Ok(entry)
        }
        ResponderEvent::Closing(reason) => {
            let entry = event::new(py, "closing")?;
            entry.set_item("reason", reason.name())?;
            Ok(entry)
        }
    }
}
