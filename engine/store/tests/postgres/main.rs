//! The store in PostgreSQL keeps the contract, also when the server dies.

mod server;
mod wire;

use mllp_pipeline::{
    Append, CommitOutcome, LaneId, MessageId, Record, Refusal, Seq, Stage, Transaction,
};
use mllp_store::conformance::{self, Subject};
use mllp_store::{LaneName, PostgresStore, Store, StoreError};
use server::Server;
use wire::Wire;

struct Postgres {
    parameters: String,
    schema: String,
}

impl Postgres {
    fn store(&self) -> PostgresStore {
        PostgresStore::open(&self.parameters, &self.schema).unwrap()
    }
}

impl Subject for Postgres {
    fn open(&mut self) -> Box<dyn Store> {
        Box::new(self.store())
    }

    fn take_over(&mut self, name: &LaneName) {
        self.store().own(std::slice::from_ref(name)).unwrap();
    }

    fn beside(&mut self) -> Option<Box<dyn Store>> {
        Some(Box::new(self.store()))
    }
}

#[test]
fn postgres_keeps_the_contract() {
    let Some(server) = Server::start() else { return };
    let mut made = 0;
    conformance::run(&mut || {
        made += 1;
        let schema = format!("engine \"{made}\"");
        Box::new(Postgres { parameters: server.parameters(), schema })
    });
}

fn lane(store: &mut dyn Store) -> LaneId {
    let name = LaneName { stage: Stage::Outbound, name: "LAB".into() };
    store.own(&[name]).unwrap()[0].lane
}

fn append(lane: LaneId) -> Transaction {
    let append = Append { lane, message: MessageId(1), body: None, sole: true };
    Transaction { records: vec![Record::Append(append)], lanes: vec![] }
}

fn tail(store: &mut dyn Store, lane: LaneId) -> Seq {
    store.heads(&[lane]).unwrap()[0].tail
}

fn is_committed(outcome: &CommitOutcome) -> bool {
    matches!(outcome, CommitOutcome::Committed(_))
}

/// A commit that runs into the death of the server, and the lane afterwards.
fn killed_at(stop: wire::Stop) -> Option<(CommitOutcome, Seq)> {
    let mut server = Server::start()?;
    let wire = Wire::to(&server.socket());
    let mut store = PostgresStore::open(&wire.parameters(), "engine").unwrap();
    let lane = lane(&mut store);
    assert!(is_committed(&store.commit(&append(lane)).unwrap()));
    let outcome = std::thread::scope(|scope| {
        let armed = wire.arm(stop);
        let commit = scope.spawn(|| store.commit(&append(lane)).unwrap());
        // The wire holds its breath until the server is dead.
        armed.reached();
        server.kill();
        armed.release();
        commit.join().unwrap()
    });
    let refused = store.commit(&append(lane)).unwrap();
    assert_eq!(refused, CommitOutcome::Refused(Refusal::Unavailable), "it is still down");
    assert!(matches!(store.heads(&[lane]), Err(StoreError::Unavailable(_))));
    server.restart();
    let seen = tail(&mut store, lane);
    assert!(is_committed(&store.commit(&append(lane)).unwrap()), "it goes on by itself");
    assert_eq!(tail(&mut store, lane), seen.next());
    Some((outcome, seen))
}

#[test]
fn a_server_that_dies_before_the_commit_has_refused() {
    let Some((outcome, tail)) = killed_at(wire::Stop::Before(b"UPDATE lane")) else { return };
    assert_eq!((outcome, tail), (CommitOutcome::Refused(Refusal::Unavailable), Seq(1)));
}

#[test]
fn a_commit_that_the_server_has_not_seen_is_unknown() {
    let Some((outcome, tail)) = killed_at(wire::Stop::Before(b"COMMIT\0")) else { return };
    assert_eq!((outcome, tail), (CommitOutcome::Unknown, Seq(1)));
}

#[test]
fn a_commit_whose_answer_is_lost_is_unknown() {
    let Some((outcome, tail)) = killed_at(wire::Stop::After(b"COMMIT\0")) else { return };
    assert_eq!((outcome, tail), (CommitOutcome::Unknown, Seq(2)));
}

/// A server that was restarted while nothing was asked of it.
#[test]
fn a_reader_connects_again() {
    let Some(mut server) = Server::start() else { return };
    let mut store = PostgresStore::open(&server.parameters(), "engine").unwrap();
    let lane = lane(&mut store);
    let mut reader = store.reader().unwrap();
    assert!(is_committed(&store.commit(&append(lane)).unwrap()));
    assert_eq!(reader.entries(lane, Seq(0), 9).unwrap().len(), 1);
    server.kill();
    server.restart();
    assert_eq!(reader.entries(lane, Seq(0), 9).unwrap().len(), 1);
    assert_eq!(store.lanes().unwrap().len(), 1);
}

#[test]
fn a_store_of_somebody_else_is_not_touched() {
    let Some(server) = Server::start() else { return };
    let open = |schema| PostgresStore::open(&server.parameters(), schema).map(drop);
    open("engine").unwrap();
    server.sql(
        "UPDATE engine.store SET version = 2; CREATE SCHEMA other; CREATE TABLE other.lane(a int)",
    );
    assert_eq!(open("engine"), Err(StoreError::Newer(2)));
    assert_eq!(open("other"), Err(StoreError::Foreign));
    server.sql("SELECT a FROM other.lane");
}
