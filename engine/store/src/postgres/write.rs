//! One transaction of the pipeline as one transaction of PostgreSQL.

use std::collections::BTreeMap;
use std::ops::Range;

use mllp_pipeline::{
    BodyId, CommitOutcome, Committed, Disposition, Head, LaneId, LaneMark, LaneUpdate, MessageId,
    Record, Seq, Stamp, Transaction,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

use super::failure::{failed, is_lost, of_commit};
use super::insert::{Outcome, Rows};
use super::read;
use super::reopening::Account;
use super::session::{Session, in_transaction};
use crate::codes::of_stage;
use crate::contract::{LaneName, Swept};
use crate::error::StoreError;
use crate::sums::Sums;

/// Takes lanes for a new owner. See [`Store::own`](crate::Store::own).
pub(super) fn own(session: &mut Session, names: &[LaneName]) -> Result<Vec<Head>, StoreError> {
    let stages: Vec<i64> = names.iter().map(|it| of_stage(it.stage)).collect();
    let texts: Vec<&str> = names.iter().map(|it| it.name.as_str()).collect();
    let owned = session.run(async |client| {
        // Made in a transaction before, because their numbers, and with them the order of the
        // locks, are not known until then.
        let make = "INSERT INTO lane(stage, name)
             SELECT * FROM unnest($1::int8[], $2::text[]) ORDER BY 1, 2
             ON CONFLICT(stage, name) DO NOTHING";
        client.execute(make, &[&stages, &texts]).await?;
        let heads = in_transaction(client, async |client| {
            let lock = "SELECT id FROM lane JOIN unnest($1::int8[], $2::text[]) AS it(stage, name)
                 USING(stage, name) ORDER BY id FOR UPDATE OF lane";
            let rows = client.query(lock, &[&stages, &texts]).await?;
            let mut locked: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
            locked.dedup();
            let take = "UPDATE lane SET epoch = epoch + 1 WHERE id = ANY($1)";
            client.execute(take, &[&locked]).await?;
            let named = "SELECT id FROM unnest($1::int8[], $2::text[])
                 WITH ORDINALITY AS it(stage, name, n) JOIN lane USING(stage, name) ORDER BY n";
            let rows = client.query(named, &[&stages, &texts]).await?;
            let lanes: Vec<_> =
                rows.iter().map(|row| LaneId(row.get::<_, i64>(0) as u32)).collect();
            read::heads(client, &lanes).await
        })
        .await?;
        client.batch_execute("COMMIT").await?;
        Ok(heads)
    });
    owned.map_err(failed)
}

/// Deletes one body in chunks. See [`Store::sweep`](crate::Store::sweep). One of another life may
/// belong to a node that is about to hold it, until it is a day old.
pub(super) fn sweep(
    session: &mut Session,
    bodies: Range<BodyId>,
    own: BodyId,
) -> Result<Swept, StoreError> {
    let [start, end, own] = [bodies.start, bodies.end, own].map(|it| it.0 as i64);
    let swept = session.run(async |client| {
        let sql = "WITH gone AS (DELETE FROM unheld WHERE body = (
                 SELECT body FROM unheld WHERE body >= $1 AND body < $2
                 AND (body >= $3 OR begun < now() - interval '1 day') LIMIT 1) RETURNING body)
             DELETE FROM chunk USING gone WHERE chunk.body = gone.body";
        client.execute(sql, &[&start, &end, &own]).await
    });
    Ok(match swept {
        Ok(0) => Swept::Done,
        Ok(_) => Swept::More,
        Err(_) => Swept::Later,
    })
}

/// How far a commit has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Nothing,
    Begun,
    CommitSent,
}

/// Commits. See [`Store::commit`](crate::Store::commit).
pub(super) fn commit(
    session: &mut Session,
    transaction: &Transaction,
) -> Result<CommitOutcome, StoreError> {
    let mut reached = Reached::Nothing;
    let mut written = attempt(session, transaction, &mut reached);
    // A connection that was lost while it was idle is noticed only now.
    if reached == Reached::Nothing && written.as_ref().is_err_and(is_lost) {
        written = attempt(session, transaction, &mut reached);
    }
    written.or_else(|error| of_commit(error, reached == Reached::CommitSent))
}

fn attempt(
    session: &mut Session,
    transaction: &Transaction,
    reached: &mut Reached,
) -> Result<CommitOutcome, Error> {
    session.run(async |client| {
        let written = in_transaction(client, async |client| {
            *reached = Reached::Begun;
            write(client, transaction).await
        });
        match written.await? {
            Ok(committed) => {
                *reached = Reached::CommitSent;
                client.batch_execute("COMMIT").await?;
                Ok(CommitOutcome::Committed(committed))
            }
            Err(fenced) => {
                client.batch_execute("ROLLBACK").await?;
                Ok(CommitOutcome::Fenced(fenced))
            }
        }
    })
}

/// Writes everything; the inner error names the lanes that somebody else owns.
async fn write(
    client: &Client,
    transaction: &Transaction,
) -> Result<Result<Committed, Vec<LaneId>>, Error> {
    let (lanes, fenced) = lock_lanes(client, transaction).await?;
    if !fenced.is_empty() {
        return Ok(Err(fenced));
    }
    let mut rows = Rows::of(&transaction.records, &places(&transaction.records, &lanes));
    rows.insert_messages(client).await?;
    let mut account = Account::of(client, &transaction.records).await?;
    lock_messages(client, &account.last).await?;
    rows.parts = std::mem::take(&mut account.parts);
    rows.outcomes = std::mem::take(&mut account.outcomes);
    rows.insert_parts(client).await?;
    let finals = finished(client, &account.last).await?;
    for (message, disposition) in &finals {
        let (message, disposition, (stamp, at)) = (*message, *disposition, account.last[message]);
        rows.outcomes.push(Outcome { message, stamp, disposition, at });
    }
    account.close(client, &finals).await?;
    rows.insert_rest(client).await?;
    if rows.changes_started() {
        drop_passed(client, &transaction.lanes).await?;
    }
    Ok(Ok(Committed { lanes, finals, open: account.open() }))
}

/// Drops what is started and was passed by the cursor.
async fn drop_passed(client: &Client, updates: &[LaneUpdate]) -> Result<(), Error> {
    let lanes: Vec<i64> = updates.iter().map(|it| i64::from(it.lane.0)).collect();
    let cursors: Vec<i64> = updates.iter().map(|it| it.cursor.0 as i64).collect();
    let sql = "DELETE FROM started USING unnest($1::int8[], $2::int8[]) AS it(lane, cursor)
         WHERE started.lane = it.lane AND seq <= cursor
         AND NOT EXISTS (SELECT 1 FROM parked
             WHERE parked.lane = started.lane AND parked.seq = started.seq)";
    client.execute(sql, &[&lanes, &cursors]).await.map(drop)
}

/// Appends to and updates the rows of lanes, in the order of their numbers, and so holds their locks
/// to the end of the transaction. Returns the rows as they are by now, and the lanes that are lost.
async fn lock_lanes(
    client: &Client,
    transaction: &Transaction,
) -> Result<(Vec<LaneMark>, Vec<LaneId>), Error> {
    let mut wanted: BTreeMap<LaneId, (i64, i64, Option<&LaneUpdate>)> = BTreeMap::new();
    for record in &transaction.records {
        if let Record::Append(append) = record {
            let (count, bytes, _) = wanted.entry(append.lane).or_default();
            (*count, *bytes) = (*count + 1, *bytes + append.len as i64);
        }
    }
    for update in &transaction.lanes {
        wanted.entry(update.lane).or_default().2 = Some(update);
    }
    let (mut marks, mut fenced) = (Vec::new(), Vec::new());
    for (lane, (appended, bytes, update)) in wanted {
        let id = i64::from(lane.0);
        let row = match update {
            None => {
                let sql = "UPDATE lane SET tail = tail + $2, appended = appended + $3
                     WHERE id = $1 RETURNING tail, sent_to, appended";
                Some(client.query_one(sql, &[&id, &appended, &bytes]).await?)
            }
            Some(update) => {
                let sql = "UPDATE lane SET tail = tail + $2, cursor = $4, attempt = $5, due = $6,
                         waited = $8, appended = appended + $9,
                         consumed = greatest(consumed, $10),
                         sent_to = greatest(sent_to, $4,
                             CASE WHEN $7::int8 IS NULL THEN 0 ELSE least(tail + $2, $4 + $7) END)
                     WHERE id = $1 AND epoch = $3 RETURNING tail, sent_to, appended";
                let (epoch, cursor) = (update.epoch.0 as i64, update.cursor.0 as i64);
                let (attempt, due) = (i64::from(update.attempt), update.due as i64);
                let waited = update.waited as i64;
                let window = update.window.map(i64::from);
                let consumed = update.consumed as i64;
                let values: [&(dyn ToSql + Sync); 10] = [
                    &id, &appended, &epoch, &cursor, &attempt, &due, &window, &waited, &bytes,
                    &consumed,
                ];
                client.query_opt(sql, &values).await?
            }
        };
        match row {
            Some(row) => {
                let number = |at| row.get::<_, i64>(at) as u64;
                let (tail, sent_to) = (Seq(number(0)), Seq(number(1)));
                marks.push(LaneMark { lane, tail, sent_to, appended: number(2) });
            }
            None => fenced.push(lane),
        }
    }
    Ok((marks, fenced))
}

/// The place of each appended row, in the order of the records.
fn places(records: &[Record], lanes: &[LaneMark]) -> Vec<Seq> {
    let mut tails: BTreeMap<LaneId, Seq> = lanes.iter().map(|it| (it.lane, it.tail)).collect();
    let place = |record: &Record| match record {
        Record::Append(append) => {
            let tail = tails.get_mut(&append.lane)?;
            Some(std::mem::replace(tail, Seq(tail.0 - 1)))
        }
        _ => None,
    };
    let mut places: Vec<Seq> = records.iter().rev().filter_map(place).collect();
    places.reverse();
    places
}

/// A writer of a part of a message, or of its outcome after that, waits here for all the others,
/// so that the last of them sees the parts of all.
async fn lock_messages(
    client: &Client,
    parts: &BTreeMap<MessageId, (Stamp, u64)>,
) -> Result<(), Error> {
    if parts.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = parts.keys().map(|it| it.0 as i64).collect();
    let sql = "SELECT id FROM message WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    client.query(sql, &[&ids]).await.map(drop)
}

/// The messages of which no part is open any more. A statement of its own, because one that has
/// waited for a lock still sees what was committed before it began.
async fn finished(
    client: &Client,
    parts: &BTreeMap<MessageId, (Stamp, u64)>,
) -> Result<Vec<(MessageId, Disposition)>, Error> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = parts.keys().map(|it| it.0 as i64).collect();
    let sql = "SELECT message, sum(added)::int8, sum(finished)::int8, sum(delivered)::int8,
             sum(failed)::int8
         FROM part WHERE message = ANY($1) GROUP BY message ORDER BY message";
    let rows = client.query(sql, &[&ids]).await?;
    let ended = |row: &tokio_postgres::Row| {
        let (added, finished, delivered, failed) = (row.get(1), row.get(2), row.get(3), row.get(4));
        let end = Sums { added, finished, delivered, failed }.end()?;
        Some((MessageId(row.get::<_, i64>(0) as u64), end))
    };
    Ok(rows.iter().filter_map(ended).collect())
}
