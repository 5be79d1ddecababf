//! The process of a connector, as Python sees it.

pub(crate) mod delivery;
mod options;

use std::time::{Duration, Instant};

use mllp_engine::connector::{Child, Level, Stored};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::options::{seconds, word};
use delivery::Delivery;
pub(crate) use options::{ConnectorInboundOptions, ConnectorOutboundOptions};

create_exception!(
    fastmllp_engine._native,
    NotStored,
    PyException,
    "A message was not stored, or it is not known that it was: the connector submits it again."
);

/// How much a line of the log matters.
const LEVELS: [(&str, Level); 4] = [
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
];

/// Signals that Python handles are looked for this often.
const SIGNALS: Duration = Duration::from_millis(500);

/// What became of a message that the engine holds.
#[pyclass(frozen, module = "fastmllp_engine._native")]
pub(crate) struct Submitted {
    #[pyo3(get)]
    message: u64,
    #[pyo3(get)]
    duplicate_of: Option<u64>,
    #[pyo3(get)]
    outcome: &'static str,
}

#[pymethods]
impl Submitted {
    fn __repr__(&self) -> String {
        let Submitted { message, duplicate_of, outcome } = self;
        match duplicate_of {
            Some(first) => format!("Submitted({message}, {outcome}, duplicate_of={first})"),
            None => format!("Submitted({message}, {outcome})"),
        }
    }
}

/// What the engine has said of a submission.
fn submitted(its: mllp_engine::connector::Submitted) -> PyResult<Submitted> {
    use mllp_engine::connector::Submitted as Its;
    let (Stored { message, duplicate_of }, outcome) = match its {
        Its::Stored(stored) if stored.duplicate_of.is_some() => (stored, "duplicate"),
        Its::Stored(stored) => (stored, "stored"),
        Its::NotDelivered(stored) => (stored, "not_delivered"),
        Its::Refused(stored) => (stored, "refused"),
        Its::NotStored => return Err(NotStored::new_err("the message is not stored")),
        Its::Unknown => {
            return Err(NotStored::new_err("it is not known whether the message is stored"));
        }
    };
    Ok(Submitted { message, duplicate_of, outcome })
}

/// The end of a connector's process that speaks with the engine.
#[pyclass(frozen, module = "fastmllp_engine._native")]
pub(crate) struct Connector {
    child: Child,
}

#[pymethods]
impl Connector {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Connector> {
        Ok(Connector { child: py.detach(Child::take)? })
    }

    #[getter]
    fn connection(&self) -> &str {
        self.child.connection()
    }

    #[getter]
    fn is_inbound(&self) -> bool {
        self.child.is_inbound()
    }

    fn hello(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.child.hello())?)
    }

    fn refuse(&self, py: Python<'_>, why: &str) -> PyResult<()> {
        Ok(py.detach(|| self.child.refuse(why))?)
    }

    fn ready(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.child.ready())?)
    }

    fn not_ready(&self, py: Python<'_>, why: &str) -> PyResult<()> {
        Ok(py.detach(|| self.child.not_ready(why))?)
    }

    fn note(&self, py: Python<'_>, level: &str, text: &str) -> PyResult<()> {
        let level = word("level", level, &LEVELS)?;
        Ok(py.detach(|| self.child.note(level, text))?)
    }

    fn submit(&self, py: Python<'_>, payload: &Bound<'_, PyBytes>) -> PyResult<Submitted> {
        let payload = payload.as_bytes();
        submitted(py.detach(|| self.child.submit(payload))?)
    }

    fn submit_parts(&self, py: Python<'_>, parts: &Bound<'_, PyAny>) -> PyResult<Submitted> {
        let parts = parts.try_iter()?;
        let mut submission = py.detach(|| self.child.submission())?;
        for part in parts {
            // Whatever goes wrong, the submission is dropped, and nothing of it is stored.
            let part = part?;
            let bytes = part.cast::<PyBytes>();
            let bytes = bytes.map_err(|_| PyTypeError::new_err("a part is not bytes"))?.as_bytes();
            py.detach(|| submission.part(bytes))?;
        }
        submitted(py.detach(|| submission.end())?)
    }

    #[pyo3(signature = (seconds))]
    fn wait(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = time)] seconds: Duration,
    ) -> PyResult<bool> {
        let began = Instant::now();
        loop {
            let left = seconds.saturating_sub(began.elapsed());
            if !py.detach(|| self.child.wait(left.min(SIGNALS))) {
                return Ok(false);
            }
            py.check_signals()?;
            if left <= SIGNALS {
                return Ok(true);
            }
        }
    }

    #[getter]
    fn paused(&self) -> bool {
        self.child.is_paused()
    }

    #[getter]
    fn ending(&self) -> bool {
        self.child.is_ending()
    }

    fn next_delivery(&self, py: Python<'_>) -> PyResult<Option<Delivery>> {
        let delivery = py.detach(|| self.child.next_delivery())?;
        Ok(delivery.map(Delivery::new))
    }
}

fn time(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    seconds("seconds", value.extract()?)
}
