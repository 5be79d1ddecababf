//! Messages to which an operator adds work: whatever was known of them before, they end as their parts
//! say.

use mllp_pipeline::{Disposition, MessageId, Part, Record, Reopened, Stamp};

use super::{Bench, Case, Subject, inline, message};

pub(super) const CASES: &[(&str, Case)] = &[
    ("a message that was processed is open until the new work is delivered", processed),
    ("a dead delivery that is forgiven and delivered makes it processed", forgiven),
    ("a failure that is not forgiven stays", not_forgiven),
    ("forgiven parts of several count no more", forgiven_part),
    ("the sole row of an open message counts as one part", open_sole),
    ("a sole row that leads to several is finished with that", open_sole_splits),
    ("a sole row that fails in the transaction before counts", completed_before),
    ("a message is reopened twice", twice),
    ("once it is final an outcome stands as it is", sole_again),
    ("failures are counted", failures),
];

fn received(bench: &mut Bench) {
    let inbound = bench.ingress.lane;
    bench.committed(vec![Record::Message(message(1, inbound, inline(b"MSH|")))], vec![]);
}

fn outcome(stamp: u64, disposition: Disposition) -> Record {
    let (message, stamp, at) = (MessageId(1), Stamp(stamp), stamp);
    Record::Outcome { message, stamp, disposition, at }
}

fn reopened(stamp: u64, forgiven: u32) -> Record {
    let (message, stamp, at) = (MessageId(1), Stamp(stamp), stamp);
    Record::Reopened(Reopened { message, stamp, forgiven, at })
}

fn part(stamp: u64, added: u32, finished: u32, delivered: u32, failed: u32) -> Record {
    let part = Part::new(MessageId(1), Stamp(stamp), stamp);
    Record::Part(Part { added, finished, delivered, failed, ..part })
}

fn disposition(bench: &Bench) -> Disposition {
    bench.store.reader().unwrap().message(MessageId(1)).unwrap().unwrap().disposition
}

/// Commits, and checks how the message stands after it.
fn then(bench: &mut Bench, records: Vec<Record>, expected: Disposition) {
    let has_ended = records.iter().any(|it| matches!(it, Record::Part(_))) && expected.is_final();
    let finals = bench.committed(records, vec![]).finals;
    assert_eq!(disposition(bench), expected);
    let told = finals.first().map(|(_, disposition)| *disposition);
    assert!(told == Some(expected) || told.is_none() && !has_ended, "{told:?}");
}

fn processed(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    then(&mut bench, vec![outcome(1, Disposition::Processed)], Disposition::Processed);
    then(&mut bench, vec![reopened(2, 0), part(3, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![part(4, 0, 1, 0, 1)], Disposition::Error);
    then(&mut bench, vec![reopened(5, 1), part(6, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![part(7, 0, 1, 1, 0)], Disposition::Processed);
}

fn forgiven(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    then(&mut bench, vec![outcome(1, Disposition::Error)], Disposition::Error);
    then(&mut bench, vec![reopened(2, 1), part(3, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![part(4, 0, 1, 1, 0)], Disposition::Processed);
}

fn not_forgiven(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    then(&mut bench, vec![outcome(1, Disposition::Error)], Disposition::Error);
    then(&mut bench, vec![reopened(2, 0), part(3, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![part(4, 0, 1, 1, 0)], Disposition::Error);
}

fn forgiven_part(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    then(&mut bench, vec![part(1, 3, 0, 0, 0)], Disposition::Received);
    then(&mut bench, vec![part(2, 0, 2, 0, 2)], Disposition::Received);
    // One of the two is done again while the third is still open.
    then(&mut bench, vec![reopened(3, 1), part(4, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![part(5, 0, 1, 1, 0)], Disposition::Routed);
    then(&mut bench, vec![part(6, 0, 1, 1, 0)], Disposition::Error);
    then(&mut bench, vec![reopened(7, 1), part(8, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![part(9, 0, 1, 1, 0)], Disposition::Processed);
}

fn open_sole(subject: &mut dyn Subject) {
    for first_ends in [true, false] {
        for (sole, end) in [
            (Disposition::Processed, Disposition::Processed),
            (Disposition::Filtered, Disposition::Processed),
            (Disposition::Error, Disposition::Error),
        ] {
            let mut bench = Bench::of(subject);
            let id = if first_ends { 1 } else { 2 } + 2 * sole as u64;
            let inbound = bench.ingress.lane;
            let new = Record::Message(message(id, inbound, inline(b"MSH|")));
            let of = |record: Record| moved(record, id);
            bench.committed(vec![new, of(outcome(1, Disposition::Routed))], vec![]);
            bench.committed(vec![of(reopened(2, 0)), of(part(3, 1, 0, 0, 0))], vec![]);
            let mut ends = vec![of(outcome(4, sole)), of(part(5, 0, 1, 1, 0))];
            if first_ends {
                ends.reverse();
            }
            let last = ends.remove(1);
            let first = bench.committed(ends, vec![]);
            assert!(first.finals.is_empty() && first.open == [MessageId(id)], "the other is open");
            let both = bench.committed(vec![last], vec![]);
            assert_eq!((both.finals, both.open), (vec![(MessageId(id), end)], vec![]));
        }
    }
}

/// The same about another message.
fn moved(record: Record, id: u64) -> Record {
    let message = MessageId(id);
    match record {
        Record::Outcome { stamp, disposition, at, .. } => {
            Record::Outcome { message, stamp, disposition, at }
        }
        Record::Reopened(it) => Record::Reopened(Reopened { message, ..it }),
        Record::Part(it) => Record::Part(Part { message, ..it }),
        other => other,
    }
}

fn open_sole_splits(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    then(&mut bench, vec![reopened(1, 0), part(2, 1, 0, 0, 0)], Disposition::Routed);
    // The router runs: two rows, and a handler that has failed.
    let Record::Part(split) = part(4, 3, 1, 0, 1) else { unreachable!() };
    let split = Record::Part(Part { sole: true, ..split });
    then(&mut bench, vec![outcome(3, Disposition::Routed), split], Disposition::Routed);
    then(&mut bench, vec![part(5, 0, 1, 1, 0)], Disposition::Routed);
    then(&mut bench, vec![part(6, 0, 1, 1, 0)], Disposition::Routed);
    then(&mut bench, vec![part(7, 0, 1, 1, 0)], Disposition::Error);
}

fn completed_before(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    // The sole row is delivered by the transaction that adds work.
    let records = vec![outcome(1, Disposition::Processed), reopened(2, 0), part(3, 1, 0, 0, 0)];
    then(&mut bench, records, Disposition::Routed);
    then(&mut bench, vec![part(4, 0, 1, 1, 0)], Disposition::Processed);
}

fn twice(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    then(&mut bench, vec![outcome(1, Disposition::Routed)], Disposition::Routed);
    then(&mut bench, vec![reopened(2, 0), part(3, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![reopened(4, 0), part(5, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![outcome(6, Disposition::Processed)], Disposition::Routed);
    then(&mut bench, vec![part(7, 0, 1, 1, 0)], Disposition::Routed);
    then(&mut bench, vec![part(8, 0, 1, 1, 0)], Disposition::Processed);
}

fn sole_again(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    then(&mut bench, vec![outcome(1, Disposition::Processed)], Disposition::Processed);
    then(&mut bench, vec![reopened(2, 0), part(3, 1, 0, 0, 0)], Disposition::Routed);
    then(&mut bench, vec![part(4, 0, 1, 1, 0)], Disposition::Processed);
    then(&mut bench, vec![outcome(5, Disposition::Error)], Disposition::Error);
}

fn failures(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench);
    let count = |bench: &Bench| bench.store.reader().unwrap().failures(MessageId(1)).unwrap();
    assert_eq!(count(&bench), 0);
    bench.committed(vec![outcome(1, Disposition::Error)], vec![]);
    assert_eq!(count(&bench), 1);
    bench.committed(vec![reopened(2, 1), part(3, 1, 0, 0, 0)], vec![]);
    assert_eq!(count(&bench), 0);
    bench.committed(vec![part(4, 0, 1, 0, 1)], vec![]);
    assert_eq!(count(&bench), 1);
}
