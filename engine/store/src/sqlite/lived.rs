//! The lives of the store, and where in its lanes a message stands.

use mllp_pipeline::{LaneId, MessageId, Seq, Stamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::unsynced::immediate;
use crate::life::Life;

/// Of all lives so many are kept: one that is started in a loop for a day leaves no more.
const KEPT: i64 = 100_000;
/// How far from where it is expected a row is looked for before the whole lane is.
const NEAR: i64 = 10_000;

pub(super) fn begin(connection: &Connection, life: &Life) -> rusqlite::Result<()> {
    let transaction = immediate(connection)?;
    transaction.execute(
        "INSERT OR REPLACE INTO lived VALUES(?1, ?2, ?3, ?4, coalesce((SELECT ended_at IS NULL
             FROM lived WHERE stamp < ?1 ORDER BY stamp DESC LIMIT 1), 0), NULL)",
        params![
            life.stamp.0 as i64,
            life.began_at as i64,
            life.configuration,
            life.inbounds_text()
        ],
    )?;
    transaction.execute(
        "DELETE FROM lived WHERE stamp <=
             (SELECT stamp FROM lived ORDER BY stamp DESC LIMIT 1 OFFSET ?1)",
        (KEPT,),
    )?;
    transaction.commit()
}

pub(super) fn end(connection: &Connection, at: u64) -> rusqlite::Result<()> {
    let sql = "UPDATE lived SET ended_at = ?1 WHERE stamp = (SELECT max(stamp) FROM lived)";
    connection.execute(sql, (at as i64,)).map(drop)
}

/// The life to which a stamp belongs.
pub(super) fn of(connection: &Connection, stamp: Stamp) -> rusqlite::Result<Option<Life>> {
    let sql = "SELECT stamp, began_at, configuration, inbounds, after_crash FROM lived
         WHERE stamp <= ?1 ORDER BY stamp DESC LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| {
        let (stamp, began_at) = (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64);
        let inbounds = Life::inbounds_of(row.get_ref(3)?.as_str()?);
        let (configuration, after_crash) = (row.get(2)?, row.get(4)?);
        Ok(Life { stamp: Stamp(stamp), began_at, configuration, inbounds, after_crash })
    };
    connection.prepare_cached(sql)?.query_row((stamp.0 as i64,), row).optional()
}

/// The rows of a lane that are about a message. There is no index for it: rows stand nearly in the
/// order of their messages, so they are looked for where they are expected, and then everywhere.
pub(super) fn rows(
    connection: &Connection,
    lane: LaneId,
    message: MessageId,
) -> rusqlite::Result<Vec<Seq>> {
    let ends = "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM work WHERE lane = ?1";
    let ends = connection.prepare_cached(ends)?;
    let both = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let (first, last) = { ends }.query_row((lane.0,), both)?;
    let message = message.0 as i64;
    let mut one = connection
        .prepare_cached("SELECT message FROM work WHERE lane = ?1 AND seq >= ?2 LIMIT 1")?;
    let (mut low, mut high) = (first, last);
    while low < high {
        let middle = low + (high - low) / 2;
        let its: i64 = one.query_row((lane.0, middle), |row| row.get(0))?;
        if its < message { low = middle + 1 } else { high = middle }
    }
    let mut all = connection.prepare_cached(
        "SELECT seq FROM work WHERE lane = ?1 AND seq BETWEEN ?2 AND ?3 AND message = ?4
             ORDER BY seq",
    )?;
    let mut between = |from: i64, to: i64| {
        let rows = all.query_map((lane.0, from, to, message), |row| row.get::<_, i64>(0))?;
        rows.map(|seq| seq.map(|it| Seq(it as u64))).collect::<rusqlite::Result<Vec<_>>>()
    };
    let near = between(low - NEAR, low + NEAR)?;
    if near.is_empty() { between(first, last) } else { Ok(near) }
}
