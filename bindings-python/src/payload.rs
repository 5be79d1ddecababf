//! The bytes of a message: its own, or lent from a chunk that holds more.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A payload in a `bytes` object.
///
/// One that arrived whole is read where it lies, and copied when it is asked for as an object or
/// outlives the call that lends it: a message that is kept must not keep all that came with it.
pub(crate) struct Payload(Mutex<Place>);

/// Part of a `bytes` object.
pub(crate) struct Place {
    object: Py<PyBytes>,
    /// `None`: all of it.
    part: Option<Range<usize>>,
}

impl Payload {
    pub(crate) fn new(object: Py<PyBytes>) -> Payload {
        Payload(Mutex::new(Place { object, part: None }))
    }

    /// Bytes of `chunk`, from which `payload` is a slice.
    pub(crate) fn lent(chunk: &Bound<'_, PyBytes>, payload: &[u8]) -> Payload {
        let base = chunk.as_bytes().as_ptr() as usize;
        let start = (payload.as_ptr() as usize).wrapping_sub(base);
        let part = Some(start..start.wrapping_add(payload.len()));
        Payload(Mutex::new(Place { object: chunk.clone().unbind(), part }))
    }

    /// Where the bytes are now.
    pub(crate) fn place(&self, py: Python<'_>) -> Place {
        let place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Place { object: place.object.clone_ref(py), part: place.part.clone() }
    }

    /// The bytes as an object of their own, the same one each time.
    pub(crate) fn object(&self, py: Python<'_>) -> Py<PyBytes> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if place.part.is_some() {
            let object = PyBytes::new(py, place.bytes(py)).unbind();
            *place = Place { object, part: None };
        }
        place.object.clone_ref(py)
    }
}

impl Place {
    pub(crate) fn bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        let bytes = self.object.as_bytes(py);
        match &self.part {
            Some(part) => bytes.get(part.clone()).unwrap_or_default(),
            None => bytes,
        }
    }
}
