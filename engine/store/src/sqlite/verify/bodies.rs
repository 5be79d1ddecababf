//! Bodies in chunks: whole, and held by a message or a row; bodies of rows: held.

use std::collections::BTreeSet;

use mllp_pipeline::BodyId;
use rusqlite::{Connection, OptionalExtension, params};

use super::TOGETHER;
use crate::verify::{Concern, Report};

/// Rows of a slice.
const SLICE: i64 = 8_192;
/// Bodies of rows that are looked for at a time: a byte of memory for each.
const WINDOW: i64 = 1 << 20;

/// The length of a body; `None`: chunks of it are missing.
pub(super) fn length(connection: &Connection, body: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT count(*), max(n), coalesce(sum(length(bytes)), 0) FROM chunk WHERE body = ?1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?));
    let (count, last, len): (i64, Option<i64>, i64) =
        connection.prepare_cached(sql)?.query_row((body,), row)?;
    Ok(last.filter(|last| *last + 1 == count).map(|_| len))
}

pub(super) fn check(connection: &Connection, report: &mut Report<'_>) -> rusqlite::Result<()> {
    in_chunks(connection, report)?;
    of_rows(connection, report)
}

/// Bodies of rows in one piece that no row has.
fn of_rows(connection: &Connection, report: &mut Report<'_>) -> rusqlite::Result<()> {
    let mut next = connection.prepare_cached("SELECT min(id) FROM row_body WHERE id > ?1")?;
    let mut ids = connection.prepare_cached(
        "SELECT id FROM row_body WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut after = 0i64;
    while let Some(first) = next.query_row((after,), |row| row.get::<_, Option<i64>>(0))? {
        let last = first.saturating_add(WINDOW - 1);
        let mut unclaimed = vec![false; WINDOW as usize];
        let mut from = first;
        while from <= last {
            let found: Vec<i64> = ids
                .query_map(params![from, last, SLICE], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            found.iter().for_each(|id| unclaimed[(id - first) as usize] = true);
            from = found.last().filter(|_| found.len() as i64 == SLICE).map_or(last, |id| *id) + 1;
        }
        let sql = "SELECT lane, seq, row_body FROM work WHERE (lane, seq) > (?1, ?2)
             ORDER BY lane, seq LIMIT ?3";
        each(connection, sql, |body| {
            if let Some(it) = unclaimed.get_mut(usize::try_from(body - first).unwrap_or(usize::MAX))
            {
                *it = false;
            }
        })?;
        for (_, id) in unclaimed.iter().zip(first..).filter(|(it, _)| **it) {
            // Retention may have taken it meanwhile.
            if connection.prepare_cached("SELECT 1 FROM row_body WHERE id = ?1")?.exists((id,))? {
                report.found(Concern::RowBody(id), "no row holds it");
            }
        }
        after = last;
    }
    Ok(())
}

fn in_chunks(connection: &Connection, report: &mut Report<'_>) -> rusqlite::Result<()> {
    let mut after = -1;
    loop {
        let mut unclaimed = bodies(connection, after)?;
        let Some(last) = unclaimed.last().copied() else { return Ok(()) };
        after = last;
        claim(
            connection,
            &mut unclaimed,
            "SELECT id, 0, chunks FROM message WHERE (id, 0) > (?1, ?2)
             ORDER BY id LIMIT ?3",
        )?;
        claim(
            connection,
            &mut unclaimed,
            "SELECT lane, seq, chunks FROM work WHERE (lane, seq) > (?1, ?2)
             ORDER BY lane, seq LIMIT ?3",
        )?;
        for body in unclaimed {
            // Retention may have taken it meanwhile.
            let sql = "SELECT 1 FROM chunk WHERE body = ?1 LIMIT 1";
            if connection.prepare_cached(sql)?.exists((body,))? && !is_unheld(connection, body)? {
                let concern = Concern::Body(BodyId(body as u64));
                report.found(concern, "no message and no row holds it");
            }
        }
    }
}

/// The next bodies that something has to hold.
fn bodies(connection: &Connection, after: i64) -> rusqlite::Result<BTreeSet<i64>> {
    let _snapshot = connection.unchecked_transaction()?;
    let mut next = connection.prepare_cached("SELECT min(body) FROM chunk WHERE body > ?1")?;
    let (mut bodies, mut at) = (BTreeSet::new(), after);
    while bodies.len() < TOGETHER
        && let Some(body) = next.query_row((at,), |row| row.get::<_, Option<i64>>(0))?
    {
        at = body;
        if !is_unheld(connection, body)? {
            bodies.insert(body);
        }
    }
    Ok(bodies)
}

fn is_unheld(connection: &Connection, body: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM unheld WHERE body = ?1";
    let found = connection.prepare_cached(sql)?.query_row((body,), |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// Takes out the bodies that rows of a table hold.
fn claim(connection: &Connection, bodies: &mut BTreeSet<i64>, sql: &str) -> rusqlite::Result<()> {
    each(connection, sql, |body| {
        bodies.remove(&body);
    })
}

/// Gives out the third column of the rows of a table that have one, in slices after the first two.
fn each(connection: &Connection, sql: &str, mut each: impl FnMut(i64)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut after = (-1, -1);
    loop {
        let mut rows = statement.query(params![after.0, after.1, SLICE])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            after = (row.get(0)?, row.get(1)?);
            row.get::<_, Option<i64>>(2)?.into_iter().for_each(&mut each);
            count += 1;
        }
        if count < SLICE {
            return Ok(());
        }
    }
}
