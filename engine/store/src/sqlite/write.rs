//! One transaction of the pipeline as one transaction of SQLite.

use std::collections::BTreeMap;

use mllp_pipeline::{
    Append, CommitOutcome, Committed, Disposition, Event, Head, LaneId, LaneMark, LaneUpdate,
    MessageId, NewMessage, Record, Refusal, RowBody, Seq, Stamp, Started, Transaction,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, TransactionBehavior, params};

use super::failure::{Trouble, failed, is_index_full, of_commit};
use super::index::Index;
use super::lists;
use super::message::columns;
use super::read;
use super::reopening::Reopening;
use crate::codes::{EventRow, of_disposition, of_failure, of_keys, of_stage};
use crate::contract::{LaneName, StoreError};
use crate::sums::{self, Sums};

/// Takes lanes for a new owner. See [`Store::own`](crate::Store::own).
pub(super) fn own(
    connection: &mut Connection,
    names: &[LaneName],
) -> Result<Vec<Head>, StoreError> {
    let owned = (|| {
        let behavior = TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(behavior)?;
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
    connection: &mut Connection,
    transaction: &Transaction,
    index: &Index,
) -> Result<CommitOutcome, StoreError> {
    let written = (|| {
        let behavior = TransactionBehavior::Immediate;
        let open = connection.transaction_with_behavior(behavior)?;
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
    for record in &transaction.records {
        match record {
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

/// Prepared once for a transaction.
pub(super) struct Statements<'a> {
    open: &'a Connection,
    message: CachedStatement<'a>,
    chunk: CachedStatement<'a>,
    unheld: CachedStatement<'a>,
    held: CachedStatement<'a>,
    work: CachedStatement<'a>,
    origin: CachedStatement<'a>,
    row_body: CachedStatement<'a>,
    done: CachedStatement<'a>,
    started: CachedStatement<'a>,
    not_started: CachedStatement<'a>,
    parked: CachedStatement<'a>,
    unparked: CachedStatement<'a>,
    part: CachedStatement<'a>,
    outcome: CachedStatement<'a>,
    dead: CachedStatement<'a>,
    event: CachedStatement<'a>,
}

impl<'a> Statements<'a> {
    fn new(open: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Statements {
            open,
            message: open.prepare_cached(
                "INSERT INTO message VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
                     ?14, ?15, NULL)",
            )?,
            chunk: open.prepare_cached("INSERT INTO chunk VALUES(?1, ?2, ?3)")?,
            unheld: open.prepare_cached("INSERT INTO unheld VALUES(?1)")?,
            held: open.prepare_cached("DELETE FROM unheld WHERE body = ?1")?,
            work: open.prepare_cached(
                "INSERT INTO work(lane, seq, message, sole, id_hash, chunks, row_body, keys, hops,
                     body_lane, body_seq, len)
                     VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?,
            origin: open.prepare_cached(
                "SELECT iif(has_bytes, lane, body_lane), iif(has_bytes, seq, body_seq) FROM
                     (SELECT *, coalesce(row_body, chunks) IS NOT NULL OR body IS NOT NULL AS has_bytes
                      FROM work)
                 WHERE lane = ?1 AND seq = ?2",
            )?,
            row_body: open.prepare_cached("INSERT INTO row_body(bytes) VALUES(?1)")?,
            done: open.prepare_cached("INSERT INTO done VALUES(?1, ?2)")?,
            started: open
                .prepare_cached("INSERT OR REPLACE INTO started VALUES(?1, ?2, ?3, ?4, ?5)")?,
            not_started: open.prepare_cached("DELETE FROM started WHERE lane = ?1 AND seq = ?2")?,
            parked: open.prepare_cached("INSERT INTO parked VALUES(?1, ?2)")?,
            unparked: open.prepare_cached("DELETE FROM parked WHERE lane = ?1 AND seq = ?2")?,
            part: open.prepare_cached("INSERT INTO part VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?,
            outcome: open.prepare_cached("INSERT INTO outcome VALUES(?1, ?2, ?3, ?4)")?,
            dead: open.prepare_cached("INSERT INTO dead VALUES(?1, ?2, ?3, ?4, ?5)")?,
            event: open.prepare_cached("INSERT INTO event VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
        })
    }

    fn insert(&mut self, record: &Record) -> rusqlite::Result<()> {
        match record {
            Record::Message(message) => self.message(message),
            Record::Chunk { body, n, bytes } => {
                if *n == 0 {
                    self.unheld.execute((body.0 as i64,))?;
                }
                self.chunk.execute(params![body.0 as i64, n, &bytes.0[..]]).map(drop)
            }
            Record::Done { lane, seq } => {
                self.done.execute(params![lane.0, seq.0 as i64]).map(drop)
            }
            Record::Started(Started { lane, seq, attempt, due, waited }) => {
                let values = params![lane.0, seq.0 as i64, attempt, *due as i64, *waited as i64];
                self.started.execute(values).map(drop)
            }
            Record::Parked { lane, seq } => {
                self.parked.execute(params![lane.0, seq.0 as i64]).map(drop)
            }
            Record::Unparked { lane, seq } => {
                self.not_started.execute(params![lane.0, seq.0 as i64])?;
                self.unparked.execute(params![lane.0, seq.0 as i64]).map(drop)
            }
            Record::Outcome { message, stamp, disposition, at } => {
                self.outcome(*message, *stamp, *disposition, *at)
            }
            Record::Dead { lane, seq, message, why, at } => {
                let (seq, message) = (seq.0 as i64, message.0 as i64);
                let values = params![lane.0, seq, message, of_failure(*why), *at as i64];
                self.dead.execute(values).map(drop)
            }
            Record::Event(event) => self.event(event),
            Record::Append(_) | Record::Part(_) | Record::Reopened(_) => Ok(()),
            other => lists::insert(self.open, other),
        }
    }

    fn message(&mut self, message: &NewMessage) -> rusqlite::Result<()> {
        let (chunks, bytes) = columns(Some(&message.body));
        self.hold(chunks)?;
        let identity = (message.identity != 0).then(|| message.identity.to_be_bytes());
        self.message.execute(params![
            message.id.0 as i64,
            message.inbound.0,
            message.received_at as i64,
            identity,
            message.accepted,
            message.duplicate_of.map(|it| it.0 as i64),
            &message.control_id.0[..],
            &message.message_type.0[..],
            &message.acknowledgment.0[..],
            chunks,
            message.body.len() as i64,
            bytes,
            (message.session != message.id).then_some(message.session.0 as i64),
            message.original.map(|it| it.0 as i64),
            of_keys(&message.indexed),
        ])?;
        Ok(())
    }

    fn append(&mut self, append: &Append, seq: Seq) -> rusqlite::Result<()> {
        let (body, of) = match &append.body {
            RowBody::Message => (None, (None, None)),
            RowBody::Own(body) => (Some(body), (None, None)),
            RowBody::Row(lane, seq) => (None, self.origin(*lane, *seq)?),
        };
        let (chunks, bytes) = columns(body);
        self.hold(chunks)?;
        // In a table that grows at its end alone: among the rows of lanes a body would split pages.
        let bytes = bytes.map(|it| self.row_body.insert((it,))).transpose()?;
        let values = params![
            append.lane.0,
            seq.0 as i64,
            append.message.0 as i64,
            append.sole,
            append.id_hash.0 as i64,
            chunks,
            bytes,
            of_keys(&append.keys),
            append.hops,
            of.0,
            of.1,
            append.len as i64,
        ];
        self.work.execute(values).map(drop)
    }

    /// The row with the bytes that this row is about; `None`: those of the message.
    fn origin(&mut self, lane: LaneId, seq: Seq) -> rusqlite::Result<(Option<u32>, Option<i64>)> {
        let (lane, seq) = (lane.0, seq.0 as i64);
        let found = self.origin.query_row((lane, seq), |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?.unwrap_or((Some(lane), Some(seq))))
    }

    fn hold(&mut self, chunks: Option<i64>) -> rusqlite::Result<()> {
        chunks.map_or(Ok(()), |body| self.held.execute((body,)).map(drop))
    }

    pub(super) fn part(
        &mut self,
        message: MessageId,
        stamp: Stamp,
        sums: &Sums,
    ) -> rusqlite::Result<()> {
        let (message, stamp) = (message.0 as i64, stamp.0 as i64);
        let Sums { added, finished, delivered, failed } = sums;
        self.part.execute(params![message, stamp, added, finished, delivered, failed]).map(drop)
    }

    pub(super) fn outcome(
        &mut self,
        message: MessageId,
        stamp: Stamp,
        disposition: Disposition,
        at: u64,
    ) -> rusqlite::Result<()> {
        let code = of_disposition(disposition);
        let values = params![message.0 as i64, stamp.0 as i64, code, at as i64];
        self.outcome.execute(values).map(drop)
    }

    fn event(&mut self, event: &Event) -> rusqlite::Result<()> {
        let row = EventRow::of(&event.what);
        let (message, stamp) = (event.message.0 as i64, event.stamp.0 as i64);
        let text = row.text.bytes();
        let values = params![message, stamp, event.at as i64, row.kind, row.lane, row.number, text];
        self.event.execute(values).map(drop)
    }
}
