//! The loop of a worker process: it runs routers and handlers on the messages that the engine gives it.

use std::io;

use mllp_engine::Failure;
use mllp_engine::worker::{Answer, Call, Child, Sent};
use pyo3::prelude::*;

use crate::functions::{Functions, Input, Made};

/// The end of a worker process that answers the engine.
///
/// Making one takes standard input and standard output away: what is read finds nothing, and what is
/// printed goes to standard error. Raises OSError in a process that no engine has started.
#[pyclass(module = "fastmllp_engine")]
pub(crate) struct Worker {
    child: Child,
}

#[pymethods]
impl Worker {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Worker { child: Child::take()? })
    }

    /// Tells the engine that this worker cannot work, and why. The process should end after that.
    fn refuse(&mut self, why: &str) -> PyResult<()> {
        Ok(self.child.refuse(why)?)
    }

    /// Runs the functions on what the engine sends, until it wants no more.
    ///
    /// Raises OSError when the engine cannot be understood: the process should end then too.
    fn run(&mut self, py: Python<'_>, functions: Py<Functions>) -> PyResult<()> {
        let functions = functions.get();
        self.child.hello(&functions.router_names(), &functions.handler_names())?;
        while let Some(call) = self.next_call(py)? {
            let answered = match functions.made(py, call.function(), Input::Call(&call)) {
                Ok(made) => self.answer(py, &call, &made),
                Err(error) => {
                    let (note, trace) = functions.explained(py, error);
                    self.child.answer(&failed(&note, &trace))
                }
            };
            answered.map_err(PyErr::from)?;
        }
        Ok(())
    }
}

impl Worker {
    fn next_call(&mut self, py: Python<'_>) -> io::Result<Option<Call>> {
        let call = if self.child.has_call() {
            self.child.next_call()?
        } else {
            py.detach(|| self.child.next_call())?
        };
        // A message that is not whole is fetched without the interpreter. What cannot be read now is
        // answered with nothing, because the engine asks again.
        if let Some(call) = &call
            && (call.beginning().len() as u64) < call.len()
        {
            let _ = py.detach(|| call.payload().is_ok());
        }
        Ok(call)
    }

    fn answer(&mut self, py: Python<'_>, call: &Call, made: &Made) -> io::Result<()> {
        match made {
            Made::Handlers(names) => {
                self.child.answer(&Answer::Handlers(names.iter().map(String::as_str).collect()))
            }
            Made::Sends(sends) => {
                let given = call.payload().unwrap_or_default();
                let mut sent = Vec::with_capacity(sends.len());
                for one in sends {
                    let bytes = one.get().bytes(py);
                    // Most were never copied, so that nothing needs to be compared.
                    let is_given = std::ptr::eq(bytes, given) || bytes == given;
                    sent.push(Sent { to: one.get().name(), bytes: (!is_given).then_some(bytes) });
                }
                self.child.answer(&Answer::Sends(sent))
            }
            Made::Wrong(note) => self.child.answer(&failed(note, note)),
            Made::Unreadable => {
                let failure = Failure::Infrastructure;
                let note = "the message cannot be read now";
                self.child.answer(&Answer::Failed { failure, note, trace: note })
            }
        }
    }
}

const fn failed<'a>(note: &'a str, trace: &'a str) -> Answer<'a> {
    Answer::Failed { failure: Failure::Content, note, trace }
}
