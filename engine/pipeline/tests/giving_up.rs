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

/// The rows that have died.
fn dead(written: &[Record]) -> Vec<u64> {
    let dead = written.iter().filter_map(|it| match it {
        Record::Dead { seq, .. } => Some(seq.0),
        _ => None,
    });
    dead.collect()
}

/// The partner refuses a delivery for now.
fn refused(pipeline: &mut Pipeline, seq: u64, at: u64) {
    let (lane, seq, note) = (OUTBOUND, Seq(seq), Note::default());
    let failure = mllp_pipeline::Failure::RefusedForNow;
    pipeline.tell(Fact::Failed { lane, seq, failure, note }, now(at));
}

#[test]
fn in_a_lane_without_order_each_row_has_its_own_time_from_when_it_was_let_go() {
    let mut pipeline = pipeline(Ordering::Unordered, left(2, 0, 0));
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    follow(&mut pipeline, 2, 0);
    pipeline.tell(Fact::Appended { lane: OUTBOUND, up_to: Seq(3) }, now(300));
    follow(&mut pipeline, 3, 300);
    (1..=3).for_each(|seq| refused(&mut pipeline, seq, 400));
    assert_eq!(dead(&follow(&mut pipeline, 3, 999)), []);
    assert_eq!(dead(&follow(&mut pipeline, 3, 1_000)), [1, 2]);
    assert_eq!(dead(&follow(&mut pipeline, 3, 1_299)), []);
    assert_eq!(dead(&follow(&mut pipeline, 3, 1_300)), [3]);
}

#[test]
fn a_row_with_the_partner_is_given_up_when_it_comes_back_too_late() {
    let mut pipeline = pipeline(Ordering::Unordered, left(2, 0, 0));
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    follow(&mut pipeline, 2, 0);
    assert_eq!(dead(&follow(&mut pipeline, 2, 1_500)), [], "the partner may take them");
    refused(&mut pipeline, 2, 1_500);
    assert_eq!(dead(&follow(&mut pipeline, 2, 1_500)), [2]);
}

#[test]
fn the_time_of_each_row_outlasts_a_start() {
    let started =
        |seq, waited| Started { lane: OUTBOUND, seq: Seq(seq), attempt: 1, due: 1, waited };
    let head = Head { started: vec![started(1, 200), started(2, 900)], ..left(2, 0, 0) };
    let mut pipeline = pipeline(Ordering::Unordered, head);
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    follow(&mut pipeline, 2, 0);
    (1..=2).for_each(|seq| refused(&mut pipeline, seq, 50));
    let written = follow(&mut pipeline, 2, 50);
    let waited = written.iter().filter_map(|it| match it {
        Record::Started(it) if it.attempt == 3 => Some((it.seq.0, it.waited)),
        _ => None,
    });
    assert_eq!(waited.collect::<Vec<_>>(), [(1, 250), (2, 950)]);
    assert_eq!(dead(&follow(&mut pipeline, 2, 99)), []);
    assert_eq!(dead(&follow(&mut pipeline, 2, 100)), [2]);
    assert_eq!(dead(&follow(&mut pipeline, 2, 800)), [1]);
}
