//! The events of a sending link.

use mllp_link::{InitiatorEvent, Verdict as Core};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::event::{Deviation, Discard, Fault, event};
use crate::time::seconds;

event! {
    /// The end of a message: each one that was submitted has exactly one.
    Verdict {
        /// The message, by the number that `submit` gave it.
        handle: u32,
        /// What is known of the message, whatever the rules are: `answered`, `stored`, `unasked`,
        /// `not_sent` or `uncertain`.
        fate: &'static str,
        /// The payload of the reply; None unless the fate is `answered`.
        payload: Option<Py<PyBytes>>,
        /// What came, by its name in a list of rules.
        reply: &'static str,
        /// What becomes of the message; `retry` here means that it is not sent again.
        action: &'static str,
        /// Whether an operator is told.
        warn: bool,
        /// The number of the rule in the list, from 1; None is a built-in rule.
        rule: Option<usize>,
        /// All of that in a line.
        text: Line,
    }
}

event! {
    /// A message will be sent again.
    Retry {
        /// The message, by the number that `submit` gave it.
        handle: u32,
        /// Not before this point of the host's clock.
        at: f64,
        /// What came, by its name in a list of rules.
        reply: &'static str,
        /// Whether an operator is told.
        warn: bool,
        /// The number of the rule in the list, from 1; None is a built-in rule.
        rule: Option<usize>,
        /// All of that in a line.
        text: Line,
    }
}

event! {
    /// The receiver has stored the message (CA); its application acknowledgment is still to come, and
    /// the message is never sent again.
    Stored {
        /// The message, by the number that `submit` gave it.
        handle: u32,
        /// The payload of the CA.
        payload: Py<PyBytes>,
    }
}

event! {
    /// A reply that belongs to no message in flight. It is never a success of anything.
    Stray {
        /// What is known of it, by name.
        why: &'static str,
        /// Its payload.
        payload: Py<PyBytes>,
    }
}

event! {
    /// The connection must be given up, with whatever is being written to it.
    Reconnect {}
}

/// What a verdict says in a line, which is written when it is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Line(Core);

impl<'py> IntoPyObject<'py> for Line {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, &self.0.to_string()))
    }
}

/// The event as an object of its class; `reply` is the payload at hand.
pub(crate) fn object<'py>(
    py: Python<'py>,
    event: InitiatorEvent,
    reply: Option<&[u8]>,
) -> PyResult<Bound<'py, PyAny>> {
    let payload = || reply.map(|payload| PyBytes::new(py, payload).unbind());
    let own_payload = || payload().unwrap_or_else(|| PyBytes::new(py, b"").unbind());
    Ok(match event {
        InitiatorEvent::Verdict { handle, verdict, fate } => {
            let Core { reply, action, warn, rule, .. } = verdict;
            let (reply, action, text) = (reply.name(), action.name(), Line(verdict));
            let (handle, fate, payload) = (handle.number(), fate.name(), payload());
            let verdict = Verdict { handle, fate, payload, reply, action, warn, rule, text };
            Bound::new(py, verdict)?.into_any()
        }
        InitiatorEvent::Retry { handle, at, verdict } => {
            let Core { reply, warn, rule, .. } = verdict;
            let (handle, at) = (handle.number(), seconds(at));
            let (reply, text) = (reply.name(), Line(verdict));
            Bound::new(py, Retry { handle, at, reply, warn, rule, text })?.into_any()
        }
        InitiatorEvent::Stored { handle } => {
            Bound::new(py, Stored { handle: handle.number(), payload: own_payload() })?.into_any()
        }
        InitiatorEvent::Stray(stray) => {
            Bound::new(py, Stray { why: stray.name(), payload: own_payload() })?.into_any()
        }
        InitiatorEvent::Reconnect => Bound::new(py, Reconnect {})?.into_any(),
        InitiatorEvent::Warning { deviation, offset } => {
            Bound::new(py, Deviation { code: deviation.name(), offset })?.into_any()
        }
        InitiatorEvent::Fault { fault, offset } => {
            Bound::new(py, Fault { code: fault.name(), offset })?.into_any()
        }
        InitiatorEvent::Discard(discard) => Bound::new(py, Discard::from(discard))?.into_any(),
    })
}
