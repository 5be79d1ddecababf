//! Intake does not starve delivery, nor the reverse, while more comes in than goes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use mllp_pipeline::{
    Body, CommitOutcome, Committed, Entry, Epoch, Fact, Graph, Handler, Head, IdHash, Inbound,
    Keys, LaneId, LaneMark, Limits, MessageId, Note, Now, Order, Outbound, Piece, Pipeline,
    Received, Record, Sent, Seq, Source, Stamp, Start, Ticket, Transaction,
};

const INBOUND: LaneId = LaneId(1);
const HANDLER: LaneId = LaneId(2);
const OUTBOUND: LaneId = LaneId(3);
const WINDOW: u64 = 64;
const NOW: Now = Now { steady: 1, wall: 1_700_000_000_000 };

#[derive(Default)]
struct Row {
    messages: Vec<MessageId>,
    cursor: u64,
    sent_to: u64,
}

/// An engine whose senders always have more, and whose partner takes `slowness` commits to
/// answer.
struct Flooded {
    pipeline: Pipeline,
    rows: BTreeMap<LaneId, Row>,
    /// Deliveries with the partner, by the commit that is open when they are answered.
    with_partner: Vec<(u64, Seq)>,
    unanswered: u64,
    accepted: u64,
    delivered: u64,
    tickets: u64,
    commits: u64,
    slowness: u64,
}

impl Flooded {
    fn new(slowness: u64) -> Flooded {
        let graph = Graph {
            inbounds: vec![Inbound { deduplicate: false, ..Inbound::new(INBOUND) }],
            handlers: vec![Handler::new(HANDLER)],
            outbounds: vec![Outbound { window: WINDOW as u32, ..Outbound::new(OUTBOUND) }],
            orphans: Vec::new(),
            limits: Limits { batch_records: 256, ..Limits::DEFAULT },
        };
        let heads = [INBOUND, HANDLER, OUTBOUND].map(|lane| Head::new(lane, Epoch(1))).into();
        let start = Start { heads, next_message: MessageId(1), next_stamp: Stamp(1) };
        let mut pipeline = Pipeline::new(graph, start, NOW);
        pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, NOW);
        let (with_partner, rows) = (Vec::new(), BTreeMap::new());
        let (unanswered, accepted, delivered, tickets, commits) = (0, 0, 0, 0, 0);
        Flooded {
            pipeline,
            rows,
            with_partner,
            unanswered,
            accepted,
            delivered,
            tickets,
            commits,
            slowness,
        }
    }

    /// Accepted and delivered over a number of commits.
    fn live(&mut self, commits: u64) -> (u64, u64) {
        let (accepted, delivered, end) = (self.accepted, self.delivered, self.commits + commits);
        while self.commits < end {
            self.receive();
            self.go_on();
        }
        (self.accepted - accepted, self.delivered - delivered)
    }

    fn receive(&mut self) {
        while self.unanswered < 4096 {
            self.tickets += 1;
            self.unanswered += 1;
            let body = Body::Inline((*b"MSH|").into());
            let ticket = Ticket(self.tickets);
            let received = Received::new(ticket, INBOUND, body, Piece::default());
            self.pipeline.tell(Fact::Received(received), NOW);
        }
    }

    fn go_on(&mut self) {
        let mut committing = None;
        while let Some(order) = self.pipeline.next_order(NOW) {
            let fact = match order {
                Order::Commit(transaction) => {
                    committing = Some(transaction);
                    continue;
                }
                Order::Answer { .. } => {
                    self.accepted += 1;
                    self.unanswered -= 1;
                    continue;
                }
                Order::Deliver { seq, .. } => {
                    self.with_partner.push((self.commits + self.slowness, seq));
                    continue;
                }
                Order::Route { call, work, .. } => {
                    Fact::Routed { call, results: vec![Ok(vec![HANDLER]); work.len()] }
                }
                Order::Transform { call, work, .. } => {
                    let sent = Sent::to(OUTBOUND);
                    Fact::Transformed { call, results: vec![Ok(vec![sent]); work.len()] }
                }
                Order::Load { lane, after, limit } => self.load(lane, after, limit),
                other => panic!("{other:?}"),
            };
            self.pipeline.tell(fact, NOW);
        }
        self.answer();
        let outcome = self.commit(committing.expect("there is always something to commit"));
        self.pipeline.tell(Fact::Outcome(outcome), NOW);
    }

    /// What the partner answers while the commit is open.
    fn answer(&mut self) {
        let (commits, mut answered) = (self.commits, Vec::new());
        self.with_partner.retain(|(at, seq)| {
            answered.extend((*at <= commits).then_some(*seq));
            *at > commits
        });
        for seq in answered {
            let note = Note::default();
            let fact = Fact::Delivered { lane: OUTBOUND, seq, milliseconds: 1, note };
            self.pipeline.tell(fact, NOW);
            self.delivered += 1;
        }
    }

    fn load(&self, lane: LaneId, after: Seq, limit: u32) -> Fact {
        let rows = self.rows[&lane].messages.iter().enumerate();
        let entry = |(at, message): (usize, &MessageId)| Entry {
            seq: Seq(at as u64 + 1),
            message: *message,
            body: Source::Message,
            sole: true,
            id_hash: IdHash::NONE,
            keys: Keys::NONE,
            len: 0,
            hops: 0,
        };
        let entries = rows.skip(after.0 as usize).take(limit as usize).map(entry).collect();
        Fact::Loaded { lane, entries }
    }

    fn commit(&mut self, transaction: Arc<Transaction>) -> CommitOutcome {
        self.commits += 1;
        let mut lanes: BTreeMap<LaneId, LaneMark> = BTreeMap::new();
        let mut mark = |lane: LaneId, row: &Row| {
            let (tail, sent_to) = (Seq(row.messages.len() as u64), Seq(row.sent_to));
            lanes.insert(lane, LaneMark { lane, tail, sent_to, appended: 0 });
        };
        for record in &transaction.records {
            if let Record::Append(append) = record {
                let row = self.rows.entry(append.lane).or_default();
                row.messages.push(append.message);
                mark(append.lane, row);
            }
        }
        for update in &transaction.lanes {
            let row = self.rows.entry(update.lane).or_default();
            row.cursor = update.cursor.0;
            let window = update.window.map_or(0, u64::from);
            let covered = (row.messages.len() as u64).min(row.cursor + window);
            row.sent_to = row.sent_to.max(row.cursor).max(covered);
            mark(update.lane, row);
        }
        let lanes = lanes.into_values().collect();
        CommitOutcome::Committed(Committed { lanes, ..Committed::default() })
    }
}

/// A partner that answers within two commits bounds what comes in.
#[test]
fn no_more_comes_in_than_goes_out() {
    let mut flooded = Flooded::new(2);
    flooded.live(300);
    let (accepted, delivered) = flooded.live(300);
    assert!(delivered * 10 >= accepted * 9, "{delivered} delivered of {accepted}");
    assert!(delivered >= 300 * WINDOW / 4, "{delivered} delivered: the windows do not turn");
}

/// A partner that is slow does not: what it has not taken rests.
#[test]
fn a_slow_partner_keeps_no_sender_waiting() {
    let mut slow = Flooded::new(1_000_000);
    slow.live(300);
    let (accepted, delivered) = slow.live(30);
    assert_eq!(delivered, 0);
    assert!(accepted > 30 * 30, "{accepted} accepted");
}
