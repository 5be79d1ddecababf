//! What a function returned, as the engine takes it.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::message::send::Send;

/// A handler that sends more than this for one message does not end by itself.
const MOST_SENDS: usize = 100_000;

/// What has become of a call.
pub(crate) enum Made {
    Handlers(Vec<String>),
    Sends(Vec<Py<Send>>),
    /// The function returned something else, as this says.
    Wrong(String),
    /// The message could not be read.
    Unreadable,
}

/// The handlers that a router names.
pub(super) fn handlers_of(router: &str, returned: &Bound<'_, PyAny>) -> PyResult<Made> {
    if returned.is_none() {
        return Ok(Made::Handlers(Vec::new()));
    }
    if let Ok(name) = returned.cast::<PyString>() {
        return Ok(Made::Handlers(vec![name.to_str()?.to_owned()]));
    }
    let wanted = "return a name of a handler, an iterable of names or None";
    let Some(items) = items(returned)? else {
        return Ok(Made::Wrong(format!("router {router} returned {}; {wanted}", kind(returned)?)));
    };
    let mut names = Vec::new();
    for item in items {
        let item = item?;
        let Ok(name) = item.cast::<PyString>() else {
            let text =
                format!("router {router} returned {} in an iterable; {wanted}", kind(&item)?);
            return Ok(Made::Wrong(text));
        };
        names.push(name.to_str()?.to_owned());
    }
    Ok(Made::Handlers(names))
}

/// What a handler sends.
pub(super) fn sends_of(handler: &str, returned: &Bound<'_, PyAny>) -> PyResult<Made> {
    if returned.is_none() {
        return Ok(Made::Sends(Vec::new()));
    }
    if let Ok(send) = returned.cast::<Send>() {
        return Ok(Made::Sends(vec![send.clone().unbind()]));
    }
    let wanted = "return Send, an iterable of Sends or None";
    let Some(items) = items(returned)? else {
        return Ok(Made::Wrong(format!(
            "handler {handler} returned {}; {wanted}",
            kind(returned)?
        )));
    };
    let mut sends = Vec::new();
    for item in items {
        let item = item?;
        let Ok(send) = item.cast::<Send>() else {
            let kind = kind(&item)?;
            let text = format!("handler {handler} returned {kind} in an iterable; {wanted}");
            return Ok(Made::Wrong(text));
        };
        if sends.len() == MOST_SENDS {
            let text = format!("handler {handler} sends more than {MOST_SENDS} messages for one");
            return Ok(Made::Wrong(text));
        }
        sends.push(send.clone().unbind());
    }
    Ok(Made::Sends(sends))
}

/// The items of an iterable; `None` for anything else, and for text and bytes, whose items nobody means.
fn items<'py>(
    returned: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, pyo3::types::PyIterator>>> {
    let is_text = returned.is_instance_of::<PyString>() || returned.is_instance_of::<PyBytes>();
    if is_text || !returned.hasattr("__iter__")? {
        return Ok(None);
    }
    returned.try_iter().map(Some)
}

fn kind(returned: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(returned.get_type().name()?.to_string())
}
