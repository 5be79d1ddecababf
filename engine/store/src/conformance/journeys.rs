//! The journey of a message.

use mllp_pipeline::{By, Event, Failure, LaneId, MessageId, Note, Record, Stamp, What};

use super::{Bench, Case, Subject, inline, message};

pub(super) const CASES: &[(&str, Case)] = &[
    ("every event comes back as it was, by its stamp", every_event),
    ("a message that was routed says so", routed),
];

fn every_event(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lane, note) = (bench.lab.lane, Note("AE lab système busy".into()));
    let handlers = vec![LaneId(8), LaneId(900_000)];
    let failure = Failure::RefusedForNow;
    let by = || By { who: Note("anna".into()), reason: Note("unknown patiënt\nsee 4711".into()) };
    let all = [
        What::Received { inbound: bench.ingress.lane, accepted: true },
        What::Routed { handlers: handlers.clone() },
        What::Routed { handlers: vec![] },
        What::Transformed { handler: LaneId(8), outbounds: handlers },
        What::Transformed { handler: LaneId(9), outbounds: vec![] },
        What::Attempt { outbound: lane, attempt: 100, failure, note: note.clone() },
        What::PossiblySent { outbound: lane },
        What::Overtaken { outbound: lane, by: MessageId(4711) },
        What::Delivered { outbound: lane, milliseconds: 9, note: Note::default() },
        What::Delivered { outbound: lane, milliseconds: 86_400_000, note: note.clone() },
        What::Dead { lane, failure: Failure::RefusedForGood },
        What::Failed { lane, failure: Failure::Content, note },
        What::Failed { lane, failure: Failure::Infrastructure, note: Note::default() },
        What::Dead { lane, failure: Failure::NoReply },
        What::Dead { lane, failure: Failure::Transport },
        What::Duplicate { of: MessageId(4711) },
        What::GaveUp { outbound: lane, failure: Failure::Credential },
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
    let event =
        Event { message: MessageId(1), stamp: Stamp(1), at: 77, what: What::Routed { handlers } };
    let records = vec![
        Record::Message(message(1, bench.ingress.lane, inline(b"MSH|"))),
        Record::Event(event),
    ];
    bench.committed(records, vec![]);
    let mut reader = bench.store.reader().unwrap();
    let stored = reader.message(MessageId(1)).unwrap().unwrap();
    assert_eq!((stored.disposition.name(), stored.since), ("ROUTED", 77));
}
