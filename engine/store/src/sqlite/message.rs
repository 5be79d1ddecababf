//! The row of a message, and what has become of it.

use mllp_pipeline::{Body, BodyId, Disposition, LaneId, MessageId, NewMessage, Piece};
use rusqlite::{Connection, OptionalExtension, Row};

use super::failure::failed;
use crate::codes;
use crate::contract::StoredMessage;
use crate::error::StoreError;
use crate::row::MessageRow;

/// All columns but the body.
pub(super) const COLUMNS: &str =
    "id, inbound, received_at, identity, accepted, duplicate_of, control_id,
     message_type, acknowledgment, chunks, len, session, original, indexed, body_expired, origin";

/// A row of [`COLUMNS`].
pub(super) fn of_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let number = |at| row.get::<_, i64>(at).map(|it| it as u64);
    let id_of = |at| row.get::<_, Option<i64>>(at).map(|it| it.map(|it| MessageId(it as u64)));
    let piece = |at| Ok::<_, rusqlite::Error>(Piece::from(row.get_ref(at)?.as_blob()?));
    let identity = row.get::<_, Option<[u8; 16]>>(3)?.map_or(0, u128::from_be_bytes);
    let id = MessageId(number(0)?);
    let len = number(10)?;
    let body = match row.get::<_, Option<i64>>(9)? {
        Some(id) => Body::Chunked { id: BodyId(id as u64), len },
        None => Body::Inline([].into()),
    };
    let indexed = row.get_ref(13)?.as_blob_or_null()?;
    let message = NewMessage {
        id,
        inbound: LaneId(row.get(1)?),
        received_at: number(2)?,
        identity,
        accepted: row.get(4)?,
        duplicate_of: id_of(5)?,
        control_id: piece(6)?,
        message_type: piece(7)?,
        acknowledgment: piece(8)?,
        body,
        session: id_of(11)?.unwrap_or(id),
        original: id_of(12)?,
        indexed: codes::keys(indexed),
        origin: Piece::from(row.get_ref(15)?.as_blob_or_null()?.unwrap_or_default()),
    };
    let body_expired = row.get::<_, Option<i64>>(14)?.map(|it| it as u64);
    Ok(MessageRow { message, len, body_expired })
}

/// A message, without its body.
pub(super) fn read(connection: &Connection, id: MessageId) -> rusqlite::Result<Option<MessageRow>> {
    let sql = format!("SELECT {COLUMNS} FROM message WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row((id.0 as i64,), of_row).optional()
}

/// A message with what has become of it.
pub(super) fn stored(
    connection: &Connection,
    id: MessageId,
) -> Result<Option<StoredMessage>, StoreError> {
    let Some(row) = read(connection, id).map_err(failed)? else { return Ok(None) };
    let (disposition, since) = disposition(connection, id)?;
    Ok(Some(row.stored(disposition, since)))
}

/// The outcome with the highest stamp; without one the message is in progress, and its journey says
/// how far it has come.
pub(super) fn disposition(
    connection: &Connection,
    id: MessageId,
) -> Result<(Disposition, u64), StoreError> {
    let one = |sql, values: &[i64]| {
        let mut statement = connection.prepare_cached(sql)?;
        let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)? as u64));
        statement.query_row(rusqlite::params_from_iter(values), row).optional()
    };
    let id = id.0 as i64;
    let last = "SELECT disposition, at FROM outcome WHERE message = ?1 ORDER BY stamp DESC LIMIT 1";
    if let Some((code, at)) = one(last, &[id]).map_err(failed)? {
        return Ok((codes::disposition(code)?, at));
    }
    let routed = "SELECT kind, at FROM event WHERE message = ?1 AND kind IN (?2, ?3) LIMIT 1";
    let kinds = [id, codes::ROUTED, codes::ROUTED_AND_TRANSFORMED];
    Ok(match one(routed, &kinds).map_err(failed)? {
        Some((_, at)) => (Disposition::Routed, at),
        None => (Disposition::Received, 0),
    })
}

/// The rows of a journey. A delivery that has ended its message stands with the outcome, which has the
/// next stamp.
pub(super) const JOURNEY: &str = "SELECT stamp, at, kind, lane, number, text FROM event
     WHERE message = ?1
     UNION ALL SELECT stamp - 1, at, 5, lane, milliseconds, note FROM outcome
     WHERE message = ?1 AND lane IS NOT NULL ORDER BY stamp";

/// Whether a message went through a lane: it was received there, is about to be or was sent there, or
/// something has happened to it there.
pub(super) fn passed(
    connection: &Connection,
    message: &NewMessage,
    lane: LaneId,
) -> rusqlite::Result<bool> {
    if message.inbound == lane {
        return Ok(true);
    }
    let mut statement = connection.prepare_cached(JOURNEY)?;
    let mut rows = statement.query((message.id.0 as i64,))?;
    while let Some(row) = rows.next()? {
        let named = codes::lanes_of(row.get(2)?, row.get_ref(5)?.as_blob_or_null()?);
        if row.get::<_, u32>(3)? == lane.0 || named.contains(&lane) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A body as the columns `chunks` and `body`.
pub(super) fn columns(body: Option<&Body>) -> (Option<i64>, Option<&[u8]>) {
    match body {
        None => (None, None),
        Some(Body::Inline(bytes)) => (None, Some(bytes)),
        Some(Body::Chunked { id, .. }) => (Some(id.0 as i64), None),
    }
}
