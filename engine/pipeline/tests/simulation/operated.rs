//! What operators have done, as the store and the run show it.

use std::collections::BTreeMap;

use mllp_pipeline::{LaneId, MessageId, Record, Transaction, What};

use crate::invariant::Invariant::{Handoff, Operated};
use crate::operator::{Row, message_of};
use crate::store::Store;
use crate::world::World;

/// A commit is ordered: rows of it that leave their lanes are passed from now on.
pub fn note_ordered(transaction: &Transaction, world: &mut World) {
    let mut passed = world.store.cancelled(transaction);
    for record in &transaction.records {
        match record {
            Record::Dead { lane, seq, .. } | Record::Held { lane, seq, .. } => {
                passed.push((*lane, seq.0));
            }
            Record::Event(event) => {
                if let What::GaveUp { outbound, .. } = &event.what {
                    forget_wait(*outbound, event.message, world);
                }
            }
            _ => {}
        }
    }
    for (lane, seq) in passed {
        if let Some(partner) = world.partners.iter_mut().find(|it| it.lane == lane) {
            partner.completed.insert(seq);
        }
    }
}

/// What has stopped its lane leaves at once when the lane is started.
fn forget_wait(lane: LaneId, message: MessageId, world: &mut World) {
    let World { partners, store, .. } = world;
    let partner = partners.iter_mut().find(|it| it.lane == lane).expect("partner");
    partner.failed.retain(|seq, _| message_of(store, lane, *seq) != message);
}

/// A transaction is durable. `tails` are those of the lanes before it.
pub fn note_committed(transaction: &Transaction, tails: &BTreeMap<LaneId, u64>, world: &mut World) {
    let World { operator, store, .. } = world;
    let job = transaction.records.iter().find_map(|it| match it {
        Record::Job(job) => Some(job.key.0.clone()),
        _ => None,
    });
    // The rows of the command follow its first record, and its job comes last.
    let mut next = tails.clone();
    let mut of_job = Vec::new();
    for record in &transaction.records {
        match record {
            Record::Append(row) => {
                let seq = next.get_mut(&row.lane).expect("lane");
                *seq += 1;
                of_job.push((row.lane, *seq));
            }
            Record::Event(event) => match &event.what {
                What::Cancelled { .. } => {
                    *operator.cancelled.entry(event.message).or_default() += 1
                }
                What::Replayed { to, .. } => {
                    let inbound = store.messages[&event.message].new.inbound;
                    let edited = store.messages[&event.message].new.original.is_some();
                    if *to == inbound && !edited {
                        *operator.rerouted.entry(event.message).or_default() += 1;
                        operator.cancelled.remove(&event.message);
                    }
                }
                _ => {}
            },
            Record::Job(_) => break,
            _ => {}
        }
    }
    let Some(key) = job else { return };
    let asked = operator.asked.get(&key).map_or(0, Vec::len);
    let edits = transaction
        .records
        .iter()
        .any(|it| matches!(it, Record::Message(new) if new.original.is_some()));
    let count = asked + usize::from(edits);
    for row in of_job.into_iter().rev().take(count) {
        operator.appended.insert(row, key.clone());
    }
}

/// Every job that is stored has appended what it should, once, in the order of acceptance.
pub fn check_end(world: &World) {
    let mut rows: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for ((lane, seq), key) in &world.operator.appended {
        let message = message_of(&world.store, *lane, *seq);
        let bytes = world.store.bytes_of_row(*lane, *seq);
        rows.entry(key).or_default().push((*lane, message, bytes));
    }
    for (key, asked) in world.operator.asked.iter().filter(|(_, asked)| !asked.is_empty()) {
        let mut asked = if world.store.jobs.contains_key(key) { asked.clone() } else { Vec::new() };
        asked.sort_by_key(|it| it.0);
        let appended = rows.remove(&key[..]).unwrap_or_default();
        Handoff.check(appended == asked, format_args!("{key} has not appended what it should"));
    }
    let held = world.store.held.len();
    Operated.check(held == 0, format_args!("{held} deliveries are held for ever"));
}

/// The rows that operators, and senders that came again, have added to a message in the lanes of outbounds.
pub fn added(world: &World) -> BTreeMap<MessageId, Vec<(LaneId, Vec<u8>)>> {
    let mut all: BTreeMap<MessageId, Vec<(LaneId, Vec<u8>)>> = BTreeMap::new();
    for (key, asked) in &world.operator.asked {
        let stored = world.store.jobs.contains_key(key);
        for (lane, message, bytes) in asked.iter().filter(|_| stored) {
            if world.store.lanes[lane].widest > 0 {
                all.entry(*message).or_default().push((*lane, bytes.clone()));
            }
        }
    }
    for (lane, message, bytes) in &world.renewing.rows {
        all.entry(*message).or_default().push((*lane, bytes.clone()));
    }
    all
}

/// Whether a message was stored by an operator and went straight to an outbound.
pub fn went_straight(id: MessageId, world: &World) -> Option<LaneId> {
    let message = &world.store.messages[&id];
    message.new.original?;
    let first = message.events.iter().find_map(|event| match event.what {
        What::Replayed { to, .. } => Some(to),
        _ => None,
    });
    first.filter(|to| *to != message.new.inbound)
}

/// Whether an operator has had a hand in what became of a message.
pub fn touched(id: MessageId, world: &World) -> bool {
    let hand = |what: &What| matches!(what, What::Replayed { .. } | What::Cancelled { .. });
    world.store.messages[&id].count(hand) > 0
}

/// A message that ends because of what partners and operators did.
pub fn has_failed(id: MessageId, world: &World) -> bool {
    let dead =
        world.store.dead.keys().any(|(lane, seq)| message_of(&world.store, *lane, *seq) == id);
    dead || world.operator.cancelled.contains_key(&id)
}

impl Store {
    /// The rows that this transaction cancels at the head of their lanes, as what it completes there
    /// shows.
    pub fn cancelled(&self, transaction: &Transaction) -> Vec<(LaneId, u64)> {
        let (mut rows, mut unlisted) = (Vec::new(), false);
        // Other rows of the same message may be given up meanwhile.
        let given_up = |row| {
            transaction.records.iter().any(|it| match it {
                Record::Dead { lane, seq, .. } | Record::Held { lane, seq, .. } => {
                    (*lane, seq.0) == row
                }
                _ => false,
            })
        };
        for record in &transaction.records {
            match record {
                Record::Unlisted { .. } => unlisted = true,
                Record::Event(event) => {
                    let was_held = std::mem::take(&mut unlisted);
                    if let (What::Cancelled { lane, .. }, false) = (&event.what, was_held) {
                        let of = &self.lanes[lane].rows;
                        let is_it = |seq: &u64| {
                            let (message, row) = (of[*seq as usize - 1].message, (*lane, *seq));
                            message == event.message && !given_up(row) && !rows.contains(&row)
                        };
                        let seq = self.lanes[lane].completed(*lane, transaction).find(is_it);
                        Handoff.check(seq.is_some(), "cancelled, and not completed");
                        rows.extend(seq.map(|seq| (*lane, seq)));
                    }
                }
                _ => {}
            }
        }
        rows
    }
}
