//! Acknowledgments.

use std::time::{SystemTime, UNIX_EPOCH};

use ack_gen::{Ack, AckCode, Timestamp};
use hl7_peek::MessageHeader;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::error::{ack_error, bad_ack_code};
use crate::input::Input;

/// The acknowledgment of a payload, unframed.
///
/// Whatever the payload holds, there is one: what it lacks takes a default. Raises AckError for a
/// code outside table 0008.
#[pyfunction]
#[pyo3(signature = (payload, code = "AA", *, control_id = None, timestamp = None, text = None))]
pub(crate) fn build_ack<'py>(
    py: Python<'py>,
    payload: Input<'py>,
    code: &str,
    control_id: Option<&str>,
    timestamp: Option<&str>,
    text: Option<&str>,
) -> PyResult<Bound<'py, PyBytes>> {
    let ack_code = AckCode::from_bytes(code.as_bytes()).ok_or_else(|| bad_ack_code(code))?;
    let header = MessageHeader::parse_lenient(&payload);
    let mut id_buffer = [0; Simple::LENGTH];
    let control_id = match control_id {
        Some(id) => id,
        None => Uuid::new_v4().simple().encode_lower(&mut id_buffer),
    };
    let now;
    let timestamp = match timestamp {
        Some(timestamp) => timestamp.as_bytes(),
        None => {
            now = Timestamp::utc(unix_seconds());
            now.as_bytes()
        }
    };
    let ack = Ack {
        text: text.unwrap_or_default().as_bytes(),
        ..Ack::always(ack_code, header, control_id.as_bytes(), timestamp)
    };
    encode(py, &ack)
}

/// Encodes on the stack where it fits, which is always but for very long fields.
fn encode<'py>(py: Python<'py>, ack: &Ack<'_>) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = [0; 512];
    if let Ok(len) = ack.encode(&mut out) {
        return Ok(PyBytes::new(py, out.get(..len).unwrap_or_default()));
    }
    let len = ack.encoded_len().map_err(ack_error)?;
    PyBytes::new_with(py, len, |out| ack.encode(out).map(|_| ()).map_err(ack_error))
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
