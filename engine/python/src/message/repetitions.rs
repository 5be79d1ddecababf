//! All repetitions of a field.

use hl7_peek::{Message as Peek, Path};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::message::error::{PathError, with_code};
use crate::message::place::path;
use crate::message::value::{is_definition, text};

/// The text of each repetition, or of the component that the path names in each.
pub(crate) fn texts<'py>(
    py: Python<'py>,
    message: &Peek<'_>,
    at: &str,
    encoding: Option<&str>,
) -> PyResult<Bound<'py, PyList>> {
    let first = path(py, at, None, Some(1))?;
    let whole = field_of(py, first)?;
    let texts = PyList::empty(py);
    let Some(field) = message.get(whole).filter(|field| !field.is_empty()) else {
        return Ok(texts);
    };
    // MSH-1 and MSH-2 are never cut.
    let is_cut = !first.field().is_some_and(|field| is_definition(first, field));
    let separator = message.delimiters().repetition.filter(|_| is_cut);
    let mut rest = Some(field);
    while let Some(part) = rest {
        let end = separator.and_then(|separator| message.scan().find(separator, part));
        let (repetition, after) = match end {
            Some(end) => (part.get(..end).unwrap_or_default(), part.get(end + 1..)),
            None => (part, None),
        };
        rest = after;
        match node_in(message, repetition, first) {
            Some(node) => texts.append(text(py, message, first, node, encoding)?)?,
            None => texts.append(PyString::new(py, ""))?,
        }
    }
    Ok(texts)
}

/// The field of a path, with all its repetitions.
fn field_of(py: Python<'_>, first: Path) -> PyResult<Path> {
    let Some(field) = first.field() else {
        let error = PathError::new_err("the path names no field");
        return Err(with_code(py, error, "bad_path"));
    };
    let id = String::from_utf8_lossy(first.segment()).into_owned();
    path(py, &format!("{id}[{}]-{field}", first.occurrence()), None, None)
}

/// The component and subcomponent of a path in one repetition; all of it where the path names none.
fn node_in<'m>(message: &Peek<'m>, repetition: &'m [u8], at: Path) -> Option<&'m [u8]> {
    let delimiters = message.delimiters();
    let below =
        [(delimiters.component, at.component()), (delimiters.subcomponent, at.subcomponent())];
    let mut node = repetition;
    for (separator, number) in below {
        let Some(number) = number else { break };
        let find = |text| separator.and_then(|separator| message.scan().find(separator, text));
        for _ in 1..number {
            node = node.get(find(node)? + 1..)?;
        }
        node = find(node).and_then(|end| node.get(..end)).unwrap_or(node);
    }
    Some(node)
}
