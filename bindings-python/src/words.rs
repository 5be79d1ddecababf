//! The text of a log record, for values that are written as they are: nearly all of them.

use std::fmt::Write;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyString};

/// The words of an event: `event=ack_sent connection=1 code=AA length=120`, fractions with six
/// decimals. None where a value is no number and no plain text, and is to be quoted.
#[pyfunction]
pub(crate) fn plain_words(
    event: &str,
    connection: Option<i64>,
    fields: &Bound<'_, PyDict>,
) -> PyResult<Option<String>> {
    let mut words = String::with_capacity(160);
    words.push_str("event=");
    words.push_str(event);
    if let Some(connection) = connection {
        // Writing to a string does not fail.
        let _ = write!(words, " connection={connection}");
    }
    for (key, value) in fields {
        words.push(' ');
        words.push_str(key.cast::<PyString>()?.to_str()?);
        words.push('=');
        if let Ok(text) = value.cast_exact::<PyString>() {
            match text.to_str() {
                Ok(text) if is_plain(text) => words.push_str(text),
                _ => return Ok(None),
            }
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            let Ok(number) = number.extract::<i64>() else { return Ok(None) };
            let _ = write!(words, "{number}");
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            let number = number.value();
            if !number.is_finite() {
                return Ok(None);
            }
            let _ = write!(words, "{number:.6}");
        } else {
            return Ok(None);
        }
    }
    Ok(Some(words))
}

fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/+@%^[]-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}
