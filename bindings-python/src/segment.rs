//! One segment of a message.

use hl7_peek::{Message as Peek, Segment as PeekSegment};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::reading::Reading;

/// One segment, its values still escaped.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct Segment {
    /// The segment ID.
    #[pyo3(get)]
    id: Py<PyBytes>,
    /// The segment without its terminator.
    #[pyo3(get)]
    raw: Py<PyBytes>,
    fields: Vec<Py<PyBytes>>,
    // The message, whose delimiters cut a field further on demand.
    payload: Py<PyBytes>,
    reading: Reading,
}

impl Segment {
    pub(crate) fn list<'py>(
        py: Python<'py>,
        message: &Peek<'_>,
        payload: &Py<PyBytes>,
        reading: Reading,
    ) -> PyResult<Bound<'py, PyList>> {
        let segment = |segment: PeekSegment<'_>| Segment {
            id: PyBytes::new(py, segment.id()).unbind(),
            raw: PyBytes::new(py, segment.raw()).unbind(),
            fields: segment.fields().map(|f| PyBytes::new(py, f.raw()).unbind()).collect(),
            payload: payload.clone_ref(py),
            reading,
        };
        PyList::new(py, message.segments().map(segment).collect::<Vec<_>>())
    }
}

#[pymethods]
impl Segment {
    /// The fields, the first one at index 0; MSH-1 is the field separator itself.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.fields.iter().map(|raw| raw.clone_ref(py)))
    }

    /// The field of this number, counted from 1; None when the segment ends before it.
    fn field(&self, py: Python<'_>, number: usize) -> Option<Py<PyBytes>> {
        self.fields.get(number.checked_sub(1)?).map(|raw| raw.clone_ref(py))
    }

    /// The parts of the field of this number: a list of repetitions, each a list of components, each
    /// a list of subcomponents; None when the segment ends before it.
    fn parts<'py>(&self, py: Python<'py>, number: usize) -> PyResult<Option<Bound<'py, PyList>>> {
        let message = self.reading.peek(self.payload.as_bytes(py))?;
        let Some(field) = message.segment_of(self.raw.as_bytes(py)).field(number) else {
            return Ok(None);
        };
        let repetitions = PyList::empty(py);
        for repetition in field.repetitions() {
            let components = PyList::empty(py);
            for component in repetition.components() {
                let parts = component.subcomponents().map(|part| PyBytes::new(py, part));
                components.append(PyList::new(py, parts.collect::<Vec<_>>())?)?;
            }
            repetitions.append(components)?;
        }
        Ok(Some(repetitions))
    }

    fn __len__(&self) -> usize {
        self.fields.len()
    }

    // Payloads are health data: the number of fields, never the bytes.
    fn __repr__(&self) -> String {
        format!("Segment(<{} fields>)", self.fields.len())
    }
}
