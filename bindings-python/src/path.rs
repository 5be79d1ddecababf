//! Paths to places in a message.

use hl7_peek::Path as PeekPath;
use pyo3::prelude::*;

use crate::error::message_error;

/// A place in a message, such as `PID-3[2].4.1`: parsed once, used often.
#[pyclass(module = "fastmllp", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Path(pub(crate) PeekPath);

#[pymethods]
impl Path {
    #[new]
    fn new(path: &str) -> PyResult<Self> {
        PeekPath::parse(path).map(Path).map_err(message_error)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Path('{}')", self.0)
    }
}

/// A path as an argument: a `Path`, or text that is parsed now.
pub(crate) struct PathArgument(pub(crate) PeekPath);

impl<'a, 'py> FromPyObject<'a, 'py> for PathArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(path) = object.cast::<Path>() {
            return Ok(PathArgument(path.get().0));
        }
        let path: &str = object.extract()?;
        PeekPath::parse(path).map(PathArgument).map_err(message_error)
    }
}
