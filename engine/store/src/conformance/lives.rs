//! What a store keeps from one life to the next.

use mllp_pipeline::{BodyId, CommitOutcome, MessageId, Piece, Record, Seq, Transaction};

use super::{Bench, Case, Subject, append, inline, message, update};

pub(super) const CASES: &[(&str, Case)] = &[
    ("what was committed is there after it was opened again", again),
    ("no number is given out twice", numbers),
    ("who opens it owns its lanes again", owner),
];

fn again(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let lab = bench.lab.clone();
    let records = vec![
        Record::Message(message(1, bench.ingress.lane, inline(b"MSH|kept"))),
        append(lab.lane, 1),
        append(lab.lane, 1),
        append(lab.lane, 1),
        Record::Done { lane: lab.lane, seq: Seq(3) },
    ];
    bench.committed(records, vec![update(&lab, 1, Some(1))]);
    drop(bench);
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    assert_eq!((head.tail, head.cursor, head.sent_to), (Seq(3), Seq(1), Seq(2)));
    assert_eq!(head.done, [Seq(3)]);
    assert_eq!(bench.head(lab.lane), head);
    let mut reader = bench.store.reader().unwrap();
    assert_eq!(reader.message(MessageId(1)).unwrap().unwrap().len, 8);
    assert_eq!(reader.entries(lab.lane, Seq(0), 9).unwrap().len(), 3);
}

fn numbers(subject: &mut dyn Subject) {
    let mut store = subject.open();
    let first = store.numbers().unwrap();
    assert!(first.message.0 > 0 && first.stamp.0 > 0);
    let inbound = store.own(&Bench::names()).unwrap()[0].lane;
    let chunk = Record::Chunk { body: BodyId(first.body.0), n: 0, bytes: Piece::from(&b"x"[..]) };
    let records = vec![Record::Message(message(first.message.0, inbound, inline(b"MSH|"))), chunk];
    store.commit(&Transaction { records, lanes: vec![] }).unwrap();
    drop(store);
    let second = subject.open().numbers().unwrap();
    assert!(second.message > first.message);
    assert!(second.body > first.body);
    assert!(second.stamp.0 >= first.stamp.0 + (1 << 40), "a life has room for its stamps");
    // Also where the life before has used none.
    let third = subject.open().numbers().unwrap();
    assert!(third.stamp.0 >= second.stamp.0 + (1 << 40));
}

fn owner(subject: &mut dyn Subject) {
    let first = Bench::of(subject).lab;
    let mut bench = Bench::of(subject);
    assert!(bench.lab.epoch > first.epoch);
    let stale = bench.commit(vec![], vec![update(&first, 0, None)]);
    assert_eq!(stale, CommitOutcome::Fenced(vec![first.lane]));
    let owned = bench.lab.clone();
    bench.committed(vec![], vec![update(&owned, 0, None)]);
}
