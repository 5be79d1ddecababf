//! Backups: a directory that holds a whole store, what belongs to it, and what was known when it was made.
//!
//! ```text
//! NAME/backup.txt   when it was made, and the SHA-256 of the store
//! NAME/store.db     the store
//! NAME/...          what else was in the data directory
//! ```
//!
//! It is made under another name, `.NAME.part`, and gets its own once it is whole and synced. A data directory
//! is made of it by copying it.

mod about;
mod directory;

use std::fmt;
use std::path::Path;

pub use about::About;
pub use directory::{Backup, Made, Place};

use crate::contract::Store;
use crate::error::StoreError;
use crate::verify::{Concern, Finding, Verified};

/// How far a copy has come, in bytes. The total may grow meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copying {
    /// What is copied.
    pub copied: u64,
    /// All there is.
    pub total: u64,
}

/// A store was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes of the copy.
    pub bytes: u64,
}

/// What is done between two slices of a copy, with the store that it is made of. Returns whether to go on.
pub type Between<'a> = &'a mut dyn FnMut(&mut dyn Store, Copying) -> Result<bool, StoreError>;

/// Why there is no backup. Nothing is left under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupError {
    /// The place cannot be used, for this reason.
    Place(String),
    /// There is not enough room in this place.
    Full(String),
    /// The copy has failed, for this reason.
    Failed(String),
    /// It was stopped before it was whole.
    Stopped,
    /// The store is a database, which has its own means.
    OwnMeans,
    /// The store is refused, or has come to its end.
    Store(StoreError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackupError::Place(why) | BackupError::Failed(why) => f.write_str(why),
            BackupError::Full(place) => write!(f, "{place}: there is not enough room"),
            BackupError::Stopped => f.write_str("the backup was stopped before it was whole"),
            BackupError::OwnMeans => {
                f.write_str("the store is a database, which has backups of its own")
            }
            BackupError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}

/// Proves from the files of a backup that a store can be made of it: they are as they were written, and
/// [`verify`](crate::verify) finds nothing. Nothing is changed. Tells what is wrong, one finding at a time.
///
/// # Errors
///
/// [`BackupError::Place`]: this is no backup. [`BackupError::Store`]: as for [`verify`](crate::verify).
pub fn restore_check(
    backup: &Path,
    tell: &mut dyn FnMut(Finding),
) -> Result<(About, Verified), BackupError> {
    let about = About::read(backup)?;
    let mut is_changed = None;
    let store = backup.join("store.db");
    let digest = about::digest(&store).map_err(|error| directory::failed(&store, &error))?;
    if digest != about.sha256 {
        is_changed = Some("it is not the file that was written: its SHA-256 is another");
    }
    is_changed.into_iter().for_each(|what| {
        tell(Finding { concerns: Concern::File, what: what.to_owned() });
    });
    let verified = crate::verify(backup, tell).map_err(BackupError::Store)?;
    let findings = verified.findings + u64::from(is_changed.is_some());
    Ok((about, Verified { findings, ..verified }))
}
