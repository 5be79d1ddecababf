//! Escape sequences.

use hl7_peek::{Delimiters, Message as Peek};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::message_error;
use crate::input::Input;

/// `text` with every delimiter, carriage return and line feed in it escaped.
///
/// `delimiters` is MSH-1 followed by MSH-2. Raises MessageError when it is none.
#[pyfunction]
#[pyo3(signature = (text, delimiters = Delimiter::Standard), text_signature = "(text, delimiters=b'|^~\\\\&')")]
pub(crate) fn escape<'py>(
    py: Python<'py>,
    text: Input<'py>,
    delimiters: Delimiter<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let delimiters = delimiters.read()?;
    let len = hl7_peek::escaped_len(&text, &delimiters);
    PyBytes::new_with(py, len, |out| {
        hl7_peek::escape(&text, &delimiters, out).map(|_| ()).map_err(message_error)
    })
}

/// `text` with its escape sequences replaced by what they stand for; formatting, character set and
/// unknown sequences stay.
///
/// `delimiters` is MSH-1 followed by MSH-2. Raises MessageError when it is none.
#[pyfunction]
#[pyo3(signature = (text, delimiters = Delimiter::Standard), text_signature = "(text, delimiters=b'|^~\\\\&')")]
pub(crate) fn unescape<'py>(
    py: Python<'py>,
    text: Input<'py>,
    delimiters: Delimiter<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = vec![0; text.len()];
    let len = hl7_peek::unescape(&text, &delimiters.read()?, &mut out).map_err(message_error)?;
    Ok(PyBytes::new(py, out.get(..len).unwrap_or_default()))
}

/// MSH-1 and MSH-2 as an argument.
pub(crate) enum Delimiter<'py> {
    Standard,
    Given(Input<'py>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Delimiter<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(Delimiter::Given)
    }
}

impl Delimiter<'_> {
    fn read(&self) -> PyResult<Delimiters> {
        let Delimiter::Given(characters) = self else { return Ok(Delimiters::default()) };
        let header = [b"MSH", characters as &[u8]].concat();
        Peek::parse(&header).map(|message| message.delimiters()).map_err(message_error)
    }
}
