//! The control IDs of messages that are gone, as hashes: eight bytes each, some hundreds in a row, in the
//! order in which they went. Nothing is sorted, and a search reads all of them.

use rusqlite::{Connection, OptionalExtension, params};

use crate::query::of_control_id;
use crate::retention::ControlIds;

/// Bytes of a hash.
const HASH: usize = 8;
/// A row that has so many bytes gets no more.
const ROW: i64 = 4_096;
/// Rows that are deleted in a slice.
const SLICE: usize = 500;

/// Notes those of a slice.
pub(super) fn note(open: &Connection, control_ids: &[Vec<u8>], at: i64) -> rusqlite::Result<()> {
    let hash = |it: &Vec<u8>| of_control_id(it).to_le_bytes();
    let hashes: Vec<u8> = control_ids.iter().filter(|it| !it.is_empty()).flat_map(hash).collect();
    if hashes.is_empty() {
        return Ok(());
    }
    // CAST, or what was joined would be a text.
    let sql = "UPDATE expired_ids SET hashes = CAST(hashes || ?2 AS BLOB)
         WHERE id = (SELECT max(id) FROM expired_ids) AND at = ?1 AND length(hashes) < ?3";
    if open.prepare_cached(sql)?.execute(params![at, hashes, ROW])? == 0 {
        let sql = "INSERT INTO expired_ids(at, hashes) VALUES(?1, ?2)";
        open.prepare_cached(sql)?.execute(params![at, hashes])?;
    }
    Ok(())
}

/// When the newest message with this control ID went that is gone.
pub(in crate::sqlite) fn expired(
    connection: &Connection,
    control_id: &[u8],
) -> rusqlite::Result<Option<i64>> {
    let wanted = of_control_id(control_id).to_le_bytes();
    let sql = "SELECT at, hashes FROM expired_ids ORDER BY id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let hashes = row.get_ref(1)?.as_blob()?;
        if hashes.chunks_exact(HASH).any(|it| it == wanted) {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}

/// Forgets what is too old, and the oldest of what is too much. Returns whether that is done.
pub(super) fn forget(open: &Connection, of: ControlIds) -> rusqlite::Result<bool> {
    let number = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let sql = "DELETE FROM expired_ids WHERE id IN
         (SELECT id FROM expired_ids WHERE at < ?1 ORDER BY id LIMIT ?2)";
    let old = open.prepare_cached(sql)?.execute(params![number(of.before), SLICE as i64])?;
    if old == SLICE {
        return Ok(false);
    }
    // Their lengths stand in front of the bytes: these are not read.
    let sql = "SELECT coalesce(sum(length(hashes)), 0) FROM expired_ids";
    let all: i64 = open.prepare_cached(sql)?.query_row((), |row| row.get(0))?;
    let mut excess = all - number(of.most.saturating_mul(HASH as u64));
    for _ in 0..SLICE {
        if excess <= 0 {
            return Ok(true);
        }
        let sql = "SELECT id, length(hashes) FROM expired_ids ORDER BY id LIMIT 1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let oldest: Option<(i64, i64)> = open.prepare_cached(sql)?.query_row((), row).optional()?;
        let Some((id, len)) = oldest else { return Ok(true) };
        if len <= excess {
            open.prepare_cached("DELETE FROM expired_ids WHERE id = ?1")?.execute((id,))?;
        } else {
            let sql = "UPDATE expired_ids SET hashes = substr(hashes, ?2) WHERE id = ?1";
            open.prepare_cached(sql)?.execute(params![id, excess + 1])?;
        }
        excess -= len;
    }
    Ok(false)
}
