//! Views of segments.

use hl7_peek::{Message as Peek, Path};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::message::Message;
use crate::message::character_set::encode;
use crate::message::edits::moved;
use crate::message::error::{message_error, wrong_type};
use crate::message::place::path_in;
use crate::message::value::text;

/// A segment as an argument: text or bytes as they are to stand in the message.
#[derive(FromPyObject)]
pub(crate) struct SegmentText<'py>(Bound<'py, PyAny>);

impl SegmentText<'_> {
    pub(crate) fn bytes(&self, message: &Peek<'_>, encoding: Option<&str>) -> PyResult<Vec<u8>> {
        if let Ok(bytes) = self.0.cast::<PyBytes>() {
            return Ok(bytes.as_bytes().to_vec());
        }
        match self.0.cast::<PyString>() {
            Ok(text) => encode(text, message, encoding),
            Err(_) => Err(wrong_type("a segment", "str or bytes", &self.0)),
        }
    }
}

/// One segment of a message: `obx["5"]`, `obx[5]` and `obx["3[2].1"]` are nodes of it.
///
/// It stays this segment when others are inserted or deleted, and raises MessageError once it has been
/// deleted itself.
#[pyclass(module = "fastmllp_engine")]
pub(crate) struct Segment {
    message: Py<Message>,
    id: Vec<u8>,
    index: usize,
    /// How many changes of the order the index takes into account.
    seen: usize,
    /// The place of the segment, and the version of the message in which it was there.
    place: (u64, core::ops::Range<usize>),
}

impl Segment {
    pub(crate) fn list(message: &Bound<'_, Message>, name: Option<&str>) -> PyResult<Vec<Segment>> {
        let py = message.py();
        let borrowed = message.borrow();
        let peek = borrowed.peek(py)?;
        let base = peek.payload().as_ptr() as usize;
        let view = |(index, raw, id): (usize, &[u8], &[u8])| {
            let start = (raw.as_ptr() as usize).wrapping_sub(base);
            let place = (borrowed.version, start..start.wrapping_add(raw.len()));
            let (message, seen) = (message.clone().unbind(), borrowed.edits.len());
            Segment { message, id: id.to_vec(), index, seen, place }
        };
        let segments = peek.segments().enumerate().map(|(at, it)| (at, it.raw(), it.id()));
        let named = segments.filter(|(.., id)| name.is_none_or(|name| *id == name.as_bytes()));
        Ok(named.map(view).collect())
    }

    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.id == name.as_bytes()
    }

    /// Where the segment is now. Raises MessageError once it has been deleted.
    fn find(&mut self, py: Python<'_>, message: &Message) -> PyResult<()> {
        let edits = message.edits.get(self.seen..).unwrap_or_default();
        let Some(index) = moved(self.index, edits) else { return Err(deleted(py)) };
        (self.index, self.seen) = (index, message.edits.len());
        if self.place.0 == message.version {
            return Ok(());
        }
        let peek = message.peek(py)?;
        let raw = peek.segments().nth(index).ok_or_else(|| deleted(py))?.raw();
        let start = (raw.as_ptr() as usize).wrapping_sub(peek.payload().as_ptr() as usize);
        self.place = (message.version, start..start.wrapping_add(raw.len()));
        Ok(())
    }

    /// The path of a node of this segment.
    fn path(&mut self, py: Python<'_>, inner: &Bound<'_, PyAny>) -> PyResult<Path> {
        let occurrence = self.occurrence(py)?;
        path_in(py, &self.id, occurrence, inner)
    }

    /// Which of the segments of its name it is.
    fn occurrence(&mut self, py: Python<'_>) -> PyResult<usize> {
        let message = self.message.clone_ref(py);
        let message = message.borrow(py);
        self.find(py, &message)?;
        let before = message.peek(py)?.segments().take(self.index + 1);
        Ok(before.filter(|segment| segment.id() == self.id).count())
    }

    /// The path of the segment.
    fn own_path(&mut self, py: Python<'_>) -> PyResult<Path> {
        let occurrence = self.occurrence(py)?;
        let id = String::from_utf8_lossy(&self.id).into_owned();
        crate::message::place::path(py, &format!("{id}[{occurrence}]"), None, None)
    }

    /// What `read` makes of the node at a path inside the segment.
    fn node<R>(
        &mut self,
        py: Python<'_>,
        inner: &Bound<'_, PyAny>,
        read: impl FnOnce(&Message, &Peek<'_>, Path, &[u8]) -> PyResult<R>,
    ) -> PyResult<Option<R>> {
        let at = path_in(py, &self.id, 1, inner)?;
        let message = self.message.clone_ref(py);
        let message = message.borrow(py);
        self.find(py, &message)?;
        let peek = message.peek(py)?;
        let raw = peek.payload().get(self.place.1.clone()).unwrap_or_default();
        match node_in(&peek, raw, at) {
            Some(node) => read(&message, &peek, at, node).map(Some),
            None => Ok(None),
        }
    }
}

/// The bytes at a path in a segment of this message.
fn node_in<'m>(message: &Peek<'m>, raw: &'m [u8], at: Path) -> Option<&'m [u8]> {
    let index = |number: u32| (number as usize).saturating_sub(1);
    let field = message.segment_of(raw).fields().nth(index(at.field()?))?;
    let Some(repetition) = at.repetition() else { return Some(field.raw()) };
    let repetition = field.repetitions().nth(index(repetition))?;
    let Some(component) = at.component() else { return Some(repetition.raw()) };
    let component = repetition.components().nth(index(component))?;
    let Some(subcomponent) = at.subcomponent() else { return Some(component.raw()) };
    component.subcomponents().nth(index(subcomponent))
}

fn deleted(py: Python<'_>) -> PyErr {
    message_error(py, "the segment has been deleted from its message", "deleted")
}

#[pymethods]
impl Segment {
    /// The segment ID, such as `OBX`.
    #[getter]
    fn id(&self) -> String {
        String::from_utf8_lossy(&self.id).into_owned()
    }

    fn __getitem__<'py>(
        &mut self,
        py: Python<'py>,
        path: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.node(py, path, |message, peek, at, node| text(py, peek, at, node, message.encoding()))
    }

    /// The bytes at a path inside the segment, still escaped; None if there is no such place.
    fn bytes<'py>(
        &mut self,
        py: Python<'py>,
        path: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.node(py, path, |_, _, _, node| Ok(PyBytes::new(py, node)))
    }

    fn __setitem__(
        &mut self,
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let at = self.path(py, path)?;
        self.message.borrow_mut(py).write_at(py, at, Some(value))
    }

    fn __delitem__(&mut self, py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<()> {
        let at = self.path(py, path)?;
        self.message.borrow_mut(py).write_at(py, at, None)
    }

    /// Deletes the segment from its message.
    fn delete(&mut self, py: Python<'_>) -> PyResult<()> {
        let at = self.own_path(py)?;
        self.message.borrow_mut(py).delete_segment(py, at).map(|_| ())
    }

    /// Inserts a segment before this one.
    fn insert_before(&mut self, py: Python<'_>, segment: SegmentText<'_>) -> PyResult<()> {
        let at = self.own_path(py)?;
        self.message.borrow_mut(py).insert_beside(py, at, &segment, false)
    }

    /// Inserts a segment after this one.
    fn insert_after(&mut self, py: Python<'_>, segment: SegmentText<'_>) -> PyResult<()> {
        let at = self.own_path(py)?;
        self.message.borrow_mut(py).insert_beside(py, at, &segment, true)
    }

    /// The segment as it stands, without its terminator.
    fn encode<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let message = self.message.clone_ref(py);
        let message = message.borrow(py);
        self.find(py, &message)?;
        let bytes = message.body.bytes(py).get(self.place.1.clone()).unwrap_or_default();
        Ok(PyBytes::new(py, bytes))
    }

    // Payloads are health data: the length, never the bytes.
    fn __repr__(&mut self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Segment(<{} bytes>)", self.encode(py)?.as_bytes().len()))
    }
}
