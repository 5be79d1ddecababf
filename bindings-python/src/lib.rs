//! The native module of `fastmllp`: the Rust cores with Python's types around them.
//!
//! Protocol logic is not here; it is in `mllp-core`, `hl7-peek`, `ack-gen` and `mllp-link`. What is here: bytes
//! objects, exceptions, memory, the clock and random numbers.

mod ack;
mod answer_room;
mod converse;
mod decision;
mod decoder;
mod detail;
mod detect;
mod deviations;
mod error;
mod escape;
mod event;
mod frame;
mod header;
mod initiator;
mod initiator_event;
mod input;
mod log_lines;
mod message;
mod own_text;
mod path;
mod payload;
mod proxy;
mod reading;
mod receiving;
mod reply;
mod responder;
mod responder_event;
mod segment;
mod sequence;
mod stamp;
mod storage;
mod ticket;
mod time;
mod words;
mod writing;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::ack::{Ack, build_ack, timestamp};
    #[pymodule_export]
    use super::decision::{Decision, always_one_reply, check, conformant_answer, decide};
    #[pymodule_export]
    use super::decoder::Decoder;
    #[pymodule_export]
    use super::detail::ErrorDetail;
    #[pymodule_export]
    use super::detect::detect;
    #[pymodule_export]
    use super::error::{AckError, FrameError, LinkError, MessageError, MllpError, ProxyError};
    #[pymodule_export]
    use super::escape::{escape, unescape};
    #[pymodule_export]
    use super::event::{Deviation, Discard, Fault, Frame};
    #[pymodule_export]
    use super::frame::{encode_slices, frame};
    #[pymodule_export]
    use super::header::MessageHeader;
    #[pymodule_export]
    use super::initiator::Initiator;
    #[pymodule_export]
    use super::initiator_event::{Reconnect, Retry, Stored, Stray, Verdict};
    #[pymodule_export]
    use super::log_lines::write_lines;
    #[pymodule_export]
    use super::message::Message;
    #[pymodule_export]
    use super::own_text::named_codecs;
    #[pymodule_export]
    use super::path::Path;
    #[pymodule_export]
    use super::proxy::{ProxyHeader, parse_proxy_header};
    #[pymodule_export]
    use super::reply::{answers, ignores_character_set, read_msa};
    #[pymodule_export]
    use super::responder::Responder;
    #[pymodule_export]
    use super::responder_event::{
        AnswersLost, Arrived, Closing, Commit, OtherProtocol, Raised, Returned, TooLarge, Unusual,
    };
    #[pymodule_export]
    use super::segment::Segment;
    #[pymodule_export]
    use super::sequence::{SequenceAction, SequenceReceiver};

    #[pymodule_export]
    use super::ticket::{Refusal, Ticket};
    #[pymodule_export]
    use super::words::plain_words;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::event::add_unions(module)?;
        module.add("CharacterSetError", super::error::character_set_error(module.py())?)?;
        module.add("START_BLOCK", mllp_core::START_BLOCK)?;
        module.add("END_BLOCK", mllp_core::END_BLOCK)?;
        module.add("CARRIAGE_RETURN", mllp_core::CARRIAGE_RETURN)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
