//! What an error of SQLite means for the engine.

use rusqlite::ffi::{self, ErrorCode};

use crate::contract::StoreError;

/// An error before anything was written, or while reading.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt(text(&error)),
        Some(ErrorCode::NotADatabase) => StoreError::Foreign,
        _ => StoreError::Unavailable(text(&error)),
    }
}

/// An error of a write or a sync, after which nobody knows what is on the disk.
pub(super) fn fatal(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt(text(&error)),
        _ => StoreError::SyncFailed(text(&error)),
    }
}

/// What a commit has run into.
pub(super) enum Trouble {
    /// There was no room; it was rolled back.
    Full,
    /// Somebody else holds the lock that a writer needs; nothing was written.
    Busy,
    /// The end of the store.
    Fatal(StoreError),
}

pub(super) fn of_commit(error: rusqlite::Error) -> Trouble {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Trouble::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Busy,
        _ => Trouble::Fatal(fatal(error)),
    }
}

/// SQLite's own words for the error. They name files and columns, never values.
fn text(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, _) => ffi::code_to_str(code.extended_code).to_owned(),
        _ => error.to_string(),
    }
}
