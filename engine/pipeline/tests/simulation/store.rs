//! A store in memory, naive and obviously right, that survives every crash of a run. It checks what it
//! is given: most invariants are about what becomes durable.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{
    Append, Body, CommitOutcome, Committed, Disposition, Entry, Epoch, Event, Head, LaneId,
    LaneMark, LaneUpdate, MessageId, NewMessage, Part, Record, RowBody, Seq, Source, Stamp,
    Transaction, What,
};

use crate::invariant::Invariant::{self, Handoff, Listed, Order};

#[derive(Default)]
pub struct Lane {
    pub rows: Vec<Append>,
    pub cursor: u64,
    pub sent_to: u64,
    pub epoch: u64,
    pub done: BTreeSet<u64>,
    pub attempt: u32,
    pub due: u64,
    pub waited: u64,
    /// The largest window it ever had.
    pub widest: u64,
}

pub struct Message {
    pub new: NewMessage,
    pub outcomes: Vec<(Stamp, Disposition)>,
    pub parts: Vec<Part>,
    pub events: Vec<Event>,
}

#[derive(Default)]
pub struct Store {
    pub lanes: BTreeMap<LaneId, Lane>,
    pub messages: BTreeMap<MessageId, Message>,
    pub chunks: BTreeMap<u64, Vec<u8>>,
    /// Rows that are dead letters, by lane and row.
    pub dead: BTreeMap<(LaneId, u64), mllp_pipeline::Failure>,
    pub last_stamp: u64,
}

impl Lane {
    pub fn tail(&self) -> u64 {
        self.rows.len() as u64
    }

    pub fn is_done(&self, seq: u64) -> bool {
        seq <= self.cursor || self.done.contains(&seq)
    }
}

impl Message {
    /// The one that counts.
    pub fn disposition(&self) -> Disposition {
        let last = self.outcomes.iter().max_by_key(|(stamp, _)| *stamp);
        last.map_or(Disposition::Received, |(_, disposition)| *disposition)
    }

    pub fn count(&self, of: impl Fn(&What) -> bool) -> usize {
        self.events.iter().filter(|event| of(&event.what)).count()
    }
}

impl Store {
    pub fn bytes(&self, body: &Body) -> Vec<u8> {
        match body {
            Body::Inline(bytes) => bytes.to_vec(),
            Body::Chunked { id, .. } => self.chunks[&id.0].clone(),
        }
    }

    pub fn bytes_of(&self, message: MessageId) -> Vec<u8> {
        self.bytes(&self.messages[&message].new.body)
    }

    pub fn bytes_of_row(&self, lane: LaneId, seq: u64) -> Vec<u8> {
        let row = &self.lanes[&lane].rows[seq as usize - 1];
        match &row.body {
            RowBody::Own(body) => self.bytes(body),
            RowBody::Row(lane, seq) => self.bytes_of_row(*lane, seq.0),
            RowBody::Message => self.bytes_of(row.message),
        }
    }

    pub fn bytes_from(&self, source: &Source, message: MessageId) -> Vec<u8> {
        match source {
            Source::Memory(body) => self.bytes(body),
            Source::Message => self.bytes_of(message),
            Source::Row(lane, seq) => self.bytes_of_row(*lane, seq.0),
        }
    }

    pub fn head(&self, id: LaneId) -> Head {
        let lane = &self.lanes[&id];
        Head {
            lane: id,
            epoch: Epoch(lane.epoch),
            tail: Seq(lane.tail()),
            cursor: Seq(lane.cursor),
            sent_to: Seq(lane.sent_to),
            done: lane.done.iter().map(|seq| Seq(*seq)).collect(),
            attempt: lane.attempt,
            due: lane.due,
            waited: lane.waited,
        }
    }

    /// Rows of a lane; `at_hand`: with their bytes.
    pub fn load(&self, id: LaneId, after: u64, limit: u32, at_hand: bool) -> Vec<Entry> {
        let rows =
            self.lanes[&id].rows.iter().enumerate().skip(after as usize).take(limit as usize);
        let entry = |(at, row): (usize, &Append)| {
            let seq = Seq(at as u64 + 1);
            let body = match &row.body {
                _ if at_hand => Source::Memory(Body::Inline(self.bytes_of_row(id, seq.0).into())),
                RowBody::Own(_) => Source::Row(id, seq),
                RowBody::Row(lane, seq) => Source::Row(*lane, *seq),
                RowBody::Message => Source::Message,
            };
            let Append { message, sole, id_hash, hops, .. } = *row;
            Entry { seq, message, body, sole, id_hash, keys: row.keys.clone(), hops }
        };
        rows.map(entry).collect()
    }

    /// Commits, unless somebody else owns a lane by now.
    pub fn commit(&mut self, transaction: &Transaction) -> CommitOutcome {
        let stale = |it: &&LaneUpdate| self.lanes[&it.lane].epoch != it.epoch.0;
        let fenced: Vec<LaneId> =
            transaction.lanes.iter().filter(stale).map(|it| it.lane).collect();
        if !fenced.is_empty() {
            return CommitOutcome::Fenced(fenced);
        }
        let mut touched = BTreeSet::new();
        let (mut listed, mut parted) = (BTreeMap::new(), BTreeMap::new());
        for record in &transaction.records {
            self.insert(record, &mut touched, &mut listed, &mut parted);
        }
        for update in &transaction.lanes {
            Handoff.check(touched.insert((update.lane, true)), "two updates of one lane");
            self.update(update);
        }
        for (lane, count) in listed {
            let widest = self.lanes[&lane].widest;
            Listed.check(count <= widest, format_args!("{count} listed, window {widest}"));
        }
        let finals = parted.into_values().filter_map(|part: Part| self.finish(&part)).collect();
        let lanes: BTreeSet<LaneId> = touched.into_iter().map(|(lane, _)| lane).collect();
        let mark = |lane: LaneId| {
            let it = &self.lanes[&lane];
            LaneMark { lane, tail: Seq(it.tail()), sent_to: Seq(it.sent_to.max(it.cursor)) }
        };
        CommitOutcome::Committed(Committed { lanes: lanes.into_iter().map(mark).collect(), finals })
    }

    fn insert(
        &mut self,
        record: &Record,
        touched: &mut BTreeSet<(LaneId, bool)>,
        listed: &mut BTreeMap<LaneId, u64>,
        parted: &mut BTreeMap<MessageId, Part>,
    ) {
        match record {
            Record::Message(new) => {
                let message =
                    Message { new: new.clone(), outcomes: vec![], parts: vec![], events: vec![] };
                let before = self.messages.insert(new.id, message);
                Handoff.check(before.is_none(), "a number was given twice");
            }
            Record::Chunk { .. } => unreachable!("the host writes chunks"),
            Record::Append(row) => {
                touched.insert((row.lane, false));
                self.lanes.get_mut(&row.lane).expect("lane").rows.push(row.clone());
            }
            Record::Done { lane, seq } => {
                touched.insert((*lane, false));
                let it = self.lanes.get_mut(lane).expect("lane");
                Handoff.check(!it.is_done(seq.0), format_args!("row {seq} is done already"));
                Order.check(seq.0 <= it.sent_to, "done, and never let go");
                it.done.insert(seq.0);
            }
            Record::Part(part) => {
                self.stamp(part.stamp);
                let message = self.messages.get_mut(&part.message).expect("message");
                message.parts.push(*part);
                parted.insert(part.message, *part);
            }
            Record::Outcome { message, stamp, disposition, .. } => {
                self.stamp(*stamp);
                self.end(*message, *stamp, *disposition);
            }
            Record::Dead { lane, seq, why, .. } => {
                let before = self.dead.insert((*lane, seq.0), *why);
                Handoff.check(before.is_none(), "died twice");
            }
            Record::Event(event) => {
                self.stamp(event.stamp);
                if let What::PossiblySent { outbound } = event.what {
                    *listed.entry(outbound).or_default() += 1;
                }
                self.messages.get_mut(&event.message).expect("message").events.push(event.clone());
            }
        }
    }

    fn stamp(&mut self, stamp: Stamp) {
        Handoff.check(stamp.0 > self.last_stamp, "a stamp goes back");
        self.last_stamp = stamp.0;
    }

    fn end(&mut self, message: MessageId, stamp: Stamp, disposition: Disposition) {
        let it = self.messages.get_mut(&message).expect("message");
        let open = !it.disposition().is_final();
        Invariant::Disposition.check(open, format_args!("{message} ends twice"));
        it.outcomes.push((stamp, disposition));
    }

    /// What a store does with parts.
    fn finish(&mut self, part: &Part) -> Option<(MessageId, Disposition)> {
        let parts = &self.messages[&part.message].parts;
        let sum = |of: fn(&Part) -> u32| parts.iter().map(of).sum::<u32>();
        let (added, finished) = (sum(|it| it.added), sum(|it| it.finished));
        Invariant::Disposition.check(finished <= added, "more parts finished than added");
        if finished < added {
            return None;
        }
        let disposition = match (sum(|it| it.failed), sum(|it| it.delivered)) {
            (1.., _) => Disposition::Error,
            (_, 1..) => Disposition::Processed,
            _ => Disposition::Filtered,
        };
        self.end(part.message, part.stamp, disposition);
        Some((part.message, disposition))
    }

    fn update(&mut self, update: &LaneUpdate) {
        let lane = self.lanes.get_mut(&update.lane).expect("lane");
        let cursor = update.cursor.0;
        let forward = lane.cursor <= cursor && cursor <= lane.tail();
        Handoff.check(forward, format_args!("cursor from {} to {cursor}", lane.cursor));
        if lane.widest > 0 {
            let covered = cursor <= lane.sent_to;
            Order.check(covered, "consumed, and never let go");
        }
        lane.done.retain(|seq| *seq > cursor);
        Handoff.check(!lane.done.contains(&(cursor + 1)), "the cursor stops before a done row");
        lane.cursor = cursor;
        (lane.attempt, lane.due, lane.waited) = (update.attempt, update.due, update.waited);
        if let Some(window) = update.window {
            lane.sent_to = lane.sent_to.max((cursor + u64::from(window)).min(lane.tail()));
        }
    }
}
