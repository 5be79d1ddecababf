//! Paths as arguments.

use hl7_peek::Path;
use pyo3::prelude::*;
use pyo3::types::PyInt;

use crate::message::error::{PathError, reading_error, with_code, wrong_type};

/// A path, with the occurrence of its segment and the repetition of its field where they are given
/// beside it.
pub(crate) fn path(
    py: Python<'_>,
    text: &str,
    occurrence: Option<u32>,
    repetition: Option<u32>,
) -> PyResult<Path> {
    let path = Path::parse(text).map_err(|error| reading_error(py, error))?;
    if occurrence.is_none() && repetition.is_none() {
        return Ok(path);
    }
    if occurrence.is_some() && path.occurrence() != 1 {
        return Err(said_twice(py, "occurrence"));
    }
    // A path with a component names the first repetition where it says nothing.
    if repetition.is_some() && (path.repetition().unwrap_or(1) != 1 || path.field().is_none()) {
        return Err(said_twice(py, "repetition"));
    }
    let mut text = String::from_utf8_lossy(path.segment()).into_owned();
    text += &format!("[{}]", occurrence.unwrap_or(path.occurrence()));
    if let Some(field) = path.field() {
        text += &format!("-{field}");
    }
    if let Some(repetition) = repetition.or(path.repetition()) {
        text += &format!("[{repetition}]");
    }
    for number in [path.component(), path.subcomponent()].into_iter().flatten() {
        text += &format!(".{number}");
    }
    Path::parse(&text).map_err(|error| reading_error(py, error))
}

fn said_twice(py: Python<'_>, what: &str) -> PyErr {
    let text = format!("the {what} is in the path already, or the path names no field");
    with_code(py, PathError::new_err(text), "bad_path")
}

/// A path inside a segment, such as `5`, `3[2].1`, as one of that segment.
pub(crate) fn path_in(
    py: Python<'_>,
    id: &[u8],
    occurrence: usize,
    inner: &Bound<'_, PyAny>,
) -> PyResult<Path> {
    let inner = match (inner.extract::<String>(), inner.cast::<PyInt>()) {
        (Ok(text), _) => text,
        (Err(_), Ok(number)) => number.str()?.to_string(),
        _ => return Err(wrong_type("a path in a segment", "str or int", inner)),
    };
    let text = format!("{}[{occurrence}]-{inner}", String::from_utf8_lossy(id));
    Path::parse(&text).map_err(|error| reading_error(py, error))
}
