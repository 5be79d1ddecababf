//! Exceptions, each with the stable name of the core's error in `code`.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

pyo3::create_exception!(
    fastmllp,
    MllpError,
    PyException,
    "What this package raises; `code` is the stable name of the reason."
);
pyo3::create_exception!(fastmllp, FrameError, MllpError, "A payload that cannot be framed.");
pyo3::create_exception!(fastmllp, MessageError, MllpError, "A message that cannot be read.");
pyo3::create_exception!(fastmllp, AckError, MllpError, "An acknowledgment that cannot be built.");
pyo3::create_exception!(fastmllp, LinkError, MllpError, "A message that a link does not take.");
pyo3::create_exception!(
    fastmllp,
    ProxyError,
    MllpError,
    "A connection that does not begin as the PROXY protocol asks."
);

fn with_code(error: PyErr, code: &'static str) -> PyErr {
    Python::attach(|py| match error.value(py).setattr("code", code) {
        Ok(()) => error,
        Err(failure) => failure,
    })
}

pub(crate) fn frame_error(error: mllp_core::Error) -> PyErr {
    with_code(FrameError::new_err(error.to_string()), error.name())
}

pub(crate) fn message_error(error: hl7_peek::Error) -> PyErr {
    with_code(MessageError::new_err(error.to_string()), error.name())
}

pub(crate) fn ack_error(error: ack_gen::Error) -> PyErr {
    with_code(AckError::new_err(error.to_string()), error.name())
}

pub(crate) fn proxy_error(error: mllp_link::ProxyError) -> PyErr {
    with_code(ProxyError::new_err(error.to_string()), error.name())
}

pub(crate) fn link_error(text: String, code: &'static str) -> PyErr {
    with_code(LinkError::new_err(text), code)
}

// The text that was given is not quoted: it may come from a message.
pub(crate) fn bad_ack_code() -> PyErr {
    with_code(AckError::new_err("not an acknowledgment code of table 0008"), "bad_ack_code")
}

pub(crate) fn batch_accepted() -> PyErr {
    let text = "a batch has no single positive acknowledgment";
    with_code(AckError::new_err(text), "batch")
}
