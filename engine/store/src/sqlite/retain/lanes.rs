//! The rows of lanes: what is consumed goes with the body of its message.

use mllp_pipeline::BodyId;
use rusqlite::{Connection, Row, params};

use super::release;
use crate::retention::Expiry;
use crate::sqlite::unsynced::unsynced;

/// Rows of a slice.
const SLICE: usize = 128;
/// A lane is done after so many rows of messages that are too young. A clock that was ahead for a
/// while has left some among the old ones.
const YOUNG: usize = 100_000;

/// How far a pass has come.
pub(super) struct Lanes {
    /// The lane that is gone through is the last one.
    lanes: Vec<i64>,
    after: i64,
    young: usize,
}

struct Consumed {
    seq: i64,
    chunks: Option<i64>,
    row_body: Option<i64>,
    /// Its message is gone, or its body is.
    is_expired: bool,
    /// When its message was received.
    received_at: i64,
}

impl Lanes {
    pub(super) fn begin(connection: &Connection) -> rusqlite::Result<Lanes> {
        let mut statement = connection.prepare_cached("SELECT id FROM lane")?;
        let lanes = statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Lanes { lanes, after: 0, young: 0 })
    }

    /// Returns whether all of them are done.
    pub(super) fn slice(
        &mut self,
        connection: &Connection,
        expiry: &Expiry,
        sweeping: &mut Vec<BodyId>,
    ) -> rusqlite::Result<bool> {
        let Some(lane) = self.lanes.last().copied() else { return Ok(true) };
        let mut bodies = Vec::new();
        let after = self.after;
        let rows = unsynced(connection, |open| walk(open, lane, after, &mut bodies))?;
        sweeping.append(&mut bodies);
        let newest = i64::try_from(expiry.newest()).unwrap_or(i64::MAX);
        let is_young = |it: &&Consumed| !it.is_expired && it.received_at >= newest;
        self.young += rows.iter().filter(is_young).count();
        self.after = rows.last().map_or(self.after, |it| it.seq);
        if rows.len() < SLICE || self.young >= YOUNG {
            self.lanes.pop();
            (self.after, self.young) = (0, 0);
        }
        Ok(false)
    }
}

/// Deletes rows up to the cursor of a lane whose messages have expired. Returns all it has looked at.
fn walk(
    open: &Connection,
    lane: i64,
    after: i64,
    sweeping: &mut Vec<BodyId>,
) -> rusqlite::Result<Vec<Consumed>> {
    let sql = "SELECT seq, work.chunks, message.id IS NULL OR body_expired IS NOT NULL,
             coalesce(received_at, 0), row_body
         FROM work LEFT JOIN message ON message.id = work.message
         WHERE lane = ?1 AND seq > ?2 AND seq <= (SELECT cursor FROM lane WHERE id = ?1)
             AND NOT EXISTS
                 (SELECT 1 FROM parked WHERE parked.lane = work.lane AND parked.seq = work.seq)
         ORDER BY seq LIMIT ?3";
    let row = |row: &Row<'_>| {
        let (seq, chunks) = (row.get(0)?, row.get(1)?);
        let (is_expired, received_at, row_body) = (row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(Consumed { seq, chunks, row_body, is_expired, received_at })
    };
    let mut statement = open.prepare_cached(sql)?;
    let rows: Vec<_> =
        statement.query_map(params![lane, after, SLICE as i64], row)?.collect::<Result<_, _>>()?;
    for it in rows.iter().filter(|it| it.is_expired) {
        if let Some(chunks) = it.chunks {
            release(open, chunks, sweeping)?;
        }
        if let Some(body) = it.row_body {
            open.prepare_cached("DELETE FROM row_body WHERE id = ?1")?.execute((body,))?;
        }
        let sql = "DELETE FROM work WHERE lane = ?1 AND seq = ?2";
        open.prepare_cached(sql)?.execute(params![lane, it.seq])?;
    }
    // Below the cursor nothing is asked of these.
    if let Some(last) = rows.last() {
        let sql = "DELETE FROM done WHERE lane = ?1 AND seq > ?2 AND seq <= ?3";
        open.prepare_cached(sql)?.execute(params![lane, after, last.seq])?;
    }
    Ok(rows)
}
