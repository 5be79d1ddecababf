//! What an error of PostgreSQL means for the engine.

use mllp_pipeline::{CommitOutcome, Refusal};
use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

use crate::error::StoreError;

/// Whether the connection has ended with the error. One of severity ERROR ends the statement alone.
pub(super) fn is_lost(error: &Error) -> bool {
    let severity = error.as_db_error().map(|it| it.parsed_severity());
    severity != Some(Some(Severity::Error))
}

/// An error while nothing was being committed.
pub(super) fn failed(error: Error) -> StoreError {
    match error.code() {
        Some(&SqlState::DISK_FULL) => StoreError::Full,
        Some(&(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED)) => {
            StoreError::Corrupt(text(&error))
        }
        _ => StoreError::Unavailable(text(&error)),
    }
}

/// What a commit has come to that has failed.
///
/// # Errors
///
/// [`StoreError`]: it would fail the same way again.
pub(super) fn of_commit(error: Error, commit_was_sent: bool) -> Result<CommitOutcome, StoreError> {
    if is_lost(&error) {
        // The server may have committed, and its answer is what was lost.
        return Ok(match commit_was_sent {
            true => CommitOutcome::Unknown,
            false => CommitOutcome::Refused(Refusal::Unavailable),
        });
    }
    let code = error.code().map_or("", SqlState::code);
    match code.get(..2) {
        _ if code == SqlState::DISK_FULL.code() => Ok(CommitOutcome::Refused(Refusal::Full)),
        // Connection, read-only, deadlock, resources, locks, operator and system: not for now.
        Some("08" | "25" | "40" | "53" | "55" | "57" | "58") => {
            Ok(CommitOutcome::Refused(Refusal::Unavailable))
        }
        _ => Err(failed(error)),
    }
}

/// The server's code for the error: its text may quote values.
pub(super) fn text(error: &Error) -> String {
    match error.as_db_error() {
        Some(server) => format!("SQLSTATE {}", server.code().code()),
        None => error.to_string(),
    }
}
