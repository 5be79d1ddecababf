//! The native module of `fastmllp`: the Rust cores with Python's types around them.
//!
//! Protocol logic is not here; it is in `mllp-core`, `hl7-peek` and `ack-gen`. What is here: bytes
//! objects, exceptions, memory, the clock and random numbers.

mod ack;
mod decoder;
mod error;
mod frame;
mod input;
mod message;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::ack::build_ack;
    #[pymodule_export]
    use super::decoder::Decoder;
    #[pymodule_export]
    use super::error::{AckError, FrameError, MessageError, MllpError};
    #[pymodule_export]
    use super::frame::frame;
    #[pymodule_export]
    use super::message::{Message, MessageHeader};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("START_BLOCK", mllp_core::START_BLOCK)?;
        module.add("END_BLOCK", mllp_core::END_BLOCK)?;
        module.add("CARRIAGE_RETURN", mllp_core::CARRIAGE_RETURN)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
