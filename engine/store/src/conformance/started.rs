//! What may be with the partner, and rows that the cursor has passed unfinished.

use mllp_pipeline::{Append, IdHash, Keys, MessageId, Record, Seq, Started};

use super::{Bench, Case, Subject, append, update};

pub(super) const CASES: &[(&str, Case)] = &[
    ("what is started is in the head, as it was written last", last_written),
    ("what is started is dropped when it is done, or the cursor passes it", dropped),
    ("a parked row stays, with all that it has, when the cursor passes it", parked),
    ("a parked row that is completed is gone, and what was started of it", unparked),
];

fn started(bench: &Bench, seq: u64, attempt: u32) -> Record {
    let (lane, due) = (bench.lab.lane, 1_796_000_005_000 + u64::from(attempt));
    let waited = 7 * u64::from(attempt);
    Record::Started(Started { lane, seq: Seq(seq), attempt, due, waited })
}

fn in_head(bench: &mut Bench) -> Vec<(u64, u32)> {
    let lane = bench.lab.lane;
    bench.head(lane).started.iter().map(|it| (it.seq.0, it.attempt)).collect()
}

fn last_written(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    assert_eq!((head.started, head.parked), (vec![], vec![]));
    bench.committed((1..=9).map(|id| append(head.lane, id)).collect(), vec![]);
    let records = vec![started(&bench, 3, 0), started(&bench, 2, 0)];
    bench.committed(records, vec![]);
    assert_eq!(in_head(&mut bench), [(2, 0), (3, 0)]);
    let records = vec![started(&bench, 3, 1)];
    bench.committed(records, vec![]);
    assert_eq!(in_head(&mut bench), [(2, 0), (3, 1)]);
    let Record::Started(written) = started(&bench, 3, 1) else { unreachable!() };
    assert_eq!(bench.head(head.lane).started[1], written);
    assert_eq!(bench.head(bench.bill.lane).started, []);
    // A new owner reads the same.
    drop(bench);
    let mut again = Bench::of(subject);
    assert_eq!(in_head(&mut again), [(2, 0), (3, 1)]);
}

fn dropped(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let lane = head.lane;
    bench.committed((1..=9).map(|id| append(lane, id)).collect(), vec![]);
    let records = (1..=4).map(|seq| started(&bench, seq, 0)).collect();
    bench.committed(records, vec![]);
    bench.committed(vec![Record::Done { lane, seq: Seq(3) }], vec![update(&head, 1, None)]);
    assert_eq!(in_head(&mut bench), [(2, 0), (4, 0)]);
    let records = vec![started(&bench, 5, 0)];
    bench.committed(records, vec![update(&head, 3, None)]);
    assert_eq!(in_head(&mut bench), [(4, 0), (5, 0)]);
    bench.committed(vec![], vec![update(&head, 5, None)]);
    assert_eq!(in_head(&mut bench), []);
}

fn parked(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let lane = head.lane;
    let keyed = |id| {
        let keys = Keys::new(&[id, u64::MAX]);
        Record::Append(Append { keys, id_hash: IdHash(7), ..Append::new(lane, MessageId(id)) })
    };
    bench.committed((1..=9).map(keyed).collect(), vec![]);
    let records = vec![
        started(&bench, 1, 2),
        Record::Parked { lane, seq: Seq(1) },
        Record::Parked { lane, seq: Seq(3) },
    ];
    bench.committed(records, vec![update(&head, 4, None)]);
    let mut reader = bench.store.reader().unwrap();
    let rows = reader.entries(lane, Seq(0), 9).unwrap();
    let stored = bench.head(lane);
    assert_eq!(stored.parked, [rows[0].clone(), rows[2].clone()]);
    assert_eq!(stored.parked[1].keys, Keys::new(&[3, u64::MAX]));
    assert_eq!(in_head(&mut bench), [(1, 2)]);
    // Its attempts go on.
    let records = vec![started(&bench, 1, 3)];
    bench.committed(records, vec![update(&head, 9, None)]);
    assert_eq!(in_head(&mut bench), [(1, 3)]);
    drop((bench, reader));
    let mut again = Bench::of(subject);
    assert_eq!(again.head(lane).parked.len(), 2);
}

fn unparked(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let head = bench.lab.clone();
    let lane = head.lane;
    bench.committed((1..=9).map(|id| append(lane, id)).collect(), vec![]);
    let park = |seq| Record::Parked { lane, seq: Seq(seq) };
    let records = vec![started(&bench, 1, 1), started(&bench, 2, 1), park(1), park(2)];
    bench.committed(records, vec![update(&head, 4, None)]);
    let records = vec![Record::Unparked { lane, seq: Seq(1) }];
    bench.committed(records, vec![update(&head, 4, None)]);
    assert_eq!(in_head(&mut bench), [(2, 1)]);
    let parked: Vec<_> = bench.head(lane).parked.iter().map(|it| it.seq.0).collect();
    assert_eq!(parked, [2]);
}
