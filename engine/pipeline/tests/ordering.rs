//! Attempts and overtaking in a lane that is first in, first out, and lanes whose ordering was changed.

mod lane;

use std::collections::VecDeque;

use lane::{OUTBOUND, committed, entry, left, now, orders, start};
use mllp_pipeline::{
    Fact, Failure, Graph, Head, Limits, MessageId, Note, Order, Ordering, Outbound, Pipeline,
    Record, Seq, Stamp, Start, Started, What,
};

fn refused(seq: u64) -> Fact {
    let failure = Failure::RefusedForNow;
    Fact::Failed { lane: OUTBOUND, seq: Seq(seq), failure, note: Note::default() }
}

fn delivered(seq: u64) -> Fact {
    Fact::Delivered { lane: OUTBOUND, seq: Seq(seq), milliseconds: 1, note: Note::default() }
}

/// The records of the one commit that is ordered.
fn records(pipeline: &mut Pipeline) -> Vec<Record> {
    match &orders(pipeline, 0)[..] {
        [Order::Commit(transaction)] => transaction.records.clone(),
        other => panic!("{other:?}"),
    }
}

/// Two deliveries are with the partner.
fn two_in_flight() -> Pipeline {
    let mut pipeline = start(left(2, 0, 0), 2);
    orders(&mut pipeline, 0);
    pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries: vec![entry(1), entry(2)] }, now(0));
    pipeline.tell(committed(2, 2), now(0));
    let sent = orders(&mut pipeline, 0);
    assert!(matches!(sent[..], [Order::Deliver { .. }, Order::Deliver { .. }]), "{sent:?}");
    pipeline
}

#[test]
fn that_a_refused_delivery_was_overtaken_is_on_record() {
    let mut pipeline = two_in_flight();
    pipeline.tell(refused(1), now(0));
    let attempt = records(&mut pipeline);
    assert!(!attempt.iter().any(|it| matches!(it, Record::Started(_))), "the lane's row has it");
    pipeline.tell(committed(2, 2), now(0));
    pipeline.tell(delivered(2), now(0));
    let overtaking = records(&mut pipeline);
    let what = What::Overtaken { outbound: OUTBOUND, by: MessageId(2) };
    let is_it = |it: &&Record| matches!(it, Record::Event(event) if event.message == MessageId(1) && event.what == what);
    assert_eq!(overtaking.iter().filter(is_it).count(), 1, "{overtaking:?}");
}

#[test]
fn attempts_of_a_delivery_that_is_not_the_head_survive_a_restart() {
    let mut pipeline = two_in_flight();
    pipeline.tell(refused(2), now(0));
    let written = records(&mut pipeline).into_iter().find_map(|it| match it {
        Record::Started(started) => Some(started),
        _ => None,
    });
    let written = written.expect("its attempt");
    assert_eq!((written.seq, written.attempt), (Seq(2), 1));
    let head = Head { started: vec![written], ..left(2, 0, 2) };
    let (came, _) = deliver_all(Ordering::Fifo, 2, head);
    assert_eq!(came, [(1, 2), (2, 3)], "row and attempt: a crash counts as one");
}

/// Delivers everything, and returns what was sent, with its attempt, and how much of it at a time.
fn deliver_all(ordering: Ordering, window: u32, head: Head) -> (Vec<(u64, u32)>, usize) {
    let (tail, mut sent_to) = (head.tail.0, head.sent_to.0);
    let graph = Graph {
        outbounds: vec![Outbound { window, ordering, ..Outbound::new(OUTBOUND) }],
        limits: Limits::DEFAULT,
        ..Graph::default()
    };
    let (next_message, next_stamp) = (MessageId(100), Stamp(1));
    let mut pipeline =
        Pipeline::new(graph, Start { heads: vec![head], next_message, next_stamp }, now(0));
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    let (mut came, mut open, mut most) = (Vec::new(), VecDeque::new(), 0);
    for at in (0..100).map(|round| round * 10_000_000) {
        pipeline.on_time(now(at));
        for order in orders(&mut pipeline, at) {
            match order {
                Order::Commit(transaction) => {
                    for update in &transaction.lanes {
                        let let_go = update.window.map_or(0, |it| update.cursor.0 + u64::from(it));
                        sent_to = sent_to.max(update.cursor.0).max(let_go.min(tail));
                    }
                    drop(transaction);
                    pipeline.tell(committed(tail, sent_to), now(at));
                }
                Order::Load { after, limit, .. } => {
                    let last = tail.min(after.0 + u64::from(limit));
                    let entries = (after.0 + 1..=last).map(entry).collect();
                    pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries }, now(at));
                }
                Order::Deliver { seq, attempt, .. } => {
                    came.push((seq.0, attempt));
                    open.push_back(seq.0);
                }
                other => panic!("{other:?}"),
            }
        }
        most = most.max(open.len());
        open.pop_front().into_iter().for_each(|seq| pipeline.tell(delivered(seq), now(at)));
    }
    assert_eq!(pipeline.left().outbound, 0, "{came:?}");
    (came, most)
}

#[test]
fn a_lane_that_was_ordered_by_key_goes_on_in_order_with_what_was_parked() {
    let due = 1_700_000_000_500;
    let started = |seq, attempt| Started { lane: OUTBOUND, seq, attempt, due, waited: 0 };
    let head = Head {
        parked: vec![entry(1), entry(3)],
        started: vec![started(Seq(1), 2)],
        ..left(5, 3, 3)
    };
    for ordering in [Ordering::Fifo, Ordering::Key] {
        let (came, most) = deliver_all(ordering, 4, head.clone());
        assert_eq!(came, [(1, 4), (3, 1), (4, 1), (5, 1)], "{ordering:?}");
        assert_eq!(most, 1);
    }
    let (came, _) = deliver_all(Ordering::Unordered, 4, Head { due: 0, ..head });
    assert_eq!(came.len(), 4);
}

#[test]
fn rows_without_a_key_that_another_ordering_has_parked_go_one_by_one() {
    let head = Head { parked: vec![entry(1), entry(2), entry(3)], ..left(5, 3, 3) };
    let (came, most) = deliver_all(Ordering::Key, 4, head);
    assert_eq!(came.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(most, 1);
}

#[test]
fn a_lane_that_was_first_in_first_out_goes_on_with_what_may_have_been_sent() {
    let (came, most) = deliver_all(Ordering::Key, 4, left(3, 0, 2));
    assert_eq!(came, [(1, 2), (2, 2), (3, 1)], "none of them has a key");
    assert_eq!(most, 1);
    assert_eq!(deliver_all(Ordering::Unordered, 4, left(3, 0, 2)).0.len(), 3);
}
