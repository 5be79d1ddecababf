//! The rows that records stand for.

use mllp_pipeline::{
    Append, Disposition, Event, LaneId, MessageId, NewMessage, Record, RowBody, Seq, Stamp, Started,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::lists;
use super::message::columns;
use super::row_body::RowBodies;
use crate::codes::{DELIVERED, EventRow, of_disposition, of_failure, of_keys};
use crate::sums::Sums;

/// Prepared once for a transaction.
pub(super) struct Statements<'a> {
    open: &'a Connection,
    message: CachedStatement<'a>,
    chunk: CachedStatement<'a>,
    unheld: CachedStatement<'a>,
    held: CachedStatement<'a>,
    work: CachedStatement<'a>,
    origin: CachedStatement<'a>,
    row_bodies: RowBodies<'a>,
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
    pub(super) fn new(open: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Statements {
            open,
            message: open.prepare_cached(
                "INSERT INTO message VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
                     ?14, ?15, NULL, ?16)",
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
            row_bodies: RowBodies::new(open)?,
            done: open.prepare_cached("INSERT INTO done VALUES(?1, ?2)")?,
            started: open
                .prepare_cached("INSERT OR REPLACE INTO started VALUES(?1, ?2, ?3, ?4, ?5)")?,
            not_started: open.prepare_cached("DELETE FROM started WHERE lane = ?1 AND seq = ?2")?,
            parked: open.prepare_cached("INSERT INTO parked VALUES(?1, ?2)")?,
            unparked: open.prepare_cached("DELETE FROM parked WHERE lane = ?1 AND seq = ?2")?,
            part: open.prepare_cached("INSERT INTO part VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?,
            outcome: open.prepare_cached("INSERT INTO outcome(message, stamp, disposition, at, lane, milliseconds, note)
                     VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            dead: open.prepare_cached("INSERT INTO dead VALUES(?1, ?2, ?3, ?4, ?5)")?,
            event: open.prepare_cached("INSERT INTO event VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
        })
    }

    pub(super) fn insert(&mut self, record: &Record) -> rusqlite::Result<()> {
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
            Record::Event(event) => self.event(event, None).map(drop),
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
            (!message.origin.0.is_empty()).then_some(&message.origin.0[..]),
        ])?;
        Ok(())
    }

    pub(super) fn append(&mut self, append: &Append, seq: Seq) -> rusqlite::Result<()> {
        let (body, of) = match &append.body {
            RowBody::Message => (None, (None, None)),
            RowBody::Own(body) => (Some(body), (None, None)),
            RowBody::Row(lane, seq) => (None, self.origin(*lane, *seq)?),
        };
        let (chunks, bytes) = columns(body);
        self.hold(chunks)?;
        let message = append.message.0 as i64;
        let row_body = bytes.map(|it| self.row_bodies.insert(message, it)).transpose()?;
        let values = params![
            append.lane.0,
            seq.0 as i64,
            message,
            append.sole,
            append.id_hash.0 as i64,
            chunks,
            row_body,
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
        self.ended(message, stamp, disposition, at, None)
    }

    /// An outcome, with the delivery that has led to it, if that has the stamp before.
    fn ended(
        &mut self,
        message: MessageId,
        stamp: Stamp,
        disposition: Disposition,
        at: u64,
        delivered: Option<&EventRow<'_>>,
    ) -> rusqlite::Result<()> {
        let code = of_disposition(disposition);
        let (lane, number) = (delivered.map(|it| it.lane), delivered.map(|it| it.number));
        let note = delivered.and_then(|it| it.text.bytes());
        let (message, stamp) = (message.0 as i64, stamp.0 as i64);
        self.outcome.execute(params![message, stamp, code, at as i64, lane, number, note]).map(drop)
    }

    /// An event and, if it fits into the same row, the record after it. Returns whether it did.
    pub(super) fn event(&mut self, event: &Event, next: Option<&Record>) -> rusqlite::Result<bool> {
        let is_next = |message: MessageId, stamp: Stamp, at: u64| {
            (message, stamp.0, at) == (event.message, event.stamp.0 + 1, event.at)
        };
        let row = EventRow::of(&event.what);
        match next {
            Some(Record::Outcome { message, stamp, disposition, at })
                if row.kind == DELIVERED && is_next(*message, *stamp, *at) =>
            {
                self.ended(*message, *stamp, *disposition, *at, Some(&row))?;
                Ok(true)
            }
            Some(Record::Event(next)) if is_next(next.message, next.stamp, next.at) => {
                let both = EventRow::of_both(&event.what, &next.what);
                self.event_row(event, both.as_ref().unwrap_or(&row))?;
                Ok(both.is_some())
            }
            _ => {
                self.event_row(event, &row)?;
                Ok(false)
            }
        }
    }

    fn event_row(&mut self, event: &Event, row: &EventRow<'_>) -> rusqlite::Result<()> {
        let (message, stamp) = (event.message.0 as i64, event.stamp.0 as i64);
        let text = row.text.bytes();
        let values = params![message, stamp, event.at as i64, row.kind, row.lane, row.number, text];
        self.event.execute(values).map(drop)
    }
}
