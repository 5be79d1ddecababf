//! Lanes: their marks, and rows without a gap.

use mllp_pipeline::{LaneId, MessageId, Seq};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{bodies, is_known};
use crate::error::StoreError;
use crate::sqlite::failure::failed;
use crate::sqlite::message;
use crate::verify::{Concern, Report};

/// Rows of a slice.
const SLICE: usize = 4_096;

pub(super) fn check(connection: &Connection, report: &mut Report<'_>) -> Result<(), StoreError> {
    let sql = "SELECT id FROM lane ORDER BY id";
    let lanes = || {
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_map((), |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()
    };
    for lane in lanes().map_err(failed)? {
        one(connection, lane, report)?;
    }
    without_lane(connection, report).map_err(failed)
}

struct Marks {
    tail: i64,
    cursor: i64,
    sent_to: i64,
    /// Consumed rows may have been deleted.
    has_retained: bool,
}

fn one(connection: &Connection, lane: i64, report: &mut Report<'_>) -> Result<(), StoreError> {
    let concern = Concern::Lane(LaneId(lane as u32));
    let mut last = None;
    loop {
        let snapshot = connection.unchecked_transaction().map_err(failed)?;
        let marks = marks(connection, lane).map_err(failed)?;
        if last.is_none() {
            in_order(connection, lane, &marks, report).map_err(failed)?;
        }
        let rows = slice(connection, lane, last.unwrap_or(0)).map_err(failed)?;
        for row in &rows {
            let expected = last.map_or(1, |it| it + 1);
            let may_be_deleted = marks.has_retained && row.seq <= marks.cursor + 1;
            if row.seq != expected && !may_be_deleted {
                report.found(concern, format!("a gap from row {expected} to {}", row.seq - 1));
            }
            last = Some(row.seq);
            check_row(connection, lane, row, &marks, report)?;
        }
        if rows.len() < SLICE {
            let end = last.unwrap_or(0);
            let may_be_deleted = marks.has_retained && marks.cursor == marks.tail;
            if end != marks.tail && !may_be_deleted {
                report
                    .found(concern, format!("its last row is {end}, and its tail {}", marks.tail));
            }
            return Ok(());
        }
        drop(snapshot);
    }
}

fn marks(connection: &Connection, lane: i64) -> rusqlite::Result<Marks> {
    let sql = "SELECT tail, cursor, sent_to, EXISTS (SELECT 1 FROM retention) FROM lane
         WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row((lane,), |row| {
        let (tail, cursor, sent_to) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Marks { tail, cursor, sent_to, has_retained: row.get(3)? })
    })
}

fn in_order(
    connection: &Connection,
    lane: i64,
    marks: &Marks,
    report: &mut Report<'_>,
) -> rusqlite::Result<()> {
    let concern = Concern::Lane(LaneId(lane as u32));
    let Marks { tail, cursor, sent_to, .. } = *marks;
    if cursor > tail || sent_to > tail {
        report.found(concern, format!("tail {tail}, cursor {cursor}, sent to {sent_to}"));
    }
    let sql = "SELECT seq FROM parked WHERE lane = ?1 AND NOT EXISTS
         (SELECT 1 FROM work WHERE work.lane = parked.lane AND work.seq = parked.seq)";
    let mut without_row = connection.prepare_cached(sql)?;
    for seq in without_row.query_map((lane,), |row| row.get::<_, i64>(0))? {
        report.found(Concern::Row(LaneId(lane as u32), Seq(seq? as u64)), "parked, and not there");
    }
    let sql = "SELECT max(seq) FROM done WHERE lane = ?1";
    let done: Option<i64> = connection.prepare_cached(sql)?.query_row((lane,), |row| row.get(0))?;
    if let Some(done) = done.filter(|it| *it > tail) {
        report.found(concern, format!("row {done} is done, and its tail is {tail}"));
    }
    Ok(())
}

struct WorkRow {
    seq: i64,
    message: i64,
    is_done: bool,
    is_parked: bool,
    chunks: Option<i64>,
    /// It has a row of `row_body` that is not there.
    lacks_body: bool,
    /// Bytes that its body has in common with that of its message, and how many that has.
    in_common: Option<(i64, i64)>,
    of: Option<(i64, i64)>,
}

fn slice(connection: &Connection, lane: i64, after: i64) -> rusqlite::Result<Vec<WorkRow>> {
    let sql = format!(
        "SELECT seq, message, chunks, body_lane, body_seq,
             EXISTS (SELECT 1 FROM done WHERE done.lane = work.lane AND done.seq = work.seq),
             row_body IS NOT NULL AND row_body.id IS NULL,
             EXISTS (SELECT 1 FROM parked WHERE parked.lane = work.lane AND parked.seq = work.seq),
             kept_before + kept_after,
             (SELECT coalesce(length(body), 0) FROM message
                 WHERE id = work.message AND body_expired IS NULL)
         FROM work LEFT JOIN row_body ON row_body.id = work.row_body WHERE lane = ?1 AND seq > ?2 ORDER BY seq LIMIT {SLICE}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let row = |row: &Row<'_>| {
        let of: (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        let in_common: (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
        Ok(WorkRow {
            seq: row.get(0)?,
            message: row.get(1)?,
            chunks: row.get(2)?,
            of: of.0.zip(of.1),
            is_done: row.get(5)?,
            lacks_body: row.get(6)?,
            is_parked: row.get(7)?,
            in_common: in_common.0.zip(in_common.1),
        })
    };
    statement.query_map(params![lane, after], row)?.collect()
}

fn check_row(
    connection: &Connection,
    lane: i64,
    row: &WorkRow,
    marks: &Marks,
    report: &mut Report<'_>,
) -> Result<(), StoreError> {
    let concern = Concern::Row(LaneId(lane as u32), Seq(row.seq as u64));
    let message = MessageId(row.message as u64);
    if !is_known(connection, row.message).map_err(failed)? {
        report.found(concern, format!("its message {message} is not there"));
        return Ok(());
    }
    if row.is_parked || row.seq > marks.cursor && !row.is_done {
        let (disposition, _) = message::disposition(connection, message)?;
        if disposition.is_final() {
            let name = disposition.name();
            report.found(concern, format!("it waits, and its message {message} is {name}"));
        }
    }
    if let Some(chunks) = row.chunks
        && bodies::length(connection, chunks).map_err(failed)?.is_none()
    {
        report.found(concern, format!("chunks of its body {chunks} are missing"));
    }
    if row.lacks_body {
        report.found(concern, "its body is not there");
    }
    if let Some((common, len)) = row.in_common.filter(|(common, len)| common > len) {
        let text = format!("it has {common} bytes in common with its message, which has {len}");
        report.found(concern, text);
    }
    if let Some((of_lane, of_seq)) = row.of {
        let sql = "SELECT coalesce(row_body, chunks) IS NOT NULL OR body IS NOT NULL FROM work
             WHERE lane = ?1 AND seq = ?2";
        let there = (|| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row((of_lane, of_seq), |row| row.get::<_, bool>(0)).optional()
        })();
        if there.map_err(failed)? != Some(true) {
            report.found(
                concern,
                format!("row {of_seq} of lane {of_lane}, which has its body, has none"),
            );
        }
    }
    Ok(())
}

/// Rows of lanes that are not there.
fn without_lane(connection: &Connection, report: &mut Report<'_>) -> rusqlite::Result<()> {
    let sql = "SELECT min(lane) FROM work WHERE lane > ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut lane = -1i64;
    while let Some(next) = statement.query_row((lane,), |row| row.get::<_, Option<i64>>(0))? {
        lane = next;
        let known =
            connection.prepare_cached("SELECT 1 FROM lane WHERE id = ?1")?.exists((lane,))?;
        if !known {
            report.found(Concern::Lane(LaneId(lane as u32)), "it is not there, and has rows");
        }
    }
    Ok(())
}
