//! A run: sorted entries in blocks, each block a row that fills one page.

use rusqlite::{Connection, OptionalExtension, params};

use super::gathered::Entry;

const ENTRY: usize = 16;

/// What has become of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A merge writes it.
    Building = 0,
    /// It is searched.
    Live = 1,
    /// Its blocks are being deleted.
    Dropped = 2,
}

/// The row of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) id: i64,
    /// How often its entries were merged.
    pub(super) level: i64,
    pub(super) state: State,
    /// The oldest and the newest message in it.
    pub(super) first: i64,
    pub(super) last: i64,
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Run>> {
    let mut statement = connection.prepare("SELECT id, level, state, first, last FROM run")?;
    let row = |row: &rusqlite::Row<'_>| {
        let state = match row.get(2)? {
            0i64 => State::Building,
            1 => State::Live,
            _ => State::Dropped,
        };
        let (id, level) = (row.get(0)?, row.get(1)?);
        Ok(Run { id, level, state, first: row.get(3)?, last: row.get(4)? })
    };
    statement.query_map((), row)?.collect()
}

/// Appends entries, which follow those that are there, to a run, so many in a block.
pub(super) fn write(
    open: &Connection,
    run: i64,
    entries: &[Entry],
    block: usize,
) -> rusqlite::Result<()> {
    let mut insert = open.prepare_cached(
        "INSERT INTO run_block(run, hash, message, entries) VALUES(?1, ?2, ?3, ?4)",
    )?;
    for block in entries.chunks(block) {
        let bytes: Vec<u8> = block.iter().flat_map(|it| it.to_bytes()).collect();
        insert.execute(params![run, block[0].hash, block[0].message, bytes])?;
    }
    Ok(())
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..8].copy_from_slice(&self.hash.to_le_bytes());
        bytes[8..].copy_from_slice(&self.message.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; ENTRY]) -> Entry {
        let number = |at: usize| bytes[at..].first_chunk().map_or(0, |it| i64::from_le_bytes(*it));
        Entry { hash: number(0), message: number(8) }
    }
}

/// The entries of a block.
pub(in crate::sqlite) fn entries(bytes: &[u8]) -> Vec<Entry> {
    let (entries, _) = bytes.as_chunks::<ENTRY>();
    entries.iter().map(Entry::from_bytes).collect()
}

fn block(
    connection: &Connection,
    sql: &str,
    run: i64,
    at: Entry,
) -> rusqlite::Result<Option<Vec<Entry>>> {
    let mut statement = connection.prepare_cached(sql)?;
    let bytes = statement.query_row(params![run, at.hash, at.message], |row| {
        row.get_ref(0)?.as_blob().map(entries).map_err(Into::into)
    });
    bytes.optional()
}

/// The entries of a run with one hash, the newest message first.
pub(in crate::sqlite) struct Backward {
    run: i64,
    hash: i64,
    block: Vec<Entry>,
}

impl Backward {
    /// Those of messages below `before`.
    pub(in crate::sqlite) fn seek(
        connection: &Connection,
        run: i64,
        hash: i64,
        before: i64,
    ) -> rusqlite::Result<Backward> {
        let mut cursor = Backward { run, hash, block: Vec::new() };
        cursor.load(connection, Entry { hash, message: before })?;
        Ok(cursor)
    }

    /// The newest message below `before`, which is at most that of the call before.
    pub(in crate::sqlite) fn below(
        &mut self,
        connection: &Connection,
        before: i64,
    ) -> rusqlite::Result<Option<i64>> {
        let before = Entry { hash: self.hash, message: before };
        let had_some = !self.block.is_empty();
        self.block.truncate(self.block.partition_point(|it| *it < before));
        if had_some && self.block.is_empty() {
            self.load(connection, before)?;
        }
        Ok(self.block.last().filter(|it| it.hash == self.hash).map(|it| it.message))
    }

    /// Loads the last block that begins below an entry, as far as it is below it.
    fn load(&mut self, connection: &Connection, before: Entry) -> rusqlite::Result<()> {
        let sql = "SELECT entries FROM run_block WHERE run = ?1 AND (hash, message) < (?2, ?3)
             ORDER BY hash DESC, message DESC LIMIT 1";
        self.block = block(connection, sql, self.run, before)?.unwrap_or_default();
        self.block.truncate(self.block.partition_point(|it| *it < before));
        Ok(())
    }
}

/// All entries of a run in order, for a merge.
pub(super) struct Forward {
    pub(super) run: i64,
    block: Vec<Entry>,
    at: usize,
}

impl Forward {
    pub(super) fn new(connection: &Connection, run: i64) -> rusqlite::Result<Forward> {
        let mut cursor = Forward { run, block: Vec::new(), at: 0 };
        cursor.load(connection, Entry { hash: i64::MIN, message: i64::MIN })?;
        Ok(cursor)
    }

    pub(super) fn peek(&self) -> Option<Entry> {
        self.block.get(self.at).copied()
    }

    pub(super) fn advance(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.at += 1;
        match self.block.last().copied() {
            Some(last) if self.at == self.block.len() => self.load(connection, last),
            _ => Ok(()),
        }
    }

    fn load(&mut self, connection: &Connection, after: Entry) -> rusqlite::Result<()> {
        let sql = "SELECT entries FROM run_block WHERE run = ?1 AND (hash, message) > (?2, ?3)
             ORDER BY hash, message LIMIT 1";
        self.block = block(connection, sql, self.run, after)?.unwrap_or_default();
        self.at = 0;
        Ok(())
    }
}
