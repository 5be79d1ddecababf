//! Reading: rows of lanes, messages, journeys.

use std::collections::BTreeMap;

use mllp_pipeline::{
    Body, BodyId, Disposition, Entry, Epoch, Event, Head, IdHash, LaneId, MessageId, NewMessage,
    Piece, Seq, Source, Stamp, Started,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};

use super::failure::{failed, is_lost};
use super::schema::LIFE_BITS;
use super::session::Session;
use super::{lived, retain, search};
use crate::codes;
use crate::contract::{Held, Identity, LaneName, Reader, StoredMessage};
use crate::error::StoreError;
use crate::life::Life;
use crate::query::{Found, Query, of_control_id};
use crate::row::MessageRow;

/// All columns of a message but the body.
pub(super) const COLUMNS: &str =
    "id, inbound, received_at, identity, accepted, duplicate_of, control_id,
     message_type, acknowledgment, chunks, len, session, original, message.indexed,
     body_expired, origin";

/// A reading end. Every call is one or more statements of their own, and holds no snapshot.
pub(super) struct PostgresReader {
    session: Session,
}

impl PostgresReader {
    pub(super) fn new(session: Session) -> Self {
        PostgresReader { session }
    }

    pub(super) fn rows(
        &mut self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        rows(&mut self.session, sql, values)
    }
}

/// Reads, on a new connection if the one at hand turns out to be lost.
fn rows(
    session: &mut Session,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let mut read = || session.run(async |client| client.query(sql, values).await);
    read().or_else(|error| if is_lost(&error) { read() } else { Err(error) }).map_err(failed)
}

pub(super) fn number(row: &Row, at: usize) -> u64 {
    row.get::<_, i64>(at) as u64
}

pub(super) fn lane(row: &Row, at: usize) -> LaneId {
    LaneId(number(row, at) as u32)
}

pub(super) async fn heads(client: &Client, lanes: &[LaneId]) -> Result<Vec<Head>, Error> {
    let ids: Vec<i64> = lanes.iter().map(|it| i64::from(it.0)).collect();
    // One statement: the cursor and what stands beside it are of one moment.
    let sql = "SELECT id, epoch, tail, cursor, sent_to, attempt, due, waited, appended, consumed,
             ARRAY(SELECT seq FROM done WHERE done.lane = it.id AND seq > cursor ORDER BY seq),
             ARRAY(SELECT seq FROM parked WHERE parked.lane = it.id ORDER BY seq),
             ARRAY(SELECT number FROM started
                 CROSS JOIN LATERAL unnest(ARRAY[seq, started.attempt, started.due, started.waited])
                     WITH ORDINALITY AS of(number, n)
                 WHERE started.lane = it.id AND (
                     EXISTS (SELECT 1 FROM parked
                         WHERE parked.lane = it.id AND parked.seq = started.seq)
                     OR seq > cursor AND NOT EXISTS (SELECT 1 FROM done
                         WHERE done.lane = it.id AND done.seq = started.seq))
                 ORDER BY seq, n)
         FROM unnest($1::int8[]) WITH ORDINALITY AS asked(id, n) JOIN lane AS it USING(id)
         ORDER BY asked.n";
    let mut heads = Vec::with_capacity(lanes.len());
    for row in client.query(sql, &[&ids]).await? {
        let id = lane(&row, 0);
        let parked: Vec<i64> = row.get(11);
        heads.push(Head {
            lane: id,
            epoch: Epoch(number(&row, 1)),
            tail: Seq(number(&row, 2)),
            cursor: Seq(number(&row, 3)),
            sent_to: Seq(number(&row, 4)),
            attempt: number(&row, 5) as u32,
            due: number(&row, 6),
            waited: number(&row, 7),
            appended: number(&row, 8),
            consumed: number(&row, 9),
            switches: Vec::new(),
            done: row.get::<_, Vec<i64>>(10).into_iter().map(|seq| Seq(seq as u64)).collect(),
            started: started(id, &row.get::<_, Vec<i64>>(12)),
            parked: entries_at(client, id, &parked).await?,
        });
    }
    for switch in super::lists::switches(client, &ids).await? {
        let of_lane = heads.iter_mut().filter(|it| it.lane == switch.lane);
        of_lane.for_each(|it| it.switches.push(switch.clone()));
    }
    Ok(heads)
}

/// Rows of `started`, four numbers each.
fn started(lane: LaneId, numbers: &[i64]) -> Vec<Started> {
    let (rows, _) = numbers.as_chunks::<4>();
    let one = |&[seq, attempt, due, waited]: &[i64; 4]| Started {
        lane,
        seq: Seq(seq as u64),
        attempt: attempt as u32,
        due: due as u64,
        waited: waited as u64,
    };
    rows.iter().map(one).collect()
}

/// Rows of a lane that do not change any more.
async fn entries_at(client: &Client, lane: LaneId, places: &[i64]) -> Result<Vec<Entry>, Error> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {ENTRY} FROM work WHERE lane = $1 AND seq = ANY($2) ORDER BY seq");
    let rows = client.query(&sql, &[&i64::from(lane.0), &places]).await?;
    Ok(rows.iter().map(|row| entry(lane, row)).collect())
}

/// The columns of [`entry`].
const ENTRY: &str =
    "seq, message, sole, body IS NOT NULL OR chunks IS NOT NULL, id_hash, keys, hops,
     body_lane, body_seq, len";

fn entry(of: LaneId, row: &Row) -> Entry {
    let seq = Seq(number(row, 0));
    let body = match (row.get::<_, Option<i64>>(7), row.get::<_, Option<i64>>(8)) {
        (Some(lane), Some(seq)) => Source::Row(LaneId(lane as u32), Seq(seq as u64)),
        _ if row.get(3) => Source::Row(of, seq),
        _ => Source::Message,
    };
    let (message, id_hash) = (MessageId(number(row, 1)), IdHash(row.get::<_, i64>(4) as u64));
    let (keys, hops) = (codes::keys(row.get(5)), row.get::<_, i64>(6) as u8);
    let (sole, len) = (row.get(2), number(row, 9));
    Entry { seq, message, body, sole, id_hash, keys, hops, len }
}

pub(super) fn lanes(session: &mut Session) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
    let rows = rows(session, "SELECT id, stage, name FROM lane ORDER BY id", &[])?;
    let named = |row: &Row| {
        let stage = codes::stage(row.get(1))?;
        Ok((lane(row, 0), LaneName { stage, name: row.get(2) }))
    };
    rows.iter().map(named).collect()
}

impl Reader for PostgresReader {
    fn entries(&mut self, of: LaneId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let sql =
            format!("SELECT {ENTRY} FROM work WHERE lane = $1 AND seq > $2 ORDER BY seq LIMIT $3");
        let values = (i64::from(of.0), after.0 as i64, i64::from(limit));
        let rows = self.rows(&sql, &[&values.0, &values.1, &values.2])?;
        Ok(rows.iter().map(|row| entry(of, row)).collect())
    }

    fn message(&mut self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM message WHERE id = $1");
        let rows = self.rows(&sql, &[&(id.0 as i64)])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let row = message_of(row)?;
        let found = self.dispositions_of(&[id.0 as i64])?;
        let (_, disposition, since) =
            found.first().copied().unwrap_or((id, Disposition::Received, 0));
        Ok(Some(row.stored(disposition, since)))
    }

    fn search(
        &mut self,
        query: &Query,
        before: MessageId,
        limit: u32,
    ) -> Result<Found, StoreError> {
        search::search(self, query, before, limit)
    }

    fn life(&mut self, stamp: Stamp) -> Result<Option<Life>, StoreError> {
        let rows = self.rows(lived::OF, &[&(stamp.0 as i64)])?;
        Ok(rows.first().map(lived::life))
    }

    fn rows_of(&mut self, lane: LaneId, message: MessageId) -> Result<Vec<Seq>, StoreError> {
        let sql = "SELECT seq FROM work WHERE message = $1 AND lane = $2 ORDER BY seq";
        let rows = self.rows(sql, &[&(message.0 as i64), &i64::from(lane.0)])?;
        Ok(rows.iter().map(|row| Seq(number(row, 0))).collect())
    }

    fn expired(&mut self, id: MessageId) -> Result<Option<u64>, StoreError> {
        let rows = self.rows(retain::EXPIRED, &[&(id.0 as i64)])?;
        Ok(rows.first().map(|row| number(row, 0)))
    }

    fn expired_control_id(&mut self, control_id: &[u8]) -> Result<Option<u64>, StoreError> {
        let hash = of_control_id(control_id) as i64;
        let rows = self.rows(retain::EXPIRED_CONTROL_ID, &[&hash])?;
        Ok(rows.first().map(|row| number(row, 0)))
    }

    fn find(&mut self, of: Held) -> Result<Option<Body>, StoreError> {
        let rows = match of {
            Held::Chunks(id) => {
                let sql = "SELECT $1::int8, NULL::bytea, sum(length(bytes))::int8 FROM chunk
                     WHERE body = $1 HAVING count(*) > 0";
                self.rows(sql, &[&(id.0 as i64)])?
            }
            Held::Message(id) => {
                let sql = "SELECT chunks, body, len FROM message
                     WHERE id = $1 AND body_expired IS NULL";
                self.rows(sql, &[&(id.0 as i64)])?
            }
            Held::Row(lane, seq) => {
                let sql = "SELECT its.chunks, its.body, its.len FROM work AS it JOIN work AS its
                         ON its.lane = coalesce(it.body_lane, it.lane)
                         AND its.seq = coalesce(it.body_seq, it.seq)
                     WHERE it.lane = $1 AND it.seq = $2";
                self.rows(sql, &[&i64::from(lane.0), &(seq.0 as i64)])?
            }
        };
        let Some(row) = rows.first() else { return Ok(None) };
        if let Some(bytes) = row.get::<_, Option<&[u8]>>(1) {
            return Ok(Some(Body::Inline(bytes.into())));
        }
        let Some(id) = row.get::<_, Option<i64>>(0).map(|id| BodyId(id as u64)) else {
            return Ok(None);
        };
        match row.get::<_, Option<i64>>(2) {
            Some(len) if len > 0 => Ok(Some(Body::Chunked { id, len: len as u64 })),
            // Of a row that does not say it, or that holds no byte.
            _ if !matches!(of, Held::Chunks(_)) => self.find(Held::Chunks(id)),
            _ => Ok(Some(Body::Chunked { id, len: 0 })),
        }
    }

    fn chunk(&mut self, body: BodyId, n: u32) -> Result<Option<Piece>, StoreError> {
        let sql = "SELECT bytes FROM chunk WHERE body = $1 AND n = $2";
        let rows = self.rows(sql, &[&(body.0 as i64), &i64::from(n)])?;
        Ok(rows.first().map(|row| Piece::from(row.get::<_, &[u8]>(0))))
    }

    fn journey(&mut self, id: MessageId) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT stamp, at, kind, lane, number, text FROM event WHERE message = $1
             ORDER BY arrival";
        let event = |row: &Row| {
            let columns = (row.get(2), row.get(3), row.get(4));
            let text = row.get::<_, Option<&[u8]>>(5).unwrap_or_default();
            codes::event(id, Stamp(number(row, 0)), number(row, 1), columns, text)
        };
        let arrived: Result<Vec<_>, _> =
            self.rows(sql, &[&(id.0 as i64)])?.iter().map(event).collect();
        Ok(in_order(arrived?))
    }

    fn identities(&mut self, before: MessageId, limit: u32) -> Result<Vec<Identity>, StoreError> {
        let sql = "SELECT id, inbound, received_at, identity FROM message
             WHERE id < $1 AND identity IS NOT NULL ORDER BY id DESC LIMIT $2";
        let before = i64::try_from(before.0).unwrap_or(i64::MAX);
        let rows = self.rows(sql, &[&before, &i64::from(limit)])?;
        let known = |row: &Row| {
            Ok(Identity {
                message: MessageId(number(row, 0)),
                inbound: lane(row, 1),
                received_at: number(row, 2),
                identity: identity(row.get(3))?,
            })
        };
        rows.iter().map(known).collect()
    }

    fn dispositions(
        &mut self,
        from: MessageId,
        limit: u32,
    ) -> Result<Vec<(MessageId, Disposition)>, StoreError> {
        let sql = "SELECT id FROM message WHERE id >= $1 ORDER BY id LIMIT $2";
        let rows = self.rows(sql, &[&(from.0 as i64), &i64::from(limit)])?;
        let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        let found = self.dispositions_of(&ids)?;
        Ok(found.into_iter().map(|(id, disposition, _)| (id, disposition)).collect())
    }
}

impl PostgresReader {
    /// The outcome of each: of the life that was the last to write one, the one with the highest
    /// stamp. A message without one is in progress, and its journey says how far it has come.
    pub(super) fn dispositions_of(
        &mut self,
        ids: &[i64],
    ) -> Result<Vec<(MessageId, Disposition, u64)>, StoreError> {
        let rows = self.rows(DISPOSITIONS, &[&ids, &codes::ROUTED, &(LIFE_BITS as i32)])?;
        rows.iter().map(disposition_of_row).collect()
    }
}

/// Of messages, the event of one that was routed, and the bits of a life.
pub(super) const DISPOSITIONS: &str = "SELECT asked.id, last.disposition, last.at,
         (SELECT min(at) FROM event WHERE message = asked.id AND kind = $2)
     FROM unnest($1::int8[]) WITH ORDINALITY AS asked(id, n) LEFT JOIN LATERAL (
         SELECT disposition, at FROM outcome
         WHERE message = asked.id AND stamp >> $3 = (SELECT stamp >> $3 FROM outcome
             WHERE message = asked.id ORDER BY arrival DESC LIMIT 1)
         ORDER BY stamp DESC LIMIT 1) AS last ON true
     ORDER BY n";

/// A row of [`DISPOSITIONS`].
pub(super) fn disposition_of_row(row: &Row) -> Result<(MessageId, Disposition, u64), StoreError> {
    let id = MessageId(number(row, 0));
    let routed = row.get::<_, Option<i64>>(3);
    Ok(match (row.get::<_, Option<i64>>(1), routed) {
        (Some(code), _) => (id, codes::disposition(code)?, number(row, 2)),
        (None, Some(at)) => (id, Disposition::Routed, at as u64),
        (None, None) => (id, Disposition::Received, 0),
    })
}

/// A row of [`COLUMNS`].
pub(super) fn message_of(row: &Row) -> Result<MessageRow, StoreError> {
    let piece = |at| Piece::from(row.get::<_, &[u8]>(at));
    let id_of = |at| row.get::<_, Option<i64>>(at).map(|it| MessageId(it as u64));
    let (id, len) = (MessageId(number(row, 0)), number(row, 10));
    let body = match row.get::<_, Option<i64>>(9) {
        Some(id) => Body::Chunked { id: BodyId(id as u64), len },
        None => Body::Inline([].into()),
    };
    let message = NewMessage {
        id,
        inbound: lane(row, 1),
        received_at: number(row, 2),
        identity: identity(row.get(3))?,
        accepted: row.get(4),
        duplicate_of: id_of(5),
        control_id: piece(6),
        message_type: piece(7),
        acknowledgment: piece(8),
        body,
        session: id_of(11).unwrap_or(id),
        original: id_of(12),
        indexed: codes::keys(row.get(13)),
        origin: Piece::from(row.get::<_, Option<&[u8]>>(15).unwrap_or_default()),
    };
    let body_expired = row.get::<_, Option<i64>>(14).map(|it| it as u64);
    Ok(MessageRow { message, len, body_expired })
}

/// Puts events that are sorted by their arrival in order: those of one life by their stamps, at the
/// places at which that life has written.
fn in_order(arrived: Vec<Event>) -> Vec<Event> {
    let life = |event: &Event| event.stamp.0 >> LIFE_BITS;
    let places: Vec<u64> = arrived.iter().map(life).collect();
    let mut lives: BTreeMap<u64, BTreeMap<Stamp, Event>> = BTreeMap::new();
    for event in arrived {
        lives.entry(life(&event)).or_default().insert(event.stamp, event);
    }
    let next = |life| lives.get_mut(&life)?.pop_first().map(|(_, event)| event);
    places.into_iter().filter_map(next).collect()
}

fn identity(bytes: Option<&[u8]>) -> Result<u128, StoreError> {
    let Some(bytes) = bytes else { return Ok(0) };
    let bytes = bytes.try_into().map(u128::from_be_bytes);
    bytes.map_err(|_| StoreError::Corrupt("an identity of a message has not 16 bytes".into()))
}
