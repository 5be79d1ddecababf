//! Connections that are no sockets of the engine: a process of its own feeds an inbound, or carries out
//! the deliveries of an outbound.
//!
//! ```text
//! engine                                              process of a connector
//!
//! Host: follows the Supervisor's orders ─┐
//! Reading: frames in ─ Feed ─ intake     ├─ a socket ─ Child ─ the connector's code
//! writing: frames out, pieces of bodies ─┘
//! ```
//!
//! Each connection has one process, so that a crash or a hang of one disturbs no other. An inbound
//! *receives, commits, acknowledges*: what the process submits is answered once it is durable, and a
//! process that did not hear the answer submits again and is told of a duplicate. An outbound *claims,
//! sends, classifies*: a delivery that a process had when it ended may have been sent.
//!
//! ```no_run
//! use mllp_engine::connector::{Child, Submitted};
//!
//! let child = Child::take()?; // before any code of the user runs
//! child.hello()?;
//! while child.wait(std::time::Duration::from_secs(5)) {
//!     match child.submit(b"MSH|^~\\&|...")? {
//!         Submitted::NotStored | Submitted::Unknown => {} // again, later
//!         _ => {} // the engine has it
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

mod child;
mod declared;
mod delivery;
mod host;
mod inbox;
mod program;
mod protocol;
mod reading;
mod supervisor;
mod writing;

pub use child::{Child, Level, Submission};
pub use delivery::Delivery;
pub(crate) use host::{Connection, Connectors, Given, Side, ToConnector, start};
pub use mllp_io::{FeedOptions, Outcome, Stored, Submitted};
pub use program::ConnectorProgram;
