//! The routers and handlers of a configuration: what each is called with, and what counts as its result.
//! Worker processes, threads of the engine, golden tests and dry runs all go through here.

mod outcome;

use std::collections::HashMap;
use std::sync::Arc;

use mllp_engine::worker::{Call, Function};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::message::Message;
use crate::message::body::Body;
use crate::message::control_id::Origin;
use crate::message::raw_message::RawMessage;
use crate::message::send::Send;
use outcome::{handlers_of, sends_of};

pub(crate) use outcome::Made;

/// How the messages of an inbound come to functions.
struct Inbound {
    is_hl7: bool,
    encoding: Option<Arc<str>>,
}

struct Router {
    name: Arc<str>,
    function: Py<PyAny>,
}

struct Handler {
    name: Arc<str>,
    function: Py<PyAny>,
    accepts: Option<Py<PyAny>>,
}

/// The routers and handlers of a configuration, with what judges their results.
///
/// `routers` are names with functions, `handlers` names with functions and what they accept, if they
/// say it; `inbounds` are names with whether their messages are HL7 v2, and their encoding. `explain`
/// is called with an exception, and gives a note of one line and a trace, both without anything that
/// a message holds.
#[pyclass(module = "fastmllp_engine._native", frozen)]
pub(crate) struct Functions {
    routers: Vec<Router>,
    handlers: Vec<Handler>,
    /// The handlers that do not take every message.
    choosy: HashMap<Arc<str>, usize>,
    inbounds: HashMap<String, Inbound>,
    explain: Py<PyAny>,
}

/// A message that functions are called with.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// One that the engine gives to a worker.
    Call(&'a Call),
    /// One in this process: its inbound, its bytes, and when it was received if that is known.
    Here { inbound: &'a str, payload: &'a Py<PyBytes>, received: Option<u64> },
}

#[pymethods]
impl Functions {
    #[new]
    fn new(
        routers: Vec<(String, Py<PyAny>)>,
        handlers: Vec<(String, Py<PyAny>, Option<Py<PyAny>>)>,
        inbounds: Vec<(String, bool, Option<String>)>,
        explain: Py<PyAny>,
    ) -> Functions {
        let routers = routers.into_iter();
        let routers = routers.map(|(name, function)| Router { name: name.into(), function });
        let handlers = handlers.into_iter();
        let handlers: Vec<Handler> = handlers
            .map(|(name, function, accepts)| Handler { name: name.into(), function, accepts })
            .collect();
        let choosy = handlers.iter().enumerate().filter(|(_, handler)| handler.accepts.is_some());
        let choosy = choosy.map(|(at, handler)| (handler.name.clone(), at)).collect();
        let inbounds = inbounds.into_iter().map(|(name, is_hl7, encoding)| {
            (name, Inbound { is_hl7, encoding: encoding.map(Arc::from) })
        });
        let (routers, inbounds) = (routers.collect(), inbounds.collect());
        Functions { routers, handlers, choosy, inbounds, explain }
    }

    /// The handlers that a router names for a message and that accept it. A text is the note of a failure.
    ///
    /// `received` is when the message was received, in milliseconds since 1970.
    #[pyo3(signature = (router, inbound, payload, *, received = None))]
    fn route(
        &self,
        py: Python<'_>,
        router: &str,
        inbound: &str,
        payload: Py<PyBytes>,
        received: Option<u64>,
    ) -> PyResult<Said<Vec<String>>> {
        let function = self.router_of(router);
        match self.noted(py, function, Input::Here { inbound, payload: &payload, received })? {
            Ok(Made::Handlers(names)) => Ok(Said::Made(names)),
            Ok(_) => Ok(Said::Made(Vec::new())),
            Err(note) => Ok(Said::Failed(note)),
        }
    }

    /// What a handler sends for a message. A text is the note of a failure.
    #[pyo3(signature = (handler, inbound, payload, *, received = None))]
    fn handle(
        &self,
        py: Python<'_>,
        handler: &str,
        inbound: &str,
        payload: Py<PyBytes>,
        received: Option<u64>,
    ) -> PyResult<Said<Vec<Py<Send>>>> {
        let function = self.handler_of(handler);
        match self.noted(py, function, Input::Here { inbound, payload: &payload, received })? {
            Ok(Made::Sends(sends)) => Ok(Said::Made(sends)),
            Ok(_) => Ok(Said::Made(Vec::new())),
            Err(note) => Ok(Said::Failed(note)),
        }
    }
}

/// The result of a function, or the note of its failure.
#[derive(IntoPyObject)]
pub(crate) enum Said<T> {
    Failed(String),
    Made(T),
}

impl Functions {
    pub(crate) fn router_names(&self) -> Vec<Arc<str>> {
        self.routers.iter().map(|router| router.name.clone()).collect()
    }

    pub(crate) fn handler_names(&self) -> Vec<Arc<str>> {
        self.handlers.iter().map(|handler| handler.name.clone()).collect()
    }

    fn router_of(&self, name: &str) -> Function {
        let at = self.routers.iter().position(|it| &*it.name == name);
        Function::Router(at.unwrap_or(usize::MAX))
    }

    fn handler_of(&self, name: &str) -> Function {
        let at = self.handlers.iter().position(|it| &*it.name == name);
        Function::Handler(at.unwrap_or(usize::MAX))
    }

    /// What a function makes of a message. An error is what it raised.
    pub(crate) fn made(
        &self,
        py: Python<'_>,
        function: Function,
        input: Input<'_>,
    ) -> PyResult<Made> {
        if input.is_unreadable() {
            return Ok(Made::Unreadable);
        }
        match function {
            Function::Router(at) => match self.routers.get(at) {
                Some(router) => self.routed(py, input, router),
                None => Ok(Made::Wrong("there is no such router".to_owned())),
            },
            Function::Handler(at) => match self.handlers.get(at) {
                Some(handler) => {
                    let message = self.message(py, input, &handler.name)?;
                    sends_of(&handler.name, &handler.function.bind(py).call1((message,))?)
                }
                None => Ok(Made::Wrong("there is no such handler".to_owned())),
            },
        }
    }

    /// The same, with the note of whatever goes wrong. An error is Control-C.
    pub(crate) fn noted(
        &self,
        py: Python<'_>,
        function: Function,
        input: Input<'_>,
    ) -> PyResult<Result<Made, String>> {
        match self.made(py, function, input) {
            Ok(Made::Wrong(note)) => Ok(Err(note)),
            Ok(made) => Ok(Ok(made)),
            Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => Err(error),
            Err(error) => Ok(Err(self.explained(py, error).0)),
        }
    }

    /// The note and the trace of what a function has raised.
    pub(crate) fn explained(&self, py: Python<'_>, error: PyErr) -> (String, String) {
        // With its traceback, which `value` does not set.
        let explained = self.explain.bind(py).call1((error.into_value(py),));
        explained.and_then(|it| it.extract::<(String, String)>()).unwrap_or_else(|_| {
            // Whatever the exception does to those who look at it.
            let note = "an exception that cannot be explained".to_owned();
            (note.clone(), note)
        })
    }

    /// The handlers that a router names and that accept the message.
    fn routed(&self, py: Python<'_>, input: Input<'_>, router: &Router) -> PyResult<Made> {
        let message = self.message(py, input, &router.name)?;
        let made = handlers_of(&router.name, &router.function.bind(py).call1((message,))?)?;
        let Made::Handlers(names) = made else { return Ok(made) };
        let mut accepted = Vec::with_capacity(names.len());
        for name in names {
            let handler = self.choosy.get(name.as_str()).and_then(|at| self.handlers.get(*at));
            // Each looks at the message as it was received, not at what the router made of it.
            let is_accepted = match handler.and_then(|handler| handler.accepts.as_ref()) {
                Some(accepts) => {
                    let message = self.message(py, input, &router.name)?;
                    accepts.bind(py).call1((message,))?.is_truthy()?
                }
                None => true,
            };
            if is_accepted {
                accepted.push(name);
            }
        }
        Ok(Made::Handlers(accepted))
    }

    /// The message, as functions get it.
    fn message<'py>(
        &self,
        py: Python<'py>,
        input: Input<'_>,
        function: &Arc<str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inbound = self.inbounds.get(input.inbound());
        let encoding = inbound.and_then(|inbound| inbound.encoding.clone());
        let received = input.received();
        if inbound.is_some_and(|inbound| !inbound.is_hl7) {
            let message = RawMessage::new_in(input.object(py), encoding, received);
            return Ok(Bound::new(py, message)?.into_any());
        }
        let (body, call) = match input {
            Input::Call(call) => {
                (Body::Called(call.clone()), Some((call.number(), function.clone())))
            }
            Input::Here { payload, .. } => (Body::Given(payload.clone_ref(py)), None),
        };
        let message = Message::new_in(body, encoding, Origin::new(call, received));
        Ok(Bound::new(py, message)?.into_any())
    }
}

impl Input<'_> {
    fn is_unreadable(&self) -> bool {
        matches!(self, Input::Call(call) if call.payload().is_err())
    }

    fn inbound(&self) -> &str {
        match self {
            Input::Call(call) => call.inbound(),
            Input::Here { inbound, .. } => inbound,
        }
    }

    fn received(&self) -> Option<u64> {
        match self {
            Input::Call(call) => Some(call.received()),
            Input::Here { received, .. } => *received,
        }
    }

    fn object(&self, py: Python<'_>) -> Py<PyBytes> {
        match self {
            Input::Call(call) => PyBytes::new(py, call.payload().unwrap_or_default()).unbind(),
            Input::Here { payload, .. } => payload.clone_ref(py),
        }
    }
}
