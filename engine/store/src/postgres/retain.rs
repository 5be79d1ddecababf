//! Deleting what has expired, some messages in a transaction.

use mllp_pipeline::{Disposition, LaneId};
use tokio_postgres::{Client, Error, Row};

use super::failure::failed;
use super::read::{DISPOSITIONS, disposition_of_row, number};
use super::schema::LIFE_BITS;
use super::session::{Session, in_transaction};
use crate::codes;
use crate::error::StoreError;
use crate::query::of_control_id;
use crate::retention::{Expired, Expiry, LastPass};

/// Messages of a slice.
const SLICE: i64 = 500;

/// How far a pass has come.
pub(super) struct Pass {
    pub(super) expiry: Expiry,
    after: i64,
}

/// A message, as far as it matters here.
struct Candidate {
    id: i64,
    inbound: LaneId,
    received_at: u64,
}

impl Pass {
    pub(super) fn new(expiry: &Expiry) -> Pass {
        Pass { expiry: expiry.clone(), after: 0 }
    }

    /// Does a slice. Returns whether there is more to do. What cannot be deleted now is deleted by
    /// another pass.
    pub(super) fn slice(&mut self, session: &mut Session) -> Result<bool, StoreError> {
        let done = session.run(async |client| {
            let last = in_transaction(client, async |client| self.expire(client).await).await?;
            client.batch_execute("COMMIT").await?;
            Ok(last)
        });
        match done.map_err(failed) {
            Ok(Some(last)) => {
                self.after = last;
                Ok(true)
            }
            Ok(None) | Err(StoreError::Full | StoreError::Unavailable(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the last message that was looked at.
    async fn expire(&self, client: &Client) -> Result<Option<i64>, Error> {
        if self.after == 0 {
            let sql = "DELETE FROM job WHERE has_ended AND at < $1";
            client.execute(sql, &[&(self.expiry.oldest_metadata() as i64)]).await?;
        }
        // Whatever adds work to one of them waits for this.
        let sql = "SELECT id, inbound, received_at FROM message WHERE id > $1 AND received_at < $2
                 AND (body_expired IS NULL OR received_at < $3)
             ORDER BY id LIMIT $4 FOR UPDATE";
        let time = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        let before = (time(self.expiry.newest()), time(self.expiry.newest_metadata()));
        let rows = client.query(sql, &[&self.after, &before.0, &before.1, &SLICE]).await?;
        let candidate = |row: &Row| Candidate {
            id: row.get(0),
            inbound: LaneId(number(row, 1) as u32),
            received_at: number(row, 2),
        };
        let candidates: Vec<_> = rows.iter().map(candidate).collect();
        let ids: Vec<i64> = candidates.iter().map(|it| it.id).collect();
        let values: (_, i32) = (codes::ROUTED, LIFE_BITS as i32);
        let found = client.query(DISPOSITIONS, &[&ids, &values.0, &values.1]).await?;
        let (mut bodies, mut messages) = (Vec::new(), Vec::new());
        for (candidate, row) in candidates.iter().zip(&found) {
            match self.expired(candidate, row) {
                Expired::Nothing => {}
                Expired::Body => bodies.push(candidate.id),
                Expired::Everything => messages.push(candidate.id),
            }
        }
        let both: Vec<i64> = bodies.iter().chain(&messages).copied().collect();
        drop_bodies(client, &both, time(self.expiry.at)).await?;
        drop_messages(client, &messages, time(self.expiry.at)).await?;
        if ids.is_empty() {
            let of = self.expiry.control_ids;
            client.execute(TOO_OLD, &[&time(of.before)]).await?;
            client.execute(TOO_MANY, &[&time(of.most)]).await?;
            client.execute(CUT, &[&time(of.most)]).await?;
        }
        Ok(ids.last().copied())
    }

    fn expired(&self, it: &Candidate, row: &Row) -> Expired {
        // What cannot be understood is not deleted.
        let Ok((_, disposition, since)) = disposition_of_row(row) else { return Expired::Nothing };
        if !disposition.is_final() {
            return Expired::Nothing;
        }
        let ended = (disposition == Disposition::Error).then_some(since);
        self.expiry.of(it.inbound, it.received_at, ended)
    }
}

/// Those of the messages, and the rows of their lanes, which are consumed, with theirs.
async fn drop_bodies(client: &Client, ids: &[i64], at: i64) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let chunks = "WITH held AS (
             SELECT chunks FROM message WHERE id = ANY($1)
             UNION SELECT chunks FROM work WHERE message = ANY($1))
         DELETE FROM chunk USING held WHERE chunk.body = held.chunks";
    client.execute(chunks, &[&ids]).await?;
    for sql in [
        "DELETE FROM done USING work, lane WHERE done.lane = work.lane AND done.seq = work.seq
             AND lane.id = work.lane AND work.seq <= cursor AND work.message = ANY($1)",
        // A cursor that comes to a row which is done expects it.
        "DELETE FROM work USING lane WHERE lane.id = work.lane AND seq <= cursor
             AND message = ANY($1)",
        // What is beyond the cursor keeps its place and loses its bytes.
        "UPDATE work SET body = NULL, chunks = NULL WHERE message = ANY($1)",
        "DELETE FROM dead WHERE message = ANY($1)",
    ] {
        client.execute(sql, &[&ids]).await?;
    }
    let body = "UPDATE message SET body = NULL, chunks = NULL, body_expired = $2
         WHERE id = ANY($1) AND body_expired IS NULL";
    client.execute(body, &[&ids, &at]).await.map(drop)
}

async fn drop_messages(client: &Client, ids: &[i64], at: i64) -> Result<(), Error> {
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(()) };
    for table in ["outcome", "part", "event", "indexed"] {
        let sql = format!("DELETE FROM {table} WHERE message = ANY($1)");
        client.execute(&sql, &[&ids]).await?;
    }
    let sql = "DELETE FROM message WHERE id = ANY($1) RETURNING id, control_id";
    let mut gone = client.query(sql, &[&ids]).await?;
    gone.sort_unstable_by_key(|row| row.get::<_, i64>(0));
    let control_ids = gone.iter().map(|row| row.get::<_, &[u8]>(1)).filter(|it| !it.is_empty());
    let hashes: Vec<i64> = control_ids.map(|it| of_control_id(it) as i64).collect();
    if !hashes.is_empty() {
        let sql = "INSERT INTO expired_ids(at, hashes) VALUES($1, $2)";
        client.execute(sql, &[&at, &hashes]).await?;
    }
    let sql = "INSERT INTO expired VALUES($1, $2, $3)
         ON CONFLICT(first) DO UPDATE SET last = greatest(expired.last, excluded.last)";
    client.execute(sql, &[first, last, &at]).await.map(drop)
}

pub(super) fn last_pass(session: &mut Session) -> Result<LastPass, StoreError> {
    let sql = "SELECT passed_at, doubt FROM store";
    let row = session.run(async |client| client.query_one(sql, &[]).await).map_err(failed)?;
    let stopped = row.get::<_, Option<i64>>(1).map(codes::doubt);
    Ok(LastPass { at: number(&row, 0), stopped })
}

pub(super) fn keep_pass(session: &mut Session, pass: &LastPass) -> Result<(), StoreError> {
    let (at, doubt) = (pass.at as i64, pass.stopped.map(codes::of_doubt));
    let sql = "UPDATE store SET passed_at = $1, doubt = $2";
    let kept = session.run(async |client| client.execute(sql, &[&at, &doubt]).await);
    kept.map(drop).map_err(failed)
}

/// When a message was deleted that is not there any more.
pub(super) const EXPIRED: &str = "SELECT at FROM expired
     WHERE first <= $1 AND last >= $1 AND NOT EXISTS (SELECT 1 FROM message WHERE id = $1)
     ORDER BY first DESC LIMIT 1";

/// When the newest message with a control ID of this hash went that is gone.
pub(super) const EXPIRED_CONTROL_ID: &str =
    "SELECT at FROM expired_ids WHERE $1 = ANY(hashes) ORDER BY id DESC LIMIT 1";

const TOO_OLD: &str = "DELETE FROM expired_ids WHERE at < $1";

/// Rows of which none is among the newest.
const TOO_MANY: &str = "DELETE FROM expired_ids WHERE id IN (
     SELECT id FROM (SELECT id, sum(cardinality(hashes)) OVER (ORDER BY id DESC)
         - cardinality(hashes) AS newer FROM expired_ids) AS counted
     WHERE newer >= $1)";

/// The row of which some are.
const CUT: &str = "UPDATE expired_ids SET hashes = hashes[(upto - $1 + 1)::int:]
     FROM (SELECT id, sum(cardinality(hashes)) OVER (ORDER BY id DESC) AS upto
         FROM expired_ids) AS counted
     WHERE counted.id = expired_ids.id AND upto > $1";
