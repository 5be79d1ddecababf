//! Fields of a message.

use std::sync::Arc;

use hl7_peek::{CharacterSet, Kind, Message as Peek, Scan, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::error::message_error;
use crate::header::{MessageHeader, places};
use crate::input::{Input, ScanArgument};
use crate::path::PathArgument;
use crate::payload::Payload;
use crate::segment::Segment;

/// An HL7 v2 message, read in place.
///
/// Making one never raises, whatever the payload; reading a message without a usable header does.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct Message {
    payload: Arc<Payload>,
    reading: Reading,
}

/// How the payload of a message is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    scan: Scan,
    lenient: bool,
}

impl Reading {
    pub(crate) fn peek<'a>(self, payload: &'a [u8]) -> PyResult<Peek<'a>> {
        // What not even the lenient reading can use, the strict one explains.
        let lenient = self.lenient.then(|| Peek::parse_lenient(payload, self.scan)).flatten();
        match lenient {
            Some(message) => Ok(message),
            None => Peek::parse_with(payload, self.scan).map_err(message_error),
        }
    }
}

impl Message {
    pub(crate) fn of(payload: Arc<Payload>, scan: Scan) -> Self {
        Message { payload, reading: Reading { scan, lenient: false } }
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

    /// The character set that MSH-18 names, by its name in table 0211; None for an unknown one. Raises
    /// MessageError when the payload has no usable header.
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
    /// `encoding` is a Python codec; without it, the one that MSH-18 names, or UTF-8 where that is
    /// empty or unknown. `errors` is as for `bytes.decode`.
    #[pyo3(signature = (path, encoding = None, errors = "replace"))]
    fn text<'py>(
        &self,
        py: Python<'py>,
        path: PathArgument,
        encoding: Option<&str>,
        errors: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let place = self.payload.place(py);
        let plain = self.reading.peek(place.bytes(py))?;
        let named = match encoding {
            Some(encoding) => CharacterSet::from_name(encoding.as_bytes()),
            // Empty means ASCII, which UTF-8 contains; many senders leave it empty and send UTF-8.
            None => CharacterSet::of(&plain.header()).filter(|set| *set != CharacterSet::Ascii),
        };
        let codec = encoding.or(named.and_then(CharacterSet::codec)).unwrap_or("utf-8");
        let scan = named.map_or(self.reading.scan, CharacterSet::scan);
        let reading = Reading { scan, ..self.reading };
        let message = reading.peek(place.bytes(py))?;
        let Value::Value(value) = message.value(path.0) else { return Ok(None) };
        let mut out = vec![0; value.len()];
        let len = match path.0.field() {
            // MSH-1 and MSH-2 are the delimiters themselves, never escaped.
            Some(1 | 2) if matches!(path.0.segment(), b"MSH" | b"FHS" | b"BHS") => {
                out.copy_from_slice(value);
                value.len()
            }
            _ => hl7_peek::unescape_with(value, &message.delimiters(), scan, &mut out)
                .map_err(message_error)?,
        };
        let bytes = PyBytes::new(py, out.get(..len).unwrap_or_default());
        bytes.call_method1("decode", (codec, errors)).map(Some)
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
