//! What is checked when something becomes durable, when an answer leaves, and of memory.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{
    CommitOutcome, Failure, LaneId, MessageId, Ordering, Pipeline, Record, RowBody, Transaction,
    What,
};

use crate::census;
use crate::invariant::Invariant::{self, Blame, Memory, Order, Taken, Wait};
use crate::recovering;
use crate::sender::ticket_of;
use crate::world::World;

/// A transaction is durable.
pub fn check_committed(outcome: &CommitOutcome, transaction: &Transaction, world: &World) {
    if !matches!(outcome, CommitOutcome::Committed(_)) {
        return;
    }
    let graph = &world.scenario.graph;
    recovering::check_listed(transaction, world);
    census::transaction(transaction, |lane| graph.handlers.iter().any(|it| it.lane == lane));
    let limits = &graph.limits;
    let slack = 40 * (1 + world.partners.len() + world.scenario.graph.inbounds.len());
    Memory.check(transaction.records.len() <= limits.batch_records + slack, "the size of a batch");
    for record in &transaction.records {
        match record {
            Record::Event(event) => {
                if let What::Delivered { outbound, .. } = event.what {
                    check_taken(event.message, outbound, world);
                }
            }
            Record::Dead { lane, seq, message, why, .. } => {
                let it = &world.store.messages[message];
                let attempts = it.count(|what| match what {
                    What::Attempt { outbound, .. } => outbound == lane,
                    What::PossiblySent { outbound } => outbound == lane,
                    _ => false,
                });
                let partner = world.partners.iter().find(|it| it.lane == *lane).expect("partner");
                let spent = partner.retry.max_attempts.is_some_and(|max| attempts >= max as usize);
                let refused = *why == Failure::RefusedForGood;
                let spent = spent || partner.give_up.after.is_some();
                let blamed = refused || spent && *why != Failure::Infrastructure;
                Blame.check(blamed, format_args!("{lane}/{seq} is dead after {attempts} attempts"));
            }
            Record::Append(row) => check_order(row.lane, world),
            _ => {}
        }
    }
    for (id, lane) in &world.store.lanes {
        check_consumed(*id, world);
        let started = lane.started.len() as u64;
        let fits = lane.ordering == Ordering::Fifo || started <= lane.widest;
        Invariant::Started.check(fits, format_args!("{started} are started, of {}", lane.widest));
    }
}

/// A delivery is completed: its partner has taken it as often as rows of it are completed.
fn check_taken(message: MessageId, lane: LaneId, world: &World) {
    let partner = world.partners.iter().find(|it| it.lane == lane).expect("partner");
    let rows = &world.store.lanes[&lane].rows;
    let of_message = |seq: &&u64| rows[**seq as usize - 1].message == message;
    let taken = partner.taken.iter().filter(of_message).count();
    let is_delivered =
        |what: &What| matches!(what, What::Delivered { outbound, .. } if *outbound == lane);
    let delivered = world.store.messages[&message].count(is_delivered);
    Taken.check(delivered <= taken, format_args!("{message} on {lane}: {taken} taken"));
}

/// A cursor passes a row of an outbound only when it was delivered or is dead.
fn check_consumed(lane: LaneId, world: &World) {
    let stored = &world.store.lanes[&lane];
    if stored.widest == 0 || stored.cursor == 0 {
        return;
    }
    let mut done: BTreeMap<_, usize> = BTreeMap::new();
    for (at, row) in stored.rows.iter().enumerate().filter(|(at, _)| stored.is_done(*at as u64 + 1))
    {
        let left = world.store.left.contains(&(lane, at as u64 + 1));
        *done.entry(row.message).or_default() += usize::from(!left);
    }
    for (message, rows) in done {
        let is_delivered =
            |what: &What| matches!(what, What::Delivered { outbound, .. } if *outbound == lane);
        let delivered = world.store.messages[&message].count(is_delivered);
        Order.check(
            delivered == rows,
            format_args!("{lane} passes {message}, {delivered} delivered"),
        );
    }
}

/// The rows of a lane come in the order of their origin.
fn check_order(lane: LaneId, world: &World) {
    let stored = &world.store.lanes[&lane];
    let is_ingress = world.scenario.receiving().iter().any(|it| it.lane == lane);
    let unchanged = sent_on_unchanged(world);
    let mut last: BTreeMap<(LaneId, Vec<u8>), u64> = BTreeMap::new();
    for (at, row) in stored.rows.iter().enumerate() {
        let by_operator = world.operator.appended.contains_key(&(lane, at as u64 + 1));
        let rerouted = world.operator.rerouted.contains_key(&row.message);
        if by_operator || rerouted || unchanged.contains(&row.message) {
            continue;
        }
        let message = &world.store.messages[&row.message];
        let origin = match ticket_of(&message.new.acknowledgment.0) {
            Some(ticket) if is_ingress => ticket,
            None if is_ingress => continue,
            _ => position(message.new.inbound, row.message, world),
        };
        let bytes = world.store.bytes_of_row(lane, at as u64 + 1);
        let key = (message.new.inbound, maker(&bytes).to_vec());
        let before = last.insert(key, origin).unwrap_or(0);
        Order.check(before <= origin, format_args!("row {} of {lane} is out of order", at + 1));
    }
}

/// Messages of which the bytes do not tell the way: a handler has sent what it was given to an inbound.
fn sent_on_unchanged(world: &World) -> BTreeSet<MessageId> {
    let inbounds = &world.scenario.graph.inbounds[world.scenario.receiving..];
    let rows = inbounds.iter().flat_map(|it| &world.store.lanes[&it.lane].rows);
    let unchanged = rows.filter(|row| !matches!(row.body, RowBody::Own(_)));
    unchanged.map(|row| row.message).collect()
}

/// Who made a row: the part after the slash, without the number of the send; or the whole way from
/// handler to handler.
fn maker(bytes: &[u8]) -> &[u8] {
    match bytes.iter().position(|byte| *byte == b'/' || *byte == b'>') {
        Some(at) if bytes[at] == b'>' => &bytes[at..],
        Some(at) => &bytes[at..at + 2],
        None => b"/0",
    }
}

/// The place of a message in the lane of its inbound.
fn position(inbound: LaneId, message: MessageId, world: &World) -> u64 {
    let rows = &world.store.lanes[&inbound].rows;
    rows.iter().position(|row| row.message == message).expect("row") as u64 + 1
}

pub fn check_memory(pipeline: &Pipeline, world: &World) {
    let limits = &world.scenario.graph.limits;
    let widest = world.store.lanes.values().map(|it| it.widest).max().unwrap_or(0);
    let look_ahead = limits.look_ahead.max(limits.key_look_ahead);
    let most = u64::from(look_ahead).max(widest + 1) + 2 * widest;
    for rows in pipeline.held_rows() {
        Memory.check(rows as u64 <= most, format_args!("{rows} rows of a lane in memory"));
    }
    Memory.check(pipeline.held_bytes() <= limits.held_bytes, "bytes in memory");
    let waiting = pipeline.left().waiting;
    Memory.check(waiting <= limits.waiting, format_args!("{waiting} messages wait"));
    for lane in pipeline.status() {
        if lane.is_full {
            census::count("a lane is full");
        }
        let Some(partner) = world.partners.iter().find(|it| it.lane == lane.lane) else { continue };
        let retry = partner.retry;
        let factor = u64::from(retry.multiplier).saturating_pow(lane.attempt.saturating_sub(1));
        let longest = retry.backoff.saturating_mul(factor).min(retry.max_backoff).max(5_000);
        let fits = lane.due.is_none_or(|due| due <= world.now + longest);
        Wait.check(fits, format_args!("{} waits too long", lane.lane));
    }
}
