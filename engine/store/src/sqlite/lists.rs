//! What operators look at and have written: lists, switches, jobs.

use mllp_pipeline::{Job, LaneId, List, MessageId, Note, Piece, Position, Record, Seq, Switch};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::failed;
use super::read::SqliteReader;
use crate::codes;
use crate::error::StoreError;
use crate::lists::{Deliveries, Listed, Lists, Newer};

/// Writes a record that is about lists, switches or jobs.
pub(super) fn insert(open: &Connection, record: &Record) -> rusqlite::Result<()> {
    match record {
        Record::Held { lane, seq, message, why, at } => {
            let why = why.map_or(-1, codes::of_failure);
            let (seq, message, at) = (seq.0 as i64, message.0 as i64, *at as i64);
            let mut statement =
                open.prepare_cached("INSERT INTO held VALUES(?1, ?2, ?3, ?4, ?5)")?;
            statement.execute(params![lane.0, seq, message, why, at]).map(drop)
        }
        Record::Unlisted { list, lane, seq, .. } => {
            let sql = match list {
                List::Dead => "DELETE FROM dead WHERE lane = ?1 AND seq = ?2",
                List::Held => "DELETE FROM held WHERE lane = ?1 AND seq = ?2",
            };
            open.prepare_cached(sql)?.execute(params![lane.0, seq.0 as i64]).map(drop)
        }
        Record::Switch(Switch { lane, side, flow, by, at }) => {
            let sql = "INSERT OR REPLACE INTO switch VALUES(?1, ?2, ?3, ?4, ?5)";
            let (side, flow) = (codes::of_side(*side), codes::of_flow(*flow));
            let values = params![lane.0, side, flow, codes::of_by(by), *at as i64];
            open.prepare_cached(sql)?.execute(values).map(drop)
        }
        Record::Job(job) => self::job(open, job),
        _ => Ok(()),
    }
}

fn job(open: &Connection, job: &Job) -> rusqlite::Result<()> {
    let sql = "INSERT INTO job(key, what, by, at, total, done, after_message, after_lane,
             after_seq, has_ended, newer) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT(key) DO UPDATE SET total = ?5, done = ?6, after_message = ?7,
             after_lane = ?8, after_seq = ?9, has_ended = ?10,
             newer = ?11";
    let Position { message, lane, seq } = job.after;
    let values = params![
        job.key.0,
        &job.what.0[..],
        codes::of_by(&job.by),
        job.at as i64,
        job.total as i64,
        job.done as i64,
        message.0 as i64,
        lane.0,
        seq.0 as i64,
        job.has_ended,
        job.newer as i64,
    ];
    open.prepare_cached(sql)?.execute(values).map(drop)
}

/// What was set last for the sides of a lane.
pub(super) fn switches(open: &Connection, lane: LaneId) -> rusqlite::Result<Vec<Switch>> {
    let mut statement =
        open.prepare_cached("SELECT side, flow, by, at FROM switch WHERE lane = ?1 ORDER BY side")?;
    let rows = statement.query_map((lane.0,), |row| {
        let (Ok(side), Ok(flow)) = (codes::side(row.get(0)?), codes::flow(row.get(1)?)) else {
            return Err(rusqlite::Error::IntegralValueOutOfRange(0, row.get(0)?));
        };
        let by = codes::by(row.get_ref(2)?.as_bytes()?);
        Ok(Switch { lane, side, flow, by, at: row.get::<_, i64>(3)? as u64 })
    })?;
    rows.collect()
}

fn position(row: &Row<'_>) -> rusqlite::Result<Position> {
    let message = MessageId(row.get::<_, i64>(0)? as u64);
    Ok(Position { message, lane: LaneId(row.get(1)?), seq: Seq(row.get::<_, i64>(2)? as u64) })
}

impl Lists for SqliteReader {
    fn listed(
        &mut self,
        list: List,
        lane: Option<LaneId>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError> {
        let table = codes::table(list);
        let sql = format!(
            "SELECT message, lane, seq, why, at FROM {table}
             WHERE (?1 IS NULL OR lane = ?1) AND (message, lane, seq) > (?2, ?3, ?4)
             ORDER BY message, lane, seq LIMIT ?5"
        );
        let mut statement = self.connection().prepare_cached(&sql).map_err(failed)?;
        let lane = lane.map(|it| it.0);
        let Position { message, lane: its, seq } = after;
        let values = params![lane, message.0 as i64, its.0, seq.0 as i64, limit];
        let mut rows = statement.query(values).map_err(failed)?;
        let mut listed = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let why = codes::some_failure(row.get(3).map_err(failed)?)?;
            let position = position(row).map_err(failed)?;
            listed.push(Listed { position, why, at: row.get::<_, i64>(4).map_err(failed)? as u64 });
        }
        Ok(listed)
    }

    fn deliveries(&mut self, of: &Deliveries, limit: u32) -> Result<Vec<Position>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached(
                "SELECT message, lane, seq FROM work
                 WHERE lane = ?1 AND seq <= ?2 AND message BETWEEN ?3 AND ?4
                     AND (message, seq) > (?5, ?6)
                 ORDER BY message, seq LIMIT ?7",
            )
            .map_err(failed)?;
        let number = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        // After another lane of the same message.
        let seq = if of.after.lane < of.lane { 0 } else { number(of.after.seq.0) };
        let values = params![
            of.lane.0,
            number(of.up_to.0),
            number(of.messages.start().0),
            number(of.messages.end().0),
            number(of.after.message.0),
            seq,
            limit,
        ];
        let rows = statement.query_map(values, position);
        rows.and_then(Iterator::collect).map_err(failed)
    }

    fn newer(
        &mut self,
        lane: LaneId,
        than: MessageId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<Newer>, StoreError> {
        let sql = "SELECT message, lane, seq, keys FROM work
             WHERE lane = ?1 AND seq > ?2 AND message > ?3
                 AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.lane = ?1 AND dead.seq = work.seq)
                 AND NOT EXISTS (SELECT 1 FROM held WHERE held.lane = ?1 AND held.seq = work.seq)
             ORDER BY seq LIMIT ?4";
        let mut statement = self.connection().prepare_cached(sql).map_err(failed)?;
        let rows =
            statement.query_map(params![lane.0, after.0 as i64, than.0 as i64, limit], |row| {
                let keys: Option<Vec<u8>> = row.get(3)?;
                Ok(Newer { position: position(row)?, keys: codes::keys(keys.as_deref()) })
            });
        rows.and_then(Iterator::collect).map_err(failed)
    }

    fn extent(&mut self, lane: LaneId) -> Result<Option<(Seq, Seq)>, StoreError> {
        let sql = "SELECT cursor, tail FROM lane WHERE id = ?1";
        let row = |row: &Row<'_>| {
            let place = |at| row.get::<_, i64>(at).map(|it| Seq(it as u64));
            Ok((place(0)?, place(1)?))
        };
        let mut statement = self.connection().prepare_cached(sql).map_err(failed)?;
        statement.query_row((lane.0,), row).optional().map_err(failed)
    }

    fn failures(&mut self, id: MessageId) -> Result<u32, StoreError> {
        let sums = self
            .connection()
            .prepare_cached("SELECT sum(failed) FROM part WHERE message = ?1")
            .and_then(|mut it| it.query_row((id.0 as i64,), |row| row.get::<_, Option<i64>>(0)))
            .optional()
            .map_err(failed)?;
        if let Some(failed) = sums.flatten() {
            return Ok(u32::try_from(failed).unwrap_or(0));
        }
        let (disposition, _) = super::message::disposition(self.connection(), id)?;
        Ok((disposition == mllp_pipeline::Disposition::Error).into())
    }

    fn jobs(&mut self) -> Result<Vec<Job>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached(
                "SELECT after_message, after_lane, after_seq, key, what, by, at, total, done,
                     has_ended, newer FROM job ORDER BY id",
            )
            .map_err(failed)?;
        let rows = statement.query_map((), |row| {
            let number = |at| row.get::<_, i64>(at).map(|it| it as u64);
            Ok(Job {
                key: Note(row.get(3)?),
                what: Piece(row.get::<_, Vec<u8>>(4)?.into()),
                by: codes::by(row.get_ref(5)?.as_bytes()?),
                at: number(6)?,
                total: number(7)?,
                done: number(8)?,
                newer: number(10)?,
                after: position(row)?,
                has_ended: row.get(9)?,
            })
        });
        rows.and_then(Iterator::collect).map_err(failed)
    }
}
