//! Routers and handlers that run in threads of the engine, for tests and dry runs: one that hangs or ends
//! the process is everybody's trouble there.

use mllp_engine::{Builder, Failed, Message, Send};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// What a function says of a message: the result, or a text, which is the note of its failure.
#[derive(FromPyObject)]
enum Said<T> {
    Failed(String),
    Made(T),
}

/// What a handler sends: where to, and other bytes than it was given if there are any.
type Sent = (String, Option<PyBackedBytes>);

/// Has the router of that name choose handlers.
pub(crate) fn router(builder: Builder, name: &str, function: Py<PyAny>) -> Builder {
    builder.router(name, move |message| call::<Vec<String>>(&function, message))
}

/// Has the handler of that name filter and transform.
pub(crate) fn handler(builder: Builder, name: &str, function: Py<PyAny>) -> Builder {
    builder.handler(name, move |message| {
        let sent = call::<Vec<Sent>>(&function, message).into_iter();
        let send = |(to, payload): Sent| match payload {
            Some(payload) => Send::bytes(to, &*payload),
            None => Send::unchanged(to),
        };
        sent.map(send).collect::<Vec<_>>()
    })
}

fn call<T>(function: &Py<PyAny>, message: &Message<'_>) -> T
where
    T: for<'a, 'py> FromPyObject<'a, 'py>,
{
    let payload = message.payload();
    let said = Python::attach(|py| {
        let result = function.call1(py, (PyBytes::new(py, payload),));
        let made = result.map(|it| it.extract::<Said<T>>(py).ok());
        // What an exception says may be of the message: its type is enough.
        made.map_err(|error| {
            error.get_type(py).name().map_or_else(|_| String::new(), |it| it.to_string())
        })
    });
    match said {
        Ok(Some(Said::Made(made))) => made,
        Ok(Some(Said::Failed(note))) | Err(note) => Failed::raise(note),
        Ok(None) => Failed::raise("the function returned something else than it may"),
    }
}
