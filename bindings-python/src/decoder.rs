//! Frames from a stream.

use mllp_core::{Config, Framing, Profile, ReceiveBuffer, Received, Storage};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::error::frame_error;
use crate::input::Input;

/// Storage that grows, and lets go when nothing is in it.
#[derive(Default)]
pub(crate) struct Growing(Vec<u8>);

impl AsRef<[u8]> for Growing {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Growing {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Storage for Growing {
    fn max_len(&self) -> usize {
        usize::MAX
    }

    fn grow(&mut self, len: usize) {
        // Without the memory the storage stays as it is: the frame is lost, the process is not.
        let more = len.saturating_sub(self.0.len());
        if self.0.try_reserve(more).is_ok() {
            self.0.resize(len, 0);
        }
    }

    fn shrink(&mut self) {
        if self.0.len() > KEPT_STORAGE {
            *self = Growing::default();
        }
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

/// Storage above this size, in bytes, is given back as soon as no frame is under way, so that one
/// large message does not cost an idle connection its memory.
const KEPT_STORAGE: usize = 2048;

/// Cuts a stream of bytes into frames.
///
/// One decoder reads one stream. What is on the wire never raises: deviations and faults are events
/// and counters.
#[pyclass(module = "fastmllp")]
pub(crate) struct Decoder {
    buffer: ReceiveBuffer<Growing>,
    /// The first bytes of the payload that was lost last.
    lost_prefix: Vec<u8>,
}

/// How much of a lost payload is kept: enough for the header that a refusal quotes.
const KEPT_PREFIX: usize = 1024;

#[pymethods]
impl Decoder {
    #[new]
    #[pyo3(signature = (
        *,
        profile = "permissive",
        max_payload_len = Some(Config::DEFAULT.max_payload_len),
        start_block = mllp_core::START_BLOCK,
        end_block = mllp_core::END_BLOCK,
        trailer = Some(mllp_core::CARRIAGE_RETURN),
    ))]
    fn new(
        profile: &str,
        max_payload_len: Option<usize>,
        start_block: u8,
        end_block: u8,
        trailer: Option<u8>,
    ) -> PyResult<Self> {
        let profile = read_profile(profile)?;
        let max_payload_len = max_payload_len.unwrap_or(Config::UNLIMITED);
        let framing = Framing::new(start_block, end_block, trailer).map_err(frame_error)?;
        let config = Config { profile, framing, max_payload_len };
        let buffer = ReceiveBuffer::new(Growing::default(), config);
        Ok(Decoder { buffer, lost_prefix: Vec::new() })
    }

    /// Takes the next bytes of the stream and returns the payloads that they complete.
    fn feed<'py>(&mut self, py: Python<'py>, data: Input<'py>) -> PyResult<Bound<'py, PyList>> {
        let payloads = PyList::empty(py);
        self.take(&data, |received| append_payload(&payloads, received))?;
        Ok(payloads)
    }

    /// Takes the next bytes of the stream and returns everything that they show, in order.
    fn events<'py>(&mut self, py: Python<'py>, data: Input<'py>) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        self.take(&data, |received| append_event(&events, received))?;
        Ok(events)
    }

    /// Reports that the line is idle, and returns the payloads that this completes.
    fn idle<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let payloads = PyList::empty(py);
        if let Some(received) = self.buffer.idle() {
            append_payload(&payloads, received)?;
        }
        Ok(payloads)
    }

    /// Reports that the line is idle, and returns everything that this shows.
    fn idle_events<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        if let Some(received) = self.buffer.idle() {
            append_event(&events, received)?;
        }
        Ok(events)
    }

    /// Reports the end of the stream, and returns the payloads that this completes.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let payloads = PyList::empty(py);
        while let Some(received) = self.buffer.finish() {
            append_payload(&payloads, received)?;
        }
        Ok(payloads)
    }

    /// Reports the end of the stream, and returns everything that this shows.
    fn finish_events<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        while let Some(received) = self.buffer.finish() {
            append_event(&events, received)?;
        }
        Ok(events)
    }

    /// Forgets the stream and keeps the settings.
    fn reset(&mut self) {
        self.buffer.reset();
    }

    /// Bytes taken of an unfinished frame, counted from its start block; 0 between frames.
    #[getter]
    fn pending(&self) -> u64 {
        self.buffer.scanner().pending()
    }

    /// The first bytes, up to 1024, of the payload that was lost last: for a refusal that quotes the
    /// message control ID, never for a positive answer. Empty when none was lost.
    #[getter]
    fn lost_prefix<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lost_prefix)
    }

    /// Bytes taken since the beginning of the stream.
    #[getter]
    fn offset(&self) -> u64 {
        self.buffer.scanner().offset()
    }

    /// How often the stream did what: frames, deviations, faults, discarded bytes.
    #[getter]
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = PyDict::new(py);
        for (name, count) in self.buffer.counters().entries() {
            counters.set_item(name, count)?;
        }
        Ok(counters)
    }
}

impl Decoder {
    fn take(
        &mut self,
        mut chunk: &[u8],
        mut each: impl FnMut(Received<'_>) -> PyResult<()>,
    ) -> PyResult<()> {
        loop {
            let fed = self.buffer.feed(chunk);
            chunk = chunk.get(fed.consumed..).unwrap_or_default();
            match fed.event {
                Some(received) => {
                    if let Received::Fault { prefix, .. } = received {
                        self.lost_prefix = prefix.get(..KEPT_PREFIX).unwrap_or(prefix).to_vec();
                    }
                    each(received)?;
                }
                None => break,
            }
        }
        Ok(())
    }
}

fn append_payload(payloads: &Bound<'_, PyList>, received: Received<'_>) -> PyResult<()> {
    match received {
        Received::Frame(frame) => payloads.append(PyBytes::new(payloads.py(), frame.payload)),
        _ => Ok(()),
    }
}

fn append_event(events: &Bound<'_, PyList>, received: Received<'_>) -> PyResult<()> {
    let py = events.py();
    let event = PyDict::new(py);
    match received {
        Received::Frame(frame) => {
            event.set_item("ev", "frame")?;
            event.set_item("offset", frame.offset)?;
            event.set_item("payload", PyBytes::new(py, frame.payload))?;
            event.set_item("kind", frame.kind.name())?;
            let warn: Vec<_> = frame.deviations.iter().map(|deviation| deviation.name()).collect();
            event.set_item("warn", warn)?;
        }
        Received::Warning { deviation, offset } => {
            event.set_item("ev", "warning")?;
            event.set_item("code", deviation.name())?;
            event.set_item("offset", offset)?;
        }
        Received::Fault { fault, offset, .. } => {
            event.set_item("ev", "error")?;
            event.set_item("code", fault.name())?;
            event.set_item("offset", offset)?;
        }
        Received::Discard(discard) => {
            event.set_item("ev", "discard")?;
            event.set_item("offset", discard.offset)?;
            event.set_item("len", discard.len)?;
            event.set_item("why", discard.why.name())?;
            event.set_item("blank", discard.blank)?;
        }
    }
    events.append(event)
}
