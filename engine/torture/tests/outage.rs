//! A store that comes back after ten minutes, in virtual time: it is not asked too often, nothing is
//! given up for it, and everything goes on when it is there again.

use std::sync::Arc;

use mllp_pipeline::{
    Answer, Body, CommitOutcome, Fact, Graph, Handler, Inbound, LaneId, Limits, Note, Now, Order,
    Outbound, Piece, Pipeline, Received, Record, Refusal, Sent, Stage, Start, Ticket, Transaction,
};
use mllp_store::{LaneName, MemoryStore, Reader, Store};

const MINUTE: u64 = 60_000;

/// A host without threads, whose store may be away.
struct Host {
    pipeline: Pipeline,
    store: MemoryStore,
    reader: Box<dyn Reader>,
    lanes: [LaneId; 3],
    now: u64,
    refusal: Option<Refusal>,
    /// When a commit was refused.
    refused: Vec<u64>,
    dead: usize,
    answers: Vec<(u64, Answer)>,
    delivered: usize,
    /// Deliveries that a partner has and has not answered.
    with_partner: Vec<(LaneId, mllp_pipeline::Seq)>,
}

impl Host {
    fn start() -> Host {
        let mut store = MemoryStore::new();
        let name = |stage, name: &str| LaneName { stage, name: name.into() };
        let names = [
            name(Stage::Ingress, "IN"),
            name(Stage::Routed, "handler"),
            name(Stage::Outbound, "OUT"),
        ];
        let numbers = store.numbers().unwrap();
        let heads = store.own(&names).unwrap();
        let lanes: [LaneId; 3] = [heads[0].lane, heads[1].lane, heads[2].lane];
        let graph = Graph {
            inbounds: vec![Inbound::new(lanes[0])],
            handlers: vec![Handler::new(lanes[1])],
            outbounds: vec![Outbound { window: 4, ..Outbound::new(lanes[2]) }],
            orphans: Vec::new(),
            limits: Limits::DEFAULT,
        };
        let start = Start { heads, next_message: numbers.message, next_stamp: numbers.stamp };
        let mut host = Host {
            pipeline: Pipeline::new(graph, start, at(0)),
            reader: store.reader().unwrap(),
            store,
            lanes,
            now: 0,
            refusal: None,
            refused: Vec::new(),
            dead: 0,
            answers: Vec::new(),
            delivered: 0,
            with_partner: Vec::new(),
        };
        host.tell(Fact::Ready { lane: lanes[2], ready: true });
        host
    }

    fn tell(&mut self, fact: Fact) {
        self.pipeline.tell(fact, at(self.now));
        while let Some(order) = self.pipeline.next_order(at(self.now)) {
            self.obey(order);
        }
    }

    fn receive(&mut self, ticket: u64) {
        let (body, aa) = (Body::Inline(Arc::from(&b"MSH|"[..])), Piece::from(&b"AA"[..]));
        self.tell(Fact::Received(Received {
            identity: ticket.into(),
            control_id: Piece::from(ticket.to_string().as_bytes()),
            ..Received::new(Ticket(ticket), self.lanes[0], body, aa)
        }));
    }

    fn obey(&mut self, order: Order) {
        let fact = match order {
            Order::Commit(transaction) => Fact::Outcome(self.commit(&transaction)),
            Order::Answer { ticket, answer, .. } => return self.answers.push((ticket.0, answer)),
            Order::Route { call, work, .. } => {
                let results = work.iter().map(|_| Ok(vec![self.lanes[1]])).collect();
                Fact::Routed { call, results }
            }
            Order::Transform { call, work, .. } => {
                let results = work.iter().map(|_| Ok(vec![Sent::to(self.lanes[2])])).collect();
                Fact::Transformed { call, results }
            }
            Order::Deliver { lane, seq, .. } => return self.with_partner.push((lane, seq)),
            Order::Load { lane, after, limit } => {
                Fact::Loaded { lane, entries: self.reader.entries(lane, after, limit).unwrap() }
            }
            Order::ReadHeads(lanes) => Fact::Heads(self.store.heads(&lanes).unwrap()),
            Order::Compare { ticket, .. } => Fact::Compared { ticket, first: None },
            // Nothing has been asked for.
            Order::Told { .. } | Order::Switched(_) | Order::GiveUp(_) => return,
        };
        self.pipeline.tell(fact, at(self.now));
    }

    fn commit(&mut self, transaction: &Transaction) -> CommitOutcome {
        let is_dead = |record: &&Record| matches!(record, Record::Dead { .. });
        self.dead += transaction.records.iter().filter(is_dead).count();
        match self.refusal {
            Some(why) => {
                self.refused.push(self.now);
                CommitOutcome::Refused(why)
            }
            None => self.store.commit(transaction).unwrap(),
        }
    }

    /// The partner takes what it has.
    fn take(&mut self) {
        for (lane, seq) in std::mem::take(&mut self.with_partner) {
            self.delivered += 1;
            self.tell(Fact::Delivered { lane, seq, milliseconds: 1, note: Note::default() });
        }
    }

    /// Lets time pass, from one thing that is due to the next.
    fn pass(&mut self, until: u64) {
        while self.now < until {
            let due = self.pipeline.next_deadline().unwrap_or(until);
            self.now = due.clamp(self.now + 1, until);
            self.pipeline.on_time(at(self.now));
            while let Some(order) = self.pipeline.next_order(at(self.now)) {
                self.obey(order);
            }
        }
    }
}

fn at(steady: u64) -> Now {
    Now { steady, wall: 1_800_000_000_000 + steady }
}

#[test]
fn a_store_that_comes_back_after_ten_minutes() {
    for refusal in [Refusal::Full, Refusal::Unavailable] {
        let mut host = Host::start();
        // Two are with the partner when the store goes.
        (1..=2).for_each(|ticket| host.receive(ticket));
        assert_eq!((host.answers.len(), host.with_partner.len()), (2, 2));
        host.refusal = Some(refusal);
        host.take();
        for ticket in 3..=1_182 {
            host.pass((ticket - 2) * 500);
            host.receive(ticket);
        }
        host.pass(10 * MINUTE);
        host.refusal = None;
        let negative = host.answers[2..].iter().filter(|it| it.1 == Answer::NotStored).count();
        assert_eq!(negative, 1_180, "{refusal:?}: each is answered, and none is taken over");
        // The completions alone, once a second, and at most one commit for each message.
        assert!(host.refused.len() <= 600 + 1_180 + 20, "{refusal:?}: {}", host.refused.len());
        let last_minute = host.refused.iter().filter(|at| **at > 9 * MINUTE).count();
        assert!(last_minute >= 59, "{refusal:?}: it is asked on: {last_minute}");
        // It goes on by itself.
        host.pass(10 * MINUTE + 2_000);
        host.receive(2_000);
        host.take();
        host.pass(10 * MINUTE + 4_000);
        host.take();
        assert!(matches!(host.answers.last(), Some((2_000, Answer::Acknowledgment(_)))));
        assert_eq!((host.delivered, host.dead), (3, 0), "{refusal:?}");
        assert!(host.pipeline.status().all(|lane| lane.depth == 0), "{refusal:?}");
        let finals = host.reader.dispositions(mllp_pipeline::MessageId(0), 10).unwrap();
        assert!(finals.len() == 3 && finals.iter().all(|it| it.1.name() == "PROCESSED"));
    }
}
