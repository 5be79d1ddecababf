//! The places of messages among the answers of a connection.

use mllp_link::{AnswerError, Refusal as CoreRefusal, Ticket as Core, Unanswered, Unrefused};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{ack_error, batch_accepted, frame_error, link_error, message_error};

/// The place of one complete message among the answers; good for one answer.
#[pyclass(module = "fastmllp")]
pub(crate) struct Ticket {
    core: Option<Core>,
    number: u32,
    payload: Py<PyBytes>,
}

/// The place of a message that was lost: it can be refused, never accepted.
#[pyclass(module = "fastmllp")]
pub(crate) struct Refusal {
    core: Option<CoreRefusal>,
}

#[pymethods]
impl Ticket {
    /// The place among the messages of the connection, counted from 0.
    #[getter]
    fn number(&self) -> u32 {
        self.number
    }

    /// The payload of the message.
    #[getter]
    fn payload(&self, py: Python<'_>) -> Py<PyBytes> {
        self.payload.clone_ref(py)
    }
}

impl Ticket {
    pub(crate) fn new(core: Core, payload: Py<PyBytes>) -> Self {
        Ticket { number: core.number(), core: Some(core), payload }
    }

    pub(crate) fn bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        self.payload.as_bytes(py)
    }

    pub(crate) fn core(&self) -> PyResult<&Core> {
        self.core.as_ref().ok_or_else(used)
    }

    pub(crate) fn take(&mut self) -> PyResult<Core> {
        self.core.take().ok_or_else(used)
    }

    pub(crate) fn give_back(&mut self, unanswered: Unanswered) -> PyErr {
        self.core = Some(unanswered.ticket);
        answer_error(unanswered.error)
    }
}

impl Refusal {
    pub(crate) fn new(core: CoreRefusal) -> Self {
        Refusal { core: Some(core) }
    }

    pub(crate) fn take(&mut self) -> PyResult<CoreRefusal> {
        self.core.take().ok_or_else(used)
    }

    pub(crate) fn give_back(&mut self, unrefused: Unrefused) -> PyErr {
        self.core = Some(unrefused.refusal);
        answer_error(unrefused.error)
    }
}

fn used() -> PyErr {
    link_error("the message has been answered".to_owned(), "answered")
}

fn answer_error(error: AnswerError) -> PyErr {
    match error {
        AnswerError::Ack(error) => ack_error(error),
        AnswerError::Batch => batch_accepted(),
        AnswerError::Frame(error) => frame_error(error),
        AnswerError::Message(error) => message_error(error),
        AnswerError::NotAtHand | AnswerError::Closed => link_error(error.to_string(), error.name()),
    }
}
