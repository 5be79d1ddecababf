//! A message that routers and handlers read and change.

pub(crate) mod body;
mod character_set;
pub(crate) mod control_id;
mod edits;
pub(crate) mod error;
mod ingest_time;
mod methods;
mod place;
pub(crate) mod raw_message;
mod repetitions;
pub(crate) mod segment;
pub(crate) mod send;
pub(crate) mod value;

use std::sync::{Arc, OnceLock};

use hl7_edit::MessageBuf;
use hl7_peek::{Message as Peek, Path, Scan};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::message::body::Body;
use crate::message::character_set::{encode, scan_of};
use crate::message::control_id::Origin;
use crate::message::edits::Edit;
use crate::message::error::{edit_error, wrong_type};
use crate::message::place::path;
use crate::message::segment::SegmentText;
use crate::message::value::{Given, text, write};

/// An HL7 v2 message that can be read and changed by path.
///
/// Making one never raises for what the payload holds; reading or changing one without a usable header
/// raises MessageError. Nothing is parsed before it is asked for, and nothing is copied before the first
/// change. What is not named by a change stays byte for byte.
///
/// A value is a `str` without escape sequences, in the character set that MSH-18 names. Where MSH-18
/// says nothing of characters that are not ASCII, it is in `encoding`, a Python codec, or in UTF-8. A byte
/// that is not in the set comes as a lone surrogate and is written as the same byte again. A node with
/// several values, such as `PID-5` in most messages, comes as `Raw`: as it stands, with its separators
/// and escape sequences.
///
/// A `str` that is written is one value: separators in it are escaped. `Raw` and `bytes` are written as
/// they stand, except for what would end the node. None deletes the node. Formatting sequences such as
/// `\.br\` stay what they are in both directions.
#[pyclass(module = "fastmllp_engine")]
pub(crate) struct Message {
    pub(crate) body: Body,
    encoding: Option<Arc<str>>,
    scan: OnceLock<Scan>,
    origin: Arc<Origin>,
    pub(crate) edits: Vec<Edit>,
    /// How often the bytes have changed.
    pub(crate) version: u64,
}

impl Message {
    pub(crate) fn new_in(body: Body, encoding: Option<Arc<str>>, origin: Arc<Origin>) -> Message {
        let (scan, edits) = (OnceLock::new(), Vec::new());
        Message { body, encoding, scan, origin, edits, version: 0 }
    }

    pub(crate) fn share(&self, py: Python<'_>) -> Message {
        let (encoding, origin) = (self.encoding.clone(), self.origin.clone());
        // How delimiters are found is settled once, so that a changed MSH-18 changes no other value.
        let scan = self.scan.clone();
        let edits = Vec::new();
        Message { body: self.body.share(py), encoding, scan, origin, edits, version: 0 }
    }

    pub(crate) fn received(&self) -> Option<u64> {
        self.origin.received
    }

    pub(crate) fn encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    fn scan(&self, py: Python<'_>) -> Scan {
        *self.scan.get_or_init(|| scan_of(self.body.bytes(py), self.encoding()))
    }

    pub(crate) fn peek<'a>(&'a self, py: Python<'a>) -> PyResult<Peek<'a>> {
        self.body.peek(py, self.scan(py))
    }

    /// The text at a path; None if the message has no such place.
    pub(crate) fn text_at<'py>(
        &self,
        py: Python<'py>,
        at: Path,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let message = self.peek(py)?;
        match message.get(at) {
            Some(node) => text(py, &message, at, node, self.encoding()).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn edit(&mut self, py: Python<'_>) -> PyResult<&mut MessageBuf> {
        let scan = self.scan(py);
        let message = self.body.edit(py, scan)?;
        self.version += 1;
        Ok(message)
    }

    pub(crate) fn write_at(
        &mut self,
        py: Python<'_>,
        at: Path,
        value: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let form = match value {
            Some(value) => {
                let message = self.peek(py)?;
                let given = Given::of(value, &message, self.encoding())?;
                given.content(&message.delimiters(), message.scan())
            }
            None => None,
        };
        write(py, self.edit(py)?, at, form.as_ref())
    }

    /// How many segments stand before the one of a path.
    fn index_of(&self, py: Python<'_>, at: Path) -> PyResult<Option<usize>> {
        let mut same = 0;
        Ok(self.peek(py)?.segments().position(|segment| {
            same += u32::from(segment.id() == at.segment());
            same == at.occurrence()
        }))
    }

    /// Inserts a segment beside the one of a path.
    pub(crate) fn insert_beside(
        &mut self,
        py: Python<'_>,
        at: Path,
        segment: &SegmentText<'_>,
        is_after: bool,
    ) -> PyResult<()> {
        let bytes = segment.bytes(&self.peek(py)?, self.encoding())?;
        let index = self.index_of(py, at)?;
        let message = self.edit(py)?;
        let done = match is_after {
            true => message.insert_segment_after(at, &bytes),
            false => message.insert_segment_before(at, &bytes),
        };
        done.map_err(|error| edit_error(py, error))?;
        self.edits.extend(index.map(|index| Edit::Inserted(index + usize::from(is_after))));
        Ok(())
    }

    /// Deletes the segment of a path; whether it was there.
    pub(crate) fn delete_segment(&mut self, py: Python<'_>, at: Path) -> PyResult<bool> {
        let index = self.index_of(py, at)?;
        let was_there = self.edit(py)?.delete(at).map_err(|error| edit_error(py, error))?;
        if was_there {
            self.edits.extend(index.map(Edit::Deleted));
        }
        Ok(was_there)
    }

    /// A text of the header; None where it is absent or empty.
    fn header_text(&self, py: Python<'_>, at: &str) -> PyResult<Option<String>> {
        let found = self.text_at(py, path(py, at, None, None)?)?;
        let text: Option<String> = found.map(|text| text.extract()).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }
}

/// The bytes of a message that is given as bytes or as text.
pub(crate) fn payload_of(
    payload: &Bound<'_, PyAny>,
    encoding: Option<&str>,
) -> PyResult<Py<PyBytes>> {
    let py = payload.py();
    if let Ok(bytes) = payload.cast::<PyBytes>() {
        return Ok(bytes.clone().unbind());
    }
    let Ok(text) = payload.cast::<PyString>() else {
        return Err(wrong_type("a message", "bytes or str", payload));
    };
    // The header is ASCII wherever it can be read at all, so MSH-18 is found in any encoding of it.
    let draft: Vec<u8> = text.call_method1("encode", ("utf-8", "surrogateescape"))?.extract()?;
    let bytes = match Peek::parse_lenient(&draft, Scan::SingleByte) {
        Some(message) if !draft.is_ascii() => encode(text, &message, encoding)?,
        _ => draft,
    };
    Ok(PyBytes::new(py, &bytes).unbind())
}
