//! What Python calls.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyType};

use crate::message::body::Body;
use crate::message::control_id::Origin;
use crate::message::error::{edit_error, wrong_type};
use crate::message::ingest_time::{millis_of, moment};
use crate::message::place::path;
use crate::message::segment::{Segment, SegmentText};
use crate::message::value::Given;
use crate::message::{Message, payload_of};

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (payload, encoding = None, *, received = None))]
    fn new(
        payload: &Bound<'_, PyAny>,
        encoding: Option<&str>,
        received: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let payload = payload_of(payload, encoding)?;
        let origin = Origin::new(None, millis_of(received)?);
        Ok(Message::new_in(Body::Given(payload), encoding.map(Arc::from), origin))
    }

    /// The same as calling the class.
    #[classmethod]
    #[pyo3(signature = (payload, encoding = None, *, received = None))]
    fn parse(
        _class: &Bound<'_, PyType>,
        payload: &Bound<'_, PyAny>,
        encoding: Option<&str>,
        received: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Message::new(payload, encoding, received)
    }

    fn __getitem__<'py>(&self, py: Python<'py>, at: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.text_at(py, path(py, at, None, None)?)
    }

    fn __setitem__(&mut self, py: Python<'_>, at: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.write_at(py, path(py, at, None, None)?, Some(value))
    }

    fn __delitem__(&mut self, py: Python<'_>, at: &str) -> PyResult<()> {
        let at = path(py, at, None, None)?;
        if at.field().is_some() {
            return self.write_at(py, at, None);
        }
        self.delete_segment(py, at).map(|_| ())
    }

    fn __contains__(&self, py: Python<'_>, at: &str) -> PyResult<bool> {
        let at = path(py, at, None, None)?;
        Ok(self.peek(py)?.get(at).is_some())
    }

    /// The text at a path, as `msg[path]`, with the occurrence of the segment and the repetition of the
    /// field beside it. Both count from 1.
    #[pyo3(signature = (path, occurrence = None, repetition = None))]
    fn field<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        occurrence: Option<u32>,
        repetition: Option<u32>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.text_at(py, crate::message::place::path(py, path, occurrence, repetition)?)
    }

    /// Writes a value, as `msg[path] = value`, with the occurrence and the repetition beside it.
    #[pyo3(signature = (path, value, occurrence = None, repetition = None))]
    fn set(
        &mut self,
        py: Python<'_>,
        path: &str,
        value: &Bound<'_, PyAny>,
        occurrence: Option<u32>,
        repetition: Option<u32>,
    ) -> PyResult<()> {
        self.write_at(
            py,
            crate::message::place::path(py, path, occurrence, repetition)?,
            Some(value),
        )
    }

    /// The bytes at a path as they stand, still escaped; None if the message has no such place.
    fn bytes<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let at = crate::message::place::path(py, path, None, None)?;
        Ok(self.peek(py)?.get(at).map(|bytes| PyBytes::new(py, bytes)))
    }

    /// The texts of all repetitions of a field, or of the same component in each of them. A field that
    /// is absent or empty has none; a component that is missing counts as empty.
    fn repetitions<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyList>> {
        crate::message::repetitions::texts(py, &self.peek(py)?, path, self.encoding())
    }

    /// Adds a repetition after those of a field.
    fn add_repetition(
        &mut self,
        py: Python<'_>,
        path: &str,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let at = crate::message::place::path(py, path, None, None)?;
        let message = self.peek(py)?;
        let given = Given::of(value, &message, self.encoding())?;
        let form = given.content(&message.delimiters(), message.scan());
        let Some(form) = form else {
            return Err(wrong_type("a repetition", "str or bytes", value));
        };
        let added = self.edit(py)?.add_repetition(at, form.as_content());
        added.map_err(|error| edit_error(py, error))
    }

    /// The segments, in order, or those of one name. Each is a view: what is set there is set in this
    /// message.
    #[pyo3(signature = (name = None))]
    fn segments(slf: &Bound<'_, Self>, name: Option<&str>) -> PyResult<Vec<Segment>> {
        Segment::list(slf, name)
    }

    /// How many segments there are, or how many of one name.
    #[pyo3(signature = (name = None))]
    fn count_segments(&self, py: Python<'_>, name: Option<&str>) -> PyResult<usize> {
        let segments = self.peek(py)?.segments();
        let is_named = |id: &[u8]| name.is_none_or(|name| id == name.as_bytes());
        Ok(segments.filter(|segment| is_named(segment.id())).count())
    }

    /// The segments in groups, each of which begins with a segment of this name. What stands before
    /// the first one is in none.
    #[pyo3(signature = (boundary = "OBR"))]
    fn groups(slf: &Bound<'_, Self>, boundary: &str) -> PyResult<Vec<Vec<Segment>>> {
        let mut groups: Vec<Vec<Segment>> = Vec::new();
        for segment in Segment::list(slf, None)? {
            if segment.is_named(boundary) {
                groups.push(vec![segment]);
            } else if let Some(group) = groups.last_mut() {
                group.push(segment);
            }
        }
        Ok(groups)
    }

    /// Adds a segment at the end, written as it stands: `NTE|1||checked`.
    fn add_segment(&mut self, py: Python<'_>, segment: SegmentText<'_>) -> PyResult<()> {
        let bytes = segment.bytes(&self.peek(py)?, self.encoding())?;
        self.edit(py)?.add_segment(&bytes).map_err(|error| edit_error(py, error))
    }

    /// Inserts a segment before the one that the path names, such as `OBX[2]`.
    fn insert_segment_before(
        &mut self,
        py: Python<'_>,
        path: &str,
        segment: SegmentText<'_>,
    ) -> PyResult<()> {
        self.insert_beside(py, crate::message::place::path(py, path, None, None)?, &segment, false)
    }

    /// Inserts a segment after the one that the path names, such as `OBX[2]`.
    fn insert_segment_after(
        &mut self,
        py: Python<'_>,
        path: &str,
        segment: SegmentText<'_>,
    ) -> PyResult<()> {
        self.insert_beside(py, crate::message::place::path(py, path, None, None)?, &segment, true)
    }

    /// Deletes all segments of a name and returns how many there were.
    fn delete_segments(&mut self, py: Python<'_>, name: &str) -> PyResult<usize> {
        let first = path(py, name, Some(1), None)?;
        let mut deleted = 0;
        while self.delete_segment(py, first)? {
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Gives the message other separators: MSH-1 and MSH-2 as they are to follow `MSH`. All values keep
    /// their meaning.
    fn reencode(&mut self, py: Python<'_>, separators: &str) -> PyResult<()> {
        self.edit(py)?.reencode(separators.as_bytes()).map_err(|error| edit_error(py, error))
    }

    /// MSH-9.1, `ADT` in `ADT^A01^ADT_A01`; None if there is none.
    #[getter]
    fn message_code(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.header_text(py, "MSH-9.1.1")
    }

    /// MSH-9.2, `A01` in `ADT^A01^ADT_A01`; None if there is none.
    #[getter]
    fn trigger_event(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.header_text(py, "MSH-9.2")
    }

    /// Message code and trigger event, `ADT^A01` whatever the separators are; `ACK` without an event.
    /// None if there is no message code.
    #[getter]
    fn message_type(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let Some(code) = self.message_code(py)? else { return Ok(None) };
        Ok(Some(match self.trigger_event(py)? {
            Some(event) => format!("{code}^{event}"),
            None => code,
        }))
    }

    /// MSH-10; None if there is none.
    #[getter]
    fn control_id(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.header_text(py, "MSH-10")
    }

    /// A control ID for a message that is made from this one: another one for each call, and the same
    /// ones when the handler runs for this message again. Does not change the message.
    fn new_control_id(&self, py: Python<'_>) -> PyResult<String> {
        self.origin.next(py, self.body.bytes(py))
    }

    /// When the message was received, an aware `datetime` in UTC: the same each time that a function
    /// runs for it, which the clock of the machine is not. Raises MessageError where it is not known.
    fn ingest_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.received())
    }

    /// The bytes of the message.
    fn encode(&self, py: Python<'_>) -> Py<PyBytes> {
        self.body.object(py)
    }

    fn __bytes__(&self, py: Python<'_>) -> Py<PyBytes> {
        self.body.object(py)
    }

    /// The same message once more. Costs nothing until one of the two is changed.
    fn copy(&self, py: Python<'_>) -> Message {
        self.share(py)
    }

    fn __copy__(&self, py: Python<'_>) -> Message {
        self.share(py)
    }

    fn __deepcopy__(&self, py: Python<'_>, _memo: &Bound<'_, PyDict>) -> Message {
        self.share(py)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.body.bytes(py).len()
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> bool {
        let py = slf.py();
        slf.is(other) || slf.borrow().body.bytes(py) == other.borrow().body.bytes(py)
    }

    // Payloads are health data: the length, never the bytes.
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Message(<{} bytes>)", self.__len__(py))
    }
}
