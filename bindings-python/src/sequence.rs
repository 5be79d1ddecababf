//! The sequence number protocol (2.9.1): MSH-13 and MSA-4.

use ack_gen::{SequenceAction as CoreAction, SequenceReceiver as CoreReceiver};
use pyo3::prelude::*;

use crate::input::Input;

/// The receiver's side of the sequence number protocol (2.9.1).
#[pyclass(module = "fastmllp")]
pub(crate) struct SequenceReceiver(CoreReceiver);

#[pymethods]
impl SequenceReceiver {
    #[new]
    #[pyo3(signature = (expected = None))]
    fn new(expected: Option<i64>) -> Self {
        SequenceReceiver(CoreReceiver { expected })
    }

    /// The number that the next message must have; None before the first one.
    #[getter]
    fn expected(&self) -> Option<i64> {
        self.0.expected
    }

    /// Takes MSH-13 of a message. Returns whether it fits, and MSA-4 of the answer.
    fn receive(&mut self, sequence_number: Input<'_>) -> (bool, i64) {
        let answer = self.0.receive(&sequence_number);
        (answer.fits, answer.expected_sequence_number)
    }
}

/// The sender's side of the sequence number protocol (2.9.1): what follows a refusal.
///
/// A refusal is AR in original mode and CE in enhanced mode (2.8.3.1 c).
#[pyclass(module = "fastmllp", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct SequenceAction(CoreAction);

#[pymethods]
impl SequenceAction {
    /// From the number of the refused message, MSH-13 as it was sent, and MSA-4 of the refusal as it
    /// stands, `b""` when it has none.
    ///
    /// MSA-4 that is no whole number of at most 64 bits is not an error: the action is then
    /// `freeze`. Raises OverflowError when `sent` has more than 64 bits.
    #[staticmethod]
    fn after_refusal(sent: i64, expected_sequence_number: Input<'_>) -> Self {
        SequenceAction(CoreAction::after_refusal(sent, &expected_sequence_number))
    }

    /// `continue`: only the acknowledgment was lost, go on with the next message. `restart_from`:
    /// the receiver misses messages, send again from `number`, or stop. `freeze`: the two sides
    /// disagree, stop the link and call for a person.
    #[getter]
    fn name(&self) -> &'static str {
        match self.0 {
            CoreAction::Continue => "continue",
            CoreAction::RestartFrom(_) => "restart_from",
            CoreAction::Freeze => "freeze",
        }
    }

    /// The number to send again from; None unless `name` is `restart_from`.
    #[getter]
    fn number(&self) -> Option<i64> {
        match self.0 {
            CoreAction::RestartFrom(number) => Some(number),
            CoreAction::Continue | CoreAction::Freeze => None,
        }
    }

    fn __repr__(&self) -> String {
        match self.number() {
            Some(number) => format!("SequenceAction({}, {number})", self.name()),
            None => format!("SequenceAction({})", self.name()),
        }
    }
}
