//! Schedules of connections, as Python gives them.

use mllp_engine::{Builder, Closed, Schedule, Window};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Days, start and end.
type Given = (String, String, String);

fn read(windows: &[Given], timezone: &str, invert: bool) -> Result<Schedule, String> {
    let window = |(days, start, end): &Given| Window::parse(days, start, end);
    let windows = windows.iter().map(window).collect::<Result<_, _>>()?;
    Schedule::new(windows, timezone, invert)
}

/// What is wrong with a schedule; `None`: nothing.
#[pyfunction]
#[pyo3(signature = (windows, timezone, invert = false))]
pub(crate) fn schedule_fault(windows: Vec<Given>, timezone: &str, invert: bool) -> Option<String> {
    read(&windows, timezone, invert).err()
}

/// Gives the last inbound or outbound of the builder a schedule.
pub(crate) fn add(
    builder: Builder,
    name: &str,
    (windows, timezone, invert): (Vec<Given>, &str, bool),
    answers: bool,
) -> PyResult<Builder> {
    let schedule = read(&windows, timezone, invert).map_err(PyValueError::new_err)?;
    let builder = builder.schedule(name, schedule);
    Ok(if answers { builder.closed(Closed::Answer) } else { builder })
}
