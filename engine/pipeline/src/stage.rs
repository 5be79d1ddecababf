//! A lane whose rows are worked on by a user's function: called in order, handed on in order.

use alloc::vec::Vec;

use crate::fact::Sent;
use crate::graph::Capacity;
use crate::ids::{LaneId, Millis};
use crate::lane::{Hold, Lane, Row, Shelf};
use crate::shared::{Shared, ours_again};
use crate::switch::Flow;

/// A row of such a lane.
pub(crate) trait Task: Row {
    /// Whether all is known that its handoff needs.
    fn is_ready(&self) -> bool;
    /// The lanes to which it goes next, as far as that is known.
    fn goes_to(&self) -> Vec<LaneId>;
    /// Forgets what was done: it is done again. Returns what was sent.
    fn reset(&mut self) -> Vec<Sent>;
}

/// The rows are in this order: those in the open commit, ready ones, called ones, new ones.
#[derive(Debug)]
pub(crate) struct Stage<R> {
    pub lane: Lane<R>,
    /// Rows that were given to a call.
    pub called: usize,
    /// Rows that are ready.
    pub ready: usize,
    /// Rows in the open commit.
    pub committing: usize,
    /// No call before this, because one has failed through our own fault.
    pub not_before: Millis,
    failures: u32,
    /// Whether rows are given to calls.
    pub flow: Flow,
    /// Whether the lane is in the list of those with a handoff.
    pub listed: bool,
}

impl<R: Task> Stage<R> {
    pub fn new(id: LaneId, look_ahead: u32, capacity: Capacity) -> Self {
        Stage {
            lane: Lane::new(id, look_ahead, capacity),
            called: 0,
            ready: 0,
            committing: 0,
            not_before: 0,
            failures: 0,
            flow: Flow::On,
            listed: false,
        }
    }

    /// Whether its function may be called now.
    pub fn is_open(&self, now: Millis) -> bool {
        self.flow == Flow::On && now >= self.not_before
    }

    /// Forgets the rows. What was sent for them is given up, unless the open commit holds it: that
    /// has been taken out of them.
    pub fn forget(&mut self, hold: Hold, shared: &mut Shared) {
        for row in self.lane.rows.iter_mut().take(self.called) {
            shared.give_up(row.reset());
        }
        self.lane.forget(hold, &mut shared.shelf);
        (self.called, self.ready, self.committing) = (0, 0, 0);
    }

    /// Takes note of rows that became ready; true if there is something to hand on that is not
    /// listed yet.
    pub fn advance(&mut self) -> bool {
        while self.ready < self.called && self.lane.rows[self.ready].is_ready() {
            self.ready += 1;
        }
        self.ready > self.committing && !core::mem::replace(&mut self.listed, true)
    }

    /// A call has failed at this row through our own fault: it and all after it are done again,
    /// after a wait that is returned.
    pub fn fail_from(&mut self, index: usize, now: Millis, shared: &mut Shared) -> Millis {
        for row in self.lane.rows.iter_mut().take(self.called).skip(index) {
            shared.give_up(row.reset());
        }
        self.called = index;
        self.failures += 1;
        self.not_before = now + ours_again(self.failures);
        self.not_before
    }

    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The first rows are durably handed on.
    pub fn committed(&mut self, shelf: &mut Shelf) {
        let count = core::mem::take(&mut self.committing);
        self.lane.consume(count, shelf);
        self.called -= count;
        self.ready -= count;
    }
}
