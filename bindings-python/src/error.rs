//! Exceptions, each with the stable name of the core's error in `code`.

use hl7_text::UnknownSet;
use pyo3::exceptions::{PyException, PyLookupError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

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

/// The class of the exception for a character set that cannot be decoded: a MessageError and a
/// LookupError, as Python has for codecs.
pub(crate) fn character_set_error(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let bases = (py.get_type::<MessageError>(), py.get_type::<PyLookupError>());
        let members = PyDict::new(py);
        members.set_item("__module__", "fastmllp")?;
        members.set_item(
            "__doc__",
            "A character set in MSH-18 that is not known, or that Python has no codec for.",
        )?;
        let class = py.get_type::<PyType>().call1(("CharacterSetError", bases, members))?;
        PyResult::Ok(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

/// MSH-18 names a set that cannot be decoded: it is unknown, or Python has no codec for it. The
/// text shows the name, and no more of the message.
pub(crate) fn undecodable_set(UnknownSet { name, is_known }: UnknownSet) -> PyErr {
    const SHOWN: usize = 40;
    let shown: String =
        name.iter().take(SHOWN).map(|byte| byte.escape_ascii().to_string()).collect();
    let reason = if is_known { "this Python has no codec for" } else { "cannot be decoded" };
    let text = format!("MSH-18 names the character set '{shown}', which {reason}");
    let error = Python::attach(|py| {
        character_set_error(py).map(|class| PyErr::from_type(class.clone(), text))
    });
    error.map_or_else(|failure| failure, |error| with_code(error, "unknown_character_set"))
}
