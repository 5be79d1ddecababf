//! Lanes with a capacity: how much may be appended to one.

use std::collections::BTreeMap;

use mllp_pipeline::{Append, Capacity, CommitOutcome, Fact, LaneId, Record, Transaction, What};

use crate::host::OTHER_NODE;
use crate::invariant::Invariant::Bounded;
use crate::store::{Lane, Store};

/// Whether a lane belongs to the engine, as far as that knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ours {
    #[default]
    Yes,
    /// Somebody has taken it.
    No,
    /// It was given back; a commit that is open may be from before.
    Again,
}

/// A transaction is about to be written.
pub fn check(transaction: &Transaction, store: &Store) {
    let mut appended: BTreeMap<LaneId, Vec<&Append>> = BTreeMap::new();
    let mut by_operator = false;
    for record in &transaction.records {
        match record {
            // The row that an operator appends comes after the event that says so.
            Record::Event(event) => {
                by_operator |= matches!(event.what, What::Released { .. } | What::Replayed { .. });
            }
            Record::Append(row) => {
                // What a handler sends to a handler is not held back, nor is an operator or another
                // node.
                let is_free = std::mem::take(&mut by_operator) || row.hops > 0;
                if !is_free && row.message.0 < OTHER_NODE {
                    appended.entry(row.lane).or_default().push(row);
                }
            }
            _ => {}
        }
    }
    for (id, rows) in appended {
        check_lane(id, &store.lanes[&id], &rows);
    }
}

/// What the engine is told of its lanes.
pub fn note(fact: &Fact, store: &mut Store) {
    match fact {
        Fact::Heads(heads) => {
            for head in heads {
                let lane = store.lanes.get_mut(&head.lane).expect("lane");
                // What was read before that is not believed.
                if lane.ours == Ours::No && head.epoch.0 == lane.epoch {
                    lane.ours = Ours::Again;
                }
            }
        }
        // After another outcome the rest of that commit is tried again.
        Fact::Outcome(CommitOutcome::Committed(_) | CommitOutcome::Unknown) => {
            let lanes = store.lanes.values_mut().filter(|it| it.ours == Ours::Again);
            lanes.for_each(|lane| lane.ours = Ours::Yes);
        }
        _ => {}
    }
}

/// What we have appended fits in, or it is one message in an empty lane.
fn check_lane(id: LaneId, lane: &Lane, appended: &[&Append]) {
    // A lane that somebody else owns is watched by its owner.
    if lane.capacity == Capacity::NONE || lane.ours != Ours::Yes {
        return;
    }
    // What other nodes have appended is perhaps not known yet.
    let own: Vec<&Append> =
        lane.rows[lane.cursor as usize..].iter().filter(|row| row.message.0 < OTHER_NODE).collect();
    let all = || own.iter().chain(appended);
    let (depth, bytes) = (all().count() as u64, all().map(|row| row.len).sum::<u64>());
    let alone = own.is_empty() && appended.iter().all(|row| row.message == appended[0].message);
    let fits = depth <= lane.capacity.depth && bytes <= lane.capacity.bytes;
    Bounded.check(fits || alone, format_args!("{depth} rows, {bytes} bytes in {id}"));
}
