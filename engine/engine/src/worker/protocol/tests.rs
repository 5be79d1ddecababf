use std::io::{self, Read};

use super::*;

fn engine_says() -> Vec<FromEngine<'static>> {
    let message = MessageFrame {
        number: 4711,
        received: 1_764_000_000_000,
        hops: 3,
        inbound: "IB_ADT",
        len: 100_000,
        beginning: Payload(b"MSH|^~\\&|\xff"),
    };
    let batch =
        FromEngine::Batch { batch: 1 << 40, kind: Kind::Handler, function: "to_läb", count: 2 };
    let chunk = FromEngine::Chunk(Payload(b"OBX|1|"));
    vec![batch, FromEngine::Message(message), chunk, FromEngine::Unreadable]
        .into_iter()
        .chain([FromEngine::Probe, FromEngine::End])
        .collect()
}

fn worker_says() -> Vec<FromWorker<'static>> {
    let sends = vec![Sent { to: "OB", bytes: None }, Sent { to: "OB", bytes: Some(b"MSH|\x00") }];
    let failed = |failure| Answer::Failed { failure, note: "ValueError at adt.py:14", trace: "" };
    vec![
        FromWorker::Hello { version: VERSION, routers: vec!["r"], handlers: vec!["a", "b"] },
        FromWorker::Refusal("adt.py:3: SyntaxError"),
        FromWorker::Alive,
        FromWorker::Rest(7),
        FromWorker::Answer(0, Answer::Handlers(vec!["a", ""])),
        FromWorker::Answer(1, Answer::Handlers(vec![])),
        FromWorker::Answer(2, Answer::Sends(sends)),
        FromWorker::Answer(3, failed(Failure::Content)),
        FromWorker::Answer(4, failed(Failure::Infrastructure)),
    ]
}

/// A socket that gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(into.len()).min(self.0.len());
        let (given, left) = self.0.split_at(len);
        into[..len].copy_from_slice(given);
        self.0 = left;
        Ok(len)
    }
}

#[test]
fn what_one_end_says_is_what_the_other_hears() {
    let (mut from_engine, mut from_worker) = (Outgoing::default(), Outgoing::default());
    engine_says().into_iter().for_each(|it| from_engine.engine(it));
    worker_says().iter().for_each(|it| from_worker.worker(it));
    for step in [1, 3, 1 << 20] {
        let mut incoming = Incoming::new(Slow(&from_engine.bytes, step));
        for said in engine_says() {
            let frame = incoming.next().unwrap().unwrap();
            assert_eq!(FromEngine::parse(frame), Some(said));
        }
        assert!(incoming.next().unwrap().is_none());
        let mut incoming = Incoming::new(Slow(&from_worker.bytes, step));
        for said in worker_says() {
            let frame = incoming.next().unwrap().unwrap();
            assert_eq!(FromWorker::parse(frame), Some(said));
        }
    }
}

/// A frame that is cut, or that has more than it should, is not taken for another.
#[test]
fn a_broken_frame_is_noticed() {
    for said in worker_says() {
        let mut out = Outgoing::default();
        out.worker(&said);
        let (kind, fields) = (out.bytes[4], &out.bytes[5..]);
        for len in 0..fields.len() {
            assert_eq!(FromWorker::parse((kind, &fields[..len])), None, "{said:?} cut at {len}");
        }
        let more = [fields, &[0]].concat();
        assert_eq!(FromWorker::parse((kind, &more)), None, "{said:?} and more");
    }
    assert_eq!(FromWorker::parse((99, &[])), None);
    assert_eq!(FromEngine::parse((99, &[])), None);
    // A count that promises what is not there.
    assert_eq!(FromWorker::parse((5, &[0, 0, 0, 0, 255, 255, 255, 255])), None);
    // Not UTF-8.
    assert_eq!(FromWorker::parse((2, &[1, 0, 0, 0, 255])), None);
}

#[test]
fn a_mark_is_read_as_it_was_written() {
    for mark in [Mark::new(0, 0, false), Mark::new(u64::MAX, 255, true), Mark::new(5, 1, false)] {
        assert_eq!(Mark::of(mark.bytes()), mark);
    }
}
