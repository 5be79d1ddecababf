//! The clock of routers and handlers: when their message was received.

use pyo3::prelude::*;

use crate::message::error::message_error;

/// An aware `datetime` in UTC. Raises MessageError where the time is not known.
pub(crate) fn moment(py: Python<'_>, received: Option<u64>) -> PyResult<Bound<'_, PyAny>> {
    let Some(received) = received else {
        let text = "it is not known when the message was received: give `received` to its class";
        return Err(message_error(py, text, "no_ingest_time"));
    };
    let datetime = py.import("datetime")?;
    let utc = datetime.getattr("timezone")?.getattr("utc")?;
    let epoch = datetime.getattr("datetime")?.call_method1("fromtimestamp", (0, utc))?;
    let since = datetime.getattr("timedelta")?.call1((0, 0, 0, received))?;
    epoch.add(since)
}

/// Milliseconds since 1970 of an aware `datetime`.
pub(crate) fn millis_of(received: Option<&Bound<'_, PyAny>>) -> PyResult<Option<u64>> {
    let Some(received) = received else { return Ok(None) };
    let seconds: f64 = received.call_method0("timestamp")?.extract()?;
    Ok(Some((seconds * 1000.0).round() as u64))
}
