//! Events as dictionaries, in the shape of the test vectors.

use mllp_core::{Counters, Deviations, Discard, FrameKind};
use mllp_link::{Handle, Verdict};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

pub(crate) fn new<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyDict>> {
    let event = PyDict::new(py);
    event.set_item("ev", name)?;
    Ok(event)
}

/// A complete frame.
pub(crate) fn frame<'py>(
    py: Python<'py>,
    name: &str,
    offset: u64,
    payload: &Bound<'py, PyBytes>,
    kind: FrameKind,
    deviations: Deviations,
) -> PyResult<Bound<'py, PyDict>> {
    let event = new(py, name)?;
    event.set_item("offset", offset)?;
    event.set_item("payload", payload)?;
    event.set_item("kind", kind.name())?;
    event.set_item("warn", names(deviations))?;
    Ok(event)
}

pub(crate) fn names(deviations: Deviations) -> Vec<&'static str> {
    deviations.iter().map(|deviation| deviation.name()).collect()
}

/// A warning or an error: a stable name, and the stream offset of the byte that showed it.
pub(crate) fn coded<'py>(
    py: Python<'py>,
    name: &str,
    code: &str,
    offset: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let event = new(py, name)?;
    event.set_item("code", code)?;
    event.set_item("offset", offset)?;
    Ok(event)
}

pub(crate) fn discard<'py>(py: Python<'py>, discard: Discard) -> PyResult<Bound<'py, PyDict>> {
    let event = new(py, "discard")?;
    event.set_item("offset", discard.offset)?;
    event.set_item("len", discard.len)?;
    event.set_item("why", discard.why.name())?;
    event.set_item("blank", discard.blank)?;
    Ok(event)
}

pub(crate) fn counters<'py>(py: Python<'py>, counters: &Counters) -> PyResult<Bound<'py, PyDict>> {
    let entries = PyDict::new(py);
    for (name, count) in counters.entries() {
        entries.set_item(name, count)?;
    }
    Ok(entries)
}

/// `reply` is what came, by its name in a list of rules; `text` says it all in a line.
pub(crate) fn verdict<'py>(
    py: Python<'py>,
    name: &str,
    handle: Handle,
    verdict: &Verdict,
) -> PyResult<Bound<'py, PyDict>> {
    let entry = new(py, name)?;
    entry.set_item("handle", handle.number())?;
    entry.set_item("reply", verdict.reply.name())?;
    entry.set_item("action", verdict.action.name())?;
    entry.set_item("warn", verdict.warn)?;
    entry.set_item("rule", verdict.rule)?;
    entry.set_item("text", verdict.to_string())?;
    Ok(entry)
}
