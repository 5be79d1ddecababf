//! The store in one SQLite file: a log for each stage and one row for each lane.
//!
//! ```text
//! DATA/lock       held while an engine runs
//! DATA/store.db   and beside it store.db-wal, store.db-shm while it runs
//! ```
//!
//! The file is in WAL mode with `synchronous=FULL`: a commit returns after its `fdatasync`. One
//! connection writes and checkpoints, on one thread; readers hold a snapshot for the length of one
//! call. SQLite itself is linked in, in a version that is past the loss of committed transactions at
//! a WAL reset (fixed in 3.51.3), so nothing else may open the live file.

mod back_up;
mod directory;
mod failure;
mod fetch;
mod index;
mod insert;
mod lists;
mod lived;
mod message;
mod read;
mod reopening;
mod retain;
mod row_body;
mod schema;
mod search;
mod stopped;
mod sweep;
mod unsynced;
mod verify;
mod write;
mod writing;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mllp_pipeline::{BodyId, CommitOutcome, Head, LaneId, Room, Transaction};
use rusqlite::{Connection, OpenFlags};

use crate::backup::{BackupError, Between, Copied};
use crate::contract::{LaneName, Numbers, Reader, Store, Swept};
use crate::error::StoreError;
use crate::life::Life;
use crate::retention::{Expiry, LastPass};
use crate::verify::{Finding, Verified};
use directory::Lock;
use failure::failed;
use index::Index;
use writing::{State, Wal, Writing};

pub(crate) use directory::{failed as io_failed, room};

pub use back_up::back_up;
pub use stopped::Stopped;

/// A store in a directory of its own.
pub struct SqliteStore {
    connection: Connection,
    state: State,
    /// Held as long as the store is open.
    _lock: Lock,
}

impl SqliteStore {
    /// Opens the store of a directory, and makes both if they are not there.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing in the directory was changed.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_with_vfs(data, None)
    }

    /// The same through a VFS that was registered under this name, for tests of crashes.
    ///
    /// # Errors
    ///
    /// As for [`open`](SqliteStore::open).
    pub fn open_with_vfs(data: &Path, vfs: Option<&str>) -> Result<Self, StoreError> {
        let path = data.join("store.db");
        if vfs.is_none() {
            schema::check_untouched(&path)?;
        }
        // In this order: if the power goes while they are removed, a log is left without its database,
        // which is nothing, and never a database without its log.
        let files = ["store.db-shm", "store.db-wal", "store.db"].map(|name| data.join(name));
        let mut lock = directory::take(data, &files)?;
        if vfs.is_none() {
            // Once more: its last owner may have been a newer program.
            schema::check_untouched(&path)?;
        }
        let mut connection = connect(&path, vfs, OpenFlags::default())?;
        schema::prepare_writer(&connection).map_err(failed)?;
        schema::migrate(&connection)?;
        if vfs.is_none() {
            directory::sync(data)?;
        }
        let frames = Arc::new(AtomicI64::new(0));
        let seen = Arc::clone(&frames);
        // In place of SQLite's own hook, which would checkpoint inside a commit.
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            seen.store(pages.into(), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(hook)).map_err(failed)?;
        let index = Index::open(&connection).map_err(failed)?;
        let wal = Wal { frames, seen: 0, copied: 0 };
        let state = State {
            path,
            vfs: vfs.map(str::to_owned),
            wal,
            index,
            pass: None,
            lanes_are_due: true,
            ended: None,
        };
        lock.keep();
        Ok(SqliteStore { connection, state, _lock: lock })
    }

    fn writing(&mut self) -> Writing<'_> {
        Writing { connection: &self.connection, state: &mut self.state }
    }

    /// Makes the runs of the index so small that a short test sees all of their life.
    #[cfg(feature = "conformance")]
    pub fn write_small_runs(&mut self) {
        self.state.index.write_small_runs();
    }

    /// A second writing end, which knows nothing of the first one's lock. Only for the conformance
    /// suite, where it plays the node that takes lanes away.
    #[cfg(feature = "conformance")]
    pub fn second_handle(&self) -> Result<rusqlite::Connection, StoreError> {
        connect(&self.state.path, self.state.vfs.as_deref(), OpenFlags::default())
    }
}

/// Proves from the files of an engine that is stopped, or of a backup, that nothing is lost: every
/// message is final or has exactly its open work, every body is whole, and the index is complete.
/// Nothing is changed. Tells what is wrong, one finding at a time.
///
/// # Errors
///
/// [`StoreError`]: there is no store, an engine uses it, it has another format, or it cannot be read.
pub fn verify(data: &Path, tell: &mut dyn FnMut(Finding)) -> Result<Verified, StoreError> {
    let (_lock, connection) = stopped::connect(data)?;
    schema::check_version(&connection)?;
    verify::file(&connection, tell)
}

fn connect(path: &Path, vfs: Option<&str>, flags: OpenFlags) -> Result<Connection, StoreError> {
    let opened = match vfs {
        None => Connection::open_with_flags(path, flags),
        Some(name) => Connection::open_with_flags_and_vfs(path, flags, name),
    };
    opened.map_err(failed)
}

impl Store for SqliteStore {
    fn numbers(&mut self) -> Result<Numbers, StoreError> {
        self.writing().numbers()
    }

    fn begin_life(&mut self, life: &Life) -> Result<(), StoreError> {
        self.writing().begin_life(life)
    }

    fn end_life(&mut self, at: u64) -> Result<(), StoreError> {
        self.writing().end_life(at)
    }

    fn own(&mut self, lanes: &[LaneName]) -> Result<Vec<Head>, StoreError> {
        self.writing().own(lanes)
    }

    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError> {
        self.writing().heads(lanes)
    }

    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
        self.writing().lanes()
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError> {
        self.writing().commit(transaction)
    }

    fn room(&mut self) -> Option<Room> {
        self.writing().room()
    }

    fn tend(&mut self) -> Result<bool, StoreError> {
        self.writing().tend()
    }

    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<Swept, StoreError> {
        self.writing().sweep(bodies)
    }

    fn expire(&mut self, expiry: &Expiry) -> Result<bool, StoreError> {
        self.writing().expire(expiry)
    }

    fn last_pass(&mut self) -> Result<LastPass, StoreError> {
        self.writing().last_pass()
    }

    fn keep_pass(&mut self, pass: &LastPass) -> Result<(), StoreError> {
        self.writing().keep_pass(pass)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.state.reader()
    }

    fn back_up(&mut self, to: &Path, between: Between<'_>) -> Result<Copied, BackupError> {
        self.writing().back_up(to, between)
    }
}
