//! What an ERR segment says.

use std::borrow::Cow;

use ack_gen::{ErrorCode, ErrorDetail as Core, Location, Severity};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// One error of a message, for an acknowledgment.
///
/// `code` is from table 0357, `severity` from table 0516. A location is a segment ID and the numbers
/// that are known: occurrence, field, repetition, component, subcomponent, each counted from 1.
/// `application` is the application's own code: identifier, text, coding system.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct ErrorDetail {
    code: ErrorCode,
    severity: Severity,
    segment: String,
    numbers: [u32; 5],
    application: [String; 3],
    diagnostic: String,
    user_message: String,
}

#[pymethods]
impl ErrorDetail {
    #[new]
    #[pyo3(signature = (
        code,
        segment = String::new(),
        *numbers,
        severity = "E",
        application = Vec::new(),
        diagnostic = String::new(),
        user_message = String::new(),
    ))]
    fn new(
        code: u16,
        segment: String,
        numbers: Vec<u32>,
        severity: &str,
        application: Vec<String>,
        diagnostic: String,
        user_message: String,
    ) -> PyResult<Self> {
        let bad = |text: String| Err(PyValueError::new_err(text));
        let Some(code) = ErrorCode::from_number(code) else {
            return bad(format!("code is not in table 0357: {code}"));
        };
        let Some(severity) = Severity::from_bytes(severity.as_bytes()) else {
            return bad(format!("severity must be 'E', 'F', 'I' or 'W', not {severity:?}"));
        };
        if numbers.len() > 5 {
            return bad(format!("a location has five numbers, not {}", numbers.len()));
        }
        if application.len() > 3 {
            return bad(format!("an application code has three parts, not {}", application.len()));
        }
        let mut parts = application.into_iter();
        let application = std::array::from_fn(|_| parts.next().unwrap_or_default());
        let numbers = std::array::from_fn(|at| numbers.get(at).copied().unwrap_or(0));
        Ok(ErrorDetail { code, severity, segment, numbers, application, diagnostic, user_message })
    }

    /// ERR-3, table 0357.
    #[getter]
    fn code(&self) -> u16 {
        self.code.number()
    }

    /// The text of the code in table 0357.
    #[getter]
    fn text(&self) -> &'static str {
        self.code.text()
    }

    /// ERR-4, table 0516.
    #[getter]
    fn severity(&self) -> &'static str {
        self.severity.as_str()
    }

    /// ERR-2: the segment ID and the numbers behind it, as far as they are known.
    #[getter]
    fn location(&self) -> (&str, Vec<u32>) {
        let known = self.numbers.iter().rposition(|number| *number > 0).map_or(0, |at| at + 1);
        (&self.segment, self.numbers.iter().take(known).copied().collect())
    }

    // The texts may quote a message.
    fn __repr__(&self) -> String {
        format!("ErrorDetail({})", self.code.number())
    }
}

impl ErrorDetail {
    /// The texts: application code in three parts, diagnostic, user message.
    pub(crate) fn texts(&self) -> [&str; 5] {
        let [identifier, text, system] = &self.application;
        [identifier, text, system, &self.diagnostic, &self.user_message]
    }

    /// The error with its `texts` in the character set of an acknowledgment.
    pub(crate) fn core<'a>(&'a self, texts: &'a [Cow<'_, [u8]>; 5]) -> Core<'a> {
        let [occurrence, field, repetition, component, subcomponent] = self.numbers;
        let location = Location {
            segment: self.segment.as_bytes(),
            occurrence,
            field,
            repetition,
            component,
            subcomponent,
        };
        let [identifier, text, system, diagnostic, user_message] = texts;
        Core {
            severity: self.severity,
            application: [identifier, text, system],
            diagnostic,
            user_message,
            ..Core::at(self.code, location)
        }
    }

    pub(crate) fn from_core(core: &Core<'_>) -> ErrorDetail {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Location { segment, occurrence, field, repetition, component, subcomponent } =
            core.location;
        ErrorDetail {
            code: core.code,
            severity: core.severity,
            segment: text(segment),
            numbers: [occurrence, field, repetition, component, subcomponent],
            application: core.application.map(text),
            diagnostic: text(core.diagnostic),
            user_message: text(core.user_message),
        }
    }
}
