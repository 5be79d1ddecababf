//! The lane of an outbound whose deliveries keep the order of their keys, or none.
//!
//! The commit that lets a delivery start says so. A delivery that keeps the lane from looking further
//! ahead is parked: the cursor passes it, and the order goes on to count with it. One that is parked
//! before it starts is read again when its turn has come.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use crate::batch::Batch;
use crate::body::{IdHash, Keys};
use crate::by_key::{ByKey, Parking};
use crate::delivery::{After, Delivery, Outbound, State};
use crate::fact::{Entry, Head};
use crate::graph::Ordering;
use crate::ids::{Millis, Now, Seq};
use crate::record::Record;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::Shared;
use crate::started::Started;

/// Sets the control ID of a delivery apart from its keys.
const ID: u64 = 0x6d73_682d_3130_6964;

#[derive(Debug)]
pub(crate) struct Keyed {
    ordering: Ordering,
    order: ByKey,
    /// The last row after the cursor that the order knows.
    entered: Seq,
    /// Rows that the open commit lets start.
    starting: Vec<Seq>,
    /// Rows that are durably started and not completed.
    started: BTreeSet<Seq>,
    /// What the open commit parks.
    parking: Option<Parking>,
    /// How many rows are parked.
    parked: usize,
    /// How many may be.
    room: usize,
    look_ahead: u64,
}

impl Keyed {
    /// Whether the open commit lets rows start, or parks them.
    pub fn changes(&self) -> bool {
        !self.starting.is_empty() || self.parking.is_some()
    }

    /// Rows that are let go and not completed.
    pub fn started(&self) -> impl Iterator<Item = Seq> {
        self.started.iter().copied()
    }

    /// The row that this one waits for.
    pub fn waits_for(&self, seq: Seq) -> Option<Seq> {
        self.order.waits_for(seq)
    }

    /// Whether the open commit passes this row unfinished.
    pub fn parks(&self, seq: Seq) -> bool {
        self.parking.as_ref().is_some_and(|parking| seq <= parking.cursor)
    }

    /// Two deliveries with the same control ID wait for each other, whatever their keys.
    fn enter(&mut self, seq: Seq, keys: &Keys, id_hash: IdHash, shared: &Shared) {
        let id = (id_hash != IdHash::NONE).then_some(id_hash.0 ^ ID);
        let keys = keys.as_slice();
        #[cfg(feature = "sabotage")]
        let keys =
            if shared.broken(Sabotage::SharedKey) { &keys[..keys.len().min(1)] } else { keys };
        #[cfg(not(feature = "sabotage"))]
        let _ = shared;
        let is_barrier = keys.is_empty();
        #[cfg(feature = "sabotage")]
        let is_barrier = is_barrier && !shared.broken(Sabotage::PassBarrier);
        match self.ordering {
            Ordering::Key if is_barrier => self.order.enter_barrier(seq),
            Ordering::Key => self.order.enter(seq, keys.iter().copied().chain(id).collect()),
            Ordering::Unordered => self.order.enter(seq, id.into_iter().collect()),
            // What another ordering has left in the lane goes one by one.
            Ordering::Fifo => self.order.enter(seq, vec![0]),
        }
    }

    /// A row that was started before.
    fn resume(&mut self, seq: Seq, is_refused: bool) {
        if self.order.start(seq) {
            self.started.insert(seq);
            self.order.refused(seq, is_refused);
        }
    }

    /// How an attempt of a row ends with the open commit.
    pub fn settle(&mut self, seq: Seq, after: After) {
        match after {
            After::Done => self.order.finish(seq),
            After::Waits(_) => self.order.refused(seq, true),
        }
    }

    /// The open commit is durable, and this row is completed.
    pub fn completed(&mut self, seq: Seq, cursor: Seq) {
        self.started.remove(&seq);
        self.parked -= usize::from(seq <= cursor);
    }
}

impl Outbound {
    /// Takes over what the store says of rows that are started or parked.
    pub fn restore_order(&mut self, head: &Head, shared: &mut Shared) {
        let beyond = head.started.iter().any(|it| it.seq > self.sent_to);
        let left_over = beyond || !head.parked.is_empty();
        self.keyed = None;
        if self.ordering == Ordering::Fifo && !left_over {
            return;
        }
        let mut keyed = Keyed {
            ordering: self.ordering,
            order: ByKey::default(),
            entered: head.cursor,
            starting: Vec::new(),
            started: BTreeSet::new(),
            parking: None,
            parked: 0,
            room: shared.limits.parked as usize,
            look_ahead: u64::from(shared.limits.key_look_ahead.max(1)),
        };
        let is_keyless = |entry: &Entry| entry.keys.as_slice().is_empty();
        let last_keyless = head.parked.iter().rposition(is_keyless);
        for (at, entry) in head.parked.iter().enumerate() {
            #[cfg(feature = "sabotage")]
            if shared.broken(Sabotage::ForgetParked) {
                break;
            }
            keyed.parked += 1;
            // Another ordering has parked several without a key. There is one barrier at a time, so they go
            // one by one, and the last of them holds what comes after.
            if keyed.ordering == Ordering::Key && is_keyless(entry) && last_keyless != Some(at) {
                keyed.order.enter(entry.seq, vec![0]);
            } else {
                keyed.enter(entry.seq, &entry.keys, entry.id_hash, shared);
            }
            if self.is_restored_as_started(entry.seq) {
                let row = self.restored_row(entry.clone(), shared);
                keyed.resume(entry.seq, matches!(row.state, State::Waits(_)));
                self.lane.set_aside(entry.seq, row);
            }
        }
        self.keyed = Some(keyed);
    }

    /// How many rows the cursor has passed unfinished.
    pub fn parked(&self) -> usize {
        self.keyed.as_ref().map_or(0, |keyed| keyed.parked)
    }

    /// The first row that is not completed.
    pub fn first_unfinished(&self) -> Seq {
        let first = self.keyed.as_ref().and_then(|keyed| keyed.order.first_after(Seq(0)));
        first.unwrap_or(self.lane.cursor.next())
    }

    /// Takes rows that are parked and were read because they start next.
    pub fn loaded_parked(&mut self, entries: &[Entry], shared: &mut Shared) {
        let cursor = self.lane.cursor;
        for entry in entries.iter().take_while(|entry| entry.seq <= cursor) {
            let waits = |it: &Keyed| it.order.is_waiting(entry.seq);
            if self.keyed.as_ref().is_some_and(waits) && self.lane.index(entry.seq).is_none() {
                let row = self.restored_row(entry.clone(), shared);
                self.lane.set_aside(entry.seq, row);
            }
        }
    }

    /// Looks at the rows that have come to memory.
    fn look(&mut self, shared: &Shared) {
        let Some(keyed) = &mut self.keyed else { return };
        while keyed.order.is_open() {
            let next = keyed.entered.max(self.lane.cursor).next();
            let Some(at) = self.lane.index(next) else { return };
            keyed.entered = next;
            let row = &self.lane.rows[at];
            if matches!(row.state, State::Done) {
                continue;
            }
            keyed.enter(next, &row.keys, row.id_hash, shared);
            if row.started {
                keyed.resume(next, matches!(row.state, State::Waits(_)));
            }
        }
    }

    /// Sends what is started and due, loads rows, and lists the lane if a commit should let more start.
    pub fn pump_by_key(&mut self, now: Millis, shared: &mut Shared) {
        self.look(shared);
        let window = self.key_window(shared);
        let Some(keyed) = &self.keyed else { return };
        let away = |seq: &Seq| self.lane.index(*seq).is_none();
        let away = keyed.order.startable(window).find(away);
        self.lane.eager = keyed.order.startable(window).next().is_none() && keyed.order.is_open();
        shared.orders.extend(away.and_then(|seq| self.lane.load_passed(seq, now)));
        shared.orders.extend(self.lane.load(now));
        self.wait(now, shared);
        if self.can_recover() {
            self.list(shared);
        }
        if !self.may_send(0, now, shared) {
            return;
        }
        let started: Vec<Seq> = self.keyed.iter().flat_map(|it| &it.started).copied().collect();
        for seq in started {
            let Some(at) = self.lane.index(seq) else { continue };
            let is_due = match self.lane.rows[at].state {
                State::Rests => true,
                State::Waits(until) => until <= now,
                _ => false,
            };
            if is_due {
                self.deliver(at, shared);
                self.keyed.iter_mut().for_each(|it| it.order.refused(seq, false));
            }
        }
        if !self.startable(shared).is_empty() || self.parking(shared).is_some() {
            self.list(shared);
        }
    }

    fn key_window(&self, shared: &Shared) -> usize {
        let window = self.window as usize;
        #[cfg(feature = "sabotage")]
        let window = window + usize::from(shared.broken(Sabotage::AboveWindow));
        #[cfg(not(feature = "sabotage"))]
        let _ = shared;
        window
    }

    /// The rows in memory that may start.
    fn startable(&self, shared: &Shared) -> Vec<Seq> {
        let Some(keyed) = &self.keyed else { return Vec::new() };
        let here = |seq: &Seq| self.lane.index(*seq).is_some();
        keyed.order.startable(self.key_window(shared)).filter(here).collect()
    }

    /// What should be parked now.
    fn parking(&self, shared: &Shared) -> Option<Parking> {
        let keyed = self.keyed.as_ref()?;
        // What goes one by one gains nothing from a row out of its way.
        let helps = keyed.ordering != Ordering::Fifo && self.lane.is_full();
        if !helps || keyed.entered < self.lane.loaded_to() {
            return None;
        }
        let up_to = Seq(self.lane.cursor.0 + keyed.look_ahead.div_ceil(2));
        let room = keyed.room.saturating_sub(keyed.parked);
        keyed.order.parking(self.lane.cursor, up_to, room, self.key_window(shared))
    }

    /// Lets rows start with the batch that is built, or parks those that are in the way.
    pub fn start(&mut self, batch: &mut Batch, shared: &Shared, now: Now) {
        if self.keyed.is_none() || !self.may_send(0, now.steady, shared) {
            return;
        }
        self.look(shared);
        let rows = self.startable(shared);
        for seq in &rows {
            self.write_started(*seq, batch, now.steady);
        }
        let parking = self.parking(shared).filter(|_| rows.is_empty());
        let lane = self.lane.id;
        let parked = parking.iter().flat_map(|it| &it.rows);
        parked.for_each(|seq| batch.record(Record::Parked { lane, seq: *seq }));
        let Some(keyed) = &mut self.keyed else { return };
        for seq in rows {
            keyed.order.start(seq);
            keyed.starting.push(seq);
        }
        keyed.parking = parking;
    }

    /// Writes down that a row is started, how many attempts it has had, and how long it has waited.
    pub fn write_started(&self, seq: Seq, batch: &mut Batch, now: Millis) {
        let Some(at) = self.lane.index(seq) else { return };
        let (lane, row) = (self.lane.id, &self.lane.rows[at]);
        let waited = if self.keyed.is_some() { self.waited(at, now) } else { 0 };
        let (attempt, due) = (row.attempts, row.due);
        batch.record(Record::Started(Started { lane, seq, attempt, due, waited }));
    }

    /// After a crash: everything is written down that may have been sent.
    pub fn resume_recovered(&mut self) {
        let Some(keyed) = &mut self.keyed else { return };
        for at in self.lane.aside()..self.lane.rows.len() {
            let (seq, row) = (self.lane.seq(at), &self.lane.rows[at]);
            if seq <= keyed.entered && row.possibly_sent {
                keyed.resume(seq, matches!(row.state, State::Waits(_)));
            }
        }
    }

    /// The open commit is durable: it has let rows start, and the cursor passes `count` rows.
    pub fn committed_by_key(&mut self, count: usize, now: Millis, shared: &mut Shared) {
        let began = self.patience.shows(now);
        let Some(keyed) = &mut self.keyed else { return };
        for seq in keyed.starting.drain(..) {
            keyed.started.insert(seq);
            if let Some(at) = self.lane.index(seq) {
                let row = &mut self.lane.rows[at];
                (row.started, row.began) = (true, row.began.or(Some(began)));
            }
        }
        keyed.parked += keyed.parking.take().map_or(0, |parking| parking.rows.len());
        for _ in 0..count {
            let row = &self.lane.rows[self.lane.aside()];
            match row.started && !matches!(row.state, State::Done) {
                true => self.lane.pass_unfinished(),
                false => self.lane.consume(1, &mut shared.shelf),
            }
        }
        let is_done = |row: &Delivery| matches!(row.state, State::Done);
        self.lane.clear_aside(is_done, &mut shared.shelf);
    }
}
