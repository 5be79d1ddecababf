//! A durable HL7 engine to embed.
//!
//! Everything that is received is on disk, synced, before its sender hears AA. From there it is
//! routed and transformed by functions of the program, delivered in order, and ends in exactly one
//! disposition that can be looked up.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use mllp_engine::{Engine, Send};
//!
//! let engine = Engine::builder("data")
//!     .inbound("IB_ADT", "127.0.0.1:2575", "adt")
//!     .router("adt", |message| message.get("MSH-9.2").map(|_| "to_lab"))
//!     .handler("to_lab", |_message| [Send::unchanged("OB_LAB")])
//!     .outbound("OB_LAB", "127.0.0.1", 2600)
//!     .start()?;
//! println!("listening {}", engine.address("IB_ADT").unwrap());
//! // ... until the program ends:
//! engine.stop(Duration::from_secs(10))?;
//! # Ok::<(), mllp_engine::Error>(())
//! ```
//!
//! # The threads
//!
//! ```text
//! listeners ─┐                                  ┌─► writer: commits, one at a time
//! senders ───┼─ facts ─► core: the pipeline ─ orders ─► reader: what is not in memory
//! workers ───┘                                  ├─► workers: routers and handlers
//!                                               └─► listeners: answers · senders: deliveries
//! ```
//!
//! The core decides and never waits for a disk, a socket or a function of the program; the others
//! wait and never decide.

//!
//! # Log records
//!
//! They go through the crate `log`, with fields: `connection` is the name of the inbound, handler or
//! outbound. There is one for each change of state, none for a message that goes its way, and never a
//! payload or what a partner said.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod backing_up;
mod bodies;
mod builder;
mod calling;
mod certificates;
mod clock;
mod comparison;
mod connections;
pub mod connector;
mod core;
mod differences;
mod engine;
mod error;
mod faults;
mod functions;
mod given_up;
mod graph;
mod handovers;
mod hours;
mod jobs;
mod journey;
mod lazy;
mod listeners;
mod lives;
mod metrics;
mod moment;
mod names;
mod newer;
mod notices;
mod offline;
mod opening;
mod operator;
mod ordering;
mod orphans;
mod outages;
mod outlet;
mod program;
mod reader;
mod reason;
mod reload;
mod retaining;
mod schedule;
mod search;
mod seats;
mod selection;
mod settling;
mod shown;
mod specs;
mod stalls;
mod status;
mod stored;
mod traffic;
mod waiting;
mod why;
pub mod worker;
mod workers;
mod writer;

pub use backing_up::BackingUp;
pub use builder::Builder;
pub use certificates::{Certificate, Whose};
pub use differences::differences;
pub use engine::Engine;
pub use error::Error;
pub use functions::{Failed, Message, Send};
pub use given_up::GivenUp;
pub use jobs::{JobReport, To};
pub use journey::{Acknowledgment, Change, Journey};
pub use mllp_io::{
    AckMode, CertificateFiles, ClientCertificates, ContentType, Dialect, Framing, ListenerOptions,
    ListenerTls, Network, OverLimit, Policy, Profile, ReplyActions, Rules, Scan, SenderOptions,
    SenderTls, Times, TlsVersion,
};
pub use mllp_pipeline::{
    By, Capacity, Closed, Disposition, Event, Failure, Flow, GiveUp, LaneId, MessageId, Note,
    OnFull, Position, Retry, Seq, Side, Stage, StoreState, Then, Trouble, What,
};
pub use mllp_store::{
    About, BackupError, ClockDoubt, Copying, Days, Finding, Found, Made, StoreError, StoredMessage,
    Verified, hexadecimal, restore_check, verify,
};
pub use moment::moment;
pub use offline::{Ended, Offline, Receipt};
pub use program::Program;
pub use reason::{Attempts, Reason};
pub use reload::NotReloaded;
pub use schedule::{Hours, Schedule, Window};
pub use search::Search;
pub use selection::{Selection, Which};
pub use settling::{Leaving, Lot, Settled};
pub use status::{LaneState, Setting, Status};
pub use why::{Answer, Why};
pub use worker::{Refusal, Running, Trace, WorkerLimits, WorkerState, Workers};
