//! Senders that send a message again after it has ended in ERROR: what is done again, and what is not.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{
    Body, Disposition, Fact, Failure, First, LaneId, List, MessageId, Record, Sameness, Ticket,
    Transaction, What,
};

use crate::census;
use crate::functions::after_header;
use crate::invariant::Invariant::{Handoff, Verdict};
use crate::operator::{Row, message_of};
use crate::store::Store;
use crate::world::World;

#[derive(Default)]
pub struct Renewing {
    /// Messages that tickets are compared with, and how many outcomes they had when the pipeline knew of
    /// all of them.
    ordered: BTreeMap<Ticket, (MessageId, usize)>,
    /// Those that had ended in ERROR, with dead deliveries, and to which nothing has happened since.
    compared: BTreeMap<Ticket, (MessageId, usize)>,
    /// Messages with work in a commit that has failed, in this life.
    failed: BTreeSet<MessageId>,
    /// What was appended again.
    pub rows: Vec<Row>,
}

/// A life begins.
pub fn start(world: &mut World) {
    world.renewing.ordered.clear();
    world.renewing.compared.clear();
    world.renewing.failed.clear();
}

/// The pipeline wants to know of a first; `committing`: there may be news of it.
pub fn note_ordered(ticket: Ticket, with: MessageId, committing: bool, world: &mut World) {
    if let (Some(first), false) = (world.store.messages.get(&with), committing) {
        world.renewing.ordered.insert(ticket, (with, first.outcomes.len()));
    }
}

/// Compares a message that was received with a stored one.
pub fn compare(
    ticket: Ticket,
    body: &Body,
    with: MessageId,
    what: &Sameness,
    world: &mut World,
) -> Fact {
    let World { store, renewing, .. } = world;
    let bytes = store.bytes(body);
    let first = store.messages.get(&with).and_then(|it| {
        let theirs = store.bytes(&it.new.body);
        let same = match what {
            Sameness::Bytes => theirs == bytes,
            Sameness::ControlIdAndBody(id) => {
                it.new.control_id == *id && after_header(&theirs) == after_header(&bytes)
            }
        };
        same.then(|| First {
            message: with,
            disposition: it.disposition(),
            acknowledgment: it.new.acknowledgment.clone(),
            held: store.held_of(with),
            dead: dead_of(with, store),
            was_sent: was_sent(with, store),
        })
    });
    if let Some(first) = &first
        && first.disposition == Disposition::Error
        && !first.dead.is_empty()
    {
        let now = (with, store.messages[&with].outcomes.len());
        if renewing.ordered.get(&ticket) == Some(&now) {
            renewing.compared.insert(ticket, now);
        }
    }
    Fact::Compared { ticket, first }
}

fn dead_of(message: MessageId, store: &Store) -> Vec<(LaneId, mllp_pipeline::Entry)> {
    let own = |(lane, seq): &&(LaneId, u64)| message_of(store, *lane, *seq) == message;
    let entry =
        |(lane, seq): &(LaneId, u64)| (*lane, store.load(*lane, seq - 1, 1, false).remove(0));
    let has_ended = store.messages[&message].disposition() == Disposition::Error;
    store.dead.keys().filter(own).filter(|_| has_ended).map(entry).collect()
}

/// Whether a message has come to an outbound.
pub fn was_sent(message: MessageId, store: &Store) -> bool {
    let outbounds = store.lanes.values().filter(|lane| lane.widest > 0);
    outbounds.flat_map(|lane| &lane.rows).any(|row| row.message == message)
}

/// A commit has failed, or may have.
pub fn note_failed(transaction: &Transaction, world: &mut World) {
    for record in &transaction.records {
        match record {
            Record::Part(part) => world.renewing.failed.insert(part.message),
            Record::Outcome { message, .. } => world.renewing.failed.insert(*message),
            _ => continue,
        };
    }
}

/// A transaction is durable. What it appends again because of a sender was dead, and is no more; `dead` were
/// before it, and `tails` those of the lanes.
pub fn note_committed(
    transaction: &Transaction,
    dead: &BTreeMap<(LaneId, u64), Failure>,
    tails: &BTreeMap<LaneId, u64>,
    world: &mut World,
) {
    let World { store, renewing, operator, .. } = world;
    let (mut next, mut unlisted, mut again) = (tails.clone(), Vec::new(), None);
    for record in &transaction.records {
        match record {
            Record::Unlisted { list: List::Dead, lane, seq, .. } => unlisted.push((*lane, seq.0)),
            Record::Event(event) => {
                if let What::Replayed { to, by, .. } = &event.what
                    && by.who.0.is_empty()
                {
                    again = Some((*to, event.message));
                }
            }
            Record::Append(row) => {
                let tail = next.get_mut(&row.lane).expect("lane");
                *tail += 1;
                let Some((to, message)) = again.take() else { continue };
                let seq = *tail;
                let bytes = store.bytes_of_row(row.lane, seq);
                let was_dead = unlisted.pop().is_some_and(|(lane, seq)| {
                    lane == to
                        && dead.contains_key(&(lane, seq))
                        && message_of(store, lane, seq) == message
                        && store.bytes_of_row(lane, seq) == bytes
                });
                let fits = was_dead && row.lane == to && row.message == message;
                Handoff.check(fits, format_args!("{message} is sent again, and was not dead"));
                let retried = |it: &Record| matches!(it, Record::Message(new) if new.duplicate_of == Some(message));
                let retried = transaction.records.iter().any(retried);
                Handoff.check(retried, format_args!("{message} is sent again, and has not come"));
                census::count("renewed");
                renewing.rows.push((row.lane, message, bytes));
                operator.appended.insert((row.lane, seq), String::new());
            }
            _ => {}
        }
    }
}

/// A sender is told that a message has failed: it was done again first, as far as it was dead.
pub fn check_failed(ticket: Ticket, world: &mut World) {
    let World { store, renewing, .. } = world;
    let Some((first, outcomes)) = renewing.compared.remove(&ticket) else { return };
    if renewing.failed.contains(&first) {
        return;
    }
    let again = store.messages[&first].outcomes.len() > outcomes;
    Verdict.check(again, format_args!("ticket {ticket} came again, and nothing was done"));
    census::count("renewed in vain");
}

/// A sender is told that a message was done.
pub fn count_done(ticket: Ticket, world: &mut World) {
    if world.renewing.compared.remove(&ticket).is_some() {
        census::count("renewed, and answered AA");
    }
}
