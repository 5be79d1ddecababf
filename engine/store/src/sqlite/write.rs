//! One transaction of the pipeline as one transaction of SQLite.

use std::collections::BTreeMap;

use mllp_pipeline::{
    CommitOutcome, Committed, Disposition, Head, LaneId, LaneMark, LaneUpdate, MessageId, Record,
    Refusal, Seq, Stamp, Transaction,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{Trouble, failed, is_index_full, of_commit};
use super::index::Index;
use super::insert::Statements;
use super::read;
use super::reopening::Reopening;
use super::unsynced::immediate;
use crate::codes::of_stage;
use crate::contract::LaneName;
use crate::error::StoreError;
use crate::sums::{self, Sums};

/// Takes lanes for a new owner. See [`Store::own`](crate::Store::own).
pub(super) fn own(connection: &Connection, names: &[LaneName]) -> Result<Vec<Head>, StoreError> {
    let owned = (|| {
        let transaction = immediate(connection)?;
        let mut lanes = Vec::with_capacity(names.len());
        for LaneName { stage, name } in names {
            let id: u32 = transaction.query_row(
                "INSERT INTO lane(stage, name, epoch) VALUES(?1, ?2, 1)
                 ON CONFLICT(stage, name) DO UPDATE SET epoch = epoch + 1 RETURNING id",
                params![of_stage(*stage), name],
                |row| row.get(0),
            )?;
            lanes.push(LaneId(id));
        }
        let heads = read::heads(&transaction, &lanes)?;
        transaction.commit()?;
        Ok(heads)
    })();
    owned.map_err(failed)
}

/// Commits. See [`Store::commit`](crate::Store::commit).
pub(super) fn commit(
    connection: &Connection,
    transaction: &Transaction,
    index: &Index,
) -> Result<CommitOutcome, StoreError> {
    let written = (|| {
        let open = immediate(connection)?;
        let committed = match write(&open, transaction)? {
            Ok(committed) => committed,
            Err(fenced) => {
                open.rollback()?;
                return Ok(CommitOutcome::Fenced(fenced));
            }
        };
        index.note(&open, transaction)?;
        match open.commit() {
            Ok(()) => Ok(CommitOutcome::Committed(committed)),
            // The log has it, durably, and its index does not: a crash now would bring it back.
            Err(error) if is_index_full(&error) => Ok(CommitOutcome::Unknown),
            Err(error) => Err(error),
        }
    })();
    // What failed was rolled back when the transaction was dropped.
    written.or_else(|error| match of_commit(error) {
        Trouble::Full => Ok(CommitOutcome::Refused(Refusal::Full)),
        Trouble::Busy => Ok(CommitOutcome::Refused(Refusal::Unavailable)),
        Trouble::Fatal(error) => Err(error),
    })
}

/// Writes everything; the inner error names the lanes that somebody else owns.
fn write(
    open: &Connection,
    transaction: &Transaction,
) -> rusqlite::Result<Result<Committed, Vec<LaneId>>> {
    let mut marks: BTreeMap<LaneId, LaneMark> = BTreeMap::new();
    let mut next = take_places(open, &transaction.records, &mut marks)?;
    let mut statements = Statements::new(open)?;
    let mut reopening = Reopening::new(open)?;
    let mut parts: BTreeMap<MessageId, (Stamp, u64)> = BTreeMap::new();
    let mut records = transaction.records.iter().peekable();
    while let Some(record) = records.next() {
        match record {
            Record::Event(event) => {
                // What ends a message that was reopened is no outcome.
                let next = records.peek().filter(|_| !reopening.is_reopened(event.message));
                if statements.event(event, next.copied())? {
                    records.next();
                }
            }
            Record::Append(append) => {
                let seq = next.get_mut(&append.lane).map(|seq| std::mem::replace(seq, seq.next()));
                statements.append(append, seq.unwrap_or(Seq(0)))?;
            }
            Record::Part(part) => {
                let sums = Sums::of(part, reopening.is_reopened(part.message));
                statements.part(part.message, part.stamp, &sums)?;
                parts.insert(part.message, (part.stamp, part.at));
            }
            Record::Outcome { message, stamp, disposition, at }
                if disposition.is_final() && reopening.is_reopened(*message) =>
            {
                statements.part(*message, *stamp, &sums::ended(*disposition))?;
                parts.insert(*message, (*stamp, *at));
            }
            Record::Reopened(reopened) => reopening.reopen(reopened, &mut statements)?,
            other => statements.insert(other)?,
        }
    }
    let finals = finish(open, &mut statements, &parts)?;
    reopening.close(&finals)?;
    let left_open = parts.into_keys().filter(|it| reopening.is_reopened(*it)).collect();
    let fenced = update_lanes(open, &transaction.lanes, &mut marks)?;
    if !fenced.is_empty() {
        return Ok(Err(fenced));
    }
    Ok(Ok(Committed { lanes: marks.into_values().collect(), finals, open: left_open }))
}

/// Moves the tails of the lanes that are appended to, once for each; returns the first new place.
fn take_places(
    open: &Connection,
    records: &[Record],
    marks: &mut BTreeMap<LaneId, LaneMark>,
) -> rusqlite::Result<BTreeMap<LaneId, Seq>> {
    let mut counts: BTreeMap<LaneId, (i64, i64)> = BTreeMap::new();
    for record in records {
        if let Record::Append(append) = record {
            let (count, bytes) = counts.entry(append.lane).or_default();
            (*count, *bytes) = (*count + 1, *bytes + append.len as i64);
        }
    }
    let mut statement = open.prepare_cached(
        "UPDATE lane SET tail = tail + ?2, appended = appended + ?3 WHERE id = ?1
         RETURNING tail, sent_to, appended",
    )?;
    let mut next = BTreeMap::new();
    for (lane, (count, bytes)) in counts {
        let mark = statement.query_row(params![lane.0, count, bytes], |row| mark(lane, row))?;
        next.insert(lane, Seq(mark.tail.0 - count as u64 + 1));
        marks.insert(lane, mark);
    }
    Ok(next)
}

fn update_lanes(
    open: &Connection,
    updates: &[LaneUpdate],
    marks: &mut BTreeMap<LaneId, LaneMark>,
) -> rusqlite::Result<Vec<LaneId>> {
    let mut statement = open.prepare_cached(
        "UPDATE lane SET cursor = ?3, attempt = ?4, due = ?5, waited = ?7,
             consumed = max(consumed, ?8),
             sent_to = max(sent_to, ?3, coalesce(min(tail, ?3 + ?6), 0))
         WHERE id = ?1 AND epoch = ?2 RETURNING tail, sent_to, appended",
    )?;
    let mut passed = open.prepare_cached(
        "DELETE FROM started WHERE lane = ?1 AND seq <= ?2
         AND NOT EXISTS (SELECT 1 FROM parked WHERE parked.lane = ?1 AND parked.seq = started.seq)",
    )?;
    let mut fenced = Vec::new();
    for update in updates {
        let lane = update.lane;
        let values = params![
            lane.0,
            update.epoch.0 as i64,
            update.cursor.0 as i64,
            update.attempt,
            update.due as i64,
            update.window,
            update.waited as i64,
            update.consumed as i64,
        ];
        match statement.query_row(values, |row| mark(lane, row)).optional()? {
            Some(mark) => {
                marks.insert(lane, mark);
                passed.execute(params![lane.0, update.cursor.0 as i64])?;
            }
            None => fenced.push(lane),
        }
    }
    Ok(fenced)
}

fn mark(lane: LaneId, row: &rusqlite::Row<'_>) -> rusqlite::Result<LaneMark> {
    let number = |at| row.get::<_, i64>(at).map(|it| it as u64);
    let (tail, sent_to) = (Seq(number(0)?), Seq(number(1)?));
    Ok(LaneMark { lane, tail, sent_to, appended: number(2)? })
}

/// Appends the outcome of each message of which no part is open any more.
fn finish(
    open: &Connection,
    statements: &mut Statements<'_>,
    parts: &BTreeMap<MessageId, (Stamp, u64)>,
) -> rusqlite::Result<Vec<(MessageId, Disposition)>> {
    let mut sums = open.prepare_cached(
        "SELECT sum(added), sum(finished), sum(delivered), sum(failed)
         FROM part WHERE message = ?1",
    )?;
    let mut finals = Vec::new();
    for (&message, &(stamp, at)) in parts {
        let sums = sums.query_row((message.0 as i64,), |row| {
            let (added, finished) = (row.get(0)?, row.get(1)?);
            Ok(Sums { added, finished, delivered: row.get(2)?, failed: row.get(3)? })
        })?;
        if let Some(disposition) = sums.end() {
            statements.outcome(message, stamp, disposition, at)?;
            finals.push((message, disposition));
        }
    }
    Ok(finals)
}
