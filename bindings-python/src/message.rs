//! Fields of a message.

use std::sync::Arc;

use hl7_peek::{CharacterSet, Kind, Message as Peek, Scan, Value};
use hl7_text::{Sets, decode, unescaped};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::error::undecodable_set;
use crate::header::{MessageHeader, places};
use crate::input::{Input, ScanArgument};
use crate::path::PathArgument;
use crate::payload::Payload;
use crate::reading::Reading;
use crate::segment::Segment;

/// An HL7 v2 message, read in place.
///
/// Making one never raises, whatever the payload; reading a message without a usable header does.
///
/// `scan` says how delimiters are told from the bytes of two-byte characters: `single_byte`,
/// `shift_jis`, `gb18030` (also `gbk` and `big5`), `iso2022_jp`, or `auto`, which follows MSH-18. By
/// `single_byte` every byte that equals a delimiter is one, except between the escape sequences of
/// ISO 2022 in a message that announces them beside its default set.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct Message {
    payload: Arc<Payload>,
    reading: Reading,
}

impl Message {
    /// What a handler is called with: read leniently, as the acknowledgment is.
    pub(crate) fn of(payload: Arc<Payload>, scan: Scan) -> Self {
        Message { payload, reading: Reading { scan, lenient: true } }
    }

    /// What `read` finds in the message.
    fn peek<R>(&self, py: Python<'_>, read: impl FnOnce(Peek<'_>) -> R) -> PyResult<R> {
        let place = self.payload.place(py);
        self.reading.peek(place.bytes(py)).map(read)
    }
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(
        signature = (payload, *, scan = ScanArgument(Scan::SingleByte), lenient = false),
        text_signature = "(payload, *, scan='single_byte', lenient=False)"
    )]
    fn new(py: Python<'_>, payload: Input<'_>, scan: ScanArgument, lenient: bool) -> Self {
        let reading = Reading { scan: scan.0, lenient };
        Message { payload: Arc::new(Payload::new(payload.into_bytes(py).unbind())), reading }
    }

    /// The bytes of the message, as they stood on the wire.
    #[getter]
    fn payload(&self, py: Python<'_>) -> Py<PyBytes> {
        self.payload.object(py)
    }

    /// The fields of MSH. Raises MessageError when the payload has no usable header.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<MessageHeader> {
        let payload = self.payload.object(py);
        let bytes = payload.as_bytes(py);
        let fields = places(bytes, &self.reading.peek(bytes)?.header());
        Ok(MessageHeader::new(payload, fields))
    }

    /// MSH-1 followed by MSH-2. Raises MessageError when the payload has no usable header.
    #[getter]
    fn delimiters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.peek(py, |message| {
            let field = message.delimiters().field;
            PyBytes::new(py, &[&[field], message.encoding_characters()].concat())
        })
    }

    /// `single`, or `batch` when the payload starts with FHS or BHS or has a second MSH. Raises
    /// MessageError when the payload has no usable header.
    #[getter]
    fn kind(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.peek(py, |message| match message.kind() {
            Kind::Single => "single",
            Kind::Batch => "batch",
        })
    }

    /// `doubled_escape` when MSH-2 doubles its escape character, as text pasted from source code does, and
    /// None otherwise. Only a lenient reading gets so far. Raises MessageError when the payload has no
    /// usable header.
    #[getter]
    fn deviation(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        self.peek(py, |message| message.deviation())
    }

    /// Whether a segment goes on in an ADD segment: its last field continues in ADD-1, and the fields
    /// behind that are ADD-2 and so on. Values are not joined. Raises MessageError when the payload has
    /// no usable header.
    #[getter]
    fn has_addenda(&self, py: Python<'_>) -> PyResult<bool> {
        self.peek(py, |message| message.has_addenda())
    }

    /// The character set that MSH-18 names, by its name in table 0211; None for an unknown one. The
    /// first repetition counts, which is the set of the whole message. Raises MessageError when the
    /// payload has no usable header.
    #[getter]
    fn character_set(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        self.peek(py, |message| CharacterSet::of(&message.header()).map(CharacterSet::name))
    }

    /// The bytes at a path such as `PID-3.1`, still escaped; None when the message has no such
    /// place. Raises MessageError for a payload without a header and for a path that is none.
    fn get<'py>(
        &self,
        py: Python<'py>,
        path: PathArgument,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.peek(py, |message| message.get(path.0).map(|bytes| PyBytes::new(py, bytes)))
    }

    /// The single value at a path, still escaped: repetition, component and subcomponent that the
    /// path does not name are the first ones. None when the message has no such place.
    fn leaf<'py>(
        &self,
        py: Python<'py>,
        path: PathArgument,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.peek(py, |message| message.leaf(path.0).map(|bytes| PyBytes::new(py, bytes)))
    }

    /// `absent`, `empty`, `null` (two double quotes: delete what is stored) or `value`.
    fn status(&self, py: Python<'_>, path: PathArgument) -> PyResult<&'static str> {
        self.peek(py, |message| match message.value(path.0) {
            Value::Absent => "absent",
            Value::Empty => "empty",
            Value::Null => "null",
            Value::Value(_) => "value",
        })
    }

    /// The single value at a path as text, unescaped and decoded; None when `status` is not `value`.
    ///
    /// Found as `get` finds it, and decoded by the set that MSH-18 names, by UTF-8 where that is empty.
    /// The escape sequences of ISO 2022, and those of HL7 for character sets, switch to other sets
    /// inside a value where a further repetition of MSH-18 or MSH-20 announces them. `encoding`, a
    /// Python codec, stands in for MSH-18, also for how the value is found. `errors` is as for
    /// `bytes.decode`.
    ///
    /// Raises CharacterSetError for a name in MSH-18 that is not known, unless `encoding` is given;
    /// MessageError as `get`; UnicodeDecodeError where `errors` says so; LookupError for a codec that
    /// does not exist.
    #[pyo3(signature = (path, encoding = None, errors = "replace"))]
    fn text<'py>(
        &self,
        py: Python<'py>,
        path: PathArgument,
        encoding: Option<&str>,
        errors: &str,
    ) -> PyResult<Option<Bound<'py, PyString>>> {
        let place = self.payload.place(py);
        let named = encoding.and_then(|codec| CharacterSet::from_name(codec.as_bytes()));
        let scan = named.map_or(self.reading.scan, CharacterSet::scan);
        let message = Reading { scan, ..self.reading }.peek(place.bytes(py))?;
        let Value::Value(value) = message.value(path.0) else { return Ok(None) };
        // MSH-1 and MSH-2 are the delimiters themselves, never escaped.
        let is_delimiters = matches!(path.0.field(), Some(1 | 2))
            && matches!(path.0.segment(), b"MSH" | b"FHS" | b"BHS");
        let text = match (encoding, is_delimiters) {
            (Some(codec), true) => decode(py, value, codec, errors),
            (Some(codec), false) => {
                decode(py, &unescaped(value, &message.delimiters(), scan), codec, errors)
            }
            (None, true) => sets(&message)?.decode_plain(py, value, errors),
            (None, false) => sets(&message)?.decode(py, value, &message.delimiters(), errors),
        };
        text.map(Some)
    }

    /// The segments, in order; empty ones are left out.
    fn segments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let payload = self.payload.object(py);
        Segment::list(py, &self.reading.peek(payload.as_bytes(py))?, &payload, self.reading)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.segments(py)?.try_iter()?.into_any())
    }

    fn __bytes__(&self, py: Python<'_>) -> Py<PyBytes> {
        self.payload.object(py)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.payload.place(py).bytes(py).len()
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.payload.place(py).bytes(py) == other.payload.place(py).bytes(py)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.payload.object(py).bind(py).hash()
    }

    // Payloads are health data: the length, never the bytes.
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Message(<{} bytes>)", self.__len__(py))
    }
}

/// The character sets of a message. Raises CharacterSetError where the first is not known.
fn sets(message: &Peek<'_>) -> PyResult<Sets> {
    Sets::of(&message.header()).map_err(undecodable_set)
}
