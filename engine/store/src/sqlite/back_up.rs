//! A copy of the whole file through the connection that writes.
//!
//! What is committed between two slices is copied as well, so a backup neither starts again under load nor
//! keeps the log from being checkpointed, as a second connection would.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::writing::Writing;
use super::{failure, schema, stopped};
use crate::backup::{BackupError, Between, Copied, Copying};
use crate::error::StoreError;

/// Pages of a slice: 512 KiB. A commit waits for one slice at most.
const SLICE: i32 = 64;

/// Another reading end may hold the lock that a slice needs for so many tries in a row.
const TRIES: u32 = 10_000;

/// Copies what this connection sees. See [`Store::back_up`](crate::Store::back_up).
pub(super) fn copy(
    store: &mut Writing<'_>,
    to: &Path,
    between: Between<'_>,
) -> Result<Copied, BackupError> {
    if let Some(error) = &store.state.ended {
        return Err(BackupError::Store(error.clone()));
    }
    let connection = store.connection;
    in_slices(connection, to, &mut |copying| between(store, copying))
}

/// Copies the store of an engine that is stopped to a new file.
///
/// # Errors
///
/// [`BackupError`]: the file is not whole; the store is as it was.
pub fn back_up(
    data: &Path,
    to: &Path,
    between: &mut dyn FnMut(Copying) -> bool,
) -> Result<Copied, BackupError> {
    let (_lock, connection) = stopped::connect(data).map_err(BackupError::Store)?;
    in_slices(&connection, to, &mut |copying| Ok(between(copying)))
}

fn in_slices(
    from: &Connection,
    to: &Path,
    between: &mut dyn FnMut(Copying) -> Result<bool, StoreError>,
) -> Result<Copied, BackupError> {
    let mut target = target(to).map_err(|error| failed(to, error))?;
    let backup = Backup::new(from, &mut target).map_err(|error| failed(to, error))?;
    let mut tries = 0;
    loop {
        let stepped = backup.step(SLICE).map_err(|error| failed(to, error))?;
        let progress = backup.progress();
        let bytes = |pages: i32| u64::try_from(i64::from(pages) * schema::PAGE_SIZE).unwrap_or(0);
        let total = bytes(progress.pagecount);
        match stepped {
            StepResult::Done => return Ok(Copied { bytes: total }),
            StepResult::Busy | StepResult::Locked if tries == TRIES => {
                return Err(BackupError::Failed("the store is locked".to_owned()));
            }
            StepResult::Busy | StepResult::Locked => tries += 1,
            _ => tries = 0,
        }
        let copied = total.saturating_sub(bytes(progress.remaining));
        if !between(Copying { copied, total }).map_err(BackupError::Store)? {
            return Err(BackupError::Stopped);
        }
    }
}

/// The file that is written: no other program knows its name, and it is synced before it is given out.
fn target(to: &Path) -> rusqlite::Result<Connection> {
    let target = Connection::open_with_flags_and_vfs(to, OpenFlags::default(), c"unix-none")?;
    target.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048;",
    )?;
    Ok(target)
}

/// An error of the file that is written, or of reading the store: a store that cannot be read says so itself
/// at its next commit.
fn failed(to: &Path, error: rusqlite::Error) -> BackupError {
    match failure::failed(error) {
        StoreError::Full => BackupError::Full(to.display().to_string()),
        other => BackupError::Failed(other.to_string()),
    }
}
