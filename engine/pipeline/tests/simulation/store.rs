//! A store in memory, naive and obviously right, that survives every crash of a run. It checks what it
//! is given: most invariants are about what becomes durable.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{
    Append, Body, Capacity, CommitOutcome, Committed, Disposition, Entry, Epoch, Head, Job, LaneId,
    LaneMark, LaneUpdate, List, MessageId, Ordering, Record, RowBody, Seq, Side, Source, Stamp,
    Started, Switch, Transaction, What,
};

use crate::answers::check_noted;
use crate::filling::{self, Ours};
use crate::invariant::Invariant::{self, Bounded, Handoff, Listed, Order};
use crate::message::{Message, ended};

#[derive(Default)]
pub struct Lane {
    pub rows: Vec<Append>,
    pub cursor: u64,
    pub sent_to: u64,
    pub epoch: u64,
    pub done: BTreeSet<u64>,
    pub started: BTreeMap<u64, Started>,
    pub parked: BTreeSet<u64>,
    pub attempt: u32,
    pub due: u64,
    pub waited: u64,
    /// The largest window it ever had.
    pub widest: u64,
    pub ordering: Ordering,
    pub capacity: Capacity,
    pub ours: Ours,
}

#[derive(Default)]
pub struct Store {
    pub lanes: BTreeMap<LaneId, Lane>,
    pub messages: BTreeMap<MessageId, Message>,
    pub chunks: BTreeMap<u64, Vec<u8>>,
    /// How many of them were given up.
    pub given_up: u64,
    /// Those of which it is unknown whether something holds them.
    pub in_doubt: BTreeSet<u64>,
    /// Rows that are dead letters, by lane and row.
    pub dead: BTreeMap<(LaneId, u64), mllp_pipeline::Failure>,
    /// Rows that are held.
    pub held: BTreeSet<(LaneId, u64)>,
    /// Rows that have left their lane undelivered, whatever has become of them since.
    pub left: BTreeSet<(LaneId, u64)>,
    pub switches: BTreeMap<(LaneId, Side), Switch>,
    pub jobs: BTreeMap<String, Job>,
    pub last_stamp: u64,
}

impl Lane {
    /// Bytes of all rows up to this one.
    pub fn bytes(&self, up_to: u64) -> u64 {
        self.rows[..up_to as usize].iter().map(|row| row.len).sum()
    }

    pub fn tail(&self) -> u64 {
        self.rows.len() as u64
    }

    pub fn is_done(&self, seq: u64) -> bool {
        seq <= self.cursor && !self.parked.contains(&seq) || self.done.contains(&seq)
    }

    /// Whether it may have been sent, as far as the store says.
    pub fn may_be_sent(&self, seq: u64) -> bool {
        match self.ordering {
            Ordering::Fifo => seq <= self.sent_to,
            Ordering::Key | Ordering::Unordered => self.started.contains_key(&seq),
        }
    }

    /// The rows that a transaction completes, in order.
    pub fn completed(&self, id: LaneId, transaction: &Transaction) -> impl Iterator<Item = u64> {
        let mut rows = BTreeSet::new();
        for update in transaction.lanes.iter().filter(|it| it.lane == id) {
            rows.extend((self.cursor + 1..=update.cursor.0).filter(|seq| !self.done.contains(seq)));
        }
        for record in &transaction.records {
            match record {
                Record::Done { lane, seq } | Record::Unparked { lane, seq } if *lane == id => {
                    rows.insert(seq.0);
                }
                Record::Parked { lane, seq } if *lane == id => {
                    rows.remove(&seq.0);
                }
                _ => {}
            }
        }
        rows.into_iter()
    }

    fn start(&mut self, started: &Started) {
        Handoff.check(!self.is_done(started.seq.0), "started, and done");
        let before = self.started.insert(started.seq.0, *started);
        let counts = before.is_none_or(|before| before.attempt <= started.attempt);
        Handoff.check(counts, "started again without an attempt");
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
            switches: self.switches_of(id),
            waited: lane.waited,
            started: lane.started.values().copied().collect(),
            parked: lane.parked.iter().flat_map(|seq| self.load(id, seq - 1, 1, false)).collect(),
            appended: lane.bytes(lane.tail()),
            consumed: lane.bytes(lane.cursor),
        }
    }

    /// The deliveries of a message that are held.
    pub fn held_of(&self, message: MessageId) -> Vec<(LaneId, Seq)> {
        let of = |(lane, seq): &&(LaneId, u64)| {
            self.lanes[lane].rows[*seq as usize - 1].message == message
        };
        self.held.iter().filter(of).map(|(lane, seq)| (*lane, Seq(*seq))).collect()
    }

    fn switches_of(&self, id: LaneId) -> Vec<Switch> {
        self.switches.values().filter(|it| it.lane == id).cloned().collect()
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
            let Append { message, sole, id_hash, hops, len, .. } = *row;
            Entry { seq, message, body, sole, id_hash, keys: row.keys.clone(), hops, len }
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
        filling::check(transaction, self);
        for (lane, seq) in self.cancelled(transaction) {
            self.leave(lane, Seq(seq));
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
        let finals = parted.iter().filter_map(|(id, stamp)| self.finish(*id, *stamp)).collect();
        let open = parted.into_keys().filter(|it| self.messages[it].is_reopened).collect();
        let lanes: BTreeSet<LaneId> = touched.into_iter().map(|(lane, _)| lane).collect();
        let mark = |lane: LaneId| {
            let it = &self.lanes[&lane];
            let (tail, sent_to) = (Seq(it.tail()), Seq(it.sent_to.max(it.cursor)));
            LaneMark { lane, tail, sent_to, appended: it.bytes(it.tail()) }
        };
        let lanes = lanes.into_iter().map(mark).collect();
        CommitOutcome::Committed(Committed { lanes, finals, open })
    }

    fn insert(
        &mut self,
        record: &Record,
        touched: &mut BTreeSet<(LaneId, bool)>,
        listed: &mut BTreeMap<LaneId, u64>,
        parted: &mut BTreeMap<MessageId, Stamp>,
    ) {
        match record {
            Record::Message(new) => {
                let message = Message::of(new.clone());
                let before = self.messages.insert(new.id, message);
                Handoff.check(before.is_none(), "a number was given twice");
            }
            Record::Chunk { .. } => unreachable!("the host writes chunks"),
            Record::Part(part) => {
                self.stamp(part.stamp);
                let message = self.messages.get_mut(&part.message).expect("message");
                let own = u32::from(part.sole && message.is_reopened);
                let sums = [part.added, part.finished + own, part.delivered, part.failed];
                message.parts.push(sums.map(i64::from));
                parted.insert(part.message, part.stamp);
            }
            Record::Outcome { message, stamp, disposition, .. } => {
                self.stamp(*stamp);
                let it = self.messages.get_mut(message).expect("message");
                if it.is_reopened && disposition.is_final() {
                    it.parts.push(ended(*disposition));
                    parted.insert(*message, *stamp);
                } else {
                    self.end(*message, *stamp, *disposition);
                }
            }
            Record::Reopened(reopened) => {
                self.stamp(reopened.stamp);
                self.messages.get_mut(&reopened.message).expect("message").reopen(reopened);
            }
            Record::Switch(switch) => {
                self.switches.insert((switch.lane, switch.side), switch.clone());
            }
            Record::Job(job) => {
                self.jobs.insert(job.key.0.clone(), job.clone());
            }
            Record::Event(event) => {
                self.stamp(event.stamp);
                if let What::PossiblySent { outbound } = event.what {
                    *listed.entry(outbound).or_default() += 1;
                }
                check_noted(event, self);
                self.messages.get_mut(&event.message).expect("message").events.push(event.clone());
            }
            of_a_lane => self.insert_into_lane(of_a_lane, touched),
        }
    }

    fn insert_into_lane(&mut self, record: &Record, touched: &mut BTreeSet<(LaneId, bool)>) {
        match record {
            Record::Append(row) => {
                touched.insert((row.lane, false));
                self.lanes.get_mut(&row.lane).expect("lane").rows.push(row.clone());
                let len = self.bytes_of_row(row.lane, self.lanes[&row.lane].tail()).len() as u64;
                Bounded.check(row.len == len, format_args!("{} bytes, not {len}", row.len));
            }
            Record::Done { lane, seq } => {
                touched.insert((*lane, false));
                let it = self.lanes.get_mut(lane).expect("lane");
                Handoff.check(!it.is_done(seq.0), format_args!("row {seq} is done already"));
                let let_go = it.may_be_sent(seq.0);
                Order.check(let_go, "done, and never let go");
                it.done.insert(seq.0);
                it.started.remove(&seq.0);
            }
            Record::Started(started) => {
                touched.insert((started.lane, false));
                let it = self.lanes.get_mut(&started.lane).expect("lane");
                it.start(started);
            }
            Record::Parked { lane, seq } => {
                let it = self.lanes.get_mut(lane).expect("lane");
                let fits = !it.is_done(seq.0) && it.parked.insert(seq.0);
                Handoff.check(fits, format_args!("{lane}/{seq} is parked, and done"));
            }
            Record::Unparked { lane, seq } => {
                let it = self.lanes.get_mut(lane).expect("lane");
                it.started.remove(&seq.0);
                let fits = it.parked.remove(&seq.0);
                Handoff.check(fits, format_args!("{lane}/{seq} is not parked"));
            }
            of_a_list => self.insert_into_list(of_a_list),
        }
    }

    fn insert_into_list(&mut self, record: &Record) {
        match record {
            Record::Dead { lane, seq, why, .. } => {
                self.dead.insert((*lane, seq.0), *why);
                self.leave(*lane, *seq);
            }
            Record::Held { lane, seq, .. } => {
                self.held.insert((*lane, seq.0));
                self.leave(*lane, *seq);
            }
            Record::Unlisted { list, lane, seq, .. } => {
                let row = (*lane, seq.0);
                let was_there = match list {
                    List::Dead => self.dead.remove(&row).is_some(),
                    List::Held => self.held.remove(&row),
                };
                Handoff.check(was_there, format_args!("{lane}/{seq} is not on the list"));
            }
            other => unreachable!("{other:?}"),
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

    fn leave(&mut self, lane: LaneId, seq: Seq) {
        let first = self.left.insert((lane, seq.0));
        Handoff.check(first, format_args!("{lane}/{seq} leaves its lane twice"));
    }

    /// What a store does with parts.
    fn finish(&mut self, message: MessageId, stamp: Stamp) -> Option<(MessageId, Disposition)> {
        let disposition = self.messages.get_mut(&message).expect("message").finish()?;
        self.end(message, stamp, disposition);
        Some((message, disposition))
    }

    fn update(&mut self, update: &LaneUpdate) {
        let lane = self.lanes.get_mut(&update.lane).expect("lane");
        let cursor = update.cursor.0;
        let forward = lane.cursor <= cursor && cursor <= lane.tail();
        Handoff.check(forward, format_args!("cursor from {} to {cursor}", lane.cursor));
        if lane.widest > 0 && lane.ordering == Ordering::Fifo {
            let left = |seq: &u64| *seq <= lane.sent_to || self.left.contains(&(update.lane, *seq));
            let covered = (lane.cursor + 1..=cursor).all(|seq| left(&seq));
            Order.check(covered, "consumed, and never let go");
        }
        lane.done.retain(|seq| *seq > cursor);
        Handoff.check(!lane.done.contains(&(cursor + 1)), "the cursor stops before a done row");
        lane.cursor = cursor;
        lane.started.retain(|seq, _| *seq > cursor || lane.parked.contains(seq));
        let counted = update.consumed == lane.bytes(cursor);
        Bounded.check(counted, format_args!("{} bytes consumed", update.consumed));
        (lane.attempt, lane.due, lane.waited) = (update.attempt, update.due, update.waited);
        if let Some(window) = update.window {
            lane.sent_to = lane.sent_to.max((cursor + u64::from(window)).min(lane.tail()));
        }
    }
}
