//! What a store keeps from one life to the next.

use mllp_pipeline::{
    BodyId, CommitOutcome, LaneId, MessageId, NewMessage, Piece, Record, Seq, Stamp, Transaction,
};

use crate::life::{Life, LivedInbound};

use super::{Bench, Case, Subject, append, inline, message, update};

pub(super) const CASES: &[(&str, Case)] = &[
    ("what was committed is there after it was opened again", again),
    ("no number is given out twice", numbers),
    ("the life of each stamp is known, and whether it came after a crash", lived),
    ("a message says where it came from, and where its rows are", placed),
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

fn lived(subject: &mut dyn Subject) {
    let mut last = None;
    for n in 0..4 {
        let mut store = subject.open();
        let stamp = store.numbers().unwrap().stamp;
        let inbound = |lane, router: String, answers_after_delivery| LivedInbound {
            lane: LaneId(lane),
            router,
            answers_after_delivery,
        };
        let inbounds =
            vec![inbound(1, "adt".to_owned(), false), inbound(2, format!("orm {n}"), true)];
        let (began_at, configuration) = (1_000 + n, format!("9c41e0{n}"));
        let life = Life { stamp, began_at, configuration, inbounds, after_crash: false };
        store.begin_life(&life).unwrap();
        let mut reader = store.reader().unwrap();
        // The second and the last came after a life that no stop has ended.
        let expected = Life { after_crash: n % 2 == 1, ..life };
        for its in [stamp, Stamp(stamp.0 + 5), Stamp(stamp.0 + (1 << 40) - 1)] {
            assert_eq!(reader.life(its).unwrap().as_ref(), Some(&expected));
        }
        let before = reader.life(Stamp(stamp.0 - 1)).unwrap();
        assert_eq!(before, last.replace(expected));
        if n == 1 {
            store.end_life(2_000).unwrap();
        }
    }
}

fn placed(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (inbound, lab) = (bench.ingress.lane, bench.lab.lane);
    let origin = Piece::from(&b"10.1.4.17:51022"[..]);
    let new = NewMessage { origin: origin.clone(), ..message(1, inbound, inline(b"MSH|")) };
    let records = vec![Record::Message(new), Record::Message(message(2, inbound, inline(b"MSH|")))];
    bench.committed(records, vec![]);
    let rows = [2, 1, 3, 1, 4, 5, 6].map(|id| append(lab, id));
    bench.committed(rows.into(), vec![]);
    let mut reader = bench.store.reader().unwrap();
    let mut origin_of = |id| reader.message(MessageId(id)).unwrap().unwrap().message.origin;
    assert_eq!((origin_of(1), origin_of(2)), (origin, Piece::default()));
    let mut rows = |lane, id| reader.rows_of(lane, MessageId(id)).unwrap();
    assert_eq!(rows(lab, 1), [Seq(2), Seq(4)]);
    assert_eq!(rows(lab, 6), [Seq(7)]);
    assert_eq!(rows(lab, 9), []);
    assert_eq!(rows(bench.bill.lane, 1), []);
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
