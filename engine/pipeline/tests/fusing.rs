//! When a message rests before a handler: a call that takes longer than 200 ms, and 60 s after that.

use std::collections::BTreeMap;
use std::sync::Arc;

use mllp_pipeline::{
    Body, BodyId, CallFailure, CallId, CommitOutcome, Committed, Epoch, Fact, Failure, Graph,
    Handler, Head, Inbound, LaneId, LaneMark, Limits, MessageId, Note, Now, Order, Outbound, Piece,
    Pipeline, Received, Record, Sent, Seq, Stamp, Start, Ticket, Transaction,
};

const INBOUND: LaneId = LaneId(1);
const HANDLER: LaneId = LaneId(2);
const OUTBOUND: LaneId = LaneId(3);

fn now(steady: u64) -> Now {
    Now { steady, wall: 1_700_000_000_000 + steady }
}

/// A pipeline whose commits succeed at once and whose router answers at once.
struct Engine {
    pipeline: Pipeline,
    tails: BTreeMap<LaneId, u64>,
    /// Calls of the handler that have not come back.
    calls: Vec<CallId>,
    /// The lanes of the rows that were appended.
    appended: Vec<LaneId>,
    /// Bodies that were given up.
    given_up: Vec<BodyId>,
}

impl Engine {
    fn new() -> Engine {
        let graph = Graph {
            inbounds: vec![Inbound { deduplicate: false, ..Inbound::new(INBOUND) }],
            handlers: vec![Handler::new(HANDLER)],
            outbounds: vec![Outbound::new(OUTBOUND)],
            orphans: Vec::new(),
            limits: Limits::DEFAULT,
        };
        let head = |lane| Head::new(lane, Epoch(1));
        let heads = [INBOUND, HANDLER, OUTBOUND].map(head).into();
        let start = Start { heads, next_message: MessageId(1), next_stamp: Stamp(1) };
        let pipeline = Pipeline::new(graph, start, now(0));
        let (calls, appended, given_up) = (Vec::new(), Vec::new(), Vec::new());
        Engine { pipeline, tails: BTreeMap::new(), calls, appended, given_up }
    }

    fn commit(&mut self, transaction: Arc<Transaction>) -> CommitOutcome {
        let mut touched: Vec<LaneId> = transaction.lanes.iter().map(|it| it.lane).collect();
        for record in &transaction.records {
            if let Record::Append(row) = record {
                *self.tails.entry(row.lane).or_default() += 1;
                self.appended.push(row.lane);
                touched.push(row.lane);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        let tail = |lane: &LaneId| Seq(self.tails.get(lane).copied().unwrap_or(0));
        let mark = |lane: &LaneId| LaneMark {
            lane: *lane,
            tail: tail(lane),
            sent_to: Seq(0),
            appended: 0,
        };
        let lanes = touched.iter().map(mark).collect();
        CommitOutcome::Committed(Committed { lanes, ..Committed::default() })
    }

    fn go_on(&mut self, at: u64) {
        self.pipeline.on_time(now(at));
        while let Some(order) = self.pipeline.next_order(now(at)) {
            let fact = match order {
                Order::Commit(transaction) => Fact::Outcome(self.commit(transaction)),
                Order::Route { call, work, .. } => {
                    Fact::Routed { call, results: vec![Ok(vec![HANDLER]); work.len()] }
                }
                Order::Transform { call, .. } => {
                    self.calls.push(call);
                    continue;
                }
                Order::GiveUp(body) => {
                    self.given_up.push(body);
                    continue;
                }
                _ => continue,
            };
            self.pipeline.tell(fact, now(at));
        }
    }

    fn receive(&mut self, number: u64, at: u64) {
        let (body, aa) = (Body::Inline((*b"MSH|").into()), Piece::from(&b"AA"[..]));
        let received = Received::new(Ticket(number), INBOUND, body, aa);
        self.pipeline.tell(Fact::Received(received), now(at));
        self.go_on(at);
    }

    /// The oldest call comes back: it sends one message.
    fn transformed(&mut self, at: u64) {
        let call = self.calls.remove(0);
        let sent = Sent::to(OUTBOUND);
        self.pipeline.tell(Fact::Transformed { call, results: vec![Ok(vec![sent])] }, now(at));
        self.go_on(at);
    }

    /// Whether a message that comes now rests before the handler.
    fn rests(&mut self, number: u64, at: u64) -> bool {
        self.appended.clear();
        self.receive(number, at);
        self.transformed(at);
        assert_eq!(self.appended.last(), Some(&OUTBOUND));
        self.appended.contains(&HANDLER)
    }
}

#[test]
fn a_call_rests_after_200_milliseconds_and_goes_on() {
    let mut engine = Engine::new();
    engine.receive(1, 1_000);
    engine.go_on(1_199);
    assert_eq!(engine.appended, [INBOUND]);
    engine.go_on(1_200);
    assert_eq!(engine.appended, [INBOUND, HANDLER]);
    assert_eq!(engine.calls.len(), 1, "it is not called again");
    engine.transformed(5_000);
    assert_eq!(engine.appended, [INBOUND, HANDLER, OUTBOUND]);
}

#[test]
fn a_handler_is_not_fused_for_60_seconds_after_a_timeout() {
    let mut engine = Engine::new();
    assert!(!engine.rests(1, 500));
    engine.receive(2, 1_000);
    engine.go_on(1_200);
    engine.transformed(1_300);
    assert!(engine.rests(3, 1_400));
    assert!(engine.rests(4, 61_199));
    assert!(!engine.rests(5, 61_200));
}

/// A result with a large body.
fn large(id: u64) -> Result<Vec<Sent>, CallFailure> {
    let body = Some(Body::Chunked { id: BodyId(id), len: 100_000 });
    Ok(vec![Sent { body, ..Sent::to(OUTBOUND) }])
}

fn tell(engine: &mut Engine, call: CallId, results: Vec<Result<Vec<Sent>, CallFailure>>, at: u64) {
    engine.pipeline.tell(Fact::Transformed { call, results }, now(at));
    engine.go_on(at);
}

#[test]
fn a_result_that_may_not_pass_is_given_up() {
    let mut engine = Engine::new();
    engine.receive(1, 1_000);
    engine.receive(2, 1_050);
    let [first, second] = engine.calls[..] else { panic!("two calls") };
    tell(&mut engine, second, vec![large(7)], 1_100);
    assert!(engine.given_up.is_empty(), "it waits for the first");
    // The first comes to rest in the lane of the handler, and the second must not overtake it.
    engine.go_on(1_200);
    assert_eq!(engine.appended, [INBOUND, INBOUND, HANDLER, HANDLER]);
    assert_eq!(engine.given_up, [BodyId(7)]);
    tell(&mut engine, first, vec![large(8)], 1_300);
    assert_eq!(engine.given_up, [BodyId(7)], "what is used stays");
}

#[test]
fn results_behind_one_that_has_failed_are_given_up() {
    let mut engine = Engine::new();
    engine.receive(1, 1_000);
    engine.go_on(1_200);
    engine.receive(2, 1_300);
    engine.receive(3, 1_300);
    let first = engine.calls.remove(0);
    tell(&mut engine, first, vec![large(6)], 1_400);
    let [call] = engine.calls[..] else { panic!("one call for both") };
    let note = Note::default();
    let failed = Err(CallFailure { failure: Failure::Infrastructure, note });
    tell(&mut engine, call, vec![failed, large(7)], 1_500);
    assert_eq!(engine.given_up, [BodyId(7)]);
}

#[test]
fn a_result_that_nobody_waits_for_is_given_up() {
    let mut engine = Engine::new();
    tell(&mut engine, CallId(99), vec![large(7)], 1_000);
    assert_eq!(engine.given_up, [BodyId(7)]);
    // A name that leads nowhere is a fault of the function, and its other results go with it.
    engine.receive(1, 1_100);
    let call = engine.calls.remove(0);
    let mut result = large(8).unwrap();
    result.push(Sent::to(LaneId(99)));
    tell(&mut engine, call, vec![Ok(result)], 1_100);
    assert_eq!(engine.given_up, [BodyId(7), BodyId(8)]);
}
