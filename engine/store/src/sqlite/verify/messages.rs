//! Each message: its body, its parts, what has become of it, and where it stands in time.

use mllp_pipeline::{BodyId, Disposition, MessageId, NewMessage};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::open_work::Open;
use super::{bodies, is_known};
use crate::error::StoreError;
use crate::sqlite::failure::failed;
use crate::sqlite::message;
use crate::verify::{Concern, Report};

/// Messages of a slice.
const SLICE: i64 = 1_024;

/// What has rows for a message, and none without it.
const OF_MESSAGES: [&str; 3] = ["outcome", "part", "event"];

pub(super) fn check(connection: &Connection, report: &mut Report<'_>) -> Result<(), StoreError> {
    let mut open = Open::default();
    let mut next = 0;
    loop {
        let snapshot = connection.unchecked_transaction().map_err(failed)?;
        let messages = slice(connection, next).map_err(failed)?;
        for (message, body) in &messages {
            one(connection, message, body, &mut open, report)?;
        }
        let last = match messages.last() {
            Some((message, _)) if messages.len() as i64 == SLICE => message.id.0 as i64,
            _ => i64::MAX,
        };
        without_message(connection, next, last, report).map_err(failed)?;
        drop(snapshot);
        if open.is_full() || last == i64::MAX {
            open.check(connection, report)?;
        }
        if last == i64::MAX {
            return Ok(());
        }
        next = last + 1;
    }
}

/// What the columns of a body say.
struct BodyColumns {
    chunks: Option<i64>,
    /// What it has to be.
    len: i64,
    /// What is there in one piece.
    inline: Option<i64>,
    is_expired: bool,
}

fn slice(connection: &Connection, from: i64) -> rusqlite::Result<Vec<(NewMessage, BodyColumns)>> {
    let sql = format!(
        "SELECT {}, length(body) FROM message WHERE id >= ?1 ORDER BY id LIMIT {SLICE}",
        message::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let row = |row: &Row<'_>| {
        let body = BodyColumns {
            chunks: row.get("chunks")?,
            len: row.get("len")?,
            inline: row.get("length(body)")?,
            is_expired: row.get::<_, Option<i64>>("body_expired")?.is_some(),
        };
        Ok((message::of_row(row)?.message, body))
    };
    statement.query_map((from,), row)?.collect()
}

fn one(
    connection: &Connection,
    message: &NewMessage,
    body: &BodyColumns,
    open: &mut Open,
    report: &mut Report<'_>,
) -> Result<(), StoreError> {
    let concern = Concern::Message(message.id);
    let disposition = match message::disposition(connection, message.id) {
        Ok((disposition, _)) => disposition,
        Err(StoreError::Corrupt(why)) => {
            report.found(concern, why);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    report.received(disposition);
    let left = parts_left(connection, message.id).map_err(failed)?;
    match (disposition.is_final(), left) {
        (true, Some(1..)) => report
            .found(concern, format!("{}, and has parts that are not finished", disposition.name())),
        (false, Some(..=0)) => {
            report.found(concern, format!("{}, and all its parts are finished", disposition.name()))
        }
        (false, _) => open.expect(message.id),
        (true, _) => {}
    }
    if let Some(first) = message.duplicate_of {
        if !is_known(connection, first.0 as i64).map_err(failed)? {
            report.found(concern, format!("its first, message {first}, is not there"));
        }
    } else if disposition == Disposition::Duplicate {
        report.found(concern, "DUPLICATE, and does not say of which");
    }
    whole(connection, message.id, body, report).map_err(failed)?;
    in_span(connection, message, report).map_err(failed)
}

/// Parts of a message that are not finished; `None`: it has none.
pub(super) fn parts_left(
    connection: &Connection,
    message: MessageId,
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT sum(added) - sum(finished) FROM part WHERE message = ?1";
    connection.prepare_cached(sql)?.query_row((message.0 as i64,), |row| row.get(0))
}

/// Whether the body is there, with the length that it has to have.
fn whole(
    connection: &Connection,
    id: MessageId,
    body: &BodyColumns,
    report: &mut Report<'_>,
) -> rusqlite::Result<()> {
    let concern = Concern::Message(id);
    let len = match (body.chunks, body.inline) {
        (None, None) if body.is_expired => return Ok(()),
        (None, None) => {
            report.found(concern, "its body is not there");
            return Ok(());
        }
        (Some(chunks), _) => match bodies::length(connection, chunks)? {
            Some(len) => len,
            None => {
                report.found(
                    concern,
                    format!("chunks of its body {} are missing", BodyId(chunks as u64)),
                );
                return Ok(());
            }
        },
        (None, Some(len)) => len,
    };
    if len != body.len {
        report.found(concern, format!("its body has {len} bytes in place of {}", body.len));
    }
    Ok(())
}

/// Whether a search by time finds it.
fn in_span(
    connection: &Connection,
    message: &NewMessage,
    report: &mut Report<'_>,
) -> rusqlite::Result<()> {
    let sql = "SELECT earliest <= ?2 AND latest >= ?2 OR last < ?1 FROM span WHERE first <= ?1
         ORDER BY first DESC LIMIT 1";
    let values = params![message.id.0 as i64, message.received_at as i64];
    let is_found =
        connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
    if is_found == Some(false) {
        report.found(Concern::Message(message.id), "it is outside the times of its span");
    }
    Ok(())
}

/// Rows for messages that are not there, between two numbers.
fn without_message(
    connection: &Connection,
    first: i64,
    last: i64,
    report: &mut Report<'_>,
) -> rusqlite::Result<()> {
    for table in OF_MESSAGES {
        let sql = format!(
            "SELECT DISTINCT message FROM {table} WHERE message BETWEEN ?1 AND ?2
                 AND NOT EXISTS (SELECT 1 FROM message AS it WHERE it.id = {table}.message)"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query((first, last))?;
        while let Some(row) = rows.next()? {
            let id = MessageId(row.get::<_, i64>(0)? as u64);
            report
                .found(Concern::Message(id), format!("it is not there, and has a row in {table}"));
        }
    }
    Ok(())
}
