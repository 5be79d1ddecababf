//! What an error of SQLite means for the engine.

use std::io;

use rusqlite::ffi::{self, ErrorCode};

use crate::error::StoreError;

/// An error before anything was written, or while reading.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        _ if is_full(&error) => StoreError::Full,
        _ if is_sync(&error) => StoreError::SyncFailed(text(&error)),
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt(text(&error)),
        Some(ErrorCode::NotADatabase) => StoreError::Foreign,
        _ => StoreError::Unavailable(text(&error)),
    }
}

/// An error of a write or a sync, after which the content of the disk is unknown.
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
        _ if is_full(&error) => Trouble::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Busy,
        _ => Trouble::Fatal(fatal(error)),
    }
}

/// Whether there was no room for the index of the log, which is written after the log.
pub(super) fn is_index_full(error: &rusqlite::Error) -> bool {
    extended(error) == Some(ffi::SQLITE_IOERR_SHMSIZE)
}

/// Whether there was no room, for the file, its log, or the index of the log.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || is_index_full(error)
        || is_over_quota(error)
}

/// Whether a quota is used up. SQLite takes only ENOSPC for a full disk; EDQUOT is a write that has
/// failed, and the last error of this thread says so. If another call has failed since, the store
/// ends: that is the safe mistake.
fn is_over_quota(error: &rusqlite::Error) -> bool {
    extended(error) == Some(ffi::SQLITE_IOERR_WRITE)
        && io::Error::last_os_error().kind() == io::ErrorKind::QuotaExceeded
}

/// Whether a sync has failed.
fn is_sync(error: &rusqlite::Error) -> bool {
    let syncs = [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC];
    extended(error).is_some_and(|code| syncs.contains(&code))
}

fn extended(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|it| it.extended_code)
}

/// SQLite's own words for the error. They name files and columns, never values.
fn text(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, _) => ffi::code_to_str(code.extended_code).to_owned(),
        _ => error.to_string(),
    }
}
