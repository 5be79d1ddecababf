//! Which messages of a keyed or unordered lane may start.
//!
//! A message may start when no earlier unfinished one shares a key with it, and fewer messages than the
//! window are started and unfinished. Each key has the queue of its unfinished messages; a message
//! waits for as many others as there are queues in which it is not the first. A message without a key
//! is a barrier: it waits for all before it, and nothing after it is looked at until it is finished.
//!
//! A message that was refused for now stays started: it keeps its keys and its place in the window. A
//! delivered and a dead one are both finished. Finished messages take no memory, so a lane that has
//! gone on for a million rows after one that is stuck holds that one alone.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use crate::ids::Seq;

/// The unfinished messages of a lane that were looked at, by their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByKey {
    rows: BTreeMap<Seq, Row>,
    /// The rows of each key, in order.
    queues: BTreeMap<u64, VecDeque<Seq>>,
    /// Rows that wait for no other.
    free: BTreeSet<Seq>,
    /// The last row that was entered, if it is a barrier.
    barrier: Option<Seq>,
    started: usize,
    /// How many of those wait for their next attempt.
    refused: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    keys: Box<[u64]>,
    /// Queues in which it is not the first.
    waits_for: usize,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waits,
    Started,
    /// Started, and waits for its next attempt.
    Refused,
}

/// Rows that leave the look-ahead without being finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parking {
    /// The rows, in order.
    pub rows: Vec<Seq>,
    /// Where the cursor comes to, which passes them.
    pub cursor: Seq,
}

impl ByKey {
    /// Whether the next row may be entered: no barrier is unfinished.
    pub fn is_open(&self) -> bool {
        self.barrier.is_none()
    }

    /// Looks at the next row of the lane.
    pub fn enter(&mut self, seq: Seq, mut keys: Vec<u64>) {
        keys.sort_unstable();
        keys.dedup();
        let mut waits_for = 0;
        for key in &keys {
            let queue = self.queues.entry(*key).or_default();
            waits_for += usize::from(!queue.is_empty());
            queue.push_back(seq);
        }
        if waits_for == 0 {
            self.free.insert(seq);
        }
        let (keys, progress) = (keys.into_boxed_slice(), Progress::Waits);
        self.rows.insert(seq, Row { keys, waits_for, progress });
    }

    /// Looks at the next row of the lane, which waits for all before it and holds all after it.
    pub fn enter_barrier(&mut self, seq: Seq) {
        self.enter(seq, Vec::new());
        if self.rows.len() > 1 {
            self.free.remove(&seq);
        }
        self.barrier = Some(seq);
    }

    /// The row that this one waits for: the last one before it in the queue of one of its keys. A
    /// barrier waits for the first row, and what comes after it for the barrier.
    pub fn waits_for(&self, seq: Seq) -> Option<Seq> {
        let Some(row) = self.rows.get(&seq) else { return self.barrier.filter(|it| *it < seq) };
        if self.barrier == Some(seq) {
            return self.rows.keys().next().copied().filter(|first| *first < seq);
        }
        let queues = row.keys.iter().filter_map(|key| self.queues.get(key));
        let before = queues.filter_map(|queue| queue.iter().rev().find(|it| **it < seq));
        before.max().copied()
    }

    /// The rows that may start, in order: as many as the window has room for.
    pub fn startable(&self, window: usize) -> impl Iterator<Item = Seq> {
        self.free.iter().copied().take(window.saturating_sub(self.started))
    }

    /// A row that is free starts. False: it is not free.
    pub fn start(&mut self, seq: Seq) -> bool {
        let is_free = self.free.remove(&seq);
        if is_free && let Some(row) = self.rows.get_mut(&seq) {
            row.progress = Progress::Started;
            self.started += 1;
        }
        is_free
    }

    /// A row that is started waits for its next attempt, or is with the partner again.
    pub fn refused(&mut self, seq: Seq, is_refused: bool) {
        let Some(row) = self.rows.get_mut(&seq) else { return };
        match (row.progress, is_refused) {
            (Progress::Started, true) => {
                row.progress = Progress::Refused;
                self.refused += 1;
            }
            (Progress::Refused, false) => {
                row.progress = Progress::Started;
                self.refused -= 1;
            }
            _ => {}
        }
    }

    /// A row is finished: delivered, dead, or taken out before it started.
    pub fn finish(&mut self, seq: Seq) {
        let Some(row) = self.rows.remove(&seq) else { return };
        self.free.remove(&seq);
        self.started -= usize::from(row.progress != Progress::Waits);
        self.refused -= usize::from(row.progress == Progress::Refused);
        for key in row.keys {
            self.leave(key, seq);
        }
        if self.barrier == Some(seq) {
            self.barrier = None;
        }
        if let Some(barrier) = self.barrier
            && self.rows.len() == 1
            && self.rows[&barrier].progress == Progress::Waits
        {
            self.free.insert(barrier);
        }
    }

    /// Takes a row out of the queue of a key, and lets the next one come to the front.
    fn leave(&mut self, key: u64, seq: Seq) {
        let Some(queue) = self.queues.get_mut(&key) else { return };
        let Ok(at) = queue.binary_search(&seq) else { return };
        queue.remove(at);
        let Some(next) = queue.front().copied() else {
            self.queues.remove(&key);
            return;
        };
        if at == 0
            && let Some(row) = self.rows.get_mut(&next)
        {
            row.waits_for -= 1;
            if row.waits_for == 0 {
                self.free.insert(next);
            }
        }
    }

    /// The first unfinished row after `seq`.
    pub fn first_after(&self, seq: Seq) -> Option<Seq> {
        self.rows.range(seq.next()..).next().map(|(seq, _)| *seq)
    }

    /// What is parked so that the lane can look further ahead. Called when the look-ahead ends before
    /// the lane does; `up_to` is the last row that may be parked, and `room` how many may be.
    ///
    /// That is worth it only if a message is stuck while the window has room and nothing else may
    /// start. Nothing is parked while a barrier is unfinished, because nothing after it could start. A
    /// message that is with the partner is not parked: it will soon be finished, or refused.
    pub fn parking(&self, cursor: Seq, up_to: Seq, room: usize, window: usize) -> Option<Parking> {
        let stuck = self.refused > 0 && self.started < window && self.free.is_empty();
        if !stuck || self.barrier.is_some() {
            return None;
        }
        let mut parking = Parking { rows: Vec::new(), cursor: up_to };
        let ahead = self.rows.range(cursor.next()..).take_while(|(seq, _)| **seq <= up_to);
        for (seq, row) in ahead {
            if row.progress == Progress::Started || parking.rows.len() == room {
                parking.cursor = Seq(seq.0 - 1);
                break;
            }
            parking.rows.push(*seq);
        }
        (!parking.rows.is_empty()).then_some(parking)
    }

    /// Whether a row is unfinished, and was not started.
    pub fn is_waiting(&self, seq: Seq) -> bool {
        self.rows.get(&seq).is_some_and(|row| row.progress == Progress::Waits)
    }

    /// How many rows are unfinished.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod tests;
