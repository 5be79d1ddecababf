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

    fn beside(&mut self) -> Option<Box<dyn Store + Send>> {
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
    let append = Append::new(lane, MessageId(1));
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

/// Nobody asks anything of the server while it is away, so nobody hears of it.
#[test]
fn a_server_that_was_restarted_meanwhile_is_connected_to_again() {
    let Some(mut server) = Server::start() else { return };
    let mut store = PostgresStore::open(&server.parameters(), "engine").unwrap();
    let lane = lane(&mut store);
    let mut reader = store.reader().unwrap();
    assert!(is_committed(&store.commit(&append(lane)).unwrap()));
    assert_eq!(reader.entries(lane, Seq(0), 9).unwrap().len(), 1);
    server.kill();
    server.restart();
    assert!(is_committed(&store.commit(&append(lane)).unwrap()));
    assert_eq!(reader.entries(lane, Seq(0), 9).unwrap().len(), 2);
}

#[test]
fn nodes_make_a_new_store_at_the_same_time() {
    let Some(server) = Server::start() else { return };
    for round in 0..10 {
        let schema = format!("engine{round}");
        let begin = std::sync::Barrier::new(3);
        let open = || {
            begin.wait();
            PostgresStore::open(&server.parameters(), &schema).unwrap().numbers().unwrap().stamp.0
        };
        let mut stamps = std::thread::scope(|scope| {
            let nodes = [(); 3].map(|()| scope.spawn(open));
            nodes.map(|node| node.join().unwrap())
        });
        stamps.sort_unstable();
        assert_eq!(stamps, [1 << 40, 2 << 40, 3 << 40]);
    }
}

/// A connection that has stopped in the middle of its transaction holds nobody up for ever: the
/// server gives up waiting for its lock, and the commit is refused.
#[test]
fn a_lock_that_somebody_keeps_refuses_the_commit() {
    let Some(server) = Server::start() else { return };
    let mut store = PostgresStore::open(&server.parameters(), "engine").unwrap();
    let lane = lane(&mut store);
    let outcome = std::thread::scope(|scope| {
        let keep = "BEGIN; UPDATE engine.lane SET due = due; SELECT pg_sleep(3600)";
        let kept = scope.spawn(|| server.sql_fails(keep));
        server.sql(
            "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity
             WHERE query LIKE 'BEGIN; UPDATE%' AND wait_event = 'PgSleep') LOOP
             PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$",
        );
        let outcome = store.commit(&append(lane)).unwrap();
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE query LIKE 'BEGIN; UPDATE%'",
        );
        kept.join().unwrap();
        outcome
    });
    assert_eq!(outcome, CommitOutcome::Refused(Refusal::Unavailable));
    assert!(is_committed(&store.commit(&append(lane)).unwrap()));
    assert_eq!(tail(&mut store, lane), Seq(1));
}

#[test]
fn a_store_of_somebody_else_is_not_touched() {
    let Some(server) = Server::start() else { return };
    let open = |schema| PostgresStore::open(&server.parameters(), schema).map(drop);
    open("engine").unwrap();
    server.sql(
        "UPDATE engine.store SET version = 4; CREATE SCHEMA other; CREATE TABLE other.lane(a int)",
    );
    assert_eq!(open("engine"), Err(StoreError::Newer(4)));
    assert_eq!(open("other"), Err(StoreError::Foreign));
    server.sql("SELECT a FROM other.lane");
}
