//! The bytes of a message: those that were received until the first change, its own after that.

use std::sync::Arc;

use hl7_edit::MessageBuf;
use hl7_peek::{Message as Peek, Scan};
use mllp_engine::worker::Call;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::message::error::{edit_error, reading_error};

/// Where the bytes are. A copy costs no byte: the first write pays for it.
pub(crate) enum Body {
    /// As they were given.
    Given(Py<PyBytes>),
    /// As they came from the engine, all of them fetched.
    Called(Call),
    Changed(Arc<MessageBuf>),
}

impl Body {
    pub(crate) fn bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match self {
            Body::Given(bytes) => bytes.as_bytes(py),
            Body::Called(call) => call.payload().unwrap_or_default(),
            Body::Changed(message) => message.as_bytes(),
        }
    }

    /// The same bytes once more; a change of one is none of the other.
    pub(crate) fn share(&self, py: Python<'_>) -> Body {
        match self {
            Body::Given(bytes) => Body::Given(bytes.clone_ref(py)),
            Body::Called(call) => Body::Called(call.clone()),
            Body::Changed(message) => Body::Changed(message.clone()),
        }
    }

    /// The bytes as an object.
    pub(crate) fn object(&self, py: Python<'_>) -> Py<PyBytes> {
        match self {
            Body::Given(bytes) => bytes.clone_ref(py),
            Body::Called(_) | Body::Changed(_) => PyBytes::new(py, self.bytes(py)).unbind(),
        }
    }

    /// The message for reading, as leniently as it was read when it was accepted.
    pub(crate) fn peek<'a>(&'a self, py: Python<'a>, scan: Scan) -> PyResult<Peek<'a>> {
        let bytes = self.bytes(py);
        match Peek::parse_lenient(bytes, scan) {
            Some(message) => Ok(message),
            // What not even the lenient reading can use, the strict one explains.
            None => Peek::parse_with(bytes, scan).map_err(|error| reading_error(py, error)),
        }
    }

    /// The message for writing: its own bytes from now on.
    pub(crate) fn edit(&mut self, py: Python<'_>, scan: Scan) -> PyResult<&mut MessageBuf> {
        if !matches!(self, Body::Changed(_)) {
            let message = MessageBuf::parse_with(self.bytes(py), scan);
            *self = Body::Changed(Arc::new(message.map_err(|error| edit_error(py, error))?));
        }
        match self {
            Body::Changed(message) => Ok(Arc::make_mut(message)),
            _ => Err(edit_error(py, hl7_edit::Error::Absent)),
        }
    }
}
