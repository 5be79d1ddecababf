//! Routers and handlers that run in threads of the engine, for tests and dry runs: one that hangs or ends
//! the process is everybody's trouble there.

use std::sync::Arc;

use mllp_engine::worker::Function;
use mllp_engine::{Builder, Failed, Message, Send};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::functions::{Functions, Input, Made};

/// Has threads of the engine run all functions. A thread is not told by which inbound a message came:
/// `inbound` stands for all of them.
pub(crate) fn in_threads(mut builder: Builder, functions: Py<Functions>, inbound: &str) -> Builder {
    let functions = Arc::new(functions);
    let inbound: Arc<str> = inbound.into();
    for (at, name) in functions.get().router_names().iter().enumerate() {
        let (functions, inbound) = (functions.clone(), inbound.clone());
        builder = builder.router(name, move |message| {
            match call(&functions, Function::Router(at), &inbound, message, handlers) {
                Ok(names) => names,
                Err(note) => Failed::raise(note),
            }
        });
    }
    for (at, name) in functions.get().handler_names().iter().enumerate() {
        let (functions, inbound) = (functions.clone(), inbound.clone());
        builder = builder.handler(name, move |message| {
            let payload = message.payload();
            let sends = |py: Python<'_>, made| sent(py, made, payload);
            match call(&functions, Function::Handler(at), &inbound, message, sends) {
                Ok(sends) => sends,
                Err(note) => Failed::raise(note),
            }
        });
    }
    builder
}

fn call<T>(
    functions: &Py<Functions>,
    function: Function,
    inbound: &str,
    message: &Message<'_>,
    result: impl FnOnce(Python<'_>, Made) -> T,
) -> Result<T, String> {
    let payload = message.payload();
    Python::attach(|py| {
        let payload = PyBytes::new(py, payload).unbind();
        let input = Input::Here { inbound, payload: &payload, received: None };
        // Control-C is raised in no thread of the engine; a function that raises it has failed.
        let noted = functions.get().noted(py, function, input);
        noted.unwrap_or_else(|_| Err("KeyboardInterrupt".to_owned())).map(|it| result(py, it))
    })
}

fn handlers(_: Python<'_>, made: Made) -> Vec<String> {
    if let Made::Handlers(names) = made { names } else { Vec::new() }
}

fn sent(py: Python<'_>, made: Made, payload: &[u8]) -> Vec<Send> {
    let Made::Sends(sends) = made else { return Vec::new() };
    let send = |one: &Py<crate::message::send::Send>| {
        let (to, bytes) = (one.get().name(), one.get().bytes(py));
        if bytes == payload { Send::unchanged(to) } else { Send::bytes(to, bytes) }
    };
    sends.iter().map(send).collect()
}
