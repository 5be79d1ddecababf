//! The tables, their versions, and the settings of a connection.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use mllp_pipeline::{BodyId, MessageId, Stamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension};

use super::failure::failed;
use super::unsynced::immediate;
use crate::contract::Numbers;
use crate::error::StoreError;

/// Of the file. It cannot change once the file exists.
pub(super) const PAGE_SIZE: i64 = 8192;

/// `FMLP`: marks the file as ours in its header.
const APPLICATION_ID: i32 = 0x464D_4C50;
/// The number of the newest migration.
const VERSION: u32 = 4;
/// Stamps for each life of the store: no life is long enough to use them up.
const STAMPS: u64 = 1 << 40;

/// Each brings a store from the version before to its own. Nothing that was released is changed.
const MIGRATIONS: [&str; VERSION as usize] = [
    "
    CREATE TABLE life(
        id INTEGER PRIMARY KEY,
        next_stamp INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE lane(
        id INTEGER PRIMARY KEY,
        stage INTEGER NOT NULL,
        name TEXT NOT NULL,
        tail INTEGER NOT NULL DEFAULT 0,
        cursor INTEGER NOT NULL DEFAULT 0,
        sent_to INTEGER NOT NULL DEFAULT 0,
        epoch INTEGER NOT NULL DEFAULT 0,
        attempt INTEGER NOT NULL DEFAULT 0,
        due INTEGER NOT NULL DEFAULT 0,
        UNIQUE(stage, name)
    ) STRICT;
    CREATE TABLE message(
        id INTEGER PRIMARY KEY,
        inbound INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        identity BLOB,
        accepted INTEGER NOT NULL,
        duplicate_of INTEGER,
        control_id BLOB NOT NULL,
        message_type BLOB NOT NULL,
        acknowledgment BLOB NOT NULL,
        chunks INTEGER,
        len INTEGER NOT NULL,
        body BLOB
    ) STRICT;
    CREATE TABLE chunk(
        body INTEGER NOT NULL,
        n INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY(body, n)
    ) STRICT;
    CREATE TABLE unheld(
        body INTEGER PRIMARY KEY
    ) STRICT;
    CREATE TABLE work(
        lane INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        message INTEGER NOT NULL,
        sole INTEGER NOT NULL,
        id_hash INTEGER NOT NULL,
        chunks INTEGER,
        body BLOB,
        PRIMARY KEY(lane, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE done(
        lane INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY(lane, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE part(
        message INTEGER NOT NULL,
        stamp INTEGER NOT NULL,
        added INTEGER NOT NULL,
        finished INTEGER NOT NULL,
        delivered INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        PRIMARY KEY(message, stamp)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outcome(
        message INTEGER NOT NULL,
        stamp INTEGER NOT NULL,
        disposition INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY(message, stamp)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE dead(
        lane INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        message INTEGER NOT NULL,
        why INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY(lane, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE event(
        message INTEGER NOT NULL,
        stamp INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        lane INTEGER NOT NULL,
        number INTEGER NOT NULL,
        text BLOB,
        PRIMARY KEY(message, stamp)
    ) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE lane ADD COLUMN waited INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE message ADD COLUMN session INTEGER;
    ALTER TABLE message ADD COLUMN original INTEGER;
    ALTER TABLE work ADD COLUMN keys BLOB;
    ALTER TABLE work ADD COLUMN hops INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE work ADD COLUMN body_lane INTEGER;
    ALTER TABLE work ADD COLUMN body_seq INTEGER;
    ALTER TABLE message ADD COLUMN indexed BLOB;
    ALTER TABLE message ADD COLUMN body_expired INTEGER;
    ALTER TABLE life ADD COLUMN next_message INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE span(
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL,
        earliest INTEGER NOT NULL,
        latest INTEGER NOT NULL,
        bodies INTEGER NOT NULL DEFAULT 1
    ) STRICT;
    CREATE TABLE identity_log(
        first INTEGER PRIMARY KEY,
        latest INTEGER NOT NULL,
        is_late INTEGER NOT NULL,
        entries BLOB NOT NULL
    ) STRICT;
    CREATE TABLE expired(
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE retention(
        id INTEGER PRIMARY KEY,
        passed_at INTEGER NOT NULL,
        doubt INTEGER,
        kept TEXT
    ) STRICT;
    CREATE TABLE late(
        message INTEGER PRIMARY KEY
    ) STRICT;
    CREATE TABLE run(
        id INTEGER PRIMARY KEY,
        level INTEGER NOT NULL,
        state INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        entries INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE run_block(
        run INTEGER NOT NULL,
        hash INTEGER NOT NULL,
        message INTEGER NOT NULL,
        entries BLOB NOT NULL,
        PRIMARY KEY(run, hash, message)
    ) STRICT;
    ALTER TABLE work ADD COLUMN row_body INTEGER;
    CREATE TABLE row_body(
        id INTEGER PRIMARY KEY,
        bytes BLOB NOT NULL,
        kept_before INTEGER NOT NULL,
        kept_after INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE held(
        lane INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        message INTEGER NOT NULL,
        why INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY(lane, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reopened(
        message INTEGER PRIMARY KEY
    ) STRICT;
    CREATE TABLE switch(
        lane INTEGER NOT NULL,
        side INTEGER NOT NULL,
        flow INTEGER NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY(lane, side)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE job(
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        what BLOB NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        total INTEGER NOT NULL,
        done INTEGER NOT NULL,
        newer INTEGER NOT NULL,
        after_message INTEGER NOT NULL,
        after_lane INTEGER NOT NULL,
        after_seq INTEGER NOT NULL,
        has_ended INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE started(
        lane INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        due INTEGER NOT NULL,
        waited INTEGER NOT NULL,
        PRIMARY KEY(lane, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE parked(
        lane INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY(lane, seq)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE work ADD COLUMN len INTEGER NOT NULL DEFAULT 0;
    UPDATE work SET len = coalesce(
        length(body),
        (SELECT sum(length(bytes)) FROM chunk WHERE chunk.body = work.chunks),
        (SELECT message.len FROM message WHERE message.id = work.message),
        0
    ) WHERE seq > (SELECT cursor FROM lane WHERE lane.id = work.lane);
    ALTER TABLE outcome ADD COLUMN lane INTEGER;
    ALTER TABLE outcome ADD COLUMN milliseconds INTEGER;
    ALTER TABLE outcome ADD COLUMN note BLOB;
    ALTER TABLE lane ADD COLUMN consumed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE lane ADD COLUMN appended INTEGER NOT NULL DEFAULT 0;
    UPDATE lane SET appended = coalesce((SELECT sum(len) FROM work WHERE work.lane = lane.id), 0);
",
    "
    ALTER TABLE message ADD COLUMN origin BLOB;
    CREATE TABLE lived(
        stamp INTEGER PRIMARY KEY,
        began_at INTEGER NOT NULL,
        configuration TEXT NOT NULL,
        inbounds TEXT NOT NULL,
        after_crash INTEGER NOT NULL,
        ended_at INTEGER
    ) STRICT;
",
    "
    CREATE TABLE expired_ids(
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        hashes BLOB NOT NULL
    ) STRICT;
",
];

/// Looks at the header of the file without opening it as a database, which could write beside it.
///
/// # Errors
///
/// [`StoreError`]: it is newer than this program, or not ours.
pub(super) fn check_untouched(path: &Path) -> Result<(), StoreError> {
    let mut header = [0; 100];
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        // Taking the directory says what is wrong with it.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(()),
        Err(error) => return Err(super::directory::failed(path, &error)),
    };
    match file.read_exact(&mut header) {
        Ok(()) => {}
        // Its maker got no further than this.
        Err(_) if file.metadata().is_ok_and(|it| it.len() == 0) => return Ok(()),
        Err(_) => return Err(StoreError::Foreign),
    }
    let number = |at: usize| header[at..].first_chunk().map_or(0, |it| u32::from_be_bytes(*it));
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(StoreError::Foreign);
    }
    match (number(68), number(60)) {
        // Made, and cut off before its first commit.
        (0, 0) => Ok(()),
        (id, version) if id == APPLICATION_ID as u32 => match version {
            version if version > VERSION => Err(StoreError::Newer(version)),
            _ => Ok(()),
        },
        _ => Err(StoreError::Foreign),
    }
}

pub(super) fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_SIZE};
         PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -16384;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;"
    ))?;
    prepare(connection)
}

pub(super) fn prepare_reader(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA query_only = ON;")?;
    // The last one to leave would otherwise checkpoint, beside the writer.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    prepare(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA mmap_size = 0; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Brings the store to this program's version.
pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let version: u32 =
        connection.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(failed)?;
    if version > VERSION {
        return Err(StoreError::Newer(version));
    }
    if version == VERSION {
        return Ok(());
    }
    for (from, migration) in (0..).zip(MIGRATIONS).skip(version as usize) {
        let batch = format!(
            "BEGIN IMMEDIATE; {migration}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}; COMMIT;",
            from + 1
        );
        if let Err(error) = connection.execute_batch(&batch) {
            let _ = connection.execute_batch("ROLLBACK");
            return Err(failed(error));
        }
    }
    // The version has to be in the header of the file itself, where an older program looks for it.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(failed)
}

/// Refuses a store that this program would have to migrate first.
pub(super) fn check_version(connection: &Connection) -> Result<(), StoreError> {
    let sql = "PRAGMA user_version";
    match connection.query_row(sql, (), |row| row.get::<_, u32>(0)).map_err(failed)? {
        VERSION => Ok(()),
        version if version > VERSION => Err(StoreError::Newer(version)),
        version => Err(StoreError::Unavailable(format!(
            "its format is {version}, and an engine has to bring it to {VERSION} first"
        ))),
    }
}

/// The numbers of a new life. Durable before any of them is used.
pub(super) fn begin_life(connection: &Connection) -> Result<Numbers, StoreError> {
    let begun = (|| {
        let transaction = immediate(connection)?;
        let one = |sql: &str| transaction.query_row(sql, (), |row| row.get::<_, i64>(0));
        let stamp = one("SELECT coalesce(max(next_stamp), 1) FROM life")? as u64;
        // Retention may have taken the newest ones.
        let message = one("SELECT max((SELECT coalesce(max(id), 0) + 1 FROM message),
             (SELECT coalesce(max(next_message), 1) FROM life))")? as u64;
        // A number that a sweep has not finished with is not given away.
        let chunk = one("SELECT coalesce(max(body), 0) FROM chunk")?;
        let unheld = one("SELECT coalesce(max(body), 0) FROM unheld")?;
        let body = chunk.max(unheld) as u64 + 1;
        let next = stamp.saturating_add(STAMPS) as i64;
        let life: Option<i64> =
            transaction.query_row("SELECT id FROM life", (), |row| row.get(0)).optional()?;
        match life {
            None => {
                transaction.execute("INSERT INTO life(id, next_stamp) VALUES(1, ?1)", (next,))?
            }
            Some(_) => transaction.execute("UPDATE life SET next_stamp = ?1", (next,))?,
        };
        transaction.commit()?;
        Ok(Numbers { message: MessageId(message), body: BodyId(body), stamp: Stamp(stamp) })
    })();
    begun.map_err(failed)
}
