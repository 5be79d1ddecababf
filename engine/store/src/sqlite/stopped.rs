//! The files of an engine that is stopped, or of a backup, as they are: nothing is changed.

use std::path::Path;

use mllp_pipeline::LaneId;
use rusqlite::{Connection, OpenFlags};

use super::directory::{self, Lock};
use super::failure::failed;
use super::index::Index;
use super::read::{self, SqliteReader};
use super::schema;
use crate::contract::{LaneName, Reader};
use crate::error::StoreError;

/// The store of an engine that is stopped, to be read. No engine can be started on it meanwhile.
pub struct Stopped {
    /// What reads it.
    pub reader: Box<dyn Reader>,
    /// Every lane that it knows, by number.
    pub lanes: Vec<(LaneId, LaneName)>,
    /// After the connection, because fields are dropped in this order.
    _lock: Lock,
}

impl Stopped {
    /// Opens the store of a directory.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: there is none, an engine uses it, it has another format, or it cannot be read.
    pub fn open(data: &Path) -> Result<Stopped, StoreError> {
        let (lock, connection) = connect(data)?;
        schema::check_version(&connection)?;
        let lanes = read::lanes(&connection)?;
        let gathered = Index::open(&connection).map_err(failed)?.gathered();
        let reader = Box::new(SqliteReader::new(connection, gathered));
        Ok(Stopped { reader, lanes, _lock: lock })
    }
}

/// Takes a directory, and connects to its store to read it.
pub(super) fn connect(data: &Path) -> Result<(Lock, Connection), StoreError> {
    let path = data.join("store.db");
    if !path.exists() {
        return Err(StoreError::Unavailable(format!("{}: there is no store", data.display())));
    }
    schema::check_untouched(&path)?;
    // If they were not there, they go again when the lock does, after the connection.
    let beside = ["store.db-shm", "store.db-wal"].map(|name| data.join(name));
    let lock = directory::take(data, &beside)?;
    let connection = super::connect(&path, None, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::prepare_reader(&connection).map_err(failed)?;
    Ok((lock, connection))
}
