//! The native module of `fastmllp_engine`: the engine and the message, with Python's types around them.
//!
//! What decides is not here: the pipeline, the store and the connections are `mllp-engine`'s, the
//! changes of a message `hl7-edit`'s.

use pyo3::prelude::*;

#[pymodule]
mod _native {}
