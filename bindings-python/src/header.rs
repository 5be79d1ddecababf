//! MSH, field by field.

use hl7_peek::{MessageHeader as PeekHeader, Status};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::message_error;
use crate::input::Input;

const FIELDS: usize = 21;

/// Position and length in bytes of MSH-1 to MSH-21 in a payload.
pub(crate) type Places = [(usize, usize); FIELDS];

/// Where the fields of `header` stand in `payload`, which it was read from.
pub(crate) fn places(payload: &[u8], header: &PeekHeader<'_>) -> Places {
    let base = payload.as_ptr() as usize;
    // A field is a slice of the payload, or empty: its position tells it.
    std::array::from_fn(|at| match header.field(at + 1) {
        [] => (0, 0),
        field => ((field.as_ptr() as usize).wrapping_sub(base), field.len()),
    })
}

/// The fields of MSH as bytes, still escaped; a field that is not there is empty.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct MessageHeader {
    payload: Py<PyBytes>,
    fields: Places,
}

impl MessageHeader {
    pub(crate) fn new(payload: Py<PyBytes>, fields: Places) -> Self {
        MessageHeader { payload, fields }
    }

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
            /// Reads MSH-1 to MSH-`through` from the first bytes of a message that is still
            /// arriving; None when more bytes are needed.
            ///
            /// Known as soon as a separator or a terminator follows MSH-`through`, or the MSH
            /// segment has ended before it. Fields above `through` are left empty, so the answer is
            /// the same for every longer prefix, and its fields are those of `Message.header`.
            /// MSH-1 and MSH-2 are always read: `through` below 2 counts as 2, above 21 as 21. In a
            /// batch, MSH behind FHS and BHS is awaited. If there is none, or MSH never ends, the
            /// answer stays None.
            ///
            /// Each call starts at the first byte, and copies a `prefix` that is not `bytes`. Ask
            /// once per piece received, and stop asking once a prefix of the length that you are
            /// willing to keep still gives None. The header keeps the bytes it was read from.
            ///
            /// Raises MessageError as soon as a byte makes certain that `Message.header` would raise
            /// it, but never with the code `short_header`. Raises OverflowError for a `through` below 0
            /// or above `2 * sys.maxsize + 1`.
            #[staticmethod]
            fn parse_prefix(
                py: Python<'_>,
                prefix: Input<'_>,
                through: usize,
            ) -> PyResult<Option<MessageHeader>> {
                let status = PeekHeader::parse_prefix(&prefix, through).map_err(message_error)?;
                let Status::Complete(header) = status else { return Ok(None) };
                let fields = places(&prefix, &header);
                Ok(Some(MessageHeader::new(prefix.into_bytes(py).unbind(), fields)))
            }

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
        const _: fn(PeekHeader<'_>) = |header| { $( let _ = header.$name(); )* };
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
