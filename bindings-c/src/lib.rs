//! The C library: `libmllp.a`, `libmllp.so` and `mllp.h`.
//!
//! A thin face of the cores. What callers may rely on is said once, at the top of the header
//! (`include/mllp.h`, from `cbindgen.toml`); the rules that the comments `SAFETY` cite are its rules.
//!
//! | file | what |
//! |---|---|
//! | `status.rs` | what a call returns, and its name |
//! | `slice.rs` | bytes that C lends, and bytes lent to C |
//! | `state.rs` | states in the caller's memory, and how they are told from memory never initialised |
//! | `code.rs` | Rust's enumerations as numbers, checked on the way in |
//! | `config.rs`, `event.rs` | settings and events of the three decoders |
//! | `scanner.rs`, `decoder.rs`, `receive_buffer.rs`, `encode.rs` | frames |
//! | `delimiters.rs`, `header.rs`, `character_set.rs` | MSH |
//! | `message.rs`, `path.rs`, `part.rs`, `escape.rs` | a message and its values |
//! | `ack_code.rs`, `error_detail.rs`, `timestamp.rs`, `ack.rs` | the acknowledgment |
//! | `check.rs`, `decision.rs`, `conformant.rs`, `sequence.rs` | which acknowledgment a message gets |
//! | `responder.rs`, with `stored.rs`, `passing.rs` and `answers.rs` | the receiving end of a link |
//! | `responder_config.rs`, `responder_event.rs`, `link_event.rs` | its settings and events |
//! | `ticket.rs` | which messages can still be answered |
//! | `initiator.rs`, `initiator_config.rs`, `initiator_event.rs`, `rules.rs` | the sending end of a link |
//! | `detect.rs`, `proxy.rs` | which protocol a peer speaks, and which client a proxy names |

#![no_std]
#![allow(non_camel_case_types)] // the names are C's
#![allow(clippy::missing_safety_doc)] // what callers promise is said once, in the header

mod ack;
mod ack_code;
mod character_set;
mod check;
mod code;
mod config;
mod conformant;
mod decision;
mod decoder;
mod delimiters;
mod detect;
mod encode;
mod error_detail;
mod escape;
mod event;
mod header;
mod initiator;
mod initiator_config;
mod initiator_event;
mod link_event;
mod message;
mod part;
mod path;
mod proxy;
mod receive_buffer;
mod responder;
mod responder_config;
mod responder_event;
mod rules;
mod scanner;
mod sequence;
mod slice;
mod state;
mod status;
mod ticket;
mod timestamp;
mod version;

pub use ack::*;
pub use ack_code::*;
pub use character_set::*;
pub use check::*;
pub use config::*;
pub use conformant::*;
pub use decision::*;
pub use decoder::*;
pub use delimiters::*;
pub use detect::*;
pub use encode::*;
pub use error_detail::*;
pub use escape::*;
pub use event::*;
pub use header::*;
pub use initiator::*;
pub use initiator_config::*;
pub use initiator_event::*;
pub use link_event::*;
pub use message::*;
pub use part::*;
pub use path::*;
pub use proxy::*;
pub use receive_buffer::*;
pub use responder::*;
pub use responder_config::*;
pub use responder_event::*;
pub use rules::*;
pub use scanner::*;
pub use sequence::*;
pub use slice::*;
pub use status::*;
pub use ticket::*;
pub use timestamp::*;
pub use version::*;

/// No function of this library panics (`make check-artefact` looks for one in the machine code), but
/// a library without `std` must say what would happen.
#[cfg(feature = "artefact")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
