//! Frames from payloads.

use mllp_core::Framing;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::frame_error;
use crate::input::Input;

/// The frame around a payload: start block, payload, end block, trailer.
///
/// Raises FrameError, code `reserved_byte`, for a payload that holds a start block or an end block,
/// and `invalid_framing` when two of the framing bytes are equal.
#[pyfunction]
#[pyo3(signature = (
    payload,
    *,
    start_block = mllp_core::START_BLOCK,
    end_block = mllp_core::END_BLOCK,
    trailer = Some(mllp_core::CARRIAGE_RETURN),
))]
pub(crate) fn frame<'py>(
    py: Python<'py>,
    payload: Input<'py>,
    start_block: u8,
    end_block: u8,
    trailer: Option<u8>,
) -> PyResult<Bound<'py, PyBytes>> {
    let framing = Framing::new(start_block, end_block, trailer).map_err(frame_error)?;
    encode(py, framing, &payload)
}

pub(crate) fn encode<'py>(
    py: Python<'py>,
    framing: Framing,
    payload: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let mut fault = None;
    let framed = PyBytes::new_with(py, framing.encoded_len(payload.len()), |out| {
        fault = framing.encode(payload, out).err();
        Ok(())
    })?;
    match fault {
        Some(error) => Err(frame_error(error)),
        None => Ok(framed),
    }
}

/// The frame around a payload as three pieces, for a gathering write: start block, payload, end
/// block with trailer.
///
/// A payload that is `bytes` is not copied: the second piece is that object. The pieces in a row
/// are what `frame` returns. `socket.sendmsg(encode_slices(payload))` may write fewer bytes than it
/// is given and returns how many, and until the rest is written too there is no frame.
///
/// Raises what `frame` raises.
#[pyfunction]
#[pyo3(signature = (
    payload,
    *,
    start_block = mllp_core::START_BLOCK,
    end_block = mllp_core::END_BLOCK,
    trailer = Some(mllp_core::CARRIAGE_RETURN),
))]
pub(crate) fn encode_slices<'py>(
    py: Python<'py>,
    payload: Input<'py>,
    start_block: u8,
    end_block: u8,
    trailer: Option<u8>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let framing = Framing::new(start_block, end_block, trailer).map_err(frame_error)?;
    let [head, _, tail] = framing.encode_slices(&payload).map_err(frame_error)?;
    let (head, tail) = (PyBytes::new(py, head), PyBytes::new(py, tail));
    Ok((head, payload.into_bytes(py), tail))
}
