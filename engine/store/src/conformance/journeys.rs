//! The journey of a message.

use mllp_pipeline::{
    By, Disposition, Event, Failure, LaneId, MessageId, Note, Record, Stamp, What,
};

use super::{Bench, Case, Subject, inline, message};
use crate::query::Query;

pub(super) const CASES: &[(&str, Case)] = &[
    ("every event comes back as it was, by its stamp", every_event),
    ("a message that was routed says so", routed),
    ("events that are written together", together),
    ("a delivery that ends its message", ended),
];

fn every_event(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lane, note) = (bench.lab.lane, Note("AE lab système busy".into()));
    let handlers = vec![LaneId(8), LaneId(900_000)];
    let failure = Failure::RefusedForNow;
    let by = || By { who: Note("anna".into()), reason: Note("unknown patiënt\nsee 4711".into()) };
    let all = [
        What::Received { inbound: bench.ingress.lane, accepted: true },
        What::Routed { inbound: None, handlers: handlers.clone() },
        What::Routed { inbound: Some(lane), handlers: handlers.clone() },
        What::Routed { inbound: None, handlers: vec![] },
        What::Transformed { handler: LaneId(8), outbounds: handlers },
        What::Transformed { handler: LaneId(9), outbounds: vec![] },
        What::Attempt { outbound: lane, attempt: 100, failure, note: note.clone() },
        What::PossiblySent { outbound: lane },
        What::Overtaken { outbound: lane, by: MessageId(4711) },
        What::Delivered { outbound: lane, milliseconds: 9, note: Note::default() },
        What::Delivered { outbound: lane, milliseconds: 86_400_000, note: note.clone() },
        What::Dead { lane, failure: Failure::RefusedForGood },
        What::Failed { lane, failure: Failure::Content, note: note.clone() },
        What::Failed { lane, failure: Failure::Infrastructure, note: Note::default() },
        What::Dead { lane, failure: Failure::NoReply },
        What::Dead { lane, failure: Failure::Transport },
        What::Duplicate { of: MessageId(4711) },
        What::GaveUp { outbound: lane, failure: Failure::Credential },
        What::Warned { outbound: lane, note: note.clone() },
        What::Held { outbound: lane, failure: Some(failure), by: By::default() },
        What::Held { outbound: lane, failure: None, by: by() },
        What::Released { outbound: lane, newer: 0, by: by() },
        What::Released { outbound: lane, newer: 4_000_000_000, by: by() },
        What::Replayed { to: LaneId(900_000), newer: 7, by: by() },
        What::Edited { copy: MessageId(u64::MAX >> 1), by: by() },
        What::Cancelled { lane, by: by() },
        What::Moved { from: LaneId(8), to: lane, by: By::default() },
        What::Answered { accepted: true },
        What::Answered { accepted: false },
        What::SameControlId { of: MessageId(4711) },
    ];
    let events: Vec<_> = (1..)
        .zip(all)
        .map(|(n, what)| Event { message: MessageId(3), stamp: Stamp(n << 30), at: n * 7, what })
        .collect();
    // Written in any order, read by their stamps.
    for event in events.iter().rev() {
        bench.committed(vec![Record::Event(event.clone())], vec![]);
    }
    let other = Event { message: MessageId(4), ..events[0].clone() };
    bench.committed(vec![Record::Event(other)], vec![]);
    let mut reader = bench.store.reader().unwrap();
    assert_eq!(reader.journey(MessageId(3)).unwrap(), events);
}

fn routed(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let handlers = vec![bench.lab.lane];
    let event = Event {
        message: MessageId(1),
        stamp: Stamp(1),
        at: 77,
        what: What::Routed { inbound: None, handlers },
    };
    let records = vec![
        Record::Message(message(1, bench.ingress.lane, inline(b"MSH|"))),
        Record::Event(event),
    ];
    bench.committed(records, vec![]);
    let mut reader = bench.store.reader().unwrap();
    let stored = reader.message(MessageId(1)).unwrap().unwrap();
    assert_eq!((stored.disposition.name(), stored.since), ("ROUTED", 77));
}

fn together(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lab, bill) = (bench.lab.lane, bench.bill.lane);
    let routed = |handlers: &[LaneId]| What::Routed { inbound: None, handlers: handlers.to_vec() };
    let sent = |handler, outbounds: &[LaneId]| {
        let outbounds = outbounds.to_vec();
        What::Transformed { handler, outbounds }
    };
    let (a, b) = (LaneId(8), LaneId(900_000));
    let event = |message, stamp, at, what| {
        let (message, stamp) = (MessageId(message), Stamp(stamp));
        Event { message, stamp, at, what }
    };
    let again = What::Routed { inbound: Some(lab), handlers: vec![a] };
    // Each of these is a commit.
    let commits = [
        vec![event(1, 1, 7, routed(&[a])), event(1, 2, 7, sent(a, &[lab]))],
        vec![
            event(2, 1, 8, routed(&[a, b])),
            event(2, 2, 8, sent(b, &[bill, lab])),
            event(2, 3, 8, sent(a, &[])),
        ],
        vec![event(3, 1, 9, routed(&[])), event(3, 2, 9, sent(a, &[]))],
        // These do not stand side by side.
        vec![event(4, 1, 9, routed(&[a])), event(4, 3, 9, sent(a, &[lab]))],
        vec![event(5, 1, 9, routed(&[a])), event(5, 2, 10, sent(a, &[lab]))],
        vec![event(6, 1, 9, routed(&[a])), event(7, 2, 9, sent(a, &[lab]))],
        vec![event(8, 1, 9, sent(a, &[lab])), event(8, 2, 9, routed(&[a]))],
        // By the router of another inbound.
        vec![event(9, 1, 9, again), event(9, 2, 9, sent(a, &[bill]))],
    ];
    let inbound = bench.ingress.lane;
    let messages = (1..=9).map(|id| Record::Message(message(id, inbound, inline(b"MSH|"))));
    bench.committed(messages.collect(), vec![]);
    for commit in &commits {
        bench.committed(commit.iter().cloned().map(Record::Event).collect(), vec![]);
    }
    let mut reader = bench.store.reader().unwrap();
    for id in 1..=9 {
        let all = commits.iter().flatten();
        let its: Vec<_> = all.filter(|it| it.message == MessageId(id)).cloned().collect();
        assert_eq!(reader.journey(MessageId(id)).unwrap(), its);
        let stored = reader.message(MessageId(id)).unwrap().unwrap();
        let at = its.iter().find(|it| matches!(it.what, What::Routed { .. })).map(|it| it.at);
        let name = if at.is_some() { "ROUTED" } else { "RECEIVED" };
        assert_eq!((stored.disposition.name(), stored.since), (name, at.unwrap_or(0)));
    }
    for (lane, ids) in [(lab, &[9, 8, 7, 5, 4, 2, 1][..]), (bill, &[9, 2]), (b, &[2])] {
        let query = Query { lane: Some(lane), ..Query::default() };
        let found = reader.search(&query, MessageId(u64::MAX), 9).unwrap().messages;
        let found: Vec<_> = found.iter().map(|it| it.message.id.0).collect();
        assert_eq!(found, ids, "{lane:?}");
    }
}

/// A delivery, and the outcome that it leads to.
fn ended(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lab, bill, inbound) = (bench.lab.lane, bench.bill.lane, bench.ingress.lane);
    let messages = (1..=7).map(|id| Record::Message(message(id, inbound, inline(b"MSH|"))));
    bench.committed(messages.collect(), vec![]);
    let event = |id, stamp, at, outbound, note: &str| {
        let note = Note(note.into());
        let what = What::Delivered { outbound, milliseconds: stamp * 1000, note };
        Event { message: MessageId(id), stamp: Stamp(stamp), at, what }
    };
    let outcome = |id, stamp, at, disposition| {
        let (message, stamp) = (MessageId(id), Stamp(stamp));
        Record::Outcome { message, stamp, disposition, at }
    };
    let (processed, error) = (Disposition::Processed, Disposition::Error);
    let commits = [
        (vec![event(1, 1, 7, lab, "AA")], outcome(1, 2, 7, processed)),
        (vec![event(2, 1, 7, lab, ""), event(2, 2, 7, bill, "AA")], outcome(2, 3, 7, error)),
        // These do not stand side by side.
        (vec![event(3, 1, 7, lab, "AA")], outcome(3, 3, 7, processed)),
        (vec![event(4, 1, 7, lab, "AA")], outcome(4, 2, 8, processed)),
        (vec![event(5, 1, 7, lab, "AA")], outcome(6, 2, 7, processed)),
        (vec![event(7, 1, 7, lab, "AA")], outcome(7, 2, 7, processed)),
        // After the end, and before it in the order of stamps.
        (vec![event(7, 4, 9, bill, "")], outcome(7, 5, 9, error)),
        (vec![event(7, 3, 8, bill, "CA")], outcome(1, 3, 9, error)),
    ];
    for (events, outcome) in &commits {
        let events = events.iter().cloned().map(Record::Event);
        bench.committed(events.chain([outcome.clone()]).collect(), vec![]);
    }
    let mut reader = bench.store.reader().unwrap();
    let ends = [(error, 9), (error, 7), (processed, 7), (processed, 8)];
    let ends = ends.into_iter().chain([(Disposition::Received, 0), (processed, 7), (error, 9)]);
    for (id, end) in (1..).zip(ends) {
        let all = commits.iter().flat_map(|(events, _)| events);
        let mut its: Vec<_> = all.filter(|it| it.message == MessageId(id)).cloned().collect();
        its.sort_by_key(|it| it.stamp);
        assert_eq!(reader.journey(MessageId(id)).unwrap(), its);
        let stored = reader.message(MessageId(id)).unwrap().unwrap();
        assert_eq!((stored.disposition, stored.since), end, "{id}");
    }
    let query = Query { lane: Some(bill), ..Query::default() };
    let found = reader.search(&query, MessageId(u64::MAX), 9).unwrap().messages;
    assert_eq!(found.iter().map(|it| it.message.id.0).collect::<Vec<_>>(), [7, 2]);
}
