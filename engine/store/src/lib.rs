//! The durable engine's stores: one contract, kept by memory, SQLite and PostgreSQL.
//!
//! A store keeps an append-only log for each stage and one small row for each lane. Nothing that a
//! claim reads is updated or deleted row by row, so a snapshot that somebody holds open slows nothing
//! down, and no index on a random key is in the path of a commit.
//!
//! | table | a row for each |
//! |---|---|
//! | `lane` | lane: its tail, its cursor, how far deliveries may have left, its owner's epoch |
//! | `message` | message as it was received, with the acknowledgment that was sent |
//! | `work` | place in a lane, from the tail on |
//! | `done` | place that was completed ahead of the cursor |
//! | `part` | transaction that has added or finished work on a message with several parts |
//! | `outcome` | disposition that a message has come to; the last one counts |
//! | `event` | line of a message's journey |
//! | `chunk` | 256 KiB of a body that is too large for one row |
//! | `unheld` | body in chunks that no message and no row holds yet |
//! | `dead` | delivery that is not tried again |
//! | `held` | delivery that waits for an operator |
//! | `reopened` | message to which an operator has added work, until it is final again |
//! | `switch` | side of a lane that was paused, stopped or started |
//! | `job` | work of an operator that takes more than one transaction |
//! | `run`, `run_block` | sorted run of index entries, and each of its blocks |
//! | `span` | messages of neighbouring numbers, and between which times they were received |
//! | `identity_log` | the same messages, each with what it is recognised by when it comes again |
//! | `late` | message that was committed after later ones were in a run |
//! | `expired` | messages of neighbouring numbers that retention has deleted, and when |
//! | `expired_ids` | control IDs of messages that retention has deleted, as hashes, and when |
//! | `retention` | last pass of retention, and whether the clock is in doubt |
//!
//! The contract is [`Store`] and [`Reader`]; the suite `conformance` holds every store to it.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod backup;
mod codes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
mod digest;
mod error;
mod life;
mod lists;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod retention;
mod row;
mod sqlite;
mod sums;
mod verify;

pub use backup::{
    About, Backup, BackupError, Between, Copied, Copying, Made, Place, restore_check,
};
pub use contract::{
    CHUNK, Held, INLINE_LIMIT, Identity, LaneName, Numbers, Reader, Store, StoredMessage, Swept,
};
pub use digest::{Digest, hexadecimal};
pub use error::StoreError;
pub use life::{Life, LivedInbound};
pub use lists::{Deliveries, Listed, Lists, Newer};
pub use memory::{Fault, MemoryStore};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use query::{Found, Query, SEARCH_LOOKS};
pub use retention::{
    Before, ClockDoubt, ClockGuard, ControlIds, Days, Expiry, LastPass, Retention,
};
pub use sqlite::{SqliteStore, Stopped, back_up, verify};
pub use verify::{Concern, Finding, Verified};
