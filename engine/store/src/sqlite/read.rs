//! Reading: rows of lanes, messages, journeys.

use mllp_pipeline::{
    Body, BodyId, Disposition, Entry, Epoch, Event, Head, IdHash, LaneId, MessageId, Piece, Seq,
    Source, Stamp, Started,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::failed;
use super::index::{self, SharedGathered};
use super::{fetch, lived, message, retain, row_body, search, verify};
use crate::codes;
use crate::contract::{Held, Identity, LaneName, Reader, StoredMessage};
use crate::error::StoreError;
use crate::life::Life;
use crate::query::{Found, Query};
use crate::verify::{Finding, Verified};

/// The chunks of a body, its bytes, and its length if it stands there.
type Columns = (Option<i64>, Option<Vec<u8>>, Option<i64>);

/// A reading end. Every call ends its statement, and with it its snapshot.
pub(super) struct SqliteReader {
    connection: Connection,
    gathered: SharedGathered,
}

impl SqliteReader {
    pub(super) fn new(connection: Connection, gathered: SharedGathered) -> Self {
        SqliteReader { connection, gathered }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

pub(super) fn heads(connection: &Connection, lanes: &[LaneId]) -> rusqlite::Result<Vec<Head>> {
    let mut row_of = connection.prepare_cached(
        "SELECT epoch, tail, cursor, sent_to, attempt, due, waited, appended, consumed
             FROM lane WHERE id = ?1",
    )?;
    let mut done_of = connection
        .prepare_cached("SELECT seq FROM done WHERE lane = ?1 AND seq > ?2 ORDER BY seq")?;
    let mut heads = Vec::with_capacity(lanes.len());
    for &lane in lanes {
        let read = |row: &Row<'_>| {
            let number = |at| row.get::<_, i64>(at).map(|it| it as u64);
            Ok(Head {
                lane,
                epoch: Epoch(number(0)?),
                tail: Seq(number(1)?),
                cursor: Seq(number(2)?),
                sent_to: Seq(number(3)?),
                done: Vec::new(),
                attempt: row.get(4)?,
                due: number(5)?,
                waited: number(6)?,
                switches: Vec::new(),
                started: Vec::new(),
                parked: Vec::new(),
                appended: number(7)?,
                consumed: number(8)?,
            })
        };
        let Some(mut head) = row_of.query_row((lane.0,), read).optional()? else { continue };
        let values = params![lane.0, head.cursor.0 as i64];
        let done = done_of.query_map(values, |row| row.get::<_, i64>(0))?;
        head.done = done.map(|seq| seq.map(|it| Seq(it as u64))).collect::<Result<_, _>>()?;
        head.switches = super::lists::switches(connection, lane)?;
        head.started = started(connection, lane)?;
        head.parked = parked(connection, lane)?;
        heads.push(head);
    }
    Ok(heads)
}

/// What is started and not done. Rows that are done are dropped only when the cursor passes them.
fn started(connection: &Connection, lane: LaneId) -> rusqlite::Result<Vec<Started>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, attempt, due, waited FROM started WHERE lane = ?1
         AND NOT EXISTS (SELECT 1 FROM done WHERE done.lane = ?1 AND done.seq = started.seq)
         ORDER BY seq",
    )?;
    let row = |row: &Row<'_>| {
        let number = |at| row.get::<_, i64>(at).map(|it| it as u64);
        let (seq, attempt) = (Seq(number(0)?), row.get(1)?);
        Ok(Started { lane, seq, attempt, due: number(2)?, waited: number(3)? })
    };
    statement.query_map((lane.0,), row)?.collect()
}

fn parked(connection: &Connection, lane: LaneId) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY} FROM parked JOIN work USING(lane, seq) WHERE lane = ?1 ORDER BY seq"
    ))?;
    statement.query_map((lane.0,), |row| entry(lane, row))?.collect()
}

/// The columns of [`entry`].
const ENTRY: &str = "seq, message, sole,
     row_body IS NOT NULL OR body IS NOT NULL OR chunks IS NOT NULL,
     id_hash, keys, hops, body_lane, body_seq, len";

fn entry(lane: LaneId, row: &Row<'_>) -> rusqlite::Result<Entry> {
    let seq = Seq(row.get::<_, i64>(0)? as u64);
    let own: bool = row.get(3)?;
    let of: (Option<u32>, Option<i64>) = (row.get(7)?, row.get(8)?);
    let body = match of {
        (Some(lane), Some(seq)) => Source::Row(LaneId(lane), Seq(seq as u64)),
        _ if own => Source::Row(lane, seq),
        _ => Source::Message,
    };
    let keys: Option<Vec<u8>> = row.get(5)?;
    Ok(Entry {
        seq,
        message: MessageId(row.get::<_, i64>(1)? as u64),
        body,
        sole: row.get(2)?,
        id_hash: IdHash(row.get::<_, i64>(4)? as u64),
        keys: codes::keys(keys.as_deref()),
        hops: row.get(6)?,
        len: row.get::<_, i64>(9)? as u64,
    })
}

pub(super) fn lanes(connection: &Connection) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, stage, name FROM lane ORDER BY id")
        .map_err(failed)?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = statement.query_map((), row).map_err(failed)?;
    rows.map(|row| {
        let (id, stage, name): (u32, i64, String) = row.map_err(failed)?;
        Ok((LaneId(id), LaneName { stage: codes::stage(stage)?, name }))
    })
    .collect()
}

impl Reader for SqliteReader {
    fn entries(&mut self, lane: LaneId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let sql =
            format!("SELECT {ENTRY} FROM work WHERE lane = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let values = params![lane.0, after.0 as i64, limit];
        let rows = statement.query_map(values, |row| entry(lane, row));
        rows.and_then(Iterator::collect).map_err(failed)
    }

    fn fetch(&mut self, entries: &mut [Entry], limit: u64) -> Result<(), StoreError> {
        fetch::fetch(&self.connection, entries, limit)
    }

    fn message(&mut self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        message::stored(&self.connection, id)
    }

    fn search(
        &mut self,
        query: &Query,
        before: MessageId,
        limit: u32,
    ) -> Result<Found, StoreError> {
        search::search(&self.connection, &self.gathered, query, before, limit)
    }

    fn life(&mut self, stamp: Stamp) -> Result<Option<Life>, StoreError> {
        lived::of(&self.connection, stamp).map_err(failed)
    }

    fn rows_of(&mut self, lane: LaneId, message: MessageId) -> Result<Vec<Seq>, StoreError> {
        lived::rows(&self.connection, lane, message).map_err(failed)
    }

    fn expired(&mut self, id: MessageId) -> Result<Option<u64>, StoreError> {
        if message::read(&self.connection, id).map_err(failed)?.is_some() {
            return Ok(None);
        }
        let at = retain::expired(&self.connection, id.0 as i64).map_err(failed)?;
        Ok(at.map(|it| it as u64))
    }

    fn expired_control_id(&mut self, control_id: &[u8]) -> Result<Option<u64>, StoreError> {
        let at = retain::expired_control_id(&self.connection, control_id).map_err(failed)?;
        Ok(at.map(|it| it as u64))
    }

    fn verify(&mut self, tell: &mut dyn FnMut(Finding)) -> Result<Option<Verified>, StoreError> {
        verify::tables(&self.connection, tell).map(Some)
    }

    fn find(&mut self, of: Held) -> Result<Option<Body>, StoreError> {
        let columns = match of {
            Held::Chunks(id) => Some((Some(id.0 as i64), None, None)),
            Held::Message(id) => {
                self.columns("SELECT chunks, body, len FROM message WHERE id = ?1", id.0 as i64)?
            }
            Held::Row(lane, seq) => {
                let sql = format!(
                    "SELECT {}, work.chunks, work.len FROM work AS it JOIN work
                         ON work.lane = coalesce(it.body_lane, it.lane)
                         AND work.seq = coalesce(it.body_seq, it.seq) {}
                     WHERE it.lane = ?1 AND it.seq = ?2",
                    row_body::COLUMNS,
                    row_body::TABLES
                );
                let row = |row: &Row<'_>| Ok((row.get(4)?, row_body::read(row)?, row.get(5)?));
                let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
                let values = params![lane.0, seq.0 as i64];
                statement.query_row(values, row).optional().map_err(failed)?
            }
        };
        let Some((chunks, bytes, len)) = columns else { return Ok(None) };
        if let Some(bytes) = bytes {
            return Ok(Some(Body::Inline(bytes.into())));
        }
        let Some(id) = chunks else { return Ok(None) };
        let len = match len {
            Some(len) if len > 0 => Some(len),
            // Its length is not known.
            _ => self.len_of_chunks(id)?,
        };
        Ok(len.map(|len| Body::Chunked { id: BodyId(id as u64), len: len as u64 }))
    }

    fn chunk(&mut self, body: BodyId, n: u32) -> Result<Option<Piece>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT bytes FROM chunk WHERE body = ?1 AND n = ?2")
            .map_err(failed)?;
        let bytes = |row: &Row<'_>| row.get_ref(0)?.as_blob().map(Piece::from).map_err(Into::into);
        statement.query_row(params![body.0 as i64, n], bytes).optional().map_err(failed)
    }

    fn journey(&mut self, id: MessageId) -> Result<Vec<Event>, StoreError> {
        let journey = self.connection.prepare_cached(message::JOURNEY);
        let mut statement = journey.map_err(failed)?;
        let mut rows = statement.query((id.0 as i64,)).map_err(failed)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let number = |at| row.get::<_, i64>(at).map_err(failed);
            let text: Option<Vec<u8>> = row.get(5).map_err(failed)?;
            events.extend(codes::events(
                id,
                Stamp(number(0)? as u64),
                number(1)? as u64,
                (number(2)?, number(3)?, number(4)?),
                &text.unwrap_or_default(),
            )?);
        }
        Ok(events)
    }

    fn identities(&mut self, before: MessageId, limit: u32) -> Result<Vec<Identity>, StoreError> {
        let before = i64::try_from(before.0).unwrap_or(i64::MAX);
        index::identities(&self.connection, before, limit).map_err(failed)
    }

    fn dispositions(
        &mut self,
        from: MessageId,
        limit: u32,
    ) -> Result<Vec<(MessageId, Disposition)>, StoreError> {
        let ids: Vec<i64> = {
            let mut statement = self
                .connection
                .prepare_cached("SELECT id FROM message WHERE id >= ?1 ORDER BY id LIMIT ?2")
                .map_err(failed)?;
            let rows = statement.query_map(params![from.0 as i64, limit], |row| row.get(0));
            rows.and_then(Iterator::collect).map_err(failed)?
        };
        ids.into_iter()
            .map(|id| {
                let id = MessageId(id as u64);
                message::disposition(&self.connection, id).map(|(disposition, _)| (id, disposition))
            })
            .collect()
    }
}

impl SqliteReader {
    fn columns(&self, sql: &str, id: i64) -> Result<Option<Columns>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        statement.query_row((id,), row).optional().map_err(failed)
    }

    /// Bytes in all chunks of a body; `None`: there are none.
    fn len_of_chunks(&self, id: i64) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT sum(length(bytes)) FROM chunk WHERE body = ?1";
        self.connection.query_row(sql, (id,), |row| row.get(0)).map_err(failed)
    }
}
