//! The decisions of the durable engine, as a state machine without a clock, a socket, a database or
//! a user's function.
//!
//! The host tells [`Fact`]s: received, committed, routed, transformed, delivered, failed. The
//! pipeline answers with [`Order`]s: commit these records, answer that sender, run this router,
//! deliver this. What must be durable before something else may happen is decided here and nowhere
//! else, so whole lives of an engine can be simulated in virtual time.
//!
//! # The way of a message
//!
//! ```text
//! Received ─► Commit(Message, Append to ingress) ─► Answer AA
//!                                                └► Route ─► Transform
//!                       Commit(Append to outbounds, ingress cursor + 1) ◄─┘
//!                                                └► Deliver ─► Delivered
//!                       Commit(Outcome PROCESSED, outbound cursor + 1) ◄─┘
//! ```
//!
//! A commit takes everything that waits, of all lanes, and the next one begins when its outcome is
//! known. A router and its handlers are pure, so what they did may be thrown away and done again.
//!
//! # What holds
//!
//! * No positive answer leaves before the commit that holds its message is durable.
//! * A lane is consumed in order of its sequence numbers, through retries and restarts.
//! * A delivery leaves only when a durable `sent_to` covers it, so what may be sent twice after a
//!   crash is known and listed.
//! * A fault of the store or of a worker never ends a message.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod assemble;
mod batch;
mod body;
mod call;
mod completion;
mod delivery;
mod disposition;
mod duplicates;
mod fact;
mod graph;
mod handler;
mod handoff;
mod ids;
mod ingress;
mod intake;
mod lane;
mod order;
mod outcome;
mod pipeline;
mod record;
mod retry;
mod routing;
#[cfg(feature = "sabotage")]
mod sabotage;
mod shared;
mod stage;
mod status;

pub use body::{Body, Piece};
pub use fact::{
    CallFailure, CommitOutcome, Committed, Entry, Fact, First, Head, LaneMark, Received, Refusal,
    Sent, Start,
};
pub use graph::{Graph, Handler, Inbound, Limits, Outbound, Retry};
pub use ids::{BodyId, CallId, Epoch, LaneId, MessageId, Millis, Now, Seq, Stage, Stamp, Ticket};
pub use order::{Answer, Order, Source, Work};
pub use pipeline::Pipeline;
pub use record::{
    Append, Disposition, Event, Failure, LaneUpdate, NewMessage, Note, Part, Record, Transaction,
    What,
};
#[cfg(feature = "sabotage")]
pub use sabotage::Sabotage;
pub use status::{LaneStatus, Left};
