//! Fields of a message.

use hl7_peek::{Message as Peek, MessageHeader as PeekHeader, Path};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::message_error;
use crate::input::Input;

/// An HL7 v2 message, read in place.
///
/// Making one never raises, whatever the payload; reading a message without a usable header does.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct Message {
    payload: Py<PyBytes>,
}

impl Message {
    fn peek<'a>(&'a self, py: Python<'a>) -> PyResult<Peek<'a>> {
        Peek::parse(self.payload.as_bytes(py)).map_err(message_error)
    }
}

#[pymethods]
impl Message {
    #[new]
    fn new(py: Python<'_>, payload: Input<'_>) -> Self {
        Message { payload: payload.into_bytes(py).unbind() }
    }

    /// The bytes of the message, as they stood on the wire.
    #[getter]
    fn payload(&self, py: Python<'_>) -> Py<PyBytes> {
        self.payload.clone_ref(py)
    }

    /// The fields of MSH. Raises MessageError when the payload has no usable header.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<MessageHeader> {
        let header = self.peek(py)?.header();
        let base = self.payload.as_bytes(py).as_ptr() as usize;
        // A field is a slice of the payload, or empty: its position tells it.
        let place = |field: &[u8]| match field.len() {
            0 => (0, 0),
            len => ((field.as_ptr() as usize).wrapping_sub(base), len),
        };
        let fields = std::array::from_fn(|at| place(header.field(at + 1)));
        Ok(MessageHeader { payload: self.payload.clone_ref(py), fields })
    }

    /// The bytes at a path such as `PID-3.1`, still escaped; None when the message has no such
    /// place. Raises MessageError for a payload without a header and for a path that is none.
    fn get<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let path = Path::parse(path).map_err(message_error)?;
        Ok(self.peek(py)?.get(path).map(|bytes| PyBytes::new(py, bytes)))
    }

    fn __bytes__(&self, py: Python<'_>) -> Py<PyBytes> {
        self.payload.clone_ref(py)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.payload.as_bytes(py).len()
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.payload.as_bytes(py) == other.payload.as_bytes(py)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.payload.bind(py).hash()
    }

    // Payloads are health data: the length, never the bytes.
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Message(<{} bytes>)", self.payload.as_bytes(py).len())
    }
}

const FIELDS: usize = 21;

/// The fields of MSH as bytes, still escaped; a field that is not there is empty.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct MessageHeader {
    payload: Py<PyBytes>,
    /// Position and length of MSH-1 to MSH-21 in the payload.
    fields: [(usize, usize); FIELDS],
}

impl MessageHeader {
    fn field<'py>(&self, py: Python<'py>, number: usize) -> Bound<'py, PyBytes> {
        let (start, len) = self.fields.get(number - 1).copied().unwrap_or_default();
        let payload = self.payload.as_bytes(py);
        PyBytes::new(py, payload.get(start..start + len).unwrap_or_default())
    }
}

macro_rules! fields {
    ($($number:literal $name:ident,)*) => {
        #[pymethods]
        impl MessageHeader {
            $(
                #[doc = concat!("MSH-", stringify!($number), ".")]
                #[getter]
                fn $name<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                    self.field(py, $number)
                }
            )*

            fn __repr__(&self) -> &'static str {
                "MessageHeader(...)"
            }
        }

        /// The names above are those of the core.
        const _: fn(PeekHeader<'_>) = |header| { $( let _ = header.$name; )* };
    };
}

fields! {
    1 field_separator,
    2 encoding_characters,
    3 sending_application,
    4 sending_facility,
    5 receiving_application,
    6 receiving_facility,
    7 date_time_of_message,
    8 security,
    9 message_type,
    10 message_control_id,
    11 processing_id,
    12 version_id,
    13 sequence_number,
    14 continuation_pointer,
    15 accept_acknowledgment_type,
    16 application_acknowledgment_type,
    17 country_code,
    18 character_set,
    19 principal_language_of_message,
    20 alternate_character_set_handling_scheme,
    21 message_profile_identifier,
}
