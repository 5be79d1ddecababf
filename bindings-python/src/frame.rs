//! Frames from payloads.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::frame_error;
use crate::input::Input;

/// The frame around a payload: start block, payload, end block, carriage return.
///
/// Raises FrameError, code `reserved_byte`, for a payload that holds a start block or an end block.
#[pyfunction]
pub(crate) fn frame<'py>(py: Python<'py>, payload: Input<'py>) -> PyResult<Bound<'py, PyBytes>> {
    let mut fault = None;
    let framed = PyBytes::new_with(py, mllp_core::encoded_len(payload.len()), |out| {
        fault = mllp_core::encode(&payload, out).err();
        Ok(())
    })?;
    match fault {
        Some(error) => Err(frame_error(error)),
        None => Ok(framed),
    }
}
