//! Retention: what has expired goes, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{
    Append, Body, BodyId, Disposition, Entry, Event, Failure, List, MessageId, NewMessage, Piece,
    Position, Record, RowBody, Seq, Source, Stamp, What,
};

use super::{Bench, Case, Subject, append, inline, message, update};
use crate::contract::{Held, Reader, Store};
use crate::query::Query;
use crate::retention::{ClockDoubt, Days, LastPass, Retention};

pub(super) const CASES: &[(&str, Case)] = &[
    ("each class by its own age", classes),
    ("no days, a day, and for ever", matrix),
    ("connections have days of their own", by_connection),
    ("no days while messages come and go", during_load),
    ("bodies in chunks go with their chunks", chunked),
    ("dead and held deliveries", lists),
    ("numbers of what was deleted are not given out again", numbers),
    ("what is kept of a pass", passes),
];

pub(super) const DAY: u64 = 24 * 60 * 60 * 1000;
pub(super) const NOW: u64 = 1_796_000_000_000;

pub(super) fn days(days: Option<u32>) -> Days {
    Days { bodies: days, metadata: days, dead: days }
}

/// One pass.
pub(super) fn purge(store: &mut dyn Store, retention: &Retention, now: u64) {
    let expiry = retention.at(now);
    let mut slices = 0;
    while store.expire(&expiry).unwrap() {
        slices += 1;
        assert!(slices < 100_000, "it comes to an end");
    }
    // What is gone stays gone, and nothing more goes.
    while store.tend().unwrap() {}
    prove(&mut *store.reader().unwrap());
}

/// The store's own proof, where it has one.
fn prove(reader: &mut dyn Reader) {
    let mut findings = Vec::new();
    reader.verify(&mut |finding| findings.push(finding.to_string())).unwrap();
    assert_eq!(findings, [] as [String; 0]);
}

/// What is left of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Everything,
    WithoutBody,
    Nothing,
}

fn left(reader: &mut dyn Reader, id: u64) -> Left {
    let id = MessageId(id);
    let Some(stored) = reader.message(id).unwrap() else {
        assert!(reader.expired(id).unwrap().is_some(), "{id}: never unknown");
        assert!(reader.journey(id).unwrap().is_empty());
        assert!(!reader.body(Held::Message(id), &mut |_| ()).unwrap());
        return Left::Nothing;
    };
    assert_eq!(reader.expired(id).unwrap(), None);
    assert!(!reader.journey(id).unwrap().is_empty());
    let mut len = 0;
    let has_body = reader.body(Held::Message(id), &mut |part| len += part.len()).unwrap();
    assert_eq!(has_body, stored.body_expired.is_none());
    assert_eq!(stored.len, SOME.len() as u64, "also of one that is gone");
    if has_body { Left::Everything } else { Left::WithoutBody }
}

/// A message of a certain age, and what has become of it when; `None`: it waits in LAB.
/// The body of a message. What a row sends of it stands in the store as what is different.
const SOME: [u8; 100] = [7; 100];

pub(super) fn records(
    bench: &Bench,
    id: u64,
    age: u64,
    outcome: Option<(Disposition, u64)>,
) -> Vec<Record> {
    let received_at = NOW - age;
    let new = NewMessage { received_at, ..message(id, bench.ingress.lane, inline(&SOME)) };
    let (id, stamp) = (new.id, Stamp(id << 20));
    let routed = What::Routed { inbound: None, handlers: vec![] };
    let event = Event { message: id, stamp, at: received_at, what: routed };
    let mut records = vec![Record::Message(new), Record::Event(event)];
    match outcome {
        None => records.push(append(bench.lab.lane, id.0)),
        Some((disposition, ago)) => {
            let stamp = Stamp(stamp.0 + 1);
            records.push(Record::Outcome { message: id, stamp, disposition, at: NOW - ago });
        }
    }
    records
}

fn classes(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (processed, error) = (Disposition::Processed, Disposition::Error);
    let cases = [
        (29 * DAY, Some((processed, 29 * DAY)), Left::Everything),
        (31 * DAY, Some((processed, 29 * DAY)), Left::WithoutBody),
        (31 * DAY, None, Left::Everything),
        (31 * DAY, Some((error, 31 * DAY)), Left::Everything),
        (91 * DAY, Some((error, 89 * DAY)), Left::Everything),
        (91 * DAY, Some((error, 91 * DAY)), Left::WithoutBody),
        (399 * DAY, Some((Disposition::Filtered, 399 * DAY)), Left::WithoutBody),
        (401 * DAY, Some((Disposition::Unrouted, 401 * DAY)), Left::Nothing),
        (401 * DAY, Some((error, 89 * DAY)), Left::Everything),
        (401 * DAY, Some((error, 401 * DAY)), Left::Nothing),
        (401 * DAY, None, Left::Everything),
        (0, Some((processed, 0)), Left::Everything),
    ];
    for ((age, outcome, _), id) in cases.iter().zip(1..) {
        let records = records(&bench, id, *age, *outcome);
        bench.committed(records, vec![]);
    }
    for _ in 0..2 {
        purge(&mut *bench.store, &Retention::default(), NOW);
        let mut reader = bench.store.reader().unwrap();
        for ((_, _, expected), id) in cases.iter().zip(1..) {
            assert_eq!(left(&mut *reader, id), *expected, "{id}");
        }
        let all = reader.search(&Query::default(), MessageId(u64::MAX), 99).unwrap();
        assert_eq!(all.messages.len(), 10);
        assert_eq!(reader.dispositions(MessageId(0), 99).unwrap().len(), 10);
        assert_eq!(reader.entries(bench.lab.lane, Seq(0), 9).unwrap().len(), 2);
        assert_eq!(reader.expired(MessageId(8)).unwrap(), Some(NOW));
        assert_eq!(reader.expired(MessageId(13)).unwrap(), None);
    }
    purge(&mut *bench.store, &Retention::default(), NOW + 402 * DAY);
    let mut reader = bench.store.reader().unwrap();
    let there = (1..=12).filter(|id| left(&mut *reader, *id) == Left::Everything);
    assert_eq!(there.collect::<Vec<_>>(), [3, 11]);
}

fn matrix(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (processed, error) = (Disposition::Processed, Disposition::Error);
    let mut id = 0;
    let mut write = |bench: &mut Bench| {
        let ids = [1, DAY + 1].map(|age| {
            [Some((processed, age)), Some((error, age)), None].map(|outcome| {
                id += 1;
                let records = records(bench, id, age, outcome);
                bench.committed(records, vec![]);
                id
            })
        });
        ids.concat()
    };
    let (all, none) = (Left::Everything, Left::Nothing);
    for (class, expected) in [
        (days(None), [all; 6]),
        (days(Some(1)), [all, all, all, none, none, all]),
        (days(Some(0)), [none, none, all, none, none, all]),
        (Days { metadata: None, ..days(Some(0)) }, {
            [Left::WithoutBody, Left::WithoutBody, all, Left::WithoutBody, Left::WithoutBody, all]
        }),
        (Days { dead: None, ..days(Some(0)) }, [none, all, all, none, all, all]),
        (Days { bodies: None, ..days(Some(0)) }, [none, none, all, none, none, all]),
        (Days { bodies: None, metadata: None, dead: Some(0) }, {
            [all, Left::WithoutBody, all, all, Left::WithoutBody, all]
        }),
    ] {
        let ids = write(&mut bench);
        purge(&mut *bench.store, &Retention { days: class, of: vec![] }, NOW);
        let mut reader = bench.store.reader().unwrap();
        let found: Vec<_> = ids.iter().map(|id| left(&mut *reader, *id)).collect();
        assert_eq!(found, expected, "{class:?}");
    }
}

fn by_connection(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let processed = Some((Disposition::Processed, 2 * DAY));
    let other = bench.bill.lane;
    for id in 1..=40 {
        let mut records = records(&bench, id, 2 * DAY, processed);
        if let (true, Record::Message(message)) = (id % 2 == 0, &mut records[0]) {
            message.inbound = other;
        }
        bench.committed(records, vec![]);
    }
    let keep = Retention { days: days(Some(1)), of: vec![(other, days(None))] };
    purge(&mut *bench.store, &keep, NOW);
    let mut reader = bench.store.reader().unwrap();
    for id in 1..=40 {
        let expected = if id % 2 == 0 { Left::Everything } else { Left::Nothing };
        assert_eq!(left(&mut *reader, id), expected, "{id}");
    }
    // What was kept for ever need not stay so.
    let less = Days { bodies: Some(1), ..days(None) };
    purge(&mut *bench.store, &Retention { days: days(Some(1)), of: vec![(other, less)] }, NOW + 1);
    assert!((1..=20).all(|id| left(&mut *reader, id * 2) == Left::WithoutBody));
    purge(&mut *bench.store, &Retention { days: days(Some(1)), of: vec![] }, NOW + 2);
    assert!((1..=40).all(|id| left(&mut *reader, id) == Left::Nothing));
}

/// Messages that wait in LAB, each with the place of its row, and the cursor.
#[derive(Default)]
struct Waiting {
    rows: BTreeMap<u64, u64>,
    done: BTreeSet<u64>,
    cursor: u64,
    tail: u64,
}

impl Waiting {
    /// Finishes the row of a message; returns what is committed for it.
    fn finish(&mut self, bench: &mut Bench, id: u64) {
        let seq = self.rows.remove(&id).unwrap();
        let (message, stamp, lane) = (MessageId(id), Stamp(id << 20 | 1), bench.lab.lane);
        let disposition = Disposition::Processed;
        let mut records = vec![Record::Outcome { message, stamp, disposition, at: NOW }];
        self.done.insert(seq);
        if seq > self.cursor + 1 {
            records.push(Record::Done { lane, seq: Seq(seq) });
        }
        while self.done.remove(&(self.cursor + 1)) {
            self.cursor += 1;
        }
        let moved = update(&bench.lab, self.cursor, Some(4));
        bench.committed(records, vec![moved]);
    }
}

fn during_load(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let first = bench.numbers.message.0;
    let mut waiting = Waiting::default();
    let expiry = Retention { days: days(Some(0)), of: vec![] }.at(NOW);
    for n in 0..400u64 {
        let id = first + n;
        let mut records = records(&bench, id, 1 + n % 5, None);
        if let (1, Some(Record::Append(row))) = (n % 2, records.last_mut()) {
            row.body = RowBody::Own(inline(&SOME[1..]));
        }
        bench.committed(records, vec![]);
        waiting.tail += 1;
        waiting.rows.insert(id, waiting.tail);
        let chance = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let one = waiting.rows.keys().copied().nth(chance as usize % waiting.rows.len());
        if let Some(one) = one.filter(|_| chance % 4 > 0) {
            waiting.finish(&mut bench, one);
        }
        bench.store.expire(&expiry).unwrap();
        bench.store.tend().unwrap();
        if n % 50 == 0 {
            check_waiting(&bench, &waiting);
        }
    }
    // To the end of the pass that is in progress, and then a whole one.
    for _ in 0..2 {
        purge(&mut *bench.store, &Retention { days: days(Some(0)), of: vec![] }, NOW);
        check_waiting(&bench, &waiting);
    }
    let there = bench.store.reader().unwrap().dispositions(MessageId(0), 999).unwrap();
    assert_eq!(there.len(), waiting.rows.len(), "only what waits");
    drop(bench);
    let mut bench = Bench::of(subject);
    check_waiting(&bench, &waiting);
    for id in waiting.rows.keys().copied().collect::<Vec<_>>() {
        waiting.finish(&mut bench, id);
    }
    purge(&mut *bench.store, &Retention { days: days(Some(0)), of: vec![] }, NOW);
    assert_eq!(bench.store.reader().unwrap().dispositions(MessageId(0), 9).unwrap(), []);
    let head = bench.head(bench.lab.lane);
    assert_eq!((head.tail, head.cursor), (Seq(400), Seq(400)));
}

fn check_waiting(bench: &Bench, waiting: &Waiting) {
    let mut reader = bench.store.reader().unwrap();
    for id in waiting.rows.keys() {
        assert_eq!(left(&mut *reader, *id), Left::Everything, "{id}");
    }
    let rows = reader.entries(bench.lab.lane, Seq(waiting.cursor), 999).unwrap();
    let waits = |it: &&Entry| waiting.rows.contains_key(&it.message.0);
    let changed = |it: &&Entry| it.body == Source::Row(bench.lab.lane, it.seq);
    for of in rows.iter().filter(waits).filter(changed) {
        let body = reader.find(Held::Row(bench.lab.lane, of.seq)).unwrap();
        assert_eq!(body, Some(inline(&SOME[1..])), "{}", of.seq);
    }
    let rows: Vec<u64> = rows.iter().map(|it| it.seq.0).collect();
    assert_eq!(rows, (waiting.cursor + 1..=waiting.tail).collect::<Vec<_>>());
    prove(&mut *reader);
}

fn chunked(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let of_message = bench.numbers.body;
    let [of_row, kept] = [1, 2].map(|more| BodyId(of_message.0 + more));
    for body in [of_message, of_row, kept] {
        for n in 0..12 {
            let bytes = Piece::from(&[7; 1000][..]);
            bench.committed(vec![Record::Chunk { body, n, bytes }], vec![]);
        }
    }
    let body = |id| Body::Chunked { id, len: 12_000 };
    let processed = Some((Disposition::Processed, 40 * DAY));
    let mut first = records(&bench, 1, 40 * DAY, processed);
    let mut second = records(&bench, 2, 40 * DAY, None);
    for (records, id) in [(&mut first, of_message), (&mut second, kept)] {
        if let Record::Message(message) = &mut records[0] {
            message.body = body(id);
        }
    }
    let own = RowBody::Own(body(of_row));
    first.push(Record::Append(Append { body: own, ..Append::new(bench.bill.lane, MessageId(1)) }));
    let consumed = update(&bench.bill, 1, Some(1));
    bench.committed(first, vec![consumed]);
    bench.committed(second, vec![]);
    purge(&mut *bench.store, &Retention::default(), NOW);
    let mut reader = bench.store.reader().unwrap();
    let mut len = |of| {
        let mut len = 0;
        reader.body(of, &mut |part| len += part.len()).unwrap().then_some(len)
    };
    assert_eq!(len(Held::Message(MessageId(1))), None);
    assert_eq!(len(Held::Row(bench.bill.lane, Seq(1))), None);
    assert_eq!((len(Held::Chunks(of_message)), len(Held::Chunks(of_row))), (None, None));
    assert_eq!(len(Held::Message(MessageId(2))), Some(12_000));
    assert_eq!(reader.message(MessageId(1)).unwrap().unwrap().len, 12_000);
}

fn lists(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let lane = bench.lab.lane;
    let (error, at) = (Disposition::Error, NOW - 40 * DAY);
    for (id, ended) in [(1, Some(91)), (2, Some(89)), (3, None)] {
        let outcome = ended.map(|days| (error, days * DAY));
        let mut records = records(&bench, id, 120 * DAY, outcome);
        let (message, seq) = (MessageId(id), Seq(id));
        if outcome.is_some() {
            records.push(append(lane, id));
            let why = Failure::RefusedForGood;
            records.push(Record::Dead { lane, seq, message, why, at });
        } else {
            records.push(Record::Held { lane, seq, message, why: None, at });
        }
        let consumed = update(&bench.lab, id, Some(1));
        bench.committed(records, vec![consumed]);
    }
    purge(&mut *bench.store, &Retention::default(), NOW);
    let mut reader = bench.store.reader().unwrap();
    let left: Vec<_> = (1..=3).map(|id| left(&mut *reader, id)).collect();
    assert_eq!(left, [Left::WithoutBody, Left::Everything, Left::Everything]);
    for (list, expected) in [(List::Dead, 2), (List::Held, 3)] {
        let found = reader.listed(list, None, Position::START, 9).unwrap();
        let found: Vec<_> = found.iter().map(|it| it.position.message.0).collect();
        assert_eq!(found, [expected]);
    }
    // Their rows are needed to do them again.
    let rows = reader.entries(lane, Seq(0), 9).unwrap();
    assert!([2, 3].iter().all(|seq| rows.iter().any(|it| it.seq.0 == *seq)));
}

fn numbers(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let id = bench.numbers.message.0;
    let records = records(&bench, id, 2, Some((Disposition::Processed, 2)));
    bench.committed(records, vec![]);
    purge(&mut *bench.store, &Retention { days: days(Some(0)), of: vec![] }, NOW);
    drop(bench);
    let bench = Bench::of(subject);
    assert!(bench.numbers.message.0 > id);
    assert_eq!(bench.store.reader().unwrap().expired(MessageId(id)).unwrap(), Some(NOW));
}

fn passes(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    assert_eq!(bench.store.last_pass().unwrap(), LastPass::default());
    for stopped in [None, Some(ClockDoubt::Jumped), Some(ClockDoubt::LongAway), None] {
        let pass = LastPass { at: NOW, stopped };
        bench.store.keep_pass(&pass).unwrap();
        drop(bench);
        bench = Bench::of(subject);
        assert_eq!(bench.store.last_pass().unwrap(), pass);
    }
}
