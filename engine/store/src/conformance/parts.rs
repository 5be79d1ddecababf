//! Messages with several parts, and dispositions.

use mllp_pipeline::{Append, Disposition, MessageId, Part, Record, Stamp};

use super::{Bench, Case, Subject, inline, message};

pub(super) const CASES: &[(&str, Case)] = &[
    ("a message is final when as many parts are finished as were added", all_finished),
    ("one failed part makes an error", failed),
    ("no delivery makes it filtered", filtered),
    ("parts of one transaction are summed together", one_transaction),
    ("a part that is added later opens the message again", reopened),
    ("the outcome with the highest stamp counts", highest),
    ("dispositions are listed in order, in slices", listed),
];

struct Counts {
    added: u32,
    finished: u32,
    delivered: u32,
    failed: u32,
}

fn part(id: u64, stamp: u64, counts: &Counts) -> Record {
    Record::Part(Part {
        message: MessageId(id),
        stamp: Stamp(stamp),
        added: counts.added,
        finished: counts.finished,
        delivered: counts.delivered,
        failed: counts.failed,
        sole: false,
        at: 100 + stamp,
    })
}

const fn counts(added: u32, finished: u32, delivered: u32, failed: u32) -> Counts {
    Counts { added, finished, delivered, failed }
}

fn received(bench: &mut Bench, ids: &[u64]) {
    let inbound = bench.ingress.lane;
    let messages = ids.iter().map(|id| Record::Message(message(*id, inbound, inline(b"MSH|"))));
    bench.committed(messages.collect(), vec![]);
}

fn disposition(bench: &Bench, id: u64) -> Disposition {
    let mut reader = bench.store.reader().unwrap();
    reader.message(MessageId(id)).unwrap().unwrap().disposition
}

fn all_finished(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench, &[1]);
    assert_eq!(disposition(&bench, 1), Disposition::Received);
    let added = bench.committed(vec![part(1, 1, &counts(2, 0, 0, 0))], vec![]);
    assert!(added.finals.is_empty());
    let one = bench.committed(vec![part(1, 2, &counts(0, 1, 1, 0))], vec![]);
    assert!(one.finals.is_empty());
    let both = bench.committed(vec![part(1, 3, &counts(0, 1, 1, 0))], vec![]);
    assert_eq!(both.finals, [(MessageId(1), Disposition::Processed)]);
    assert_eq!(disposition(&bench, 1), Disposition::Processed);
    let mut reader = bench.store.reader().unwrap();
    assert_eq!(reader.message(MessageId(1)).unwrap().unwrap().since, 103);
}

fn failed(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench, &[1]);
    bench.committed(vec![part(1, 1, &counts(2, 1, 0, 1))], vec![]);
    let end = bench.committed(vec![part(1, 2, &counts(0, 1, 1, 0))], vec![]);
    assert_eq!(end.finals, [(MessageId(1), Disposition::Error)]);
}

fn filtered(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench, &[1]);
    let end = bench.committed(vec![part(1, 1, &counts(1, 1, 0, 0))], vec![]);
    assert_eq!(end.finals, [(MessageId(1), Disposition::Filtered)]);
}

fn one_transaction(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench, &[1, 2]);
    let records = vec![
        part(1, 1, &counts(2, 0, 0, 0)),
        part(2, 2, &counts(1, 0, 0, 0)),
        part(1, 3, &counts(0, 1, 1, 0)),
        part(1, 4, &counts(0, 1, 0, 0)),
    ];
    let end = bench.committed(records, vec![]);
    assert_eq!(end.finals, [(MessageId(1), Disposition::Processed)]);
    assert_eq!(disposition(&bench, 2), Disposition::Received);
}

fn reopened(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench, &[1]);
    bench.committed(vec![part(1, 1, &counts(1, 1, 0, 1))], vec![]);
    assert_eq!(disposition(&bench, 1), Disposition::Error);
    let again = Record::Outcome {
        message: MessageId(1),
        stamp: Stamp(2),
        disposition: Disposition::Routed,
        at: 200,
    };
    let added = bench.committed(vec![again, part(1, 3, &counts(1, 0, 0, 0))], vec![]);
    assert!(added.finals.is_empty());
    assert_eq!(disposition(&bench, 1), Disposition::Routed);
    let end = bench.committed(vec![part(1, 4, &counts(0, 1, 1, 0))], vec![]);
    assert_eq!(end.finals, [(MessageId(1), Disposition::Error)], "the first failure stays");
}

fn highest(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench, &[1]);
    let outcome = |stamp, disposition| Record::Outcome {
        message: MessageId(1),
        stamp: Stamp(stamp),
        disposition,
        at: stamp,
    };
    bench.committed(vec![outcome(9, Disposition::Processed)], vec![]);
    bench.committed(vec![outcome(5, Disposition::Error)], vec![]);
    assert_eq!(disposition(&bench, 1), Disposition::Processed);
    let all = [Disposition::Unrouted, Disposition::Filtered, Disposition::Duplicate];
    for (stamp, one) in (10..).zip(all) {
        bench.committed(vec![outcome(stamp, one)], vec![]);
        assert_eq!(disposition(&bench, 1), one);
    }
}

fn listed(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    received(&mut bench, &[1, 2, 3, 4]);
    let done = Record::Outcome {
        message: MessageId(2),
        stamp: Stamp(1),
        disposition: Disposition::Processed,
        at: 1,
    };
    let resting =
        Record::Append(Append { sole: false, ..Append::new(bench.lab.lane, MessageId(3)) });
    bench.committed(vec![done, resting], vec![]);
    let mut reader = bench.store.reader().unwrap();
    let first = reader.dispositions(MessageId(1), 3).unwrap();
    assert_eq!(
        first,
        [
            (MessageId(1), Disposition::Received),
            (MessageId(2), Disposition::Processed),
            (MessageId(3), Disposition::Received),
        ]
    );
    let rest = reader.dispositions(MessageId(4), 3).unwrap();
    assert_eq!(rest, [(MessageId(4), Disposition::Received)]);
}
