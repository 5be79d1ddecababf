//! What keeps an engine from running.

use std::fmt;
use std::io;

use mllp_store::{BackupError, StoreError};

/// Why an engine does not start, or has ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The graph has these faults, all of them.
    Graph(Vec<String>),
    /// The store is refused, or has come to its end.
    Store(StoreError),
    /// An inbound cannot listen.
    Listen {
        /// The inbound.
        inbound: String,
        /// Why.
        error: io::Error,
    },
    /// The system gives no thread or no runtime.
    System(io::Error),
    /// What an operator wants was not done, for this reason.
    Refused(String),
    /// There is no backup.
    Backup(BackupError),
    /// The engine was stopped, and its deadline came before everything in progress was done. Nothing
    /// is lost: what is left goes on at the next start.
    Unfinished,
}

impl Error {
    /// The exit status of a program that ends because of it: 2 the graph or the place of a backup is refused, 3 an address
    /// cannot be had, 4 the store is refused, 5 a sync failed, 1 anything else.
    pub const fn exit_status(&self) -> u8 {
        match self {
            Error::Graph(_) => 2,
            Error::Listen { .. } => 3,
            Error::Store(error) => error.exit_status(),
            Error::Backup(BackupError::Store(error)) => error.exit_status(),
            Error::Backup(BackupError::Place(_)) => 2,
            Error::System(_) | Error::Refused(_) | Error::Backup(_) | Error::Unfinished => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Graph(faults) => f.write_str(&faults.join("\n")),
            Error::Store(error) => error.fmt(f),
            Error::Refused(why) => f.write_str(why),
            Error::Backup(error) => error.fmt(f),
            Error::Listen { inbound, error } => {
                write!(f, "inbound {inbound} cannot listen: {}", error.kind())
            }
            Error::System(error) => write!(f, "the system refuses: {}", error.kind()),
            Error::Unfinished => f.write_str("stopped before everything in progress was done"),
        }
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Error::Store(error)
    }
}
