//! What a crash may have interrupted, as it stands in the store when a life begins or a lane is read
//! again: one commit has to write it down and count it before anything else leaves.

use mllp_pipeline::{LaneId, MessageId, Seq, Transaction, What};

use crate::invariant::Invariant::Counted;
use crate::store::{Lane, Store};
use crate::world::World;

/// Rows that may be with the partner already.
pub struct Interrupted {
    /// The rows, in order.
    rows: Vec<u64>,
    /// Of each of them: its message, and how often that was listed for the lane before.
    listed: Vec<(MessageId, usize)>,
    /// Attempts of the head before.
    attempt: u32,
    head: u64,
}

fn let_go(lane: &Lane) -> Vec<u64> {
    (lane.cursor + 1..=lane.sent_to).filter(|seq| !lane.is_done(*seq)).collect()
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
    let interrupted = Interrupted { rows, listed, attempt: lane.attempt, head: lane.cursor + 1 };
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
        let Some(Interrupted { rows, attempt, head, .. }) = &partner.interrupted else {
            return Counted.check(false, format_args!("{} lists without a crash", partner.lane));
        };
        Counted.check(
            listed == rows.len(),
            format_args!("{} lists {listed} rows of {}", partner.lane, rows.len()),
        );
        let counted = transaction.lanes.iter().any(|it| {
            let expected = attempt + u32::from(rows.first() == Some(head));
            it.lane == partner.lane && it.attempt == expected
        });
        Counted.check(counted, format_args!("{} does not count the crash", partner.lane));
    }
}

/// A delivery leaves: the first after a crash only when everything is listed, and each of those that
/// were interrupted with an attempt more.
pub fn check_leaves(id: LaneId, seq: Seq, attempt: u32, world: &mut World) {
    let (store, at) = (&world.store, world.partners.iter().position(|it| it.lane == id));
    let Some(interrupted) = at.and_then(|at| world.partners[at].interrupted.take()) else { return };
    let Interrupted { rows, listed, attempt: before, head } = interrupted;
    for (message, times) in &listed {
        let of_message = listed.iter().filter(|(it, _)| it == message).count();
        let now = times_listed(store, *message, id);
        let right = now == times + of_message;
        Counted.check(right, format_args!("{id}: {message} was let go, and is not listed"));
    }
    let Some(first) = rows.first() else { return };
    Counted.check(*first == seq.0, format_args!("{id}/{seq} leaves before {first}"));
    let expected = if *first == head { before + 2 } else { 2 };
    Counted.check(
        attempt == expected,
        format_args!("{id}/{seq} is attempt {attempt}, not {expected}"),
    );
}
