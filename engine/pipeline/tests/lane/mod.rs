//! An engine of one inbound, one handler and one outbound, whose outbound has work in the store.

#![allow(dead_code, reason = "each test uses its part")]

use mllp_pipeline::{
    CommitOutcome, Committed, Entry, Epoch, Fact, Graph, Handler, Head, IdHash, Inbound, Keys,
    LaneId, LaneMark, Limits, MessageId, Now, Order, Outbound, Pipeline, Seq, Source, Stamp, Start,
};

pub const INBOUND: LaneId = LaneId(1);
pub const OUTBOUND: LaneId = LaneId(3);

pub fn now(steady: u64) -> Now {
    Now { steady, wall: 1_700_000_000_000 + steady }
}

/// A pipeline whose outbound has this row in the store.
pub fn start(head: Head, window: u32) -> Pipeline {
    let graph = Graph {
        inbounds: vec![Inbound::new(INBOUND)],
        handlers: vec![Handler::new(LaneId(2))],
        outbounds: vec![Outbound { window, ..Outbound::new(OUTBOUND) }],
        orphans: Vec::new(),
        limits: Limits::DEFAULT,
    };
    let heads = vec![Head::new(INBOUND, Epoch(1)), Head::new(LaneId(2), Epoch(1)), head];
    let start = Start { heads, next_message: MessageId(2_000_000), next_stamp: Stamp(1) };
    let mut pipeline = Pipeline::new(graph, start, now(0));
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    pipeline
}

pub fn left(tail: u64, cursor: u64, sent_to: u64) -> Head {
    let (tail, cursor, sent_to) = (Seq(tail), Seq(cursor), Seq(sent_to));
    Head { tail, cursor, sent_to, ..Head::new(OUTBOUND, Epoch(2)) }
}

pub fn entry(seq: u64) -> Entry {
    Entry {
        seq: Seq(seq),
        message: MessageId(seq),
        body: Source::Message,
        sole: true,
        id_hash: IdHash::NONE,
        keys: Keys::NONE,
        hops: 0,
        len: 0,
    }
}

/// The commit of the outbound's row is durable.
pub fn committed(tail: u64, sent_to: u64) -> Fact {
    let lanes =
        vec![LaneMark { lane: OUTBOUND, tail: Seq(tail), sent_to: Seq(sent_to), appended: 0 }];
    Fact::Outcome(CommitOutcome::Committed(Committed { lanes, ..Committed::default() }))
}

/// Everything that is ordered now.
pub fn orders(pipeline: &mut Pipeline, at: u64) -> Vec<Order> {
    std::iter::from_fn(|| pipeline.next_order(now(at))).collect()
}
