//! Options that Python gives by keyword, and what they are in Rust.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A struct of optional keywords. Each is `None` where Python does not give it, so that the engine's own
/// default counts; a keyword that is not among them is an error, as for a function.
macro_rules! options {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub(crate) $field: Option<$type>,)*
        }

        impl $name {
            /// Reads the keywords of a call.
            pub(crate) fn read(
                given: Option<&pyo3::Bound<'_, pyo3::types::PyDict>>,
            ) -> pyo3::PyResult<$name> {
                let names = &[$(stringify!($field)),*];
                crate::options::known(given, names)?;
                Ok($name { $($field: crate::options::given(given, stringify!($field))?,)* })
            }
        }
    };
}

pub(crate) use options;

/// Refuses a keyword that is none of these.
pub(crate) fn known(given: Option<&Bound<'_, PyDict>>, names: &[&str]) -> PyResult<()> {
    for name in given.iter().flat_map(|it| it.keys()) {
        let name: String = name.extract()?;
        if !names.contains(&name.as_str()) {
            return Err(PyTypeError::new_err(format!("\"{name}\" is no option")));
        }
    }
    Ok(())
}

/// The value of a keyword; `None` where it is not given, or given as None.
pub(crate) fn given<'py, T>(options: Option<&Bound<'py, PyDict>>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let Some(value) = options.map(|it| it.get_item(name)).transpose()?.flatten() else {
        return Ok(None);
    };
    if value.is_none() {
        return Ok(None);
    }
    match value.extract::<T>() {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(PyTypeError::new_err(format!("{name}: {}", error.into()))),
    }
}

/// Seconds as a duration.
pub(crate) fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err(format!("{name}: {value} is no number of seconds")))
}

/// Seconds as whole milliseconds, at least one where there is any.
pub(crate) fn millis(name: &str, value: f64) -> PyResult<u64> {
    let duration = seconds(name, value)?;
    Ok(u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

/// One of these words, or an error that names the option.
pub(crate) fn word<T: Copy>(name: &str, value: &str, words: &[(&str, T)]) -> PyResult<T> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|it| it.1).ok_or_else(|| crate::error::unknown_word(name, value))
}
