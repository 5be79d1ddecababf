//! Programs whose processes the engine starts, and how it speaks with them.
//!
//! ```text
//! engine                                        process
//!   Running: starts, waits for the end, kills
//!   our end of a socket ◄──────── frames ────────► its standard input
//! ```
//!
//! What is said is the affair of [workers](crate::worker). The end of
//! the engine is the end of the process, whatever it does at that moment.

mod command;
mod ends;
mod frames;
mod running;

pub use command::Program;
pub(crate) use ends::{close_standard, cut, not_started, take_socket};
pub(crate) use frames::{Fields, Incoming, Outgoing, Payload, broken, put, put_all};
pub(crate) use running::Running;
