//! The routers and handlers of a configuration.

use std::collections::HashMap;
use std::sync::Arc;

use mllp_engine::worker::{Call, Function};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::outcome::{Made, handlers_of, sends_of};
use crate::message::Message;
use crate::message::body::Body;
use crate::message::control_id::Origin;
use crate::message::raw_message::RawMessage;

/// How the messages of an inbound come to functions.
pub(super) struct Inbound {
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

pub(super) struct Functions {
    routers: Vec<Router>,
    handlers: Vec<Handler>,
    /// The handlers that do not take every message.
    choosy: HashMap<Arc<str>, usize>,
    inbounds: HashMap<String, Inbound>,
}

impl Functions {
    pub(super) fn new(
        routers: Vec<(String, Py<PyAny>)>,
        handlers: Vec<(String, Py<PyAny>, Option<Py<PyAny>>)>,
        inbounds: Vec<(String, bool, Option<String>)>,
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
        Functions { routers, handlers, choosy, inbounds }
    }

    pub(super) fn router_names(&self) -> Vec<Arc<str>> {
        self.routers.iter().map(|router| router.name.clone()).collect()
    }

    pub(super) fn handler_names(&self) -> Vec<Arc<str>> {
        self.handlers.iter().map(|handler| handler.name.clone()).collect()
    }

    /// What the function of a call makes of its message. An error is what it raised.
    pub(super) fn made(&self, py: Python<'_>, call: &Call) -> PyResult<Made> {
        if call.payload().is_err() {
            return Ok(Made::Unreadable);
        }
        match call.function() {
            Function::Router(at) => match self.routers.get(at) {
                Some(router) => self.routed(py, call, router),
                None => Ok(Made::Wrong("there is no such router".to_owned())),
            },
            Function::Handler(at) => match self.handlers.get(at) {
                Some(handler) => {
                    let message = self.message(py, call, &handler.name)?;
                    sends_of(&handler.name, &handler.function.bind(py).call1((message,))?)
                }
                None => Ok(Made::Wrong("there is no such handler".to_owned())),
            },
        }
    }

    /// The handlers that a router names and that accept the message.
    fn routed(&self, py: Python<'_>, call: &Call, router: &Router) -> PyResult<Made> {
        let message = self.message(py, call, &router.name)?;
        let made = handlers_of(&router.name, &router.function.bind(py).call1((message,))?)?;
        let Made::Handlers(names) = made else { return Ok(made) };
        let mut accepted = Vec::with_capacity(names.len());
        for name in names {
            let handler = self.choosy.get(name.as_str()).and_then(|at| self.handlers.get(*at));
            // Each looks at the message as it was received, not at what the router made of it.
            let is_accepted = match handler.and_then(|handler| handler.accepts.as_ref()) {
                Some(accepts) => {
                    let message = self.message(py, call, &router.name)?;
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

    /// The message of a call, as functions get it.
    fn message<'py>(
        &self,
        py: Python<'py>,
        call: &Call,
        function: &Arc<str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inbound = self.inbounds.get(call.inbound());
        let encoding = inbound.and_then(|inbound| inbound.encoding.clone());
        if inbound.is_some_and(|inbound| !inbound.is_hl7) {
            let bytes = PyBytes::new(py, call.payload().unwrap_or_default()).unbind();
            return Ok(Bound::new(py, RawMessage::new_in(bytes, encoding))?.into_any());
        }
        let origin = Origin::new(Some((call.number(), function.clone())));
        let message = Message::new_in(Body::Called(call.clone()), encoding, origin);
        Ok(Bound::new(py, message)?.into_any())
    }
}
