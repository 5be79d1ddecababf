//! Which protocol the other side speaks.

use pyo3::prelude::*;

use crate::input::Input;

/// The name of the protocol that a connection beginning with these bytes belongs to: `mllp`, `http`,
/// `hl7_unframed` and so on; `more` while too few bytes are known, `mllp?` after a start block that
/// an HLLP header may follow.
#[pyfunction]
pub(crate) fn detect(first_bytes: Input<'_>) -> &'static str {
    mllp_link::detect(&first_bytes).verdict.name()
}
