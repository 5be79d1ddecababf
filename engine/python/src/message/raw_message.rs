//! What is not HL7 v2: JSON, XML, X12, anything.

use std::sync::Arc;

use pyo3::exceptions::{PyUnicodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCFunction, PyDict, PyString, PyType};

use crate::message::error::{MessageError, character_set_error, message_error, wrong_type};
use crate::message::ingest_time::{millis_of, moment};

const UTF_8: &str = "utf-8";

/// A message that is not HL7 v2, as its bytes. It is never changed: send what you make of it.
#[pyclass(module = "fastmllp_engine", frozen)]
pub(crate) struct RawMessage {
    raw: Py<PyBytes>,
    encoding: Option<Arc<str>>,
    /// When it was received, in milliseconds since 1970.
    received: Option<u64>,
}

impl RawMessage {
    pub(crate) fn new_in(
        raw: Py<PyBytes>,
        encoding: Option<Arc<str>>,
        received: Option<u64>,
    ) -> RawMessage {
        RawMessage { raw, encoding, received }
    }

    pub(crate) fn object(&self, py: Python<'_>) -> Py<PyBytes> {
        self.raw.clone_ref(py)
    }

    pub(crate) fn bytes_in<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        self.raw.as_bytes(py)
    }

    fn decoded<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let codec = self.encoding.as_deref().unwrap_or(UTF_8);
        self.raw.bind(py).call_method1("decode", (codec,))
    }
}

#[pymethods]
impl RawMessage {
    #[new]
    #[pyo3(signature = (raw, encoding = None, *, received = None))]
    fn new(
        raw: &Bound<'_, PyAny>,
        encoding: Option<&str>,
        received: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let bytes = if let Ok(bytes) = raw.cast::<PyBytes>() {
            bytes.clone()
        } else if let Ok(text) = raw.cast::<PyString>() {
            let encoded = text.call_method1("encode", (encoding.unwrap_or(UTF_8),));
            encoded.map_err(|error| unencodable(raw.py(), error))?.cast_into()?
        } else {
            return Err(wrong_type("a message", "bytes or str", raw));
        };
        let received = millis_of(received)?;
        Ok(RawMessage::new_in(bytes.unbind(), encoding.map(Arc::from), received))
    }

    /// A message of these bytes.
    #[classmethod]
    #[pyo3(signature = (raw, encoding = None))]
    fn from_bytes(
        _class: &Bound<'_, PyType>,
        raw: &Bound<'_, PyBytes>,
        encoding: Option<&str>,
    ) -> Self {
        RawMessage::new_in(raw.clone().unbind(), encoding.map(Arc::from), None)
    }

    /// The bytes, as they were received.
    #[getter]
    fn raw(&self, py: Python<'_>) -> Py<PyBytes> {
        self.object(py)
    }

    /// The bytes as text, by the `encoding` of the inbound, UTF-8 where it has none. Raises MessageError
    /// with the code `undecodable` where they are not in it.
    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.decoded(py).map_err(|error| match error.is_instance_of::<PyValueError>(py) {
            // The exception of the codec holds the message.
            true => message_error(py, "the message is not text in its encoding", "undecodable"),
            false => error,
        })
    }

    /// Whether the bytes are not text: they hold NUL, or are not in the `encoding`.
    #[getter]
    fn is_binary(&self, py: Python<'_>) -> PyResult<bool> {
        if self.raw.as_bytes(py).contains(&0) {
            return Ok(true);
        }
        match self.decoded(py) {
            Ok(_) => Ok(false),
            Err(error) if error.is_instance_of::<PyValueError>(py) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The value that the JSON text stands for. Raises MessageError with the code `bad_json`, and the
    /// line and column where the text is wrong.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = self.text(py)?;
        py.import("json")?.call_method1("loads", (text,)).map_err(|error| {
            if !error.is_instance_of::<PyValueError>(py) {
                return error;
            }
            // The exception of the parser holds the message.
            let number = |name| error.value(py).getattr(name).and_then(|it| it.extract::<u64>());
            let text = match (number("lineno"), number("colno")) {
                (Ok(line), Ok(column)) => {
                    format!("the message is not JSON: line {line}, column {column}")
                }
                _ => "the message is not JSON".to_owned(),
            };
            message_error(py, &text, "bad_json")
        })
    }

    /// The root of the XML document, an `xml.etree.ElementTree.Element`.
    ///
    /// A document type declaration is refused, and with it every entity that a document could define:
    /// neither files and addresses that it names nor its expansions are ever looked at. Raises
    /// MessageError with the code `bad_xml` or `xml_doctype`.
    fn xml<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        refuse_doctype(self.raw.bind(py))?;
        let tree = py.import("xml.etree.ElementTree")?;
        tree.call_method1("fromstring", (&self.raw,)).map_err(|error| bad_xml(py, error))
    }

    /// When the message was received, as `Message.ingest_time`.
    fn ingest_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.received)
    }

    /// The bytes of the message.
    fn encode(&self, py: Python<'_>) -> Py<PyBytes> {
        self.object(py)
    }

    fn __bytes__(&self, py: Python<'_>) -> Py<PyBytes> {
        self.object(py)
    }

    /// The same message once more.
    pub(crate) fn copy(&self, py: Python<'_>) -> RawMessage {
        RawMessage::new_in(self.object(py), self.encoding.clone(), self.received)
    }

    fn __copy__(&self, py: Python<'_>) -> RawMessage {
        self.copy(py)
    }

    fn __deepcopy__(&self, py: Python<'_>, _memo: &Bound<'_, PyDict>) -> RawMessage {
        self.copy(py)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.raw.as_bytes(py).len()
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.raw.as_bytes(py) == other.raw.as_bytes(py)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.raw.bind(py).hash()
    }

    // Payloads are health data: the length, never the bytes.
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("RawMessage(<{} bytes>)", self.__len__(py))
    }
}

fn unencodable(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyUnicodeError>(py) {
        return error;
    }
    // The exception of the codec holds the text.
    let text = "the text has a character that the encoding lacks";
    character_set_error(py, text, "unencodable")
}

/// Parses the document once for the sake of a document type declaration, which raises.
///
/// The parser of the standard library expands entities that a document defines; without a declaration
/// there are none. The package defusedxml would do the same, and is no longer developed.
fn refuse_doctype(raw: &Bound<'_, PyBytes>) -> PyResult<()> {
    let py = raw.py();
    let parser = py.import("xml.parsers.expat")?.call_method0("ParserCreate")?;
    let refuse = PyCFunction::new_closure(py, None, None, |arguments, _| -> PyResult<()> {
        let text = "the XML document has a document type declaration, which is refused";
        Err(message_error(arguments.py(), text, "xml_doctype"))
    })?;
    parser.setattr("StartDoctypeDeclHandler", refuse)?;
    match parser.call_method1("Parse", (raw, true)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_instance_of::<MessageError>(py) => Err(error),
        Err(error) => Err(bad_xml(py, error)),
    }
}

fn bad_xml(py: Python<'_>, error: PyErr) -> PyErr {
    let number = |name| error.value(py).getattr(name).and_then(|it| it.extract::<u64>());
    let position = error.value(py).getattr("position").and_then(|it| it.extract::<(u64, u64)>());
    let position = position.or_else(|_| Ok::<_, PyErr>((number("lineno")?, number("offset")?)));
    let text = match position {
        Ok((line, column)) => format!("the message is not XML: line {line}, column {column}"),
        // Not a fault of the document.
        Err(_) if !error.is_instance_of::<PyValueError>(py) => return error,
        Err(_) => "the message is not XML".to_owned(),
    };
    message_error(py, &text, "bad_xml")
}
