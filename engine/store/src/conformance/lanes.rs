//! Lanes: places without gaps, cursors, what may have been sent, owners.

use mllp_pipeline::{Append, CommitOutcome, LaneMark, LaneUpdate, MessageId, Record, Seq, Source};

use super::{Bench, Case, Subject, append, name, update};
use crate::contract::Store;

pub(super) const CASES: &[(&str, Case)] = &[
    ("a lane has one number for ever", one_number),
    ("places have no gap and follow the order of the records", places),
    ("rows are read in order, in slices", rows),
    ("sent_to follows the cursor and the window, up to the tail", window),
    ("sent_to never falls", never_falls),
    ("a row that is done ahead of the cursor is in the head until the cursor passes it", done),
    ("attempt and due stand in the head", head_row),
    ("the bytes of a lane are counted", bytes),
    ("a lane that was taken over fences the whole transaction", fenced),
    ("appends are not fenced", append_to_foreign),
    ("an empty transaction is committed", empty),
];

fn one_number(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let first = bench.ingress.clone();
    assert_eq!(first.tail, Seq(0));
    assert_ne!(first.lane, bench.lab.lane);
    let again = bench.store.own(&Bench::names()).unwrap().remove(0);
    assert_eq!(again.lane, first.lane);
    assert!(again.epoch > first.epoch, "a new owner has a new epoch");
    // The same name in another stage is another lane.
    let other = bench.store.own(&[name(mllp_pipeline::Stage::Outbound, "IN")]).unwrap().remove(0);
    assert_ne!(other.lane, first.lane);
    let names = bench.store.lanes().unwrap();
    assert!(names.contains(&(first.lane, Bench::names()[0].clone())));
    assert_eq!(names.len(), 4);
}

fn places(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lab, bill) = (bench.lab.lane, bench.bill.lane);
    let committed = bench.committed(vec![append(lab, 1), append(bill, 1), append(lab, 2)], vec![]);
    let tail = |marks: &[LaneMark], lane| marks.iter().find(|it| it.lane == lane).unwrap().tail;
    assert_eq!(tail(&committed.lanes, lab), Seq(2));
    assert_eq!(tail(&committed.lanes, bill), Seq(1));
    let committed = bench.committed(vec![append(lab, 7)], vec![]);
    assert_eq!(tail(&committed.lanes, lab), Seq(3));
    assert_eq!(committed.lanes.len(), 1, "only what was touched");
    let mut reader = bench.store.reader().unwrap();
    let entries = reader.entries(lab, Seq(0), 10).unwrap();
    let rows: Vec<_> = entries.iter().map(|it| (it.seq.0, it.message.0)).collect();
    assert_eq!(rows, [(1, 1), (2, 2), (3, 7)]);
}

fn rows(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let lab = bench.lab.lane;
    bench.committed((1..=9).map(|id| append(lab, id)).collect(), vec![]);
    let mut reader = bench.store.reader().unwrap();
    let entries = reader.entries(lab, Seq(3), 2).unwrap();
    assert_eq!(entries.iter().map(|it| it.seq.0).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(entries[0].message, MessageId(4));
    assert_eq!(entries[0].body, Source::Message);
    assert!(entries[0].sole);
    assert!(reader.entries(lab, Seq(9), 5).unwrap().is_empty());
    assert!(reader.entries(bench.bill.lane, Seq(0), 5).unwrap().is_empty());
    // The reader is not bound to what it saw first.
    bench.committed(vec![append(lab, 10)], vec![]);
    assert_eq!(reader.entries(lab, Seq(9), 5).unwrap().len(), 1);
}

fn window(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let lab = head.lane;
    // While the lane may not send, nothing is let go.
    let marks = bench.committed(vec![append(lab, 1)], vec![update(&head, 0, None)]).lanes;
    assert_eq!((marks[0].tail, marks[0].sent_to), (Seq(1), Seq(0)));
    // Its own appends count.
    let records = (2..=5).map(|id| append(lab, id)).collect();
    let marks = bench.committed(records, vec![update(&head, 0, Some(2))]).lanes;
    assert_eq!((marks[0].tail, marks[0].sent_to), (Seq(5), Seq(2)));
    let marks = bench.committed(vec![], vec![update(&head, 2, Some(2))]).lanes;
    assert_eq!(marks[0].sent_to, Seq(4));
    let marks = bench.committed(vec![], vec![update(&head, 4, Some(64))]).lanes;
    assert_eq!(marks[0].sent_to, Seq(5), "never above the tail");
    // An append by somebody who does not own the lane lets nothing go.
    bench.committed(vec![append(lab, 6)], vec![]);
    assert_eq!(bench.head(lab).sent_to, Seq(5));
}

fn never_falls(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let records = (1..=9).map(|id| append(head.lane, id)).collect();
    bench.committed(records, vec![update(&head, 0, Some(8))]);
    let marks = bench.committed(vec![], vec![update(&head, 1, Some(1))]).lanes;
    assert_eq!(marks[0].sent_to, Seq(8));
    let marks = bench.committed(vec![], vec![update(&head, 2, None)]).lanes;
    assert_eq!(marks[0].sent_to, Seq(8));
    // A lane that sends nothing is still never behind its cursor.
    let marks = bench.committed(vec![], vec![update(&head, 9, None)]).lanes;
    assert_eq!(marks[0].sent_to, Seq(9));
    let head = bench.head(head.lane);
    assert_eq!((head.cursor, head.tail, head.sent_to), (Seq(9), Seq(9), Seq(9)));
}

fn done(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let lane = head.lane;
    let records = (1..=4).map(|id| append(lane, id)).collect();
    bench.committed(records, vec![update(&head, 0, Some(4))]);
    let ahead = |seq| Record::Done { lane, seq: Seq(seq) };
    bench.committed(vec![ahead(3), ahead(2)], vec![update(&head, 0, Some(4))]);
    assert_eq!(bench.head(lane).done, [Seq(2), Seq(3)]);
    bench.committed(vec![], vec![update(&head, 3, Some(4))]);
    assert_eq!(bench.head(lane).done, []);
}

fn bytes(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let long = |lane, len| Record::Append(Append { len, ..Append::new(lane, MessageId(1)) });
    let records = vec![long(head.lane, 700), long(bench.bill.lane, 5), long(head.lane, 1 << 40)];
    let marks = bench.committed(records, vec![]).lanes;
    let appended = marks.iter().find(|it| it.lane == head.lane).unwrap().appended;
    assert_eq!(appended, 700 + (1 << 40));
    // One commit appends and consumes.
    let first = LaneUpdate { consumed: 700, ..update(&head, 1, None) };
    let marks = bench.committed(vec![long(head.lane, 3)], vec![first]).lanes;
    assert_eq!(marks[0].appended, 703 + (1 << 40));
    let stored = bench.head(head.lane);
    assert_eq!((stored.appended, stored.consumed), (703 + (1 << 40), 700));
    // Who does not count does not uncount.
    bench.committed(vec![], vec![update(&head, 1, None)]);
    assert_eq!(bench.head(head.lane).consumed, 700);
    let mut reader = bench.store.reader().unwrap();
    let entries = reader.entries(head.lane, Seq(0), 9).unwrap();
    assert_eq!(entries.iter().map(|it| it.len).collect::<Vec<_>>(), [700, 1 << 40, 3]);
}

fn head_row(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let tried =
        LaneUpdate { attempt: 3, due: 1_796_000_005_000, waited: 7_000, ..update(&head, 0, None) };
    bench.committed(vec![append(head.lane, 1)], vec![tried]);
    let stored = bench.head(head.lane);
    assert_eq!((stored.attempt, stored.due, stored.waited), (3, 1_796_000_005_000, 7_000));
    assert_eq!(stored.epoch, head.epoch);
}

fn fenced(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lab, bill) = (bench.lab.clone(), bench.bill.clone());
    subject.take_over(&Bench::names()[1]);
    let outcome = bench.commit(
        vec![append(bill.lane, 1), append(lab.lane, 1)],
        vec![update(&bill, 0, Some(1)), update(&lab, 0, Some(1))],
    );
    assert_eq!(outcome, CommitOutcome::Fenced(vec![lab.lane]));
    assert_eq!(bench.head(bill.lane).tail, Seq(0), "nothing of it was written");
    assert_eq!(bench.head(bill.lane).sent_to, Seq(0));
    // Without the lane that is lost, the rest goes through.
    let marks = bench.committed(vec![append(bill.lane, 1)], vec![update(&bill, 0, Some(1))]).lanes;
    assert_eq!((marks[0].tail, marks[0].sent_to), (Seq(1), Seq(1)));
    // All that are lost are named.
    subject.take_over(&Bench::names()[2]);
    let outcome = bench.commit(vec![], vec![update(&lab, 0, None), update(&bill, 0, None)]);
    let CommitOutcome::Fenced(mut lanes) = outcome else { panic!("{outcome:?}") };
    lanes.sort();
    let mut lost = [lab.lane, bill.lane];
    lost.sort();
    assert_eq!(lanes, lost);
}

fn append_to_foreign(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let lab = bench.lab.clone();
    subject.take_over(&Bench::names()[1]);
    let marks = bench.committed(vec![append(lab.lane, 1)], vec![]).lanes;
    assert_eq!(marks[0].tail, Seq(1));
    let stored = bench.head(lab.lane);
    assert!(stored.epoch > lab.epoch, "the head tells who owns it by now");
}

fn empty(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let committed = bench.committed(vec![], vec![]);
    assert!(committed.lanes.is_empty() && committed.finals.is_empty());
    while bench.store.tend().unwrap() {}
    let store: &mut dyn Store = &mut *bench.store;
    assert!(store.heads(&[mllp_pipeline::LaneId(4711)]).unwrap().is_empty());
}
