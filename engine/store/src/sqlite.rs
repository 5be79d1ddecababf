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
mod sweep;
mod unsynced;
mod verify;
mod write;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mllp_pipeline::{BodyId, CommitOutcome, Head, LaneId, Room, Transaction};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::contract::{LaneName, Numbers, Reader, Store, Swept};
use crate::error::StoreError;
use crate::life::Life;
use crate::retention::{Expiry, LastPass};
use crate::verify::{Finding, Verified};
use directory::Lock;
use failure::{Trouble, failed, of_commit};
use index::Index;
use read::SqliteReader;
use retain::Pass;

/// A store in a directory of its own.
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    vfs: Option<String>,
    wal: Wal,
    index: Index,
    pass: Option<Pass>,
    /// A pass was not finished, in this life or before: lanes may hold rows that have expired.
    lanes_are_due: bool,
    /// Why the store has come to its end.
    ended: Option<StoreError>,
    /// Held as long as the store is open.
    _lock: Lock,
}

/// How far the write-ahead log has come.
struct Wal {
    /// Frames in it after the last commit. SQLite restarts it once all of them are copied.
    frames: Arc<AtomicI64>,
    /// The same when it was looked at last.
    seen: i64,
    /// How many of them the last checkpoint has found copied.
    copied: i64,
}

/// A checkpoint begins when this much has been written since the last one, so that none has much
/// more than this to copy: 4 MiB in pages.
const SLICE_FRAMES: i64 = 4 * 1024 * 1024 / schema::PAGE_SIZE;

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
        let (wal, vfs) = (Wal { frames, seen: 0, copied: 0 }, vfs.map(str::to_owned));
        lock.keep();
        Ok(SqliteStore {
            connection,
            path,
            vfs,
            wal,
            index,
            pass: None,
            lanes_are_due: true,
            ended: None,
            _lock: lock,
        })
    }

    /// Makes the runs of the index so small that a short test sees all of their life.
    #[cfg(feature = "conformance")]
    pub fn write_small_runs(&mut self) {
        self.index.write_small_runs();
    }

    /// A second writing end, which knows nothing of the first one's lock. Only for the conformance
    /// suite, where it plays the node that takes lanes away.
    #[cfg(feature = "conformance")]
    pub fn second_handle(&self) -> Result<rusqlite::Connection, StoreError> {
        connect(&self.path, self.vfs.as_deref(), OpenFlags::default())
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
    let path = data.join("store.db");
    if !path.exists() {
        return Err(StoreError::Unavailable(format!("{}: there is no store", data.display())));
    }
    schema::check_untouched(&path)?;
    // If they were not there, they go again when the lock does, after the connection.
    let beside = ["store.db-shm", "store.db-wal"].map(|name| data.join(name));
    let _lock = directory::take(data, &beside)?;
    let connection = connect(&path, None, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::prepare_reader(&connection).map_err(failed)?;
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
        schema::begin_life(&mut self.connection)
    }

    fn begin_life(&mut self, life: &Life) -> Result<(), StoreError> {
        lived::begin(&mut self.connection, life).map_err(failed)
    }

    fn end_life(&mut self, at: u64) -> Result<(), StoreError> {
        self.is_open()?;
        lived::end(&self.connection, at).map_err(|error| self.not_kept(error))
    }

    fn own(&mut self, lanes: &[LaneName]) -> Result<Vec<Head>, StoreError> {
        write::own(&mut self.connection, lanes)
    }

    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError> {
        read::heads(&self.connection, lanes).map_err(failed)
    }

    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
        read::lanes(&self.connection)
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError> {
        self.is_open()?;
        let committed = write::commit(&mut self.connection, transaction, &self.index);
        let outcome = committed.map_err(|error| self.end(error))?;
        if let CommitOutcome::Committed(_) = outcome {
            self.index.committed(transaction);
        }
        Ok(outcome)
    }

    /// What the file system gives, and the free pages of the file.
    fn room(&mut self) -> Option<Room> {
        let room = directory::room(&self.path)?;
        let sql = "PRAGMA freelist_count";
        let pages: i64 = self.connection.query_row(sql, (), |row| row.get(0)).unwrap_or(0);
        let free = room.free.saturating_add((pages * schema::PAGE_SIZE) as u64);
        Some(Room { free, ..room })
    }

    fn tend(&mut self) -> Result<bool, StoreError> {
        self.is_open()?;
        let checkpointed = self.checkpoint();
        let indexed = checkpointed.and_then(|()| self.index.tend(&mut self.connection));
        indexed.map_err(|error| self.end(error))
    }

    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<Swept, StoreError> {
        self.is_open()?;
        let swept = sweep::sweep(&mut self.connection, bodies);
        swept.map_err(|error| self.end(error))
    }

    fn expire(&mut self, expiry: &Expiry) -> Result<bool, StoreError> {
        self.is_open()?;
        let going_on = self.pass.take().filter(|it| it.is_for(expiry));
        let mut pass = going_on.unwrap_or_else(|| Pass::new(expiry, self.lanes_are_due));
        let more = pass.slice(&mut self.connection).map_err(|error| self.end(error))?;
        self.lanes_are_due = pass.lanes_are_due();
        self.pass = more.then_some(pass);
        if !more {
            self.index.expired();
        }
        Ok(more)
    }

    fn last_pass(&mut self) -> Result<LastPass, StoreError> {
        retain::last_pass(&self.connection).map_err(failed)
    }

    fn keep_pass(&mut self, pass: &LastPass) -> Result<(), StoreError> {
        self.is_open()?;
        retain::keep_pass(&self.connection, pass).map_err(|error| self.not_kept(error))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(&self.path, self.vfs.as_deref(), flags)?;
        schema::prepare_reader(&connection).map_err(failed)?;
        Ok(Box::new(SqliteReader::new(connection, self.index.gathered())))
    }
}

impl SqliteStore {
    fn is_open(&self) -> Result<(), StoreError> {
        self.ended.clone().map_or(Ok(()), Err)
    }

    fn not_kept(&mut self, error: rusqlite::Error) -> StoreError {
        match of_commit(error) {
            Trouble::Full => StoreError::Full,
            Trouble::Busy => StoreError::Unavailable("it is locked".to_owned()),
            Trouble::Fatal(error) => self.end(error),
        }
    }

    /// After a sync that has failed no later one is believed: nothing is written any more, and the
    /// log stays for the next start, which reads from the disk what is there.
    fn end(&mut self, error: StoreError) -> StoreError {
        let keeps = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        let _ = self.connection.set_db_config(keeps, true);
        self.ended = Some(error.clone());
        error
    }

    /// Copies what the WAL has gained into the file, once that is a slice. A reader that holds an
    /// older snapshot bounds it, and a later call goes on.
    fn checkpoint(&mut self) -> Result<(), StoreError> {
        let frames = self.wal.frames.load(Ordering::Relaxed);
        if frames < self.wal.seen {
            // It was restarted.
            self.wal.copied = 0;
        }
        self.wal.seen = frames;
        if frames - self.wal.copied < SLICE_FRAMES {
            return Ok(());
        }
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        match self.connection.query_row(sql, (), |row| row.get(2)) {
            Ok(copied) => self.wal.copied = copied,
            // What is in the log is durable there, until there is room.
            Err(error) if failure::is_full(&error) => {}
            Err(error) => return Err(failure::fatal(error)),
        }
        Ok(())
    }
}
