//! The native module of `fastmllp_engine`: the engine and the message, with Python's types around them.
//!
//! What decides is not here: the pipeline, the store and the connections are `mllp-engine`'s, the
//! changes of a message `hl7-edit`'s.

mod backup;
mod builder;
mod connector;
mod engine;
mod error;
mod function;
mod functions;
mod inbound;
mod job;
mod journey;
mod log_lines;
mod message;
mod offline;
mod operator;
mod options;
mod outbound;
mod schedule;
mod status;
mod stored;
mod why;
mod worker;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::backup::{Backup, BackupMade, back_up, restore_check};
    #[pymodule_export]
    use super::builder::Builder;
    #[pymodule_export]
    use super::connector::delivery::Delivery;
    #[pymodule_export]
    use super::connector::{Connector, NotStored, Submitted};
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::error::EngineError;
    #[pymodule_export]
    use super::functions::Functions;
    #[pymodule_export]
    use super::job::{GivenUp, JobReport, Verified, verify};
    #[pymodule_export]
    use super::journey::{Journey, JourneyEvent, differences};
    #[pymodule_export]
    use super::log_lines::{log_line, log_to_stderr};
    #[pymodule_export]
    use super::message::Message;
    #[pymodule_export]
    use super::message::error::{MessageError, PathError};
    #[pymodule_export]
    use super::message::raw_message::RawMessage;
    #[pymodule_export]
    use super::message::segment::Segment;
    #[pymodule_export]
    use super::message::send::Send;
    #[pymodule_export]
    use super::offline::{DeliveryEnd, Offline, Receipt};
    #[pymodule_export]
    use super::outbound::reply_code_findings;
    #[pymodule_export]
    use super::schedule::schedule_fault;
    #[pymodule_export]
    use super::status::{Hours, LaneState, Setting, Status, StoreState};
    #[pymodule_export]
    use super::stored::{Found, MessageRecord};
    #[pymodule_export]
    use super::why::{Answer, Why};
    #[pymodule_export]
    use super::worker::Worker;
    use pyo3::prelude::*;

    /// The classes that Python makes itself.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        module.add("CharacterSetError", super::message::error::character_set_class(py)?)?;
        module.add("Raw", super::message::value::raw_class(py)?)
    }
}
