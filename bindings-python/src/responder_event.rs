//! The events of a receiving link.

use hl7_peek::Scan;
use mllp_link::ResponderEvent;
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::deviations;
use crate::event::{Deviation, Discard, Fault, Names, event};
use crate::message::Message;
use crate::receiving::Link;
use crate::ticket::{Refusal, Ticket};

event! {
    /// A complete frame has arrived, and waits for its one answer.
    Arrived {
        /// The place of the answer.
        ticket: Py<Ticket>,
        /// What the frame holds.
        payload: Py<PyBytes>,
        /// Stream offset of the start block.
        offset: u64,
        /// What the payload is: `content`, `empty`, `commit_ack` or `commit_nak`.
        kind: &'static str,
        /// What is unusual about the frame and its message, by name.
        deviations: Names,
    }
}

event! {
    /// A message over the limit is to be refused. Of the events of a call it is the last.
    TooLarge {
        /// The place of the refusal.
        refusal: Py<Refusal>,
        /// The beginning of the message.
        payload: Py<PyBytes>,
        /// Stream offset of the first byte over the limit.
        offset: u64,
    }
}

event! {
    /// What is unusual about the message that `converse` hands to its handler next.
    Unusual {
        /// By name.
        deviations: Names,
        /// Length of the message.
        length: usize,
    }
}

event! {
    /// A handler of `converse` has returned what is for the host to make an answer of.
    Returned {
        /// The place of the answer.
        ticket: Py<Ticket>,
        /// What the handler was called with.
        message: Py<Message>,
        /// What it returned.
        result: Py<PyAny>,
    }
}

event! {
    /// A handler of `converse` has raised.
    Raised {
        /// The place of the answer.
        ticket: Py<Ticket>,
        /// What the handler was called with.
        message: Py<Message>,
        /// What it raised.
        error: Py<PyBaseException>,
    }
}

event! {
    /// A commit block of MLLP release 2 about an answer.
    Commit {
        /// Whether the answer is stored.
        is_positive: bool,
    }
}

event! {
    /// The first bytes of the connection are of another protocol. At most once, before the discards of
    /// these bytes; whether the connection goes on is for the host to say.
    OtherProtocol {
        /// Its name.
        protocol: &'static str,
        /// Whether nothing on the connection can be a message.
        is_foreign: bool,
    }
}

event! {
    /// The peer did not take its answers in time, and the link was given up.
    AnswersLost {
        /// How many answers were not sent, or not given.
        answers: u32,
    }
}

event! {
    /// Once: nothing more will be delivered. When all answers are sent the connection can be closed.
    Closing {
        /// Why, by name.
        reason: &'static str,
    }
}

/// The event as an object of its class.
pub(crate) fn object<'py>(
    py: Python<'py>,
    link: &Link,
    event: ResponderEvent,
    scan: Scan,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match event {
        ResponderEvent::Message(core, arrived) => {
            let payload = PyBytes::new(py, link.payload());
            let message = deviations::of_payload(payload.as_bytes(), scan);
            let payload = payload.unbind();
            let arrived = Arrived {
                ticket: Py::new(py, Ticket::new(core, payload.clone_ref(py)))?,
                payload,
                offset: arrived.offset,
                kind: arrived.kind.name(),
                deviations: Names { frame: arrived.deviations, message },
            };
            Bound::new(py, arrived)?.into_any()
        }
        ResponderEvent::TooLarge(core, offset) => {
            let payload = PyBytes::new(py, link.payload()).unbind();
            let refusal = Py::new(py, Refusal::new(core))?;
            Bound::new(py, TooLarge { refusal, payload, offset })?.into_any()
        }
        ResponderEvent::Commit { positive } => {
            Bound::new(py, Commit { is_positive: positive })?.into_any()
        }
        ResponderEvent::Warning { deviation, offset } => {
            Bound::new(py, Deviation { code: deviation.name(), offset })?.into_any()
        }
        ResponderEvent::Fault { fault, offset } => {
            Bound::new(py, Fault { code: fault.name(), offset })?.into_any()
        }
        ResponderEvent::Discard(discard) => Bound::new(py, Discard::from(discard))?.into_any(),
        ResponderEvent::Protocol(protocol) => {
            let (protocol, is_foreign) = (protocol.name(), protocol.is_foreign());
            Bound::new(py, OtherProtocol { protocol, is_foreign })?.into_any()
        }
        ResponderEvent::AnswersLost { answers } => {
            Bound::new(py, AnswersLost { answers })?.into_any()
        }
        ResponderEvent::Closing(reason) => {
            Bound::new(py, Closing { reason: reason.name() })?.into_any()
        }
    })
}
