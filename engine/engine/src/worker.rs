//! Routers and handlers in processes of their own: what such a process is made of.
//!
//! The engine starts the program that it is [given](crate::Program), with one end of a socket as
//! standard input and a small file as standard output. The program takes both, says which routers and
//! handlers it has, and answers calls until the engine ends it:
//!
//! ```no_run
//! use mllp_engine::worker::{Answer, Child, Function, Sent};
//!
//! let mut child = Child::take()?; // before any code of the user runs
//! // ... load the user's code; on failure: child.refuse("adt.py:3: SyntaxError")
//! child.hello(&["adt"], &["to_lab"])?;
//! while let Some(call) = child.next_call()? {
//!     let answer = match call.function() {
//!         Function::Router(0) => Answer::Handlers(vec!["to_lab"]),
//!         Function::Handler(0) => Answer::Sends(vec![Sent { to: "OB_LAB", bytes: None }]),
//!         _ => unreachable!("the engine calls nothing else"),
//!     };
//!     child.answer(&answer)?;
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The end of the engine is the end of the process, even while a function hangs.

mod arrivals;
mod batch;
mod call;
mod child;
mod conversation;
mod desk;
mod host;
mod protocol;
mod started;
mod status;
mod supervisor;
mod traces;

use std::fmt;

use mllp_pipeline::Failure;

pub(crate) use arrivals::Arrivals;
pub use call::{Call, NotReadable};
pub use child::Child;
pub(crate) use desk::{Desk, Readers};
pub(crate) use host::{ToWorkers, start};
pub use status::{Refusal, Running, WorkerState, Workers};
pub use supervisor::WorkerLimits;
pub use traces::Trace;

/// Which function is to be run: its place among those of [`Child::hello`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// A router.
    Router(usize),
    /// A handler.
    Handler(usize),
}

/// Whether a function is a router or a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Router,
    Handler,
}

/// What a function has made of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<'a> {
    /// Of a router: the handlers, by their names. None: the message is unrouted.
    Handlers(Vec<&'a str>),
    /// Of a handler: what it sends, in order. None: the message is filtered out.
    Sends(Vec<Sent<'a>>),
    /// It has failed.
    Failed {
        /// [`Failure::Content`]: the message ends in ERROR. Any other counts as
        /// [`Failure::Infrastructure`]: a fault that is not the message's, and it is called again.
        failure: Failure,
        /// What goes into the journey, such as `ValueError at adt.py:14 in to_lab`: nothing that the
        /// message holds. Longer than 256 bytes, it is cut.
        note: &'a str,
        /// What an operator reads to find the cause, without anything that the message holds. Kept in
        /// the memory of the engine, cut at 16 KiB.
        trace: &'a str,
    },
}

/// What a handler sends, and where to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    /// The name of an outbound, or of a handler that goes on with it.
    pub to: &'a str,
    /// The bytes; `None`: those that the handler was given.
    pub bytes: Option<&'a [u8]>,
}

// What is sent is health data: it stays out of logs and panics.
impl fmt::Debug for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes {
            Some(bytes) => write!(f, "Sent(to {}, {} bytes)", self.to, bytes.len()),
            None => write!(f, "Sent(to {}, unchanged)", self.to),
        }
    }
}
