//! Frames from a stream.

use hl7_peek::whole_fields;
use mllp_core::{Config, Framing, ReceiveBuffer, Received};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::error::frame_error;
use crate::event::{self, Deviation, Discard, Fault, Frame, Names};
use crate::input::{Input, read_profile};
use crate::storage::Growing;

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

    /// Takes the next bytes of the stream and returns everything that they show, in order: each event is
    /// a `Frame`, a `Deviation`, a `Fault` or a `Discard` of `fastmllp.mllp`.
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
    /// message control ID, never for a positive answer. Of a message, they end with a whole field, so
    /// that no control ID is cut short. Empty when none was lost.
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
        event::counters(py, self.buffer.counters())
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
                        let kept = prefix.get(..KEPT_PREFIX).unwrap_or(prefix);
                        self.lost_prefix = whole_fields(kept).to_vec();
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
    match received {
        Received::Frame(frame) => events.append(Bound::new(
            py,
            Frame {
                offset: frame.offset,
                payload: PyBytes::new(py, frame.payload).unbind(),
                kind: frame.kind.name(),
                deviations: Names { frame: frame.deviations, message: &[] },
            },
        )?),
        Received::Warning { deviation, offset } => {
            events.append(Bound::new(py, Deviation { code: deviation.name(), offset })?)
        }
        Received::Fault { fault, offset, .. } => {
            events.append(Bound::new(py, Fault { code: fault.name(), offset })?)
        }
        Received::Discard(discard) => events.append(Bound::new(py, Discard::from(discard))?),
    }
}
