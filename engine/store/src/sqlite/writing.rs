//! What the writing connection does. It is lent out with what belongs to it, so that a backup can hold the
//! connection between its slices while commits go on through it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mllp_pipeline::{BodyId, CommitOutcome, Head, LaneId, Room, Transaction};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::{self, Trouble, failed, of_commit};
use super::index::Index;
use super::read::{self, SqliteReader};
use super::retain::{self, Pass};
use super::{back_up, connect, directory, lived, schema, sweep, write};
use crate::backup::{BackupError, Between, Copied};
use crate::contract::{LaneName, Numbers, Reader, Store, Swept};
use crate::error::StoreError;
use crate::life::Life;
use crate::retention::{Expiry, LastPass};

/// What belongs to the writing connection.
pub(super) struct State {
    pub(super) path: PathBuf,
    pub(super) vfs: Option<String>,
    pub(super) wal: Wal,
    pub(super) index: Index,
    pub(super) pass: Option<Pass>,
    /// A pass was not finished, in this life or before: lanes may hold rows that have expired.
    pub(super) lanes_are_due: bool,
    /// Why the store has come to its end.
    pub(super) ended: Option<StoreError>,
}

impl State {
    pub(super) fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(&self.path, self.vfs.as_deref(), flags)?;
        schema::prepare_reader(&connection).map_err(failed)?;
        Ok(Box::new(SqliteReader::new(connection, self.index.gathered())))
    }
}

/// How far the write-ahead log has come.
pub(super) struct Wal {
    /// Frames in it after the last commit. SQLite restarts it once all of them are copied.
    pub(super) frames: Arc<AtomicI64>,
    /// The same when it was looked at last.
    pub(super) seen: i64,
    /// How many of them the last checkpoint has found copied.
    pub(super) copied: i64,
}

/// A checkpoint begins when this much has been written since the last one, so that none has much
/// more than this to copy: 4 MiB in pages.
const SLICE_FRAMES: i64 = 4 * 1024 * 1024 / schema::PAGE_SIZE;

/// The writing connection, lent out.
pub(super) struct Writing<'a> {
    pub(super) connection: &'a Connection,
    pub(super) state: &'a mut State,
}

impl Store for Writing<'_> {
    fn numbers(&mut self) -> Result<Numbers, StoreError> {
        schema::begin_life(self.connection)
    }

    fn begin_life(&mut self, life: &Life) -> Result<(), StoreError> {
        lived::begin(self.connection, life).map_err(failed)
    }

    fn end_life(&mut self, at: u64) -> Result<(), StoreError> {
        self.is_open()?;
        lived::end(self.connection, at).map_err(|error| self.not_kept(error))
    }

    fn own(&mut self, lanes: &[LaneName]) -> Result<Vec<Head>, StoreError> {
        write::own(self.connection, lanes)
    }

    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError> {
        read::heads(self.connection, lanes).map_err(failed)
    }

    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
        read::lanes(self.connection)
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError> {
        self.is_open()?;
        let committed = write::commit(self.connection, transaction, &self.state.index);
        let outcome = committed.map_err(|error| self.end(error))?;
        if let CommitOutcome::Committed(_) = outcome {
            self.state.index.committed(transaction);
        }
        Ok(outcome)
    }

    /// What the file system gives, and the free pages of the file.
    fn room(&mut self) -> Option<Room> {
        let room = directory::room(&self.state.path)?;
        let sql = "PRAGMA freelist_count";
        let pages: i64 = self.connection.query_row(sql, (), |row| row.get(0)).unwrap_or(0);
        let free = room.free.saturating_add((pages * schema::PAGE_SIZE) as u64);
        Some(Room { free, ..room })
    }

    fn tend(&mut self) -> Result<bool, StoreError> {
        self.is_open()?;
        let checkpointed = self.checkpoint();
        let indexed = checkpointed.and_then(|()| self.state.index.tend(self.connection));
        indexed.map_err(|error| self.end(error))
    }

    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<Swept, StoreError> {
        self.is_open()?;
        let swept = sweep::sweep(self.connection, bodies);
        swept.map_err(|error| self.end(error))
    }

    fn expire(&mut self, expiry: &Expiry) -> Result<bool, StoreError> {
        self.is_open()?;
        let going_on = self.state.pass.take().filter(|it| it.is_for(expiry));
        let mut pass = going_on.unwrap_or_else(|| Pass::new(expiry, self.state.lanes_are_due));
        let more = pass.slice(self.connection).map_err(|error| self.end(error))?;
        self.state.lanes_are_due = pass.lanes_are_due();
        self.state.pass = more.then_some(pass);
        if !more {
            self.state.index.expired();
        }
        Ok(more)
    }

    fn last_pass(&mut self) -> Result<LastPass, StoreError> {
        retain::last_pass(self.connection).map_err(failed)
    }

    fn keep_pass(&mut self, pass: &LastPass) -> Result<(), StoreError> {
        self.is_open()?;
        retain::keep_pass(self.connection, pass).map_err(|error| self.not_kept(error))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.state.reader()
    }

    fn back_up(&mut self, to: &Path, between: Between<'_>) -> Result<Copied, BackupError> {
        back_up::copy(self, to, between)
    }
}

impl Writing<'_> {
    fn is_open(&self) -> Result<(), StoreError> {
        self.state.ended.clone().map_or(Ok(()), Err)
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
        self.state.ended = Some(error.clone());
        error
    }

    /// Copies what the WAL has gained into the file, once that is a slice. A reader that holds an
    /// older snapshot bounds it, and a later call goes on.
    fn checkpoint(&mut self) -> Result<(), StoreError> {
        let frames = self.state.wal.frames.load(Ordering::Relaxed);
        if frames < self.state.wal.seen {
            // It was restarted.
            self.state.wal.copied = 0;
        }
        self.state.wal.seen = frames;
        if frames - self.state.wal.copied < SLICE_FRAMES {
            return Ok(());
        }
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        match self.connection.query_row(sql, (), |row| row.get(2)) {
            Ok(copied) => self.state.wal.copied = copied,
            // What is in the log is durable there, until there is room.
            Err(error) if failure::is_full(&error) => {}
            Err(error) => return Err(failure::fatal(error)),
        }
        Ok(())
    }
}
