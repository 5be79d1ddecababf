//! The lane of an outbound: what may leave, in which order, and what comes after an attempt.

use alloc::vec::Vec;

use crate::body::{IdHash, Keys};
use crate::command::CommandOutcome;
use crate::failure::Failure;
use crate::giving_up::{Patience, Taking};
use crate::graph::{self, GiveUp, Ordering, Retry};
use crate::ids::{MessageId, Millis, Now, Seq};
use crate::keyed::Keyed;
use crate::lane::{Hold, Lane, Row};
use crate::order::{Order, Source, Work};
use crate::record::LaneUpdate;
use crate::restored::Restored;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Alarm, Place, Shared, ours_again};
use crate::switch::Flow;
use crate::told::Told;

/// A message for the partner.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub message: MessageId,
    pub source: Source,
    pub sole: bool,
    pub id_hash: IdHash,
    pub keys: Keys,
    /// Attempts that have failed, or that a crash has interrupted.
    pub attempts: u32,
    /// Until when it waits, by the wall clock, as it is stored.
    pub due: u64,
    /// A crash came when it may have been sent.
    pub possibly_sent: bool,
    /// The store says that it may be with the partner.
    pub started: bool,
    /// What the lane's patience showed when the row was let go, unless the lane is first in, first out.
    pub began: Option<Millis>,
    /// That a later one has passed it is written down.
    pub overtaken: bool,
    pub state: State,
}

#[derive(Debug)]
pub(crate) enum State {
    /// Not sent in this life.
    Rests,
    /// With the partner.
    InFlight,
    /// The host has told how it went; no commit has it yet.
    Told(Told),
    /// In the open commit, and this afterwards.
    Settling(After),
    /// Has failed, and waits.
    Waits(Millis),
    /// Durably completed, ahead of the cursor.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Done,
    Waits(Millis),
}

impl Row for Delivery {
    fn source(&self) -> &Source {
        &self.source
    }
}

impl Delivery {
    pub fn new(message: MessageId, source: Source, sole: bool, id_hash: IdHash) -> Delivery {
        Delivery {
            message,
            source,
            sole,
            id_hash,
            keys: Keys::NONE,
            attempts: 0,
            due: 0,
            possibly_sent: false,
            started: false,
            began: None,
            overtaken: false,
            state: State::Rests,
        }
    }

    /// Whether it has failed and is not sent again yet, so that nothing new may pass it.
    fn holds_the_lane(&self, now: Millis) -> bool {
        match self.state {
            State::Told(ref told) => {
                told.is_failure() || matches!(told, Told::OutOfTime | Told::Taken)
            }
            State::Settling(After::Waits(_)) => true,
            State::Waits(until) => until > now,
            _ => false,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Outbound {
    pub lane: Lane<Delivery>,
    pub retry: Retry,
    pub window: u32,
    /// The partner can be reached.
    pub ready: bool,
    /// Nothing above this may leave.
    pub sent_to: Seq,
    /// What may have been sent before a crash is not written down yet.
    pub recovering: bool,
    pub ordering: Ordering,
    /// What may start, unless the lane is first in, first out.
    pub keyed: Option<Keyed>,
    pub restored: Restored,
    /// Rows whose attempt has ended, in the order in which that was told.
    pub told: Vec<Seq>,
    /// Rows in the open commit.
    pub settling: Vec<(Seq, After)>,
    /// Rows in the last eight commits, as a decaying sum.
    pub pace: u32,
    /// All below were sent in this life.
    pub next: Seq,
    /// How many of those have failed and were not sent again.
    pub failed: usize,
    pub listed: bool,
    /// The open commit writes down what may have been sent.
    pub recovered: bool,
    /// The batch that is built concerns the lane.
    pub concerned: bool,
    /// Whether it may deliver.
    pub flow: Flow,
    /// The schedule lets it deliver.
    pub in_hours: bool,
    pub give_up: GiveUp,
    pub patience: Patience,
    /// An operator wants the head.
    pub taking: Option<Taking>,
    ours: u32,
    pub index: usize,
}

impl Outbound {
    pub fn new(outbound: &graph::Outbound, limits: &graph::Limits, index: usize) -> Outbound {
        let look_ahead = match outbound.ordering {
            Ordering::Fifo => limits.look_ahead.max(outbound.window),
            Ordering::Key | Ordering::Unordered => limits.key_look_ahead,
        };
        Outbound {
            lane: Lane::new(outbound.lane, look_ahead, outbound.capacity),
            retry: outbound.retry,
            window: outbound.window.max(1),
            ready: false,
            sent_to: Seq(0),
            recovering: false,
            ordering: outbound.ordering,
            keyed: None,
            restored: Restored::NOTHING,
            told: Vec::new(),
            settling: Vec::new(),
            pace: 0,
            next: Seq(1),
            failed: 0,
            listed: false,
            recovered: false,
            concerned: false,
            flow: Flow::On,
            in_hours: true,
            give_up: outbound.give_up,
            patience: Patience::default(),
            taking: None,
            ours: 0,
            index,
        }
    }

    pub fn forget(&mut self, hold: Hold, shared: &mut Shared) {
        self.lane.forget(hold, &mut shared.shelf);
        match self.taking {
            // What it was told with is told again with its commit.
            Some(Taking { told: true, .. }) => self.taking = None,
            _ if hold == Hold::Lost => self.give_back(CommandOutcome::Fenced, shared),
            _ => {}
        }
        self.told.clear();
        self.settling.clear();
        self.keyed = None;
        (self.failed, self.recovering, self.recovered) = (0, false, false);
    }

    /// Whether everything is in memory that may have been sent before the crash.
    pub fn can_recover(&self) -> bool {
        let missing = self.recovering && !self.recovered && self.lane.hold == Hold::Owned;
        missing && self.lane.loaded_to() >= self.restored.last
    }

    /// Whether deliveries can reach the partner now, apart from what their lane holds.
    pub fn can_reach(&self) -> bool {
        self.ready && self.flow == Flow::On && self.in_hours
    }

    /// Whether the lane may send, apart from its window. `head` is its first row from now on.
    pub fn may_send(&self, head: usize, now: Millis, shared: &Shared) -> bool {
        let open = self.can_reach() && self.lane.hold == Hold::Owned && !self.recovering;
        let held = self.lane.rows.get(head).is_some_and(|row| row.holds_the_lane(now));
        let held = held || head == 0 && self.restored.due > 0;
        open && !shared.stopping && (!held || self.keyed.is_some())
    }

    /// Whether a commit should let more rows go.
    fn wants_to_let_go(&self, head: usize, now: Millis, shared: &Shared) -> bool {
        let tail = self.lane.tail.0 + u64::from(self.lane.appending);
        let limit = self.lane.cursor.0 + head as u64 + u64::from(self.window);
        let covered = self.keyed.is_some() || self.sent_to.0 >= tail.min(limit);
        !covered && self.may_send(head, now, shared)
    }

    /// The rows at the front that are completed with the open commit.
    pub fn completed(&self) -> usize {
        let done =
            |row: &&Delivery| matches!(row.state, State::Done | State::Settling(After::Done));
        let parked = |at| self.keyed.as_ref().is_some_and(|it| it.parks(self.lane.seq(at)));
        let rows = self.lane.rows.iter().enumerate().skip(self.lane.aside());
        rows.take_while(|(at, row)| done(row) || parked(*at)).count()
    }

    /// Whether the open commit takes the row away whose time is counted.
    fn loses_its_first(&self, completed: usize) -> bool {
        let is_done =
            |row: &Delivery| matches!(row.state, State::Done | State::Settling(After::Done));
        self.lane.rows.front().is_some_and(is_done) || completed > 0 && self.lane.aside() == 0
    }

    /// The row of the lane as the open commit writes it, if it has to.
    pub fn update(&self, now: Millis, shared: &Shared) -> Option<LaneUpdate> {
        let completed = self.completed();
        let lets_go = self.wants_to_let_go(completed, now, shared);
        let by_key = self.keyed.as_ref().is_some_and(Keyed::changes);
        let changes = !self.settling.is_empty() || self.recovered || lets_go || by_key;
        if !changes || self.lane.hold != Hold::Owned {
            return None;
        }
        let head = self.lane.rows.get(completed);
        let (attempt, due) = match head {
            _ if self.keyed.is_some() => (0, 0),
            Some(head) => (head.attempts, head.due),
            None if completed > 0 => (0, 0),
            None => (self.restored.attempts, self.restored.due),
        };
        let lets_go = self.keyed.is_none() && self.may_send(completed, now, shared);
        Some(LaneUpdate {
            lane: self.lane.id,
            epoch: self.lane.epoch,
            cursor: Seq(self.lane.cursor.0 + completed as u64),
            window: lets_go.then_some(self.window),
            attempt,
            due,
            waited: if self.loses_its_first(completed) { 0 } else { self.patience.waited(now) },
            consumed: self.lane.fill.consumed_with(completed),
        })
    }

    /// Sends what may leave, loads rows, and lists the lane if a commit should let more go.
    pub fn pump(&mut self, now: Millis, shared: &mut Shared) {
        if self.keyed.is_some() {
            return self.pump_by_key(now, shared);
        }
        shared.orders.extend(self.lane.load(now));
        self.wait(now, shared);
        if self.can_recover() {
            self.list(shared);
        }
        if !self.may_send(0, now, shared) {
            return;
        }
        // A row that has failed may stand anywhere before the next one; else only new ones leave.
        let rows = self.lane.rows.len();
        let first = if self.failed > 0 { Some(0) } else { self.lane.index(self.next) };
        for at in first.unwrap_or(rows)..rows {
            let seq = self.lane.seq(at);
            let covered = seq <= self.sent_to;
            #[cfg(feature = "sabotage")]
            let covered = covered || shared.broken(Sabotage::DropSentTo);
            if !covered || self.lane.rows[at].holds_the_lane(now) {
                break;
            }
            if matches!(self.lane.rows[at].state, State::Rests | State::Waits(_)) {
                let waits = self.waits_for_its_namesake(at);
                #[cfg(feature = "sabotage")]
                let waits = waits && !shared.broken(Sabotage::SameControlId);
                if waits {
                    break;
                }
                self.deliver(at, shared);
            }
        }
        if self.wants_to_let_go(0, now, shared) {
            self.list(shared);
        }
    }

    /// Whether an earlier delivery with the same control ID is not durably completed: an answer to it
    /// could be taken for one to this.
    fn waits_for_its_namesake(&self, at: usize) -> bool {
        let id_hash = self.lane.rows[at].id_hash;
        let open = |row: &Delivery| row.id_hash == id_hash && !matches!(row.state, State::Done);
        id_hash != IdHash::NONE && self.lane.rows.range(..at).any(open)
    }

    pub fn deliver(&mut self, at: usize, shared: &mut Shared) {
        let (lane, seq) = (self.lane.id, self.lane.seq(at));
        let row = &mut self.lane.rows[at];
        self.failed -= usize::from(matches!(row.state, State::Waits(_)));
        row.state = State::InFlight;
        row.due = 0;
        self.next = self.next.max(seq.next());
        let work = Work { message: row.message, body: row.source.clone(), hops: 0 };
        shared.orders.push_back(Order::Deliver { lane, seq, work, attempt: row.attempts + 1 });
    }

    pub fn list(&mut self, shared: &mut Shared) {
        if !core::mem::replace(&mut self.listed, true) {
            shared.deliveries.push_back(self.index);
        }
    }

    /// How an attempt went. Told of a delivery that is not with the partner, it means nothing.
    pub fn tell(&mut self, seq: Seq, told: Told, now: Now, shared: &mut Shared) {
        let Some(at) = self.lane.index(seq) else { return };
        let row = &mut self.lane.rows[at];
        if !matches!(row.state, State::InFlight) {
            return;
        }
        if let Told::Failed { failure: Failure::Infrastructure, .. } = told {
            self.ours += 1;
            self.failed += 1;
            let until = now.steady + ours_again(self.ours);
            row.state = State::Waits(until);
            return shared.wake(until, Alarm::Lane(Place::Outbound(self.index)));
        }
        self.ours = 0;
        self.failed += usize::from(told.is_failure());
        row.state = State::Told(told);
        self.told.push(seq);
        self.list(shared);
    }

    /// The open commit is durable.
    pub fn committed(&mut self, now: Millis, shared: &mut Shared) {
        let (completed, first) = (self.completed(), self.lane.seq(0));
        if core::mem::take(&mut self.recovered) {
            self.recovering = false;
            self.resume_recovered();
        }
        for (seq, after) in core::mem::take(&mut self.settling) {
            let Some(at) = self.lane.index(seq) else { continue };
            let cursor = self.lane.cursor;
            self.lane.rows[at].state = match after {
                After::Done => {
                    self.keyed.iter_mut().for_each(|it| it.completed(seq, cursor));
                    State::Done
                }
                After::Waits(until) => {
                    shared.wake(until, Alarm::Lane(Place::Outbound(self.index)));
                    State::Waits(until)
                }
            };
        }
        match self.keyed {
            Some(_) => self.committed_by_key(completed, now, shared),
            None => self.lane.consume(completed, &mut shared.shelf),
        }
        let cursor = self.lane.cursor;
        if self.lane.seq(0) != first {
            self.patience.begin(now);
        }
        self.give_back_gone(shared);
        self.restored.done.retain(|seq| *seq > cursor);
        self.next = self.next.max(cursor.next());
    }
}
