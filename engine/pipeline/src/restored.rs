//! What the store says of an outbound's lane when it is read, until its rows are in memory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::command::CommandOutcome;
use crate::delivery::{Delivery, Outbound, State};
use crate::fact::{Entry, Head};
use crate::giving_up::Patience;
use crate::ids::{LaneId, Millis, Now, Seq};
use crate::lane::Shelf;
use crate::retry::rest_of_wait;
use crate::shared::{Alarm, Place, Shared};

/// What the store says of the head of a lane that is read.
#[derive(Clone, Debug)]
pub(crate) struct Restored {
    pub attempts: u32,
    pub due: u64,
    pub until: Millis,
    pub done: Vec<Seq>,
    /// Of rows that are started: attempts, due, until when they wait, and when their time began.
    pub started: BTreeMap<Seq, (u32, u64, Millis, Millis)>,
    /// Everything up to here may have been sent, as far as it is started.
    pub last: Seq,
}

impl Restored {
    pub const NOTHING: Restored = Restored {
        attempts: 0,
        due: 0,
        until: 0,
        done: Vec::new(),
        started: BTreeMap::new(),
        last: Seq(0),
    };

    /// A row that was read, with what else the store has said of it.
    fn row(&mut self, entry: Entry, lane: LaneId, is_head: bool, shelf: &mut Shelf) -> Delivery {
        let Entry { seq, message, body, sole, id_hash, keys, .. } = entry;
        let source = shelf.take(body, lane, seq);
        let mut row = Delivery { keys, ..Delivery::new(message, source, sole, id_hash) };
        let mut until = 0;
        if let Some(started) = self.started.remove(&seq) {
            let (attempts, due, waits_until, began) = started;
            (row.started, row.began) = (true, Some(began));
            (row.attempts, row.due, until) = (attempts, due, waits_until);
        }
        if is_head {
            (row.attempts, row.due, until) = (self.attempts, self.due, self.until);
        }
        if row.due > 0 {
            row.state = State::Waits(until);
        }
        row.overtaken = row.attempts > 0 && self.done.last().is_some_and(|last| *last > seq);
        if self.done.binary_search(&seq).is_ok() {
            row.state = State::Done;
        }
        row
    }
}

impl Outbound {
    pub fn restore(&mut self, head: &Head, now: Now, shared: &mut Shared) {
        self.lane.restore(head);
        self.sent_to = head.sent_to.max(head.cursor);
        self.next = head.cursor.next();
        let let_go = self.sent_to.0 - head.cursor.0;
        self.recovering = let_go > 0 || !head.started.is_empty() || !head.done.is_empty();
        let started = head.started.last().map(|it| it.seq);
        let last =
            started.into_iter().chain(head.done.last().copied()).fold(self.sent_to, Seq::max);
        self.patience = Patience::restored(head.waited);
        if self.taking.as_ref().is_some_and(|taking| taking.seq <= head.cursor) {
            self.give_back(CommandOutcome::Nothing, shared);
        }
        self.lane.look_as_far_as(last);
        let wait = rest_of_wait(&self.retry, head.due, now.wall, head.attempt);
        let until = now.steady + wait;
        let (attempts, due, done) = (head.attempt, head.due, head.done.clone());
        let started = head.started.iter().map(|it| {
            let wait = rest_of_wait(&self.retry, it.due, now.wall, it.attempt);
            let began = Patience::began(it.waited);
            (it.seq, (it.attempt, it.due, now.steady + wait, began))
        });
        let started: BTreeMap<_, _> = started.collect();
        let waits = started.values().map(|(_, _, until, _)| *until).chain([until]);
        for until in waits.filter(|until| *until > now.steady) {
            shared.wake(until, Alarm::Lane(Place::Outbound(self.index)));
        }
        self.restored = Restored { attempts, due, until, done, started, last };
        self.restore_order(head, shared);
    }

    /// Whether the row may be with the partner, as the store said.
    pub fn is_restored_as_started(&self, seq: Seq) -> bool {
        self.restored.started.contains_key(&seq)
    }

    /// A row that the cursor has passed and that was read.
    pub fn restored_row(&mut self, entry: Entry, shared: &mut Shared) -> Delivery {
        let row = self.restored.row(entry, self.lane.id, false, &mut shared.shelf);
        self.failed += usize::from(matches!(row.state, State::Waits(_)));
        row
    }

    pub fn forget_restored_wait(&mut self, now: Millis) {
        (self.restored.due, self.restored.until) = (0, now);
    }

    /// Takes rows that were read from the store.
    pub fn loaded(&mut self, entries: Vec<Entry>, shared: &mut Shared) {
        self.loaded_parked(&entries, shared);
        let (id, head, by_key) = (self.lane.id, self.lane.cursor.next(), self.keyed.is_some());
        let first_load = self.next == head && self.lane.ahead() == 0;
        let (restored, failed) = (&mut self.restored, &mut self.failed);
        self.lane.loaded(entries, |entry| {
            // What is started says more in a lane without a head.
            let is_head = first_load && entry.seq == head;
            let is_head = is_head && !(by_key && restored.started.contains_key(&head));
            let row = restored.row(entry, id, is_head, &mut shared.shelf);
            *failed += usize::from(matches!(row.state, State::Waits(_)));
            row
        });
        if self.lane.ahead() > 0 {
            (self.restored.attempts, self.restored.due) = (0, 0);
        }
    }
}
