//! Why a store cannot be used.

use std::fmt;

/// Why a store cannot be used, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Another engine has it open.
    InUse,
    /// It was written by a newer program, whose format has this number.
    Newer(u32),
    /// It is no store of ours.
    Foreign,
    /// It lies on a network file system, whose locks and syncs cannot be relied on.
    NetworkFileSystem,
    /// There is no room on the disk.
    Full,
    /// It cannot be opened or read, for this reason.
    Unavailable(String),
    /// It is damaged.
    Corrupt(String),
    /// A write or a sync has failed, and what is on the disk is not known.
    SyncFailed(String),
}

impl StoreError {
    /// Exit status of a program that ends because of it: 4 the store is refused, 5 a sync failed.
    pub const fn exit_status(&self) -> u8 {
        match self {
            StoreError::SyncFailed(_) => 5,
            _ => 4,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::InUse => f.write_str("the store is in use by another engine"),
            StoreError::Newer(format) => {
                write!(f, "the store has format {format}, which is newer than this program")
            }
            StoreError::Foreign => f.write_str("the file is not a store of this engine"),
            StoreError::NetworkFileSystem => f.write_str(
                "the store is on a network file system, whose locks and syncs are not reliable",
            ),
            StoreError::Full => f.write_str("the disk of the store is full"),
            StoreError::Unavailable(why) => write!(f, "the store cannot be used: {why}"),
            StoreError::Corrupt(why) => write!(f, "the store is damaged: {why}"),
            StoreError::SyncFailed(why) => write!(f, "a write to the store has failed: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}
