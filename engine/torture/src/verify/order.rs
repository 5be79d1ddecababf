//! Every lane kept its order, from the commit to the wire.

mod keyed;

use std::collections::{HashMap, HashSet};

use mllp_pipeline::{LaneId, MessageId};

use super::journey::Passage;
use super::{Kept, Row};
use crate::ledger::Arrival;
use crate::load::{OUTBOUNDS, Ordering, ordering, window};
use crate::verdict::Verdict;

pub(super) fn check(kept: &Kept, arrivals: &[Arrival], verdict: &mut Verdict) {
    let mut of: HashMap<&str, Vec<&Arrival>> = HashMap::new();
    for arrival in arrivals {
        of.entry(&arrival.outbound).or_default().push(arrival);
    }
    for (outbound, _) in OUTBOUNDS {
        let Some(lane) = kept.outbound(outbound) else { continue };
        let rows = kept.rows.get(&lane).map_or(&[][..], Vec::as_slice);
        accepted_first(kept, outbound, rows, verdict);
        appended(kept, outbound, lane, rows, verdict);
        let arrivals = of.get(outbound).map_or(&[][..], Vec::as_slice);
        match ordering(outbound) {
            Ordering::Fifo => Wire::new(kept, outbound, lane, rows).follow(arrivals, verdict),
            Ordering::Key => keyed::check(kept, outbound, lane, rows, arrivals, verdict),
            Ordering::Unordered => {}
        }
    }
}

/// A delivery stands in its lane once, and once more for each time that an operator has released or
/// replayed it.
fn appended(kept: &Kept, outbound: &str, lane: LaneId, rows: &[Row], verdict: &mut Verdict) {
    let mut counts: HashMap<MessageId, u32> = HashMap::new();
    rows.iter().for_each(|row| *counts.entry(row.message).or_default() += 1);
    for message in &kept.messages {
        let should = message.passage(lane).map_or(0, Passage::rows);
        let count = counts.get(&message.id).copied().unwrap_or_default();
        if count != should {
            verdict.found(format!(
                "{}: message {} stands {count} times at {outbound}, and should {should} times",
                message.control_id, message.id
            ));
        }
    }
}

/// What an inbound has accepted first, a handler has sent first. What an operator has appended again
/// comes later.
fn accepted_first(kept: &Kept, outbound: &str, rows: &[Row], verdict: &mut Verdict) {
    let (mut last, mut seen) = (HashMap::new(), HashSet::new());
    let first = rows.iter().filter(|row| seen.insert(row.message));
    for message in first.filter_map(|row| kept.message(row.message)) {
        let handler = kept.outbound(outbound).and_then(|it| message.passage(it));
        let Some(handler) = handler.and_then(|it| it.handler) else { continue };
        let last = last.entry((message.inbound, handler)).or_insert(message.id);
        if message.id < *last {
            verdict.found(format!(
                "{}: message {} was handed to {outbound} after message {last}",
                message.control_id, message.id
            ));
        }
        *last = message.id.max(*last);
    }
}

/// One outbound's arrivals, held against the rows of its lane. Rows are counted from 0.
struct Wire<'a> {
    kept: &'a Kept,
    outbound: &'a str,
    lane: LaneId,
    rows: &'a [Row],
    window: usize,
    /// The rows of each control ID.
    of: HashMap<&'a str, Vec<usize>>,
    arrived: HashSet<usize>,
    taken: HashSet<usize>,
    /// All below are taken by the partner, or dead.
    low: usize,
    /// One above the highest that has arrived.
    high: usize,
}

impl<'a> Wire<'a> {
    fn new(kept: &'a Kept, outbound: &'a str, lane: LaneId, rows: &'a [Row]) -> Self {
        let mut of: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            if let Some(message) = kept.message(row.message) {
                of.entry(&message.control_id).or_default().push(at);
            }
        }
        let window = window(outbound) as usize;
        let (arrived, taken) = (HashSet::new(), HashSet::new());
        Wire { kept, outbound, lane, rows, window, of, arrived, taken, low: 0, high: 0 }
    }

    fn follow(mut self, arrivals: &[&Arrival], verdict: &mut Verdict) {
        for arrival in arrivals {
            // Which of its rows it belongs to is unknown.
            if self.was_appended_again(&arrival.control_id) {
                continue;
            }
            let Some(row) = self.row_of(&arrival.control_id) else {
                verdict.found(format!(
                    "{}: arrived at {}, and was never handed to it",
                    arrival.control_id, self.outbound
                ));
                continue;
            };
            if let Some(finding) = self.arrive(row) {
                let (control_id, outbound) = (&arrival.control_id, self.outbound);
                verdict.found(format!("{control_id}: at {outbound} {finding}"));
            }
            if arrival.answer.may_complete() {
                self.taken.insert(row);
            }
        }
    }

    /// The row that an arrival belongs to: of several with its control ID the first that is open.
    fn row_of(&self, control_id: &str) -> Option<usize> {
        let rows = self.of.get(control_id)?;
        let open = rows.iter().find(|row| **row >= self.low && !self.is_done(**row));
        open.or_else(|| rows.iter().rev().find(|row| **row < self.high)).or(rows.first()).copied()
    }

    fn arrive(&mut self, row: usize) -> Option<String> {
        let first = self.arrived.insert(row);
        let finding = if first { self.arrive_first(row) } else { None };
        let behind = (row + self.window < self.high)
            .then(|| format!("sent again after {} had left", self.name(self.high - 1)));
        let overtaken = (first && row + 1 < self.high && !self.was_tried_again(row))
            .then(|| format!("overtaken by {}", self.name(self.high - 1)));
        self.high = self.high.max(row + 1);
        finding.or(behind).or(overtaken)
    }

    /// Everything that is a window or more before it has come to its end.
    fn arrive_first(&mut self, row: usize) -> Option<String> {
        while self.low < row && self.is_done(self.low) {
            self.low += 1;
        }
        if self.low + self.window > row {
            return None;
        }
        let finding = format!("left before {} had come to its end", self.name(self.low));
        // One finding for each row that was passed over.
        self.low += 1;
        Some(finding)
    }

    fn is_done(&self, row: usize) -> bool {
        let passage = || self.kept.message(self.rows[row].message)?.passage(self.lane);
        self.taken.contains(&row) || passage().is_some_and(|it| it.was_taken_out() || it.rows() > 1)
    }

    fn was_appended_again(&self, control_id: &str) -> bool {
        let mut passages = self.kept.with(control_id).filter_map(|it| it.passage(self.lane));
        passages.any(|it| it.rows() > 1)
    }

    fn was_tried_again(&self, row: usize) -> bool {
        let passage = || self.kept.message(self.rows[row].message)?.passage(self.lane);
        passage().is_some_and(|it| it.attempts + it.possibly_sent > 0)
    }

    fn name(&self, row: usize) -> &str {
        self.kept.message(self.rows[row].message).map_or("?", |it| &it.control_id)
    }
}
