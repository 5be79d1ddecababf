//! What a crash may have interrupted, as it stands in the store when a life begins or a lane is read
//! again: one commit has to write it down and count it before anything else leaves.

use std::collections::BTreeMap;

use mllp_pipeline::{LaneId, LaneUpdate, MessageId, Ordering, Record, Seq, Transaction, What};

use crate::invariant::Invariant::Counted;
use crate::store::{Lane, Store};
use crate::world::World;

/// Rows that may be with the partner already.
pub struct Interrupted {
    /// The rows, in order.
    rows: Vec<u64>,
    /// Of each of them: its message, and how often that was listed for the lane before.
    listed: Vec<(MessageId, usize)>,
    /// Attempts of each of them before.
    attempts: BTreeMap<u64, u32>,
    /// The row whose attempts stand in the row of the lane.
    head: Option<u64>,
}

fn let_go(lane: &Lane) -> Vec<u64> {
    (1..=lane.tail()).filter(|seq| lane.may_be_sent(*seq) && !lane.is_done(*seq)).collect()
}

fn times_listed(store: &Store, message: MessageId, lane: LaneId) -> usize {
    let listed = |what: &What| matches!(what, What::PossiblySent { outbound } if *outbound == lane);
    store.messages[&message].count(listed)
}

/// The row of a lane is read.
pub fn note_read(id: LaneId, world: &mut World) {
    let store = &world.store;
    let lane = &store.lanes[&id];
    let rows = let_go(lane);
    let listed = rows.iter().map(|seq| {
        let message = lane.rows[*seq as usize - 1].message;
        (message, times_listed(store, message, id))
    });
    let listed = listed.collect();
    let head = (lane.ordering == Ordering::Fifo).then_some(lane.cursor + 1);
    let attempts = |seq: &u64| {
        let started = lane.started.get(seq).map_or(0, |it| it.attempt);
        (*seq, if Some(*seq) == head { lane.attempt } else { started })
    };
    let attempts = rows.iter().map(attempts).collect();
    let interrupted = Interrupted { rows, listed, attempts, head };
    if let Some(partner) = world.partners.iter_mut().find(|it| it.lane == id) {
        partner.interrupted = Some(interrupted);
    }
}

/// A transaction that lists rows of a lane lists all of them, and counts the attempt of the head.
pub fn check_listed(transaction: &Transaction, world: &World) {
    for partner in &world.partners {
        let lists = |record: &&mllp_pipeline::Record| {
            matches!(record, mllp_pipeline::Record::Event(event)
                if event.what == What::PossiblySent { outbound: partner.lane })
        };
        let listed = transaction.records.iter().filter(lists).count();
        if listed == 0 {
            continue;
        }
        let Some(Interrupted { rows, attempts, head, .. }) = &partner.interrupted else {
            return Counted.check(false, format_args!("{} lists without a crash", partner.lane));
        };
        Counted.check(
            listed == rows.len(),
            format_args!("{} lists {listed} rows of {}", partner.lane, rows.len()),
        );
        for (seq, before) in attempts {
            let in_lane = |it: &LaneUpdate| it.lane == partner.lane && it.attempt == before + 1;
            let in_row = |it: &Record| {
                matches!(it, Record::Started(it) if it.lane == partner.lane
                    && it.seq.0 == *seq && it.attempt == before + 1)
            };
            let counted = match Some(*seq) == *head {
                true => transaction.lanes.iter().any(in_lane),
                false => transaction.records.iter().any(in_row),
            };
            let what = format_args!("{}/{seq}: the crash is not counted", partner.lane);
            Counted.check(counted, what);
        }
    }
}

/// A delivery leaves: the first after a crash only when everything is listed, and each of those that
/// were interrupted with an attempt more.
pub fn check_leaves(id: LaneId, seq: Seq, attempt: u32, world: &mut World) {
    let (store, at) = (&world.store, world.partners.iter().position(|it| it.lane == id));
    let Some(interrupted) = at.and_then(|at| world.partners[at].interrupted.take()) else { return };
    let Interrupted { rows, listed, attempts, head } = interrupted;
    for (message, times) in &listed {
        let of_message = listed.iter().filter(|(it, _)| it == message).count();
        let now = times_listed(store, *message, id);
        let right = now == times + of_message;
        Counted.check(right, format_args!("{id}: {message} was let go, and is not listed"));
    }
    let stored = &world.store.lanes[&id];
    let completed = &world.partners[at.expect("partner")].completed;
    // An operator may have taken the head out of the lane since.
    let first = rows.iter().find(|seq| !stored.is_done(**seq) && !completed.contains(seq));
    if let (Some(_), Some(first)) = (head, first) {
        Counted.check(*first == seq.0, format_args!("{id}/{seq} leaves before {first}"));
    }
    let Some(before) = attempts.get(&seq.0) else { return };
    let expected = before + 2;
    Counted.check(
        attempt == expected,
        format_args!("{id}/{seq} is attempt {attempt}, not {expected}"),
    );
}
