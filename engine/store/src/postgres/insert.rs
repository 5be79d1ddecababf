//! The records of a transaction as rows, one statement for each table.

use mllp_pipeline::{
    Append, Body, Disposition, Event, LaneId, MessageId, NewMessage, Record, RowBody, Seq, Stamp,
    Started,
};
use tokio_postgres::{Client, Error};

use crate::codes::{EventRow, of_disposition, of_failure, of_keys};
use crate::query::hashes;
use crate::sums::Sums;

/// A row of the table `outcome`.
pub(super) struct Outcome {
    pub(super) message: MessageId,
    pub(super) stamp: Stamp,
    pub(super) disposition: Disposition,
    pub(super) at: u64,
}

/// A row of the table `part`.
pub(super) struct Counted {
    pub(super) message: MessageId,
    pub(super) stamp: Stamp,
    pub(super) sums: Sums,
}

/// What is inserted, by table.
#[derive(Default)]
pub(super) struct Rows<'a> {
    messages: Vec<&'a NewMessage>,
    chunks: Vec<(i64, i64, &'a [u8])>,
    work: Vec<(&'a Append, Seq)>,
    done: Vec<(i64, i64)>,
    /// Lane, place, attempt, due and time waited.
    started: Vec<[i64; 5]>,
    parked: Vec<(i64, i64)>,
    unparked: Vec<(i64, i64)>,
    pub(super) parts: Vec<Counted>,
    pub(super) outcomes: Vec<Outcome>,
    /// What is about lists, switches and jobs, in order.
    pub(super) others: Vec<&'a Record>,
    /// Lane, place, message, failure and time.
    dead: Vec<[i64; 5]>,
    events: Vec<(&'a Event, EventRow<'a>)>,
}

/// One column of some rows, as the array that a statement takes.
fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

impl<'a> Rows<'a> {
    /// `places` has one for each append, in order.
    pub(super) fn of(records: &'a [Record], places: &[Seq]) -> Self {
        let mut rows = Rows::default();
        let mut places = places.iter();
        for record in records {
            match record {
                Record::Message(message) => rows.messages.push(message),
                Record::Chunk { body, n, bytes } => {
                    rows.chunks.push((body.0 as i64, i64::from(*n), &bytes.0));
                }
                Record::Append(append) => {
                    rows.work.extend(places.next().map(|place| (append, *place)));
                }
                Record::Done { lane, seq } => rows.done.push((i64::from(lane.0), seq.0 as i64)),
                Record::Started(Started { lane, seq, attempt, due, waited }) => {
                    let (lane, attempt) = (i64::from(lane.0), i64::from(*attempt));
                    rows.started.push([lane, seq.0 as i64, attempt, *due as i64, *waited as i64]);
                }
                Record::Parked { lane, seq } => {
                    rows.parked.push((i64::from(lane.0), seq.0 as i64));
                }
                Record::Unparked { lane, seq } => {
                    rows.unparked.push((i64::from(lane.0), seq.0 as i64));
                }
                // These depend on what is known of the message.
                Record::Part(_) | Record::Outcome { .. } | Record::Reopened(_) => {}
                Record::Dead { lane, seq, message, why, at } => {
                    let (seq, message) = (seq.0 as i64, message.0 as i64);
                    rows.dead.push([i64::from(lane.0), seq, message, of_failure(*why), *at as i64]);
                }
                Record::Event(event) => rows.events.push((event, EventRow::of(&event.what))),
                Record::Held { .. }
                | Record::Unlisted { .. }
                | Record::Switch(_)
                | Record::Job(_) => rows.others.push(record),
            }
        }
        rows
    }

    /// Whether it has to do with what is started.
    pub(super) fn changes_started(&self) -> bool {
        !self.started.is_empty() || !self.unparked.is_empty()
    }

    pub(super) async fn insert_messages(&self, client: &Client) -> Result<(), Error> {
        let rows = &self.messages;
        if rows.is_empty() {
            return Ok(());
        }
        let identity =
            |it: &&NewMessage| (it.identity != 0).then(|| it.identity.to_be_bytes().to_vec());
        let sql =
            "INSERT INTO message SELECT id, inbound, received_at, identity, accepted, duplicate_of,
                 control_id, message_type, acknowledgment, chunks, len, body, session, original, indexed,
                 NULL, origin FROM unnest($1::int8[], $2::int8[], $3::int8[],
             $4::bytea[], $5::bool[], $6::int8[], $7::bytea[], $8::bytea[], $9::bytea[],
             $10::int8[], $11::int8[], $12::bytea[], $13::int8[], $14::int8[], $15::bytea[],
             $16::bytea[]) AS it(id, inbound, received_at, identity, accepted, duplicate_of, control_id,
                 message_type, acknowledgment, chunks, len, body, session, original, indexed, origin)";
        client
            .execute(
                sql,
                &[
                    &column(rows, |it| it.id.0 as i64),
                    &column(rows, |it| i64::from(it.inbound.0)),
                    &column(rows, |it| it.received_at as i64),
                    &column(rows, identity),
                    &column(rows, |it| it.accepted),
                    &column(rows, |it| it.duplicate_of.map(|of| of.0 as i64)),
                    &column(rows, |it| &it.control_id.0[..]),
                    &column(rows, |it| &it.message_type.0[..]),
                    &column(rows, |it| &it.acknowledgment.0[..]),
                    &column(rows, |it| chunks(Some(&it.body))),
                    &column(rows, |it| it.body.len() as i64),
                    &column(rows, |it| bytes(Some(&it.body))),
                    &column(rows, |it| (it.session != it.id).then_some(it.session.0 as i64)),
                    &column(rows, |it| it.original.map(|of| of.0 as i64)),
                    &column(rows, |it| of_keys(&it.indexed)),
                    &column(rows, |it| Some(&it.origin.0[..]).filter(|it| !it.is_empty())),
                ],
            )
            .await?;
        let entry = |it: &&NewMessage| {
            let id = it.id.0 as i64;
            hashes(it).map(move |hash| (hash as i64, id)).collect::<Vec<_>>()
        };
        let entries: Vec<(i64, i64)> = rows.iter().flat_map(entry).collect();
        let sql = "INSERT INTO indexed SELECT * FROM unnest($1::int8[], $2::int8[])
             ON CONFLICT DO NOTHING";
        let (hash, message) = (column(&entries, |it| it.0), column(&entries, |it| it.1));
        client.execute(sql, &[&hash, &message]).await.map(drop)
    }

    pub(super) async fn insert_parts(&self, client: &Client) -> Result<(), Error> {
        let rows = &self.parts;
        if rows.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO part SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[],
             $4::int8[], $5::int8[], $6::int8[])";
        client
            .execute(
                sql,
                &[
                    &column(rows, |it| it.message.0 as i64),
                    &column(rows, |it| it.stamp.0 as i64),
                    &column(rows, |it| it.sums.added),
                    &column(rows, |it| it.sums.finished),
                    &column(rows, |it| it.sums.delivered),
                    &column(rows, |it| it.sums.failed),
                ],
            )
            .await
            .map(drop)
    }

    /// Everything but messages and parts.
    pub(super) async fn insert_rest(&self, client: &Client) -> Result<(), Error> {
        if !self.chunks.is_empty() {
            let rows = &self.chunks;
            let sql = "INSERT INTO chunk SELECT * FROM unnest($1::int8[], $2::int8[], $3::bytea[])";
            let columns = (column(rows, |it| it.0), column(rows, |it| it.1));
            client.execute(sql, &[&columns.0, &columns.1, &column(rows, |it| it.2)]).await?;
            let sql = "INSERT INTO unheld SELECT body FROM unnest($1::int8[], $2::int8[])
                 AS it(body, n) WHERE n = 0";
            client.execute(sql, &[&columns.0, &columns.1]).await?;
        }
        self.hold(client).await?;
        if !self.work.is_empty() {
            self.insert_work(client).await?;
        }
        if !self.done.is_empty() {
            let rows = &self.done;
            let sql = "INSERT INTO done SELECT * FROM unnest($1::int8[], $2::int8[])";
            client.execute(sql, &[&column(rows, |it| it.0), &column(rows, |it| it.1)]).await?;
        }
        self.insert_started(client).await?;
        if !self.outcomes.is_empty() {
            self.insert_outcomes(client).await?;
        }
        if !self.dead.is_empty() {
            let [lane, seq, message, why, at] =
                [0, 1, 2, 3, 4].map(|n: usize| column(&self.dead, |row| row[n]));
            let sql = "INSERT INTO dead SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[],
                 $4::int8[], $5::int8[])";
            client.execute(sql, &[&lane, &seq, &message, &why, &at]).await?;
        }
        if !self.events.is_empty() {
            self.insert_events(client).await?;
        }
        for record in &self.others {
            super::lists::insert(client, record).await?;
        }
        Ok(())
    }

    /// Bodies in chunks that a message or a row holds from now on.
    async fn hold(&self, client: &Client) -> Result<(), Error> {
        let messages = self.messages.iter().filter_map(|it| chunks(Some(&it.body)));
        let rows = self.work.iter().filter_map(|(it, _)| chunks(own(it)));
        let held: Vec<i64> = messages.chain(rows).collect();
        if !held.is_empty() {
            client.execute("DELETE FROM unheld WHERE body = ANY($1)", &[&held]).await?;
        }
        Ok(())
    }

    async fn insert_work(&self, client: &Client) -> Result<u64, Error> {
        let rows = &self.work;
        let rows_of = "unnest($1::int8[], $2::int8[], $3::int8[], $4::bool[], $5::int8[],
             $6::int8[], $7::bytea[], $8::bytea[], $9::int8[], $10::int8[], $11::int8[], $12::int8[])";
        let sql = if rows.iter().any(|(it, _)| of(it).is_some()) {
            // A row that is about the bytes of another row names the one that has them.
            let has_bytes = "its.body IS NOT NULL OR its.chunks IS NOT NULL";
            format!(
                "INSERT INTO work SELECT it.lane, it.seq, it.message, it.sole, it.id_hash,
                     it.chunks, it.body, it.keys, it.hops,
                     CASE WHEN {has_bytes} THEN its.lane ELSE its.body_lane END,
                     CASE WHEN {has_bytes} THEN its.seq ELSE its.body_seq END, it.len
                 FROM {rows_of} AS it(lane, seq, message, sole, id_hash, chunks, body, keys, hops,
                     body_lane, body_seq, len)
                 LEFT JOIN work AS its ON its.lane = it.body_lane AND its.seq = it.body_seq"
            )
        } else {
            format!("INSERT INTO work SELECT * FROM {rows_of}")
        };
        client
            .execute(
                &sql,
                &[
                    &column(rows, |(it, _)| i64::from(it.lane.0)),
                    &column(rows, |(_, place)| place.0 as i64),
                    &column(rows, |(it, _)| it.message.0 as i64),
                    &column(rows, |(it, _)| it.sole),
                    &column(rows, |(it, _)| it.id_hash.0 as i64),
                    &column(rows, |(it, _)| chunks(own(it))),
                    &column(rows, |(it, _)| bytes(own(it))),
                    &column(rows, |(it, _)| of_keys(&it.keys)),
                    &column(rows, |(it, _)| i64::from(it.hops)),
                    &column(rows, |(it, _)| of(it).map(|(lane, _)| i64::from(lane.0))),
                    &column(rows, |(it, _)| of(it).map(|(_, seq)| seq.0 as i64)),
                    &column(rows, |(it, _)| it.len as i64),
                ],
            )
            .await
    }

    /// What is started, and which rows are parked.
    async fn insert_started(&self, client: &Client) -> Result<(), Error> {
        if !self.started.is_empty() {
            let [lane, seq, attempt, due, waited] =
                [0, 1, 2, 3, 4].map(|n: usize| column(&self.started, |row| row[n]));
            let sql = "INSERT INTO started SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[],
                     $4::int8[], $5::int8[])
                 ON CONFLICT(lane, seq) DO UPDATE SET attempt = excluded.attempt,
                     due = excluded.due, waited = excluded.waited";
            client.execute(sql, &[&lane, &seq, &attempt, &due, &waited]).await?;
        }
        let of = |rows: &[(i64, i64)]| (column(rows, |it| it.0), column(rows, |it| it.1));
        if !self.parked.is_empty() {
            let (lane, seq) = of(&self.parked);
            let sql = "INSERT INTO parked SELECT * FROM unnest($1::int8[], $2::int8[])";
            client.execute(sql, &[&lane, &seq]).await?;
        }
        if !self.unparked.is_empty() {
            let (lane, seq) = of(&self.unparked);
            for table in ["parked", "started"] {
                let sql = format!(
                    "DELETE FROM {table} USING unnest($1::int8[], $2::int8[]) AS it(lane, seq)
                     WHERE {table}.lane = it.lane AND {table}.seq = it.seq"
                );
                client.execute(&sql, &[&lane, &seq]).await?;
            }
        }
        Ok(())
    }

    async fn insert_outcomes(&self, client: &Client) -> Result<u64, Error> {
        let rows = &self.outcomes;
        let sql = "INSERT INTO outcome(message, stamp, disposition, at)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[])";
        client
            .execute(
                sql,
                &[
                    &column(rows, |it| it.message.0 as i64),
                    &column(rows, |it| it.stamp.0 as i64),
                    &column(rows, |it| of_disposition(it.disposition)),
                    &column(rows, |it| it.at as i64),
                ],
            )
            .await
    }

    async fn insert_events(&self, client: &Client) -> Result<u64, Error> {
        let rows = &self.events;
        let sql = "INSERT INTO event(message, stamp, at, kind, lane, number, text)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[],
                 $6::int8[], $7::bytea[])";
        client
            .execute(
                sql,
                &[
                    &column(rows, |(it, _)| it.message.0 as i64),
                    &column(rows, |(it, _)| it.stamp.0 as i64),
                    &column(rows, |(it, _)| it.at as i64),
                    &column(rows, |(_, row)| row.kind),
                    &column(rows, |(_, row)| row.lane),
                    &column(rows, |(_, row)| row.number),
                    &column(rows, |(_, row)| row.text.bytes().map(<[u8]>::to_vec)),
                ],
            )
            .await
    }
}

/// The body that a row has of its own.
const fn own(row: &Append) -> Option<&Body> {
    match &row.body {
        RowBody::Own(body) => Some(body),
        RowBody::Message | RowBody::Row(..) => None,
    }
}

/// The row whose body this one shares.
const fn of(row: &Append) -> Option<(LaneId, Seq)> {
    match row.body {
        RowBody::Row(lane, seq) => Some((lane, seq)),
        RowBody::Message | RowBody::Own(_) => None,
    }
}

/// The column `chunks` of a body.
fn chunks(body: Option<&Body>) -> Option<i64> {
    match body {
        Some(Body::Chunked { id, .. }) => Some(id.0 as i64),
        _ => None,
    }
}

/// The column `body` of a body.
fn bytes(body: Option<&Body>) -> Option<&[u8]> {
    match body {
        Some(Body::Inline(bytes)) => Some(bytes),
        _ => None,
    }
}
