//! What goes wrong, as Python sees it.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;

create_exception!(
    fastmllp_engine._native,
    EngineError,
    PyException,
    "The engine did not start, has ended, or refuses what is asked of it.

`exit_status` is the exit status of a program that ends because of it: 2 the graph is refused, 3 an address
cannot be had, 4 the store is refused, 5 a sync failed, 1 anything else. `faults` holds every fault of a
graph that is refused; it is empty otherwise. No payload is in it."
);

/// The exception for an error of the engine.
pub(crate) fn raised(error: mllp_engine::Error) -> PyErr {
    let faults = match &error {
        mllp_engine::Error::Graph(faults) => faults.clone(),
        _ => Vec::new(),
    };
    with_status(error.to_string(), error.exit_status(), faults)
}

/// An exception of this kind that says why in these words.
pub(crate) fn refused(why: &str) -> PyErr {
    with_status(why.to_owned(), 1, Vec::new())
}

/// A word that is none of those that may stand there.
pub(crate) fn unknown_word(what: &str, word: &str) -> PyErr {
    PyValueError::new_err(format!("{what}: \"{word}\" is not known"))
}

fn with_status(text: String, exit_status: u8, faults: Vec<String>) -> PyErr {
    let error = EngineError::new_err(text);
    let complete = Python::attach(|py| -> PyResult<()> {
        let value = error.value(py);
        value.setattr("exit_status", exit_status)?;
        value.setattr("faults", faults)
    });
    complete.map_or_else(|failed| failed, |()| error)
}
