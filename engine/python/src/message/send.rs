//! What a handler sends.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::message::error::wrong_type;
use crate::message::raw_message::RawMessage;
use crate::message::{Message, payload_of};

/// A message for one outbound, or for a handler that goes on with it.
///
/// Takes the message as it is now: a later change of it changes neither what is sent here nor what was
/// sent before. Of anything else that has a method `encode` its bytes are sent.
#[pyclass(module = "fastmllp_engine", frozen)]
pub(crate) struct Send {
    to: String,
    sent: Sent,
}

enum Sent {
    Message(Message),
    Raw(RawMessage),
    Bytes(Py<PyBytes>),
}

impl Send {
    /// The bytes that are sent.
    pub(crate) fn bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match &self.sent {
            Sent::Message(message) => message.body.bytes(py),
            Sent::Raw(message) => message.bytes_in(py),
            Sent::Bytes(bytes) => bytes.as_bytes(py),
        }
    }
}

#[pymethods]
impl Send {
    #[new]
    fn new(py: Python<'_>, to: String, message: &Bound<'_, PyAny>) -> PyResult<Self> {
        if to.is_empty() {
            return Err(PyValueError::new_err("Send needs the name of an outbound"));
        }
        let sent = if let Ok(message) = message.cast::<Message>() {
            Sent::Message(message.borrow().share(py))
        } else if let Ok(message) = message.cast::<RawMessage>() {
            Sent::Raw(message.get().copy(py))
        } else if message.is_instance_of::<PyBytes>() || message.is_instance_of::<PyString>() {
            Sent::Bytes(payload_of(message, None)?)
        } else if message.hasattr("encode")? {
            Sent::Bytes(message.call_method0("encode")?.cast_into()?.unbind())
        } else {
            return Err(wrong_type("a message", "Message, RawMessage, bytes or str", message));
        };
        Ok(Send { to, sent })
    }

    /// The name of the outbound, or of the handler.
    #[getter(to)]
    pub(crate) fn name(&self) -> &str {
        &self.to
    }

    /// The bytes that are sent.
    #[getter]
    fn payload(&self, py: Python<'_>) -> Py<PyBytes> {
        match &self.sent {
            Sent::Message(message) => message.body.object(py),
            Sent::Raw(message) => message.object(py),
            Sent::Bytes(bytes) => bytes.clone_ref(py),
        }
    }

    /// A copy of the message that is sent: what was given, or its bytes where that was bytes or text.
    #[getter]
    fn message<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match &self.sent {
            Sent::Message(message) => Bound::new(py, message.share(py))?.into_any(),
            Sent::Raw(message) => Bound::new(py, message.copy(py))?.into_any(),
            Sent::Bytes(bytes) => bytes.bind(py).clone().into_any(),
        })
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.to == other.to && self.bytes(py) == other.bytes(py)
    }

    // Payloads are health data: the length, never the bytes.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let to = PyString::new(py, &self.to).repr()?.to_string();
        Ok(format!("Send({to}, <{} bytes>)", self.bytes(py).len()))
    }
}
