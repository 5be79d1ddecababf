//! Events as dictionaries, in the shape of the test vectors.

use mllp_core::Discard;
use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(crate) fn new<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyDict>> {
    let event = PyDict::new(py);
    event.set_item("ev", name)?;
    Ok(event)
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
