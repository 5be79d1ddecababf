//! Messages a second through the pipeline alone: a host that commits, calls and delivers at once.
//!
//! `cargo run --release -p mllp-pipeline --example throughput [messages] [outstanding] [deduplicate]`
//!
//! One inbound, one handler, four outbounds of window 64, each message to one of them.
//!
//! Expected before the first run: 700,000 messages a second, from about ten allocations for each message;
//! 50,000 beside SQLite is the least that the engine needs. Measured on a shared 2-core machine:
//! 970,000 to 1,360,000, 8 records for each message.

use std::sync::Arc;
use std::time::Instant;

use mllp_pipeline::{
    Body, CommitOutcome, Committed, Entry, Epoch, Fact, Graph, Handler, Head, IdHash, Inbound,
    Keys, LaneId, LaneMark, MessageId, Note, Now, Order, Outbound, Piece, Pipeline, Received,
    Record, Sent, Seq, Source, Stamp, Start, Ticket, Transaction,
};

const INBOUND: LaneId = LaneId(0);
const HANDLER: LaneId = LaneId(1);
const OUTBOUNDS: [LaneId; 4] = [LaneId(2), LaneId(3), LaneId(4), LaneId(5)];
const LANES: usize = 6;

/// A store that keeps nothing but the rows of lanes.
#[derive(Default)]
struct Store {
    tail: [u64; LANES],
    sent_to: [u64; LANES],
    commits: u64,
    records: u64,
}

impl Store {
    fn commit(&mut self, transaction: &Transaction) -> CommitOutcome {
        let mut touched = [false; LANES];
        for record in &transaction.records {
            if let Record::Append(row) = record {
                self.tail[row.lane.0 as usize] += 1;
                touched[row.lane.0 as usize] = true;
            }
        }
        for update in &transaction.lanes {
            let at = update.lane.0 as usize;
            touched[at] = true;
            let limit = update.cursor.0 + u64::from(update.window.unwrap_or(0));
            self.sent_to[at] = self.sent_to[at].max(limit.min(self.tail[at]));
        }
        self.commits += 1;
        self.records += transaction.records.len() as u64;
        let mark = |at: usize| LaneMark {
            lane: LaneId(at as u32),
            tail: Seq(self.tail[at]),
            sent_to: Seq(self.sent_to[at]),
            appended: 0,
        };
        let lanes = (0..LANES).filter(|at| touched[*at]).map(mark).collect();
        CommitOutcome::Committed(Committed { lanes, ..Committed::default() })
    }
}

fn pipeline(deduplicate: bool) -> Pipeline {
    let graph = Graph {
        inbounds: vec![Inbound { deduplicate, ..Inbound::new(INBOUND) }],
        handlers: vec![Handler::new(HANDLER)],
        outbounds: OUTBOUNDS.map(|lane| Outbound { window: 64, ..Outbound::new(lane) }).to_vec(),
        ..Graph::default()
    };
    let head = |at: usize| Head::new(LaneId(at as u32), Epoch(1));
    let heads = (0..LANES).map(head).collect();
    let start = Start { heads, next_message: MessageId(1), next_stamp: Stamp(1) };
    let mut pipeline = Pipeline::new(graph, start, Now::default());
    for lane in OUTBOUNDS {
        pipeline.tell(Fact::Ready { lane, ready: true }, Now::default());
    }
    pipeline
}

fn received(n: u64, body: &Arc<[u8]>, piece: &Piece) -> Fact {
    Fact::Received(Received {
        ticket: Ticket(n),
        inbound: INBOUND,
        identity: u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | 1,
        control_id: piece.clone(),
        name: IdHash(n),
        message_type: piece.clone(),
        indexed: Keys::NONE,
        body: Body::Inline(Arc::clone(body)),
        acknowledgment: piece.clone(),
        accepted: true,
        origin: Piece::default(),
        session: None,
    })
}

/// What follows from an order that is neither a commit nor an answer.
fn follow(order: Order, body: &Arc<[u8]>, store: &Store) -> Fact {
    match order {
        Order::Route { call, work, .. } => {
            Fact::Routed { call, results: work.iter().map(|_| Ok(vec![HANDLER])).collect() }
        }
        Order::Transform { call, work, .. } => {
            let send = |message: MessageId| Sent {
                body: Some(Body::Inline(Arc::clone(body))),
                id_hash: IdHash(message.0),
                ..Sent::to(OUTBOUNDS[message.0 as usize % OUTBOUNDS.len()])
            };
            let results = work.iter().map(|it| Ok(vec![send(it.message)])).collect();
            Fact::Transformed { call, results }
        }
        Order::Deliver { lane, seq, .. } => {
            Fact::Delivered { lane, seq, milliseconds: 1, note: Note("AA".into()) }
        }
        Order::Load { lane, after, limit } => {
            let to = (after.0 + u64::from(limit)).min(store.tail[lane.0 as usize]);
            let entry = |seq: u64| Entry {
                seq: Seq(seq),
                message: MessageId(seq),
                body: Source::Message,
                sole: true,
                id_hash: IdHash(seq),
                keys: Keys::NONE,
                hops: 0,
                len: 300,
            };
            Fact::Loaded { lane, entries: (after.0 + 1..=to).map(entry).collect() }
        }
        _ => unreachable!("no duplicates, no lost commits"),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |or: u64| arguments.next().and_then(|it| it.parse().ok()).unwrap_or(or);
    let (messages, outstanding, deduplicate) = (number(1_000_000), number(1_024), number(1) == 1);
    let (body, piece) = (Arc::from([b'x'; 300]), Piece::from(&b"MSG00001"[..]));
    let (mut pipeline, mut store) = (pipeline(deduplicate), Store::default());
    let (mut sent, mut answered, mut delivered) = (0, 0, 0);
    let begin = Instant::now();
    while delivered < messages {
        let now = Now { steady: begin.elapsed().as_millis() as u64, wall: 0 };
        pipeline.on_time(now);
        while sent < messages && sent - answered < outstanding && pipeline.wants_input(INBOUND, now)
        {
            sent += 1;
            pipeline.tell(received(sent, &body, &piece), now);
        }
        while let Some(order) = pipeline.next_order(now) {
            match order {
                Order::Commit(transaction) => {
                    let outcome = store.commit(&transaction);
                    drop(transaction);
                    pipeline.tell(Fact::Outcome(outcome), now);
                    // Senders are heard between commits.
                    break;
                }
                Order::Answer { .. } => answered += 1,
                order => {
                    delivered += u64::from(matches!(order, Order::Deliver { .. }));
                    pipeline.tell(follow(order, &body, &store), now);
                }
            }
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{:.0} messages/s, {:.2} us each, {:.1} records each, {:.0} messages a commit",
        messages as f64 / seconds,
        seconds * 1e6 / messages as f64,
        store.records as f64 / messages as f64,
        messages as f64 / store.commits as f64,
    );
}
