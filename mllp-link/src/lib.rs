//! Both ends of an MLLP link as state machines, without a clock or a socket.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answers;
mod event;
mod outbox;
mod responder;
mod timer;

pub use answers::{Refusal, Ticket};
pub use event::{Arrived, CloseReason, Refuse, ResponderEvent, Unanswered};
pub use responder::{OverLimit, Responder, ResponderConfig};
pub use timer::{Expired, Millis, Times};
