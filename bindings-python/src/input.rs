//! Bytes from Python.

use std::ops::Deref;

use hl7_peek::Scan;
use mllp_core::Profile;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The bytes of an argument: borrowed from a `bytes` object, copied from any other buffer, because
/// another thread may write to that one at any time.
pub(crate) enum Input<'py> {
    Bytes(Bound<'py, PyBytes>),
    Copy(Vec<u8>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Input<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Input::Bytes(bytes.to_owned()));
        }
        let buffer = PyBuffer::<u8>::get(&object)?;
        buffer.to_vec(object.py()).map(Input::Copy)
    }
}

impl Deref for Input<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Input::Bytes(bytes) => bytes.as_bytes(),
            Input::Copy(bytes) => bytes,
        }
    }
}

impl<'py> Input<'py> {
    /// The argument itself, or a `bytes` object with the copy.
    pub(crate) fn into_bytes(self, py: Python<'py>) -> Bound<'py, PyBytes> {
        match self {
            Input::Bytes(bytes) => bytes,
            Input::Copy(bytes) => PyBytes::new(py, &bytes),
        }
    }
}

/// How delimiters are told from the second bytes of two-byte characters.
pub(crate) struct ScanArgument(pub(crate) Scan);

impl<'a, 'py> FromPyObject<'a, 'py> for ScanArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let name: &str = object.extract()?;
        Ok(ScanArgument(match name {
            "single_byte" => Scan::SingleByte,
            "shift_jis" => Scan::ShiftJis,
            "gb18030" | "gbk" | "big5" => Scan::Gb18030,
            "iso2022_jp" => Scan::Iso2022Jp,
            "auto" => Scan::Auto,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "scan must be 'single_byte', 'shift_jis', 'gb18030', 'gbk', 'big5', \
                     'iso2022_jp' or 'auto', not {name:?}"
                )));
            }
        }))
    }
}

pub(crate) fn read_profile(name: &str) -> PyResult<Profile> {
    match name {
        "permissive" => Ok(Profile::Permissive),
        "resync" => Ok(Profile::Resync),
        "strict" => Ok(Profile::Strict),
        _ => Err(PyValueError::new_err(format!(
            "profile must be 'permissive', 'resync' or 'strict', not {name:?}"
        ))),
    }
}
