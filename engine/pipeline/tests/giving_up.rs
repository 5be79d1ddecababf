//! How long a delivery is tried, where its lane was read again or its first row has left.

mod lane;

use lane::{OUTBOUND, committed, entry, left, now, orders};
use mllp_pipeline::{
    By, Fact, Flow, GiveUp, Graph, Head, MessageId, Note, Order, Ordering, Outbound, Pipeline,
    Record, Seq, Side, Stamp, Start, Started, Switch, Transaction,
};

/// A lane whose deliveries are given up after a second.
fn pipeline(ordering: Ordering, head: Head) -> Pipeline {
    let give_up = GiveUp { after: Some(1_000), ..GiveUp::DEFAULT };
    let outbound = Outbound { ordering, window: 4, give_up, ..Outbound::new(OUTBOUND) };
    let graph = Graph { outbounds: vec![outbound], ..Graph::default() };
    let (next_message, next_stamp) = (MessageId(100), Stamp(1));
    Pipeline::new(graph, Start { heads: vec![head], next_message, next_stamp }, now(0))
}

/// Follows all orders, with rows up to this one in the lane, and returns what was written.
fn follow(pipeline: &mut Pipeline, tail: u64, at: u64) -> Vec<Record> {
    let mut written = Vec::new();
    pipeline.on_time(now(at));
    for _ in 0..9 {
        for order in orders(pipeline, at) {
            match order {
                Order::Commit(transaction) => {
                    let Transaction { records, .. } = &*transaction;
                    written.extend(records.iter().cloned());
                    drop(transaction);
                    pipeline.tell(committed(tail, 0), now(at));
                }
                Order::Load { after, .. } => {
                    let entries = (after.0 + 1..=tail).map(entry).collect();
                    pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries }, now(at));
                }
                Order::Deliver { .. } | Order::Switched(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    written
}

fn has_died(written: &[Record]) -> bool {
    written.iter().any(|it| matches!(it, Record::Dead { .. }))
}

#[test]
fn the_time_goes_on_after_a_start_of_a_lane_that_was_once_switched_on() {
    let (side, flow, by, at) = (Side::Output, Flow::On, By::default(), 1);
    let switches = vec![Switch { lane: OUTBOUND, side, flow, by, at }];
    let head = Head { waited: 900, switches, ..left(1, 0, 0) };
    let mut pipeline = pipeline(Ordering::Fifo, head);
    assert!(!has_died(&follow(&mut pipeline, 1, 0)));
    assert!(has_died(&follow(&mut pipeline, 1, 100)), "900 before the start, and 100 after it");
}

#[test]
fn the_next_row_does_not_inherit_the_time_of_one_that_the_cursor_has_passed() {
    let started = Started { lane: OUTBOUND, seq: Seq(1), attempt: 1, due: 0, waited: 0 };
    let head =
        Head { parked: vec![entry(1)], started: vec![started], waited: 900, ..left(2, 1, 1) };
    let mut pipeline = pipeline(Ordering::Unordered, head);
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    follow(&mut pipeline, 2, 0);
    let (lane, seq, note) = (OUTBOUND, Seq(1), Note::default());
    pipeline.tell(Fact::Delivered { lane, seq, milliseconds: 1, note: note.clone() }, now(50));
    follow(&mut pipeline, 2, 50);
    let failure = mllp_pipeline::Failure::RefusedForNow;
    pipeline.tell(Fact::Failed { lane, seq: Seq(2), failure, note }, now(150));
    assert!(!has_died(&follow(&mut pipeline, 2, 150)), "it has had 100 of its 1,000");
    assert!(has_died(&follow(&mut pipeline, 2, 1_100)));
}
