//! Lanes that the store has and the graph does not: only an operator consumes them.

use alloc::vec::Vec;

use crate::fact::{Entry, Head};
use crate::ids::{Epoch, LaneId, Seq, Stage};
use crate::lane::Hold;

#[derive(Debug)]
pub(crate) struct Orphan {
    pub id: LaneId,
    pub stage: Stage,
    pub hold: Hold,
    /// Orders to read the lane that are not answered yet.
    asked: u32,
    pub epoch: Epoch,
    pub tail: Seq,
    pub cursor: Seq,
    pub sent_to: Seq,
    pub done: Vec<Seq>,
    /// Rows that may be with the partner, whatever `sent_to` says.
    pub started: Vec<Seq>,
    /// Rows that the cursor has passed unfinished.
    pub parked: Vec<Entry>,
    /// The open commit takes those out as well.
    pub moves_parked: bool,
    /// Where the cursor stands once the open commit is durable.
    pub moving_to: Seq,
}

impl Orphan {
    pub fn new(id: LaneId, stage: Stage) -> Orphan {
        Orphan {
            id,
            stage,
            hold: Hold::Unread,
            asked: 0,
            epoch: Epoch(0),
            tail: Seq(0),
            cursor: Seq(0),
            sent_to: Seq(0),
            done: Vec::new(),
            started: Vec::new(),
            parked: Vec::new(),
            moves_parked: false,
            moving_to: Seq(0),
        }
    }

    /// Takes over what the store says, if it is the answer to the last question.
    pub fn restore(&mut self, head: &Head) {
        self.asked = self.asked.saturating_sub(1);
        if self.asked > 0 || self.hold == Hold::Owned {
            self.tail = self.tail.max(head.tail);
            return;
        }
        self.hold = Hold::Owned;
        self.epoch = head.epoch;
        self.cursor = head.cursor;
        self.moving_to = head.cursor;
        self.sent_to = head.sent_to;
        self.tail = head.tail.max(head.cursor);
        self.done.clone_from(&head.done);
        self.started = head.started.iter().map(|it| it.seq).collect();
        self.parked.clone_from(&head.parked);
        self.moves_parked = false;
    }

    pub fn forget(&mut self, hold: Hold) {
        self.hold = hold;
        self.asked += 1;
    }

    pub fn committed(&mut self, tail: Seq) {
        self.tail = self.tail.max(tail);
        self.cursor = self.cursor.max(self.moving_to);
        if core::mem::take(&mut self.moves_parked) {
            self.parked.clear();
        }
        let cursor = self.cursor;
        self.done.retain(|seq| *seq > cursor);
    }

    pub fn depth(&self) -> u64 {
        self.tail.0 - self.cursor.0 + self.parked.len() as u64
    }
}
