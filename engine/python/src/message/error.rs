//! What the messages raise. Every exception has the stable name of its reason in `code`, and no byte of
//! a payload in its text.

use pyo3::exceptions::{PyException, PyLookupError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

pyo3::create_exception!(
    fastmllp_engine,
    MessageError,
    PyException,
    "A message that cannot be read, or changed as asked; `code` is the stable name of the reason."
);
pyo3::create_exception!(
    fastmllp_engine,
    PathError,
    MessageError,
    "A path that is not one, such as PID[1]-3[1].1.1, or that names what the call cannot change."
);

pub(crate) fn with_code(py: Python<'_>, error: PyErr, code: &'static str) -> PyErr {
    match error.value(py).setattr("code", code) {
        Ok(()) => error,
        Err(failure) => failure,
    }
}

pub(crate) fn message_error(py: Python<'_>, text: &str, code: &'static str) -> PyErr {
    with_code(py, MessageError::new_err(text.to_owned()), code)
}

pub(crate) fn reading_error(py: Python<'_>, error: hl7_peek::Error) -> PyErr {
    let raised = match error {
        hl7_peek::Error::BadPath => PathError::new_err(error.to_string()),
        _ => MessageError::new_err(error.to_string()),
    };
    with_code(py, raised, error.name())
}

pub(crate) fn edit_error(py: Python<'_>, error: hl7_edit::Error) -> PyErr {
    let raised = match error {
        hl7_edit::Error::Unreadable(error) => return reading_error(py, error),
        hl7_edit::Error::BadPath => PathError::new_err(error.to_string()),
        _ => MessageError::new_err(error.to_string()),
    };
    with_code(py, raised, error.name())
}

/// An argument of a wrong type, which is named, and not shown.
pub(crate) fn wrong_type(what: &str, wanted: &str, given: &Bound<'_, PyAny>) -> PyErr {
    match given.get_type().name() {
        Ok(name) => PyTypeError::new_err(format!("{what} is {wanted}, not {name}")),
        Err(failure) => failure,
    }
}

/// The class of the exception for a character set: a MessageError and a LookupError, as in `fastmllp`.
pub(crate) fn character_set_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let bases = (py.get_type::<MessageError>(), py.get_type::<PyLookupError>());
        let members = PyDict::new(py);
        members.set_item("__module__", "fastmllp_engine")?;
        members.set_item(
            "__doc__",
            "A character set in MSH-18 that is not known, or that lacks a character of a text.",
        )?;
        let class = py.get_type::<PyType>().call1(("CharacterSetError", bases, members))?;
        PyResult::Ok(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

pub(crate) fn character_set_error(py: Python<'_>, text: &str, code: &'static str) -> PyErr {
    match character_set_class(py) {
        Ok(class) => with_code(py, PyErr::from_type(class.clone(), text.to_owned()), code),
        Err(failure) => failure,
    }
}
