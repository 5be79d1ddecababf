//! The messages of a pass: those of spans that hold something old enough.

use mllp_pipeline::{BodyId, Disposition, LaneId, MessageId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::{control_ids, release};
use crate::error::StoreError;
use crate::retention::{Expired, Expiry};
use crate::sqlite::message;
use crate::sqlite::unsynced::unsynced;

/// Messages of a slice.
const SLICE: usize = 64;

/// How far a pass has come.
pub(super) struct Messages {
    /// The span that is gone through.
    span: Option<Span>,
    /// Spans up to this number are done.
    after: i64,
    /// Whether the pass has deleted anything: otherwise the rows of lanes have nothing to follow.
    pub(super) has_dropped: bool,
}

#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
    next: i64,
    /// Something in it may expire later.
    has_bodies: bool,
    /// Messages up to `next` that are still there.
    left: u64,
    /// Whether it has a row; what is not in a run of the index yet has none.
    is_stored: bool,
}

/// A message, as far as it matters here.
struct Candidate {
    id: i64,
    inbound: LaneId,
    received_at: u64,
    chunks: Option<i64>,
    has_body: bool,
}

impl Messages {
    /// Where another class than before stays for ever, every span is looked at again.
    pub(super) fn begin(connection: &Connection, expiry: &Expiry) -> rusqlite::Result<Messages> {
        let kept = expiry.kept_for_ever();
        let sql = "SELECT kept FROM retention";
        let before =
            connection.query_row(sql, (), |row| row.get::<_, Option<String>>(0)).optional()?;
        if before.flatten().as_ref() != Some(&kept) {
            connection.execute("UPDATE span SET bodies = 1 WHERE bodies = 0", ())?;
            let sql = "INSERT INTO retention(id, passed_at, kept) VALUES(1, 0, ?1)
                 ON CONFLICT(id) DO UPDATE SET kept = excluded.kept";
            connection.execute(sql, (kept,))?;
        }
        Ok(Messages { span: None, after: 0, has_dropped: false })
    }

    /// Returns whether all of them are done.
    pub(super) fn slice(
        &mut self,
        connection: &Connection,
        expiry: &Expiry,
        sweeping: &mut Vec<BodyId>,
    ) -> rusqlite::Result<bool> {
        let span = match self.span {
            Some(span) => span,
            None => match next_span(connection, self.after, expiry)? {
                Some(span) => span,
                None => return Ok(true),
            },
        };
        // Given back to the pass only if the slice is committed.
        let mut bodies = Vec::new();
        let mut dropped = false;
        let walked =
            unsynced(connection, |open| walk(open, span, expiry, &mut bodies, &mut dropped))?;
        self.has_dropped |= dropped;
        sweeping.append(&mut bodies);
        self.after = span.last;
        self.span = walked;
        Ok(false)
    }
}

/// The next span that holds something that may have expired; at last what is in none.
fn next_span(
    connection: &Connection,
    after: i64,
    expiry: &Expiry,
) -> rusqlite::Result<Option<Span>> {
    if after == i64::MAX {
        return Ok(None);
    }
    let sql = "SELECT first, last FROM span WHERE first > ?1 AND earliest < ?2
         AND (bodies = 1 OR earliest < ?3) ORDER BY first LIMIT 1";
    let values = params![after, time(expiry.newest()), time(expiry.newest_metadata())];
    let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let found = connection.prepare_cached(sql)?.query_row(values, row).optional()?;
    let is_stored = found.is_some();
    let (first, last) = match found {
        Some(span) => span,
        None => {
            let sql = "SELECT coalesce(max(last), 0) + 1 FROM span";
            (connection.query_row(sql, (), |row| row.get(0))?, i64::MAX)
        }
    };
    Ok(Some(Span { first, last, next: first, has_bodies: false, left: 0, is_stored }))
}

fn time(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// Goes through a slice of a span. Returns it, as far as it is not done.
fn walk(
    open: &Connection,
    mut span: Span,
    expiry: &Expiry,
    sweeping: &mut Vec<BodyId>,
    dropped: &mut bool,
) -> rusqlite::Result<Option<Span>> {
    let candidates = candidates(open, &span)?;
    let (mut newest_gone, mut control_ids) = (None, Vec::new());
    for it in &candidates {
        let expired = expired(open, it, expiry)?;
        *dropped |= expired == Expired::Everything || expired == Expired::Body && it.has_body;
        if expired >= Expired::Body && it.has_body {
            drop_body(open, it, expiry, sweeping)?;
        }
        if expired == Expired::Everything {
            control_ids.extend(drop_message(open, it.id)?);
            newest_gone = Some(it.id);
            continue;
        }
        span.left += 1;
        let before = expiry.before(it.inbound);
        let may_expire = before.bodies > 0 || before.dead > 0;
        span.has_bodies |= it.has_body && expired == Expired::Nothing && may_expire;
    }
    if let Some(id) = newest_gone {
        remember(open, &span, id, expiry)?;
        control_ids::note(open, &control_ids, time(expiry.at))?;
    }
    if candidates.len() == SLICE {
        span.next = candidates.last().map_or(span.last, |it| it.id) + 1;
        return Ok(Some(span));
    }
    if span.is_stored {
        finish(open, &span)?;
    }
    Ok(None)
}

fn candidates(open: &Connection, span: &Span) -> rusqlite::Result<Vec<Candidate>> {
    let sql = "SELECT id, inbound, received_at, chunks, body_expired IS NULL FROM message
         WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3";
    let mut statement = open.prepare_cached(sql)?;
    let row = |row: &Row<'_>| {
        Ok(Candidate {
            id: row.get(0)?,
            inbound: LaneId(row.get(1)?),
            received_at: row.get::<_, i64>(2)? as u64,
            chunks: row.get(3)?,
            has_body: row.get(4)?,
        })
    };
    statement.query_map(params![span.next, span.last, SLICE as i64], row)?.collect()
}

/// What of a message has expired: nothing, if it is not final.
fn expired(open: &Connection, it: &Candidate, expiry: &Expiry) -> rusqlite::Result<Expired> {
    if it.received_at >= expiry.newest() {
        return Ok(Expired::Nothing);
    }
    let (disposition, since) = match message::disposition(open, MessageId(it.id as u64)) {
        Ok(found) => found,
        // What cannot be understood is not deleted.
        Err(StoreError::Corrupt(_)) => return Ok(Expired::Nothing),
        Err(_) => return Err(rusqlite::Error::InvalidQuery),
    };
    if !disposition.is_final() {
        return Ok(Expired::Nothing);
    }
    let ended = (disposition == Disposition::Error).then_some(since);
    Ok(expiry.of(it.inbound, it.received_at, ended))
}

fn drop_body(
    open: &Connection,
    it: &Candidate,
    expiry: &Expiry,
    sweeping: &mut Vec<BodyId>,
) -> rusqlite::Result<()> {
    if let Some(chunks) = it.chunks {
        release(open, chunks, sweeping)?;
    }
    // Written again, not updated: a page that an update leaves nearly empty is not given back.
    let sql = format!("SELECT {} FROM message WHERE id = ?1", message::COLUMNS);
    let mut statement = open.prepare_cached(&sql)?;
    let count = statement.column_count();
    let mut columns: Vec<Value> =
        statement.query_row((it.id,), |row| (0..count).map(|at| row.get(at)).collect())?;
    for (name, value) in statement.column_names().zip(&mut columns) {
        match name {
            "chunks" => *value = Value::Null,
            "body_expired" => *value = Value::Integer(time(expiry.at)),
            _ => {}
        }
    }
    open.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute((it.id,))?;
    let places = vec!["?"; columns.len()].join(", ");
    let sql = format!("INSERT INTO message({}) VALUES({places})", message::COLUMNS);
    open.prepare_cached(&sql)?.execute(params_from_iter(columns)).map(drop)
}

/// Returns its control ID.
fn drop_message(open: &Connection, id: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    for table in ["outcome", "part", "event"] {
        let sql = format!("DELETE FROM {table} WHERE message = ?1");
        open.prepare_cached(&sql)?.execute((id,))?;
    }
    let sql = "DELETE FROM message WHERE id = ?1 RETURNING control_id";
    open.prepare_cached(sql)?.query_row((id,), |row| row.get(0)).optional()
}

/// Keeps that messages of a span were deleted, and that their numbers are not given out again.
fn remember(open: &Connection, span: &Span, newest: i64, expiry: &Expiry) -> rusqlite::Result<()> {
    let last = if span.is_stored { span.last } else { newest };
    let sql = "INSERT INTO expired VALUES(?1, ?2, ?3)
         ON CONFLICT(first) DO UPDATE SET last = max(last, excluded.last)";
    open.prepare_cached(sql)?.execute(params![span.first, last, time(expiry.at)])?;
    let sql = "UPDATE life SET next_message = max(next_message, ?1)";
    open.prepare_cached(sql)?.execute((newest + 1,)).map(drop)
}

/// A span without messages goes, but for the newest, which says how far the index has come. What is
/// remembered of it joins what was deleted on the same day.
fn finish(open: &Connection, span: &Span) -> rusqlite::Result<()> {
    let sql = "UPDATE span SET bodies = ?2 WHERE first = ?1";
    open.prepare_cached(sql)?.execute(params![span.first, span.has_bodies])?;
    if span.left > 0 {
        return Ok(());
    }
    let sql = "DELETE FROM span WHERE first = ?1 AND first < (SELECT max(first) FROM span)";
    if open.prepare_cached(sql)?.execute((span.first,))? == 0 {
        return Ok(());
    }
    let sql = "UPDATE expired AS it SET last = ?2 WHERE last = ?1 - 1
         AND at / 86400000 = (SELECT at / 86400000 FROM expired WHERE first = ?1)";
    if open.prepare_cached(sql)?.execute(params![span.first, span.last])? > 0 {
        open.prepare_cached("DELETE FROM expired WHERE first = ?1")?.execute((span.first,))?;
    }
    Ok(())
}
