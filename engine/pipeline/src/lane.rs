//! One lane: what the store holds of it, and the first of its rows in memory.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::capacity::Fill;
use crate::fact::{Entry, Head, LaneMark};
use crate::graph::Capacity;
use crate::ids::{Epoch, LaneId, Millis, Seq};
use crate::intake::in_memory;
use crate::order::{Order, Source};

/// Whether a lane may be consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It is ours, and we know its rows.
    Owned,
    /// A commit with it has an unknown outcome: nothing may happen on it until its row is read.
    Unread,
    /// It is somebody else's. We may append to it.
    Lost,
}

/// A row in memory. The bodies that lie in rows are counted by [`Shelf`].
pub(crate) trait Row {
    fn source(&self) -> &Source;
}

/// The rows of a lane from the cursor on, after those that are [set aside](Lane::aside).
#[derive(Debug)]
pub(crate) struct Lane<R> {
    pub id: LaneId,
    pub hold: Hold,
    pub epoch: Epoch,
    pub tail: Seq,
    /// Durably consumed up to here.
    pub cursor: Seq,
    pub rows: VecDeque<R>,
    /// The places of the first rows, which the cursor has passed unfinished.
    aside: Vec<Seq>,
    /// Loads whatever fits, because nothing that is here can go on.
    pub eager: bool,
    pub fill: Fill,
    /// Rows that the open commit appends.
    pub appending: u32,
    /// Where the next of them goes, once their numbers are known.
    next_append: Seq,
    loading: bool,
    /// Orders to read the lane that are not answered yet.
    asked: u32,
    /// The store could not be read: not before this.
    load_after: Millis,
    look_ahead: usize,
    /// Rows up to here are not left for later.
    needed: Seq,
}

impl<R: Row> Lane<R> {
    pub fn new(id: LaneId, look_ahead: u32, capacity: Capacity) -> Self {
        Lane {
            id,
            hold: Hold::Unread,
            epoch: Epoch(0),
            tail: Seq(0),
            cursor: Seq(0),
            rows: VecDeque::new(),
            aside: Vec::new(),
            eager: false,
            fill: Fill::new(capacity),
            appending: 0,
            next_append: Seq(0),
            loading: false,
            asked: 0,
            load_after: 0,
            look_ahead: look_ahead.max(1) as usize,
            needed: Seq(0),
        }
    }

    /// Takes over what the store says.
    pub fn restore(&mut self, head: &Head) {
        self.hold = Hold::Owned;
        self.epoch = head.epoch;
        self.cursor = head.cursor;
        // Rows that were appended while the heads were read are known already.
        self.tail = self.tail.max(head.tail).max(head.cursor);
        self.fill.restore(head);
        if self.cursor == self.tail {
            self.fill.empty();
        }
    }

    /// An order to read the lane is answered. True if it was the last one: an answer to an earlier one
    /// may tell of a time before it.
    pub fn is_last_answer(&mut self) -> bool {
        self.asked = self.asked.saturating_sub(1);
        self.asked == 0
    }

    /// Forgets the rows, because it is unknown what the lane holds or because it is no longer ours.
    pub fn forget(&mut self, hold: Hold, shelf: &mut Shelf) {
        self.hold = hold;
        self.asked += 1;
        self.appends_nothing();
        self.fill.forget();
        self.loading = false;
        self.rows.drain(..).for_each(|row| shelf.put_down(row.source()));
        self.aside.clear();
    }

    /// The open commit appends one more row.
    pub fn appends(&mut self, len: u64) {
        self.appending += 1;
        self.fill.appending += len;
    }

    pub fn appends_nothing(&mut self) {
        (self.appending, self.fill.appending) = (0, 0);
    }

    /// Whether so many more rows with so many bytes fit in. A lane that somebody else owns is watched
    /// by its owner.
    pub fn takes(&self, rows: u64, bytes: u64) -> bool {
        let depth = self.depth() + u64::from(self.appending);
        depth == 0 || self.hold == Hold::Lost || self.fill.takes(depth + rows, bytes)
    }

    /// Adds a row that is durable to those in memory.
    pub fn push(&mut self, row: R, len: u64) {
        self.rows.push_back(row);
        self.fill.lens.push_back(len);
    }

    pub fn depth(&self) -> u64 {
        self.tail.0 - self.cursor.0
    }

    /// Whether nothing is ahead of a row that would be appended now, not even in the open commit.
    pub fn is_empty(&self) -> bool {
        self.hold == Hold::Owned && self.tail == self.cursor && self.appending == 0
    }

    pub fn seq(&self, index: usize) -> Seq {
        let next = || Seq(self.cursor.0 + 1 + (index - self.aside.len()) as u64);
        self.aside.get(index).copied().unwrap_or_else(next)
    }

    /// How many rows in memory the cursor has passed unfinished. They come first.
    pub fn aside(&self) -> usize {
        self.aside.len()
    }

    /// How many rows in memory follow the cursor.
    pub fn ahead(&self) -> usize {
        self.rows.len() - self.aside.len()
    }

    /// Where a row is in memory.
    pub fn index(&self, seq: Seq) -> Option<usize> {
        let Some(index) = seq.0.checked_sub(self.cursor.0 + 1) else {
            return self.aside.binary_search(&seq).ok();
        };
        let index = usize::try_from(index).ok()? + self.aside.len();
        (index < self.rows.len()).then_some(index)
    }

    /// Rows up to here are loaded, whatever the limit.
    pub fn look_as_far_as(&mut self, seq: Seq) {
        let rows = seq.0.saturating_sub(self.cursor.0);
        self.look_ahead = self.look_ahead.max(usize::try_from(rows).unwrap_or(usize::MAX));
        self.needed = seq;
    }

    /// The last row in memory.
    pub fn loaded_to(&self) -> Seq {
        Seq(self.cursor.0 + self.ahead() as u64)
    }

    /// Whether rows are left for later because no more are held in memory.
    pub fn is_full(&self) -> bool {
        self.ahead() >= self.look_ahead && self.loaded_to() < self.tail
    }

    /// The order to read one row that the cursor has passed, unless an order is out already.
    pub fn load_passed(&mut self, seq: Seq, now: Millis) -> Option<Order> {
        if self.hold != Hold::Owned || self.loading || now < self.load_after {
            return None;
        }
        self.loading = true;
        Some(Order::Load { lane: self.id, after: Seq(seq.0 - 1), limit: 1 })
    }

    /// The order to read more rows, if there is room for them and none is out already.
    pub fn load(&mut self, now: Millis) -> Option<Order> {
        let missing = self.tail.0 - self.loaded_to().0;
        let waits = self.hold != Hold::Owned || self.loading || now < self.load_after;
        let eager = self.eager && self.ahead() < self.look_ahead;
        let enough = self.ahead() > self.look_ahead / 2 && self.loaded_to() >= self.needed;
        let enough = enough && !eager;
        if waits || missing == 0 || enough {
            return None;
        }
        self.loading = true;
        let room = (self.look_ahead - self.ahead().min(self.look_ahead)) as u64;
        let limit = u32::try_from(room.min(missing)).unwrap_or(u32::MAX);
        Some(Order::Load { lane: self.id, after: self.loaded_to(), limit })
    }

    /// Takes rows that were read; those that are here already, or that do not follow, are dropped.
    pub fn loaded(
        &mut self,
        entries: impl IntoIterator<Item = Entry>,
        mut row: impl FnMut(Entry) -> R,
    ) {
        self.loading = false;
        if self.hold != Hold::Owned {
            return;
        }
        for entry in entries {
            if entry.seq == self.loaded_to().next() && entry.seq <= self.tail {
                let len = entry.len;
                self.push(row(entry), len);
            }
        }
    }

    /// The store could not be read. It is asked again at `at`.
    pub fn load_failed(&mut self, at: Millis) {
        self.loading = false;
        self.load_after = at;
    }

    /// Learns the tail after a commit that has appended `appending` rows, the last ones.
    pub fn committed(&mut self, mark: &LaneMark) {
        let tail = mark.tail;
        self.tail = self.tail.max(tail);
        self.fill.appended = self.fill.appended.max(mark.appended);
        self.next_append = Seq(tail.0.saturating_sub(u64::from(self.appending)) + 1);
        self.appends_nothing();
    }

    /// The place of the next row of that commit, and whether it may stay in memory: only if all
    /// before it are here and there is room.
    pub fn place(&mut self) -> (Seq, bool) {
        let seq = self.next_append;
        self.next_append = seq.next();
        let follows = self.hold == Hold::Owned && self.loaded_to().next() == seq;
        (seq, follows && self.ahead() < self.look_ahead)
    }

    /// Removes the first rows, which are durably consumed.
    pub fn consume(&mut self, count: usize, shelf: &mut Shelf) {
        let from = self.aside.len();
        self.rows.drain(from..from + count).for_each(|row| shelf.put_down(row.source()));
        self.fill.consume(count);
        self.cursor.0 += count as u64;
        if self.cursor == self.tail {
            self.fill.empty();
        }
    }

    /// Sets the first row that follows the cursor aside, and moves the cursor on.
    pub fn pass_unfinished(&mut self) {
        self.cursor = self.cursor.next();
        self.fill.consume(1);
        self.aside.push(self.cursor);
    }

    /// Puts a row that the cursor has passed among those that are set aside.
    pub fn set_aside(&mut self, seq: Seq, row: R) {
        if let Err(at) = self.aside.binary_search(&seq) {
            self.aside.insert(at, seq);
            self.rows.insert(at, row);
        }
    }

    /// Removes rows that were set aside and are finished by now.
    pub fn clear_aside(&mut self, is_finished: impl Fn(&R) -> bool, shelf: &mut Shelf) {
        for at in (0..self.aside.len()).rev() {
            if is_finished(&self.rows[at]) {
                self.aside.remove(at);
                let row = self.rows.remove(at);
                row.iter().for_each(|row| shelf.put_down(row.source()));
            }
        }
    }
}

/// Counts the bytes of bodies that lie in rows.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub held: u64,
    limit: u64,
}

impl Shelf {
    pub fn new(limit: u64) -> Shelf {
        Shelf { held: 0, limit }
    }

    /// Takes a body that is at hand if there is room, else remembers only where it stands.
    pub fn take(&mut self, source: Source, lane: LaneId, seq: Seq) -> Source {
        let Source::Memory(body) = &source else { return source };
        let bytes = in_memory(body);
        if self.held + bytes > self.limit {
            return Source::Row(lane, seq);
        }
        self.held += bytes;
        source
    }

    pub fn put_down(&mut self, source: &Source) {
        if let Source::Memory(body) = source {
            self.held -= in_memory(body);
        }
    }
}
