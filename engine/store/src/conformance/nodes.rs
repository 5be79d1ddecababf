//! Two nodes on one store, where it can be shared.

use std::sync::Barrier;
use std::thread;

use mllp_pipeline::{
    CommitOutcome, Committed, Disposition, Event, Head, LaneId, LaneUpdate, MessageId, Part,
    Record, Seq, Stamp, Transaction, What,
};

use super::{Bench, Case, Subject, append, inline, message, update};
use crate::contract::Store;

pub(super) const CASES: &[(&str, Case)] = &[
    ("no two nodes have a number in common", numbers),
    ("appends of both interleave without a gap", interleaved),
    ("the same lanes in another order are waited for", any_order),
    ("an owner that is fenced cannot write", fenced),
    ("of two that finish a message at the same time one makes it final", finished_by_two),
    ("what two nodes write to a message is ordered by their commits", by_commit),
];

const ROUNDS: u64 = 50;

fn pair(subject: &mut dyn Subject) -> Option<(Bench, Box<dyn Store + Send>)> {
    let bench = Bench::of(subject);
    Some((bench, subject.beside()?))
}

fn committed(store: &mut dyn Store, records: Vec<Record>, lanes: Vec<LaneUpdate>) -> Committed {
    match store.commit(&Transaction { records, lanes }).unwrap() {
        CommitOutcome::Committed(committed) => committed,
        other => panic!("not committed: {other:?}"),
    }
}

fn numbers(subject: &mut dyn Subject) {
    let Some((mut first, mut second)) = pair(subject) else { return };
    let (one, other) = (first.store.numbers().unwrap(), second.numbers().unwrap());
    assert!(one.stamp.0.abs_diff(other.stamp.0) >= 1 << 40);
    assert!(one.message.0.abs_diff(other.message.0) >= 1 << 32);
    assert!(one.body.0.abs_diff(other.body.0) >= 1 << 32);
}

/// Appends 1, 2 or 3 rows at a time to one lane; each commit tells where its own are.
fn append_all(store: &mut dyn Store, lane: LaneId, from: u64) -> Vec<(u64, u64)> {
    let mut mine = Vec::new();
    let mut id = from;
    for round in 0..ROUNDS {
        let ids: Vec<u64> = (0..=round % 3).map(|n| id + n).collect();
        id += ids.len() as u64;
        let records = ids.iter().map(|id| append(lane, *id)).collect();
        let tail = committed(store, records, vec![]).lanes[0].tail.0;
        mine.extend((tail + 1 - ids.len() as u64..).zip(ids));
    }
    mine
}

fn interleaved(subject: &mut dyn Subject) {
    let Some((mut first, mut second)) = pair(subject) else { return };
    let lane = first.lab.lane;
    let mut told = thread::scope(|scope| {
        let other = scope.spawn(|| append_all(&mut *second, lane, 1_000_000));
        let mut told = append_all(&mut *first.store, lane, 1);
        told.extend(other.join().unwrap());
        told
    });
    told.sort_unstable();
    let mut reader = first.store.reader().unwrap();
    let rows = reader.entries(lane, Seq(0), 10_000).unwrap();
    let rows: Vec<_> = rows.iter().map(|it| (it.seq.0, it.message.0)).collect();
    assert_eq!(rows, told, "each commit was told the places of its own rows");
    assert!((1..).zip(&rows).all(|(seq, row)| row.0 == seq), "no gap");
    let (low, high): (Vec<_>, Vec<_>) = rows.iter().map(|it| it.1).partition(|it| *it < 1_000_000);
    assert!(low.is_sorted() && high.is_sorted(), "the rows of each are in its order");
}

/// Each node owns one lane and appends to the other's.
fn any_order(subject: &mut dyn Subject) {
    let Some((mut first, mut second)) = pair(subject) else { return };
    let lab = first.lab.clone();
    let bill = second.own(&Bench::names()[2..]).unwrap().remove(0);
    let work = |store: &mut dyn Store, own: &Head, to: [LaneId; 2]| {
        for cursor in 1..=ROUNDS {
            let records = to.iter().map(|lane| append(*lane, cursor)).collect();
            committed(store, records, vec![update(own, cursor, Some(1))]);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| work(&mut *second, &bill, [bill.lane, lab.lane]));
        work(&mut *first.store, &lab, [lab.lane, bill.lane]);
    });
    for lane in [lab.lane, bill.lane] {
        let head = first.head(lane);
        assert_eq!((head.tail, head.cursor), (Seq(2 * ROUNDS), Seq(ROUNDS)));
    }
}

fn fenced(subject: &mut dyn Subject) {
    let Some((mut first, mut second)) = pair(subject) else { return };
    let stale = first.lab.clone();
    let fresh = second.own(&Bench::names()[1..2]).unwrap().remove(0);
    let records = vec![Record::Done { lane: stale.lane, seq: Seq(1) }, append(stale.lane, 1)];
    let outcome = first.commit(records, vec![update(&stale, 0, Some(1))]);
    assert_eq!(outcome, CommitOutcome::Fenced(vec![stale.lane]));
    assert_eq!(first.head(stale.lane), fresh, "nothing of it was written");
    committed(&mut *second, vec![append(fresh.lane, 1)], vec![update(&fresh, 0, Some(1))]);
}

fn part(id: u64, stamp: u64, added: u32) -> Record {
    Record::Part(Part {
        message: MessageId(id),
        stamp: Stamp(stamp),
        added,
        finished: 1 - added.min(1),
        delivered: 1 - added.min(1),
        failed: 0,
        sole: false,
        at: stamp,
    })
}

fn finished_by_two(subject: &mut dyn Subject) {
    let Some((mut first, mut second)) = pair(subject) else { return };
    let inbound = first.ingress.lane;
    let begin = Barrier::new(2);
    let finish = |store: &mut dyn Store, stamp: u64| -> Vec<(MessageId, Disposition)> {
        let one = |id| {
            begin.wait();
            committed(store, vec![part(id, stamp, 0)], vec![]).finals
        };
        (1..=ROUNDS).flat_map(one).collect()
    };
    for id in 1..=ROUNDS {
        let received = Record::Message(message(id, inbound, inline(b"MSH|")));
        first.committed(vec![received, part(id, 1, 2)], vec![]);
    }
    let mut finals = thread::scope(|scope| {
        let other = scope.spawn(|| finish(&mut *second, 3));
        let mut finals = finish(&mut *first.store, 2);
        finals.extend(other.join().unwrap());
        finals
    });
    finals.sort_unstable_by_key(|it| it.0);
    let expected: Vec<_> = (1..=ROUNDS).map(|id| (MessageId(id), Disposition::Processed)).collect();
    assert_eq!(finals, expected);
    let mut reader = first.store.reader().unwrap();
    assert_eq!(reader.dispositions(MessageId(0), 1000).unwrap(), expected);
}

/// The node that began later, and has the higher stamps, writes first.
fn by_commit(subject: &mut dyn Subject) {
    let Some((mut early, mut late)) = pair(subject) else { return };
    let low = early.store.numbers().unwrap().stamp.0;
    let high = late.numbers().unwrap().stamp.0;
    assert!(low < high);
    let (inbound, lab) = (early.ingress.lane, early.lab.lane);
    let id = MessageId(1);
    let event =
        |stamp, what| Record::Event(Event { message: id, stamp: Stamp(stamp), at: 5, what });
    let records = vec![
        Record::Message(message(1, inbound, inline(b"MSH|"))),
        Record::Outcome {
            message: id,
            stamp: Stamp(high),
            disposition: Disposition::Routed,
            at: 5,
        },
        event(high + 1, What::Routed { inbound: None, handlers: vec![lab] }),
        part(1, high + 2, 1),
    ];
    committed(&mut *late, records, vec![]);
    let sent = event(low + 2, What::PossiblySent { outbound: lab });
    let end = early.committed(vec![sent, part(1, low + 1, 0)], vec![]);
    assert_eq!(end.finals, [(id, Disposition::Processed)]);
    committed(&mut *late, vec![event(high + 9, What::Duplicate { of: id })], vec![]);
    let mut reader = late.reader().unwrap();
    let stored = reader.message(id).unwrap().unwrap();
    assert_eq!((stored.disposition, stored.since), (Disposition::Processed, low + 1));
    let stamps = reader.journey(id).unwrap().iter().map(|it| it.stamp.0).collect::<Vec<_>>();
    assert_eq!(stamps, [high + 1, low + 2, high + 9]);
}
