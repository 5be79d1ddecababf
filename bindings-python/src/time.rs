//! Times of Python for the link, which counts in whole units of whatever it is given.

use mllp_link::Millis;
use pyo3::prelude::*;

/// Seconds as Python has them: a point of a clock, or a length.
///
/// The link gets microseconds, so that no time ends early because a fraction was cut off.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(pub(crate) f64);

const PER_SECOND: f64 = 1e6;

impl Seconds {
    /// A point of the host's clock.
    pub(crate) fn point(self) -> Millis {
        (self.0 * PER_SECOND) as Millis
    }

    /// A length of time: 0 turns it off, and no other does.
    pub(crate) fn length(self) -> Millis {
        if self.0 > 0.0 { self.point().max(1) } else { 0 }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Seconds {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(Seconds)
    }
}

pub(crate) fn seconds(point: Millis) -> f64 {
    point as f64 / PER_SECOND
}
