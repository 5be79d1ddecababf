//! Searching, held against looking at every message.

use std::collections::BTreeSet;

use mllp_pipeline::{
    Disposition, Event, Keys, MessageId, NewMessage, Note, Piece, Record, Stamp, What, field_hash,
};

use super::{Bench, Case, Subject, inline, message};
use crate::contract::{Identity, Reader, Store};
use crate::query::{Found, Query, SEARCH_LOOKS};

pub(super) const CASES: &[(&str, Case)] = &[
    ("by each of its terms, newest first", terms),
    ("in pages that neither repeat nor skip", pages),
    ("a call is bounded and says where to go on", bounded),
    ("whatever was written since, or is not written yet", any_age),
    ("a message that was committed after later ones", late),
    ("identities, wherever they are written", identities),
];

/// Messages that a seeded test writes.
const MANY: u64 = 1_500;

fn all(reader: &mut dyn Reader, query: &Query) -> Vec<u64> {
    page_by_page(reader, query, 1_000)
}

fn page_by_page(reader: &mut dyn Reader, query: &Query, limit: u32) -> Vec<u64> {
    let mut ids = Vec::new();
    let mut before = MessageId(u64::MAX);
    loop {
        let Found { messages, next } = reader.search(query, before, limit).unwrap();
        assert!(messages.len() <= limit as usize);
        ids.extend(messages.iter().map(|it| it.message.id.0));
        match next {
            Some(next) => {
                assert!(next < before, "it comes to an end");
                before = next;
            }
            None => return ids,
        }
    }
}

fn upkeep(store: &mut dyn Store) {
    let mut slices = 0;
    while store.tend().unwrap() {
        slices += 1;
        assert!(slices < 100_000, "it comes to an end");
    }
}

fn terms(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let [inbound, lab, bill] = [bench.ingress.lane, bench.lab.lane, bench.bill.lane];
    let patient = |number: &[u8]| field_hash("PID-3.1", number);
    let one = |id: u64, control_id: &str, message_type: &str, patient: u64| NewMessage {
        control_id: Piece::from(control_id.as_bytes()),
        message_type: Piece::from(message_type.as_bytes()),
        indexed: Keys::new(&[patient, field_hash("PID-19", b"1")]),
        ..message(id, inbound, inline(b"MSH|"))
    };
    let event = |id: u64, stamp: u64, what: What| {
        Record::Event(Event { message: MessageId(id), stamp: Stamp(stamp), at: 5, what })
    };
    let delivered = What::Delivered { outbound: bill, milliseconds: 1, note: Note::default() };
    let outcome = |id: u64, stamp: u64, disposition| {
        let (message, stamp) = (MessageId(id), Stamp(stamp));
        Record::Outcome { message, stamp, disposition, at: 5 }
    };
    let records = vec![
        Record::Message(one(1, "A", "ADT^A01^ADT_A01", patient(b"7"))),
        Record::Message(one(2, "B", "ADT^A01", patient(b"8"))),
        Record::Message(one(3, "A", "ADT^A08", patient(b"7"))),
        Record::Message(one(4, "", "", patient(b"9"))),
        event(1, 1, What::Transformed { handler: lab, outbounds: vec![bill] }),
        outcome(1, 2, Disposition::Error),
        outcome(1, 3, Disposition::Processed),
        event(2, 4, delivered),
        outcome(2, 5, Disposition::Error),
        outcome(3, 6, Disposition::Processed),
    ];
    bench.committed(records, vec![]);
    let mut reader = bench.store.reader().unwrap();
    let none = Query::default;
    let text = |text: &str| Some(Piece::from(text.as_bytes()));
    for (query, expected) in [
        (none(), &[4, 3, 2, 1][..]),
        (Query { control_id: text("A"), ..none() }, &[3, 1]),
        (Query { control_id: text("C"), ..none() }, &[]),
        (Query { message_type: text("ADT"), ..none() }, &[3, 2, 1]),
        (Query { message_type: text("ADT^A01"), ..none() }, &[2, 1]),
        (Query { message_type: text("ADT^A01^ADT_A01"), ..none() }, &[1]),
        (Query { message_type: text("AD"), ..none() }, &[]),
        (Query { indexed: Keys::new(&[patient(b"7")]), ..none() }, &[3, 1]),
        (Query { indexed: Keys::new(&[patient(b"7"), patient(b"8")]), ..none() }, &[]),
        (Query { received: Some(1_796_000_000_002..1_796_000_000_004), ..none() }, &[3, 2]),
        (Query { received: Some(5..5), ..none() }, &[]),
        (Query { lane: Some(inbound), ..none() }, &[4, 3, 2, 1]),
        (Query { lane: Some(lab), ..none() }, &[1]),
        (Query { lane: Some(bill), ..none() }, &[2, 1]),
        (Query { disposition: Some(Disposition::Processed), ..none() }, &[3, 1]),
        (Query { disposition: Some(Disposition::Received), ..none() }, &[4]),
    ] {
        assert_eq!(all(&mut *reader, &query), expected, "{query:?}");
    }
    let both = Query { control_id: text("A"), message_type: text("ADT^A08"), ..none() };
    let found = reader.search(&both, MessageId(u64::MAX), 9).unwrap();
    let expected = reader.message(MessageId(3)).unwrap().unwrap();
    assert_eq!(found.messages, [expected]);
    assert!(reader.search(&both, MessageId(3), 9).unwrap().messages.is_empty());
}

/// Messages of few control IDs, types and patients, received by a clock that jumps.
fn some(bench: &Bench, id: u64) -> NewMessage {
    let chance = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let kinds = ["ADT^A01^ADT_A01", "ADT^A08", "ORU^R01", "SIU^S12"];
    let jump = if id % 100 < 50 { 0 } else { 86_400_000 };
    NewMessage {
        received_at: 1_796_000_000_000 + id * 10 - jump,
        control_id: Piece::from(format!("M{}", chance % 400).as_bytes()),
        message_type: Piece::from(kinds[(chance / 7 % 4) as usize].as_bytes()),
        indexed: Keys::new(&[field_hash("PID-3.1", &(chance / 31 % 90).to_le_bytes())]),
        identity: if id.is_multiple_of(5) { 0 } else { u128::from(chance) << 70 | u128::from(id) },
        ..message(id, bench.ingress.lane, inline(b"MSH|"))
    }
}

fn write(bench: &mut Bench, ids: impl Iterator<Item = u64>) {
    for part in ids.collect::<Vec<_>>().chunks(50) {
        let records = part.iter().map(|id| Record::Message(some(bench, *id))).collect();
        bench.committed(records, vec![]);
    }
}

fn queries() -> Vec<Query> {
    let mut queries = vec![Query::default()];
    let text = |text: &str| Some(Piece::from(text.as_bytes()));
    for n in [0, 17, 399, 400] {
        queries.push(Query { control_id: text(&format!("M{n}")), ..Query::default() });
    }
    for kind in ["ADT^A01", "SIU", "ORU^R01"] {
        let from = 1_796_000_000_000 + 300 * 10;
        let received = Some(from..from + 250 * 10);
        queries.push(Query { message_type: text(kind), received, ..Query::default() });
    }
    for patient in [0u64, 89, 90] {
        let indexed = Keys::new(&[field_hash("PID-3.1", &patient.to_le_bytes())]);
        queries.push(Query { indexed: indexed.clone(), ..Query::default() });
        let received = Some(0..1_796_000_000_000);
        queries.push(Query { indexed, received, ..Query::default() });
    }
    queries
}

/// Holds all the queries against looking at every message.
fn check(bench: &Bench, written: &BTreeSet<u64>) {
    let mut reader = bench.store.reader().unwrap();
    for query in queries() {
        let meant = |id: &u64| query.meets(&some(bench, *id));
        let expected: Vec<u64> = written.iter().rev().copied().filter(meant).collect();
        assert_eq!(all(&mut *reader, &query), expected, "{query:?}");
    }
}

fn pages(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    write(&mut bench, 1..=500);
    upkeep(&mut *bench.store);
    let mut reader = bench.store.reader().unwrap();
    for query in queries() {
        let whole = all(&mut *reader, &query);
        for limit in [1, 2, 7] {
            assert_eq!(page_by_page(&mut *reader, &query, limit), whole, "{query:?}");
        }
    }
}

fn bounded(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let last = u64::from(SEARCH_LOOKS) + 50;
    let rare = Piece::from(&b"MDM^T02"[..]);
    for part in (1..=last).collect::<Vec<_>>().chunks(1_000) {
        let records = part.iter().map(|id| {
            let mut one = message(*id, bench.ingress.lane, inline(b""));
            if *id == 3 {
                one.message_type = rare.clone();
            }
            Record::Message(one)
        });
        bench.committed(records.collect(), vec![]);
    }
    let mut reader = bench.store.reader().unwrap();
    let lane = Query { lane: Some(bench.bill.lane), ..Query::default() };
    let first = reader.search(&lane, MessageId(u64::MAX), 9).unwrap();
    assert!(first.messages.is_empty());
    assert!(first.next.is_some_and(|it| it.0 >= 50), "not all of it in one call");
    assert_eq!(all(&mut *reader, &lane), []);
    let kind = Query { message_type: Some(rare), ..Query::default() };
    assert_eq!(all(&mut *reader, &kind), [3]);
}

fn any_age(subject: &mut dyn Subject) {
    let mut written = BTreeSet::new();
    let mut bench = Bench::of(subject);
    for round in 0..6 {
        let first = bench.numbers.message.0;
        let ids = first..first + MANY / 6;
        written.extend(ids.clone());
        let (early, rest) = (ids.start..ids.start + 100, ids.start + 100..ids.end);
        write(&mut bench, early);
        if round % 2 == 0 {
            bench.store.tend().unwrap();
        }
        write(&mut bench, rest);
        check(&bench, &written);
        if round % 3 != 0 {
            upkeep(&mut *bench.store);
            check(&bench, &written);
        }
        drop(bench);
        bench = Bench::of(subject);
        check(&bench, &written);
        for _ in 0..round * 20 {
            bench.store.tend().unwrap();
        }
    }
    upkeep(&mut *bench.store);
    check(&bench, &written);
}

fn late(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let first = bench.numbers.message.0;
    let all: BTreeSet<u64> = (first..first + MANY).collect();
    // One inbound waits for a comparison, and the others go on.
    let is_late = |id: &u64| (*id).is_multiple_of(97);
    write(&mut bench, all.iter().copied().filter(|id| !is_late(id)));
    upkeep(&mut *bench.store);
    let (one, other): (Vec<u64>, Vec<u64>) =
        all.iter().copied().filter(is_late).partition(|id| *id % 2 == 0);
    write(&mut bench, one.into_iter());
    drop(bench);
    let mut bench = Bench::of(subject);
    write(&mut bench, other.into_iter());
    check(&bench, &all);
    upkeep(&mut *bench.store);
    check(&bench, &all);
    let mut more = all.clone();
    more.extend(first + MANY..first + 2 * MANY);
    write(&mut bench, first + MANY..first + 2 * MANY);
    upkeep(&mut *bench.store);
    drop(bench);
    let bench = Bench::of(subject);
    check(&bench, &more);
}

/// Holds the identities against those of every message, newest first, in pages.
fn check_identities(bench: &Bench, written: &BTreeSet<u64>) {
    let mut reader = bench.store.reader().unwrap();
    let known = |id: &u64| {
        let NewMessage { id, inbound, received_at, identity, .. } = some(bench, *id);
        (identity != 0).then_some(Identity { message: id, inbound, received_at, identity })
    };
    let expected: Vec<_> = written.iter().rev().filter_map(known).collect();
    for limit in [17, 5_000] {
        let (mut found, mut before) = (Vec::new(), MessageId(u64::MAX));
        loop {
            let page = reader.identities(before, limit).unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= limit as usize && last.message < before);
            before = last.message;
            found.extend(page);
        }
        let ids = |known: &[Identity]| known.iter().map(|it| it.message.0).collect::<Vec<_>>();
        assert_eq!(ids(&found), ids(&expected));
        assert!(found == expected);
    }
}

fn identities(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let first = bench.numbers.message.0;
    let all: BTreeSet<u64> = (first..first + 400).collect();
    let is_late = |id: &u64| *id == first || (*id).is_multiple_of(23);
    write(&mut bench, all.iter().copied().filter(|id| !is_late(id)));
    upkeep(&mut *bench.store);
    write(&mut bench, all.iter().copied().filter(is_late));
    check_identities(&bench, &all);
    drop(bench);
    let mut bench = Bench::of(subject);
    check_identities(&bench, &all);
    let more: BTreeSet<u64> = (first..first + 800).collect();
    write(&mut bench, first + 400..first + 800);
    upkeep(&mut *bench.store);
    check_identities(&bench, &more);
}
