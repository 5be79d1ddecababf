//! Deliveries that share a key kept their order on the wire; one without a key let nothing pass.

use std::collections::{HashMap, HashSet};

use mllp_pipeline::LaneId;

use crate::ledger::Arrival;
use crate::verdict::Verdict;
use crate::verify::{Kept, Row};

pub(super) fn check(
    kept: &Kept,
    outbound: &str,
    lane: LaneId,
    rows: &[Row],
    arrivals: &[&Arrival],
    verdict: &mut Verdict,
) {
    let before = before(kept, rows);
    let mut of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if let Some(message) = kept.message(row.message) {
            of.entry(&message.control_id).or_default().push(at);
        }
    }
    let name =
        |row: usize| -> &str { kept.message(rows[row].message).map_or("?", |it| &it.control_id) };
    let passage = |row: usize| kept.message(rows[row].message)?.passage(lane);
    // What an operator has taken out or appended again comes when it comes.
    let is_free = |row: usize| passage(row).is_some_and(|it| it.was_taken_out() || it.rows() > 1);
    let mut taken: HashSet<usize> = HashSet::new();
    for arrival in arrivals {
        let Some(its) = of.get(&arrival.control_id[..]) else {
            verdict.found(format!(
                "{}: arrived at {outbound}, and was never handed to it",
                arrival.control_id
            ));
            continue;
        };
        let open = its.iter().find(|row| !taken.contains(*row) && !is_free(**row));
        let row = open.or(its.last()).copied().unwrap_or_default();
        let passed = before[row].iter().find(|it| !taken.contains(*it) && !is_free(**it));
        if let Some(passed) = passed.filter(|_| !is_free(row)) {
            verdict.found(format!(
                "{}: left for {outbound} before {}, which it has to follow",
                arrival.control_id,
                name(*passed)
            ));
        }
        if arrival.answer.may_complete() {
            taken.insert(row);
        }
    }
}

/// The rows that each row follows directly: the last one with its key, the last one without a key, and,
/// without a key, all since that one.
fn before(kept: &Kept, rows: &[Row]) -> Vec<Vec<usize>> {
    let mut last: HashMap<String, usize> = HashMap::new();
    let mut barrier: Option<usize> = None;
    let mut before = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let key = kept.message(row.message).and_then(|it| it.sent()?.key());
        let mut follows: Vec<usize> = barrier.into_iter().collect();
        match key {
            Some(key) => follows.extend(last.insert(key, at)),
            None => {
                follows.extend(last.drain().map(|(_, at)| at));
                barrier = Some(at);
            }
        }
        before.push(follows);
    }
    before
}
