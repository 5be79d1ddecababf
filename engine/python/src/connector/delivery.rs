//! A delivery, as the process of a connector has it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mllp_engine::connector::{Delivery as Its, Outcome};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::options::word;

/// What may have become of a delivery that has not arrived.
const KINDS: [(&str, Outcome); 7] = [
    ("refused_for_good", Outcome::RefusedForGood),
    ("refused_for_now", Outcome::RefusedForNow),
    ("transport", Outcome::Transport),
    ("no_reply", Outcome::NoReply),
    ("content", Outcome::Unsendable),
    ("credential", Outcome::Credential),
    ("infrastructure", Outcome::Unreadable),
];

/// A message that a connector is to deliver.
#[pyclass(frozen, module = "fastmllp_engine._native")]
pub(crate) struct Delivery(Mutex<Its>);

impl Delivery {
    pub(crate) const fn new(its: Its) -> Delivery {
        Delivery(Mutex::new(its))
    }

    fn its(&self) -> MutexGuard<'_, Its> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, py: Python<'_>, outcome: Outcome, note: &str) -> PyResult<()> {
        Ok(py.detach(|| self.its().answer(outcome, note))?)
    }
}

#[pymethods]
impl Delivery {
    #[getter]
    fn message(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.its().message())
    }

    #[getter]
    fn control_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let control_id = py.detach(|| self.its().control_id().to_vec());
        PyBytes::new(py, &control_id)
    }

    #[getter]
    fn attempt(&self, py: Python<'_>) -> u32 {
        py.detach(|| self.its().attempt())
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let payload = py.detach(|| self.its().payload())?;
        Ok(PyBytes::new(py, &payload))
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        usize::try_from(py.detach(|| self.its().len())).unwrap_or(usize::MAX)
    }

    fn __bool__(&self) -> bool {
        true
    }

    #[pyo3(signature = (size = 262_144))]
    fn read<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let read = py.detach(|| self.its().read(size).map(<[u8]>::to_vec))?;
        Ok(PyBytes::new(py, &read))
    }

    #[pyo3(signature = (note = ""))]
    fn delivered(&self, py: Python<'_>, note: &str) -> PyResult<()> {
        self.answer(py, Outcome::Delivered, note)
    }

    #[pyo3(signature = (kind, note = ""))]
    fn failed(&self, py: Python<'_>, kind: &str, note: &str) -> PyResult<()> {
        self.answer(py, word("kind", kind, &KINDS)?, note)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        py.detach(|| format!("{:?}", self.its()))
    }
}
