//! What operators look at and have written: lists, switches, jobs.

use mllp_pipeline::{
    Disposition, Flow, Job, LaneId, List, MessageId, Note, Piece, Position, Record, Seq, Switch,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};

use super::read::{PostgresReader, lane, number};
use crate::codes;
use crate::error::StoreError;
use crate::lists::{Deliveries, Listed, Lists, Newer};

/// Writes a record that is about lists, switches or jobs.
pub(super) async fn insert(client: &Client, record: &Record) -> Result<(), Error> {
    match record {
        Record::Held { lane, seq, message, why, at } => {
            let why = why.map_or(-1, codes::of_failure);
            let (lane, seq) = (i64::from(lane.0), seq.0 as i64);
            let (message, at) = (message.0 as i64, *at as i64);
            let sql = "INSERT INTO held VALUES($1, $2, $3, $4, $5)";
            client.execute(sql, &[&lane, &seq, &message, &why, &at]).await.map(drop)
        }
        Record::Unlisted { list, lane, seq, .. } => {
            let sql = match list {
                List::Dead => "DELETE FROM dead WHERE lane = $1 AND seq = $2",
                List::Held => "DELETE FROM held WHERE lane = $1 AND seq = $2",
            };
            client.execute(sql, &[&i64::from(lane.0), &(seq.0 as i64)]).await.map(drop)
        }
        Record::Switch(Switch { lane, side, flow, by, at }) => {
            let sql = "INSERT INTO switch VALUES($1, $2, $3, $4, $5)
                 ON CONFLICT(lane, side) DO UPDATE SET flow = $3, by = $4, at = $5";
            let (lane, side) = (i64::from(lane.0), codes::of_side(*side));
            let (flow, by, at) = (codes::of_flow(*flow), codes::of_by(by), *at as i64);
            client.execute(sql, &[&lane, &side, &flow, &by, &at]).await.map(drop)
        }
        Record::Job(job) => self::job(client, job).await,
        _ => Ok(()),
    }
}

async fn job(client: &Client, job: &Job) -> Result<(), Error> {
    let sql = "INSERT INTO job(key, what, by, at, total, done, after_message, after_lane,
             after_seq, has_ended, newer) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT(key) DO UPDATE SET total = $5, done = $6, after_message = $7,
             after_lane = $8, after_seq = $9, has_ended = $10,
             newer = $11";
    let Position { message, lane, seq } = job.after;
    let (message, lane, seq) = (message.0 as i64, i64::from(lane.0), seq.0 as i64);
    let (what, by) = (&job.what.0[..], codes::of_by(&job.by));
    let (at, total, done) = (job.at as i64, job.total as i64, job.done as i64);
    let (newer, has_ended) = (job.newer as i64, job.has_ended);
    let key = &job.key.0;
    let values: [&(dyn ToSql + Sync); 11] =
        [key, &what, &by, &at, &total, &done, &message, &lane, &seq, &has_ended, &newer];
    client.execute(sql, &values).await.map(drop)
}

/// What was set last for the sides of lanes.
pub(super) async fn switches(client: &Client, lanes: &[i64]) -> Result<Vec<Switch>, Error> {
    let sql = "SELECT lane, side, flow, by, at FROM switch WHERE lane = ANY($1) ORDER BY 1, 2";
    let switch = |row: &Row| {
        let side = codes::side(row.get(1)).ok()?;
        // What this program does not know does not run.
        let flow = codes::flow(row.get(2)).unwrap_or(Flow::Stopped);
        let by = codes::by(row.get::<_, &str>(3).as_bytes());
        Some(Switch { lane: lane(row, 0), side, flow, by, at: number(row, 4) })
    };
    Ok(client.query(sql, &[&lanes]).await?.iter().filter_map(switch).collect())
}

fn position(row: &Row) -> Position {
    Position { message: MessageId(number(row, 0)), lane: lane(row, 1), seq: Seq(number(row, 2)) }
}

impl Lists for PostgresReader {
    fn listed(
        &mut self,
        list: List,
        of: Option<LaneId>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError> {
        let table = codes::table(list);
        let sql = format!(
            "SELECT message, lane, seq, why, at FROM {table}
             WHERE ($1::int8 IS NULL OR lane = $1) AND (message, lane, seq) > ($2, $3, $4)
             ORDER BY message, lane, seq LIMIT $5"
        );
        let of = of.map(|it| i64::from(it.0));
        let Position { message, lane, seq } = after;
        let (message, lane, seq) = (message.0 as i64, i64::from(lane.0), seq.0 as i64);
        let rows = self.rows(&sql, &[&of, &message, &lane, &seq, &i64::from(limit)])?;
        let listed = |row: &Row| {
            let why = codes::some_failure(row.get(3))?;
            Ok(Listed { position: position(row), why, at: number(row, 4) })
        };
        rows.iter().map(listed).collect()
    }

    fn deliveries(&mut self, of: &Deliveries, limit: u32) -> Result<Vec<Position>, StoreError> {
        let sql = "SELECT message, lane, seq FROM work
             WHERE lane = $1 AND seq <= $2 AND message BETWEEN $3 AND $4
                 AND (message, seq) > ($5, $6)
             ORDER BY message, seq LIMIT $7";
        let number = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        // After another lane of the same message.
        let seq = if of.after.lane < of.lane { 0 } else { number(of.after.seq.0) };
        let (from, to) = (number(of.messages.start().0), number(of.messages.end().0));
        let (lane, up_to) = (i64::from(of.lane.0), number(of.up_to.0));
        let (message, limit) = (number(of.after.message.0), i64::from(limit));
        let rows = self.rows(sql, &[&lane, &up_to, &from, &to, &message, &seq, &limit])?;
        Ok(rows.iter().map(position).collect())
    }

    fn newer(
        &mut self,
        of: LaneId,
        than: MessageId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<Newer>, StoreError> {
        let sql = "SELECT message, lane, seq, keys FROM work
             WHERE lane = $1 AND seq > $2 AND message > $3
                 AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.lane = $1 AND dead.seq = work.seq)
                 AND NOT EXISTS (SELECT 1 FROM held WHERE held.lane = $1 AND held.seq = work.seq)
             ORDER BY seq LIMIT $4";
        let (of, after, than) = (i64::from(of.0), after.0 as i64, than.0 as i64);
        let rows = self.rows(sql, &[&of, &after, &than, &i64::from(limit)])?;
        let newer = |row: &Row| Newer { position: position(row), keys: codes::keys(row.get(3)) };
        Ok(rows.iter().map(newer).collect())
    }

    fn extent(&mut self, lane: LaneId) -> Result<Option<(Seq, Seq)>, StoreError> {
        let sql = "SELECT cursor, tail FROM lane WHERE id = $1";
        let rows = self.rows(sql, &[&i64::from(lane.0)])?;
        Ok(rows.first().map(|row| (Seq(number(row, 0)), Seq(number(row, 1)))))
    }

    fn failures(&mut self, id: MessageId) -> Result<u32, StoreError> {
        let sql = "SELECT sum(failed)::int8 FROM part WHERE message = $1";
        let rows = self.rows(sql, &[&(id.0 as i64)])?;
        let failed = rows.first().and_then(|row| row.get::<_, Option<i64>>(0));
        if let Some(failed) = failed {
            return Ok(u32::try_from(failed).unwrap_or(0));
        }
        let found = self.dispositions_of(&[id.0 as i64])?;
        Ok(found.first().is_some_and(|it| it.1 == Disposition::Error).into())
    }

    fn jobs(&mut self) -> Result<Vec<Job>, StoreError> {
        let sql = "SELECT after_message, after_lane, after_seq, key, what, by, at, total, done,
                 has_ended, newer FROM job ORDER BY id";
        let job = |row: &Row| Job {
            key: Note(row.get(3)),
            what: Piece::from(row.get::<_, &[u8]>(4)),
            by: codes::by(row.get::<_, &str>(5).as_bytes()),
            at: number(row, 6),
            total: number(row, 7),
            done: number(row, 8),
            newer: number(row, 10),
            after: position(row),
            has_ended: row.get(9),
        };
        Ok(self.rows(sql, &[])?.iter().map(job).collect())
    }
}
