//! What every store has to pass: the contract, sentence by sentence.
//!
//! ```
//! use mllp_store::{LaneName, MemoryStore, Store, conformance};
//!
//! struct Memory(MemoryStore);
//!
//! impl conformance::Subject for Memory {
//!     fn open(&mut self) -> Box<dyn Store> {
//!         Box::new(self.0.clone())
//!     }
//!     fn take_over(&mut self, name: &LaneName) {
//!         self.0.own(std::slice::from_ref(name)).unwrap();
//!     }
//! }
//!
//! conformance::run(&mut || Box::new(Memory(MemoryStore::new())));
//! ```

mod bodies;
mod forgetting;
mod guarded;
mod journeys;
mod lanes;
mod lists;
mod lives;
mod nodes;
mod parts;
mod reopened;
mod retaining;
mod searching;
mod started;

use mllp_pipeline::{
    Append, Body, CommitOutcome, Committed, Head, LaneId, LaneUpdate, MessageId, NewMessage, Piece,
    Record, Seq, Stage, Transaction,
};

use crate::contract::{LaneName, Numbers, Store};

pub use guarded::{Guard, Guarded};

/// A store under test.
pub trait Subject {
    /// Opens it, again if it was open before: the one that was open is gone by then.
    fn open(&mut self) -> Box<dyn Store>;

    /// Takes a lane as another node would, beside the open store.
    fn take_over(&mut self, name: &LaneName);

    /// Opens it as another node, beside the open store; `None`, as long as this is not said
    /// otherwise: it belongs to one process.
    fn beside(&mut self) -> Option<Box<dyn Store + Send>> {
        None
    }
}

/// Makes a new, empty store.
pub type Make<'a> = &'a mut dyn FnMut() -> Box<dyn Subject>;

type Case = fn(&mut dyn Subject);

const CASES: [(&str, &[(&str, Case)]); 12] = [
    ("lanes", lanes::CASES),
    ("started", started::CASES),
    ("parts", parts::CASES),
    ("reopened", reopened::CASES),
    ("lists", lists::CASES),
    ("bodies", bodies::CASES),
    ("journeys", journeys::CASES),
    ("lives", lives::CASES),
    ("nodes", nodes::CASES),
    ("searching", searching::CASES),
    ("retaining", retaining::CASES),
    ("forgetting", forgetting::CASES),
];

/// Runs the whole suite, each case on a store of its own.
///
/// # Panics
///
/// The store breaks the contract. The case was printed before.
pub fn run(make: Make<'_>) {
    for (chapter, cases) in CASES {
        for (name, case) in cases {
            println!("conformance: {chapter}: {name}");
            case(&mut *make());
        }
    }
}

fn name(stage: Stage, name: &str) -> LaneName {
    LaneName { stage, name: name.into() }
}

/// A store that was opened, with one ingress lane and two outbound lanes.
struct Bench {
    store: Box<dyn Store>,
    numbers: Numbers,
    ingress: Head,
    lab: Head,
    bill: Head,
}

impl Bench {
    fn of(subject: &mut dyn Subject) -> Bench {
        let mut store = subject.open();
        let numbers = store.numbers().unwrap();
        let heads = store.own(&Self::names()).unwrap();
        let [ingress, lab, bill] = heads.try_into().unwrap();
        Bench { store, numbers, ingress, lab, bill }
    }

    fn names() -> [LaneName; 3] {
        [name(Stage::Ingress, "IN"), name(Stage::Outbound, "LAB"), name(Stage::Outbound, "BILL")]
    }

    fn commit(&mut self, records: Vec<Record>, lanes: Vec<LaneUpdate>) -> CommitOutcome {
        self.store.commit(&Transaction { records, lanes }).unwrap()
    }

    fn committed(&mut self, records: Vec<Record>, lanes: Vec<LaneUpdate>) -> Committed {
        match self.commit(records, lanes) {
            CommitOutcome::Committed(committed) => committed,
            other => panic!("not committed: {other:?}"),
        }
    }

    fn head(&mut self, lane: LaneId) -> Head {
        self.store.heads(&[lane]).unwrap().remove(0)
    }
}

fn append(lane: LaneId, message: u64) -> Record {
    Record::Append(Append::new(lane, MessageId(message)))
}

fn update(head: &Head, cursor: u64, window: Option<u32>) -> LaneUpdate {
    LaneUpdate { window, ..LaneUpdate::new(head.lane, head.epoch, Seq(cursor)) }
}

fn message(id: u64, inbound: LaneId, body: Body) -> NewMessage {
    NewMessage {
        received_at: 1_796_000_000_000 + id,
        control_id: Piece::from(format!("M{id}").as_bytes()),
        message_type: Piece::from(&b"ADT^A01"[..]),
        body,
        acknowledgment: Piece::from(&b"MSH|...AA"[..]),
        ..NewMessage::new(MessageId(id), inbound)
    }
}

fn inline(bytes: &[u8]) -> Body {
    Body::Inline(bytes.into())
}
