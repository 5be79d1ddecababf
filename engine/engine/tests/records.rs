//! What the engine writes into its log: a record for each change of state, and nothing of a message. One
//! process has one log, so this is one test.

mod common;

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::troubled::{Commits, Control, troubled};
use common::{DEADLINE, PATIENT, Partner, Peer, journey, typed, until, wait_for};
use log::kv::{Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata};
use mllp_engine::{Engine, Error, Retry, Send};
use mllp_pipeline::{Body, Fact, IdHash, Keys, LaneId, Piece, Received, Refusal, Room, Ticket};
use mllp_store::{MemoryStore, StoreError};

/// Stands in the payload of every message, and in every answer of a partner.
const MARK: &str = "MARKEDPATIENT";

/// What a patient is found by.
const KEY: u64 = 4_711_471_147_114_711_471;

/// Every record, as text: level, message, fields.
struct Records(Mutex<Vec<String>>);

static RECORDS: Records = Records(Mutex::new(Vec::new()));

struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        write!(self.0, " {key}={value}").map_err(|_| log::kv::Error::msg("no room"))
    }
}

impl Log for Records {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut line = format!("{} {}", record.level(), record.args());
        record.key_values().visit(&mut Fields(&mut line)).unwrap();
        self.0.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

impl Records {
    /// How many records begin so and hold all of these.
    fn count(&self, start: &str, parts: &[&str]) -> usize {
        let all = self.0.lock().unwrap();
        let fits =
            |it: &&String| it.starts_with(start) && parts.iter().all(|part| it.contains(part));
        all.iter().filter(fits).count()
    }

    fn wait(&self, start: &str, parts: &[&str]) {
        until(&format!("{start} {parts:?}"), || self.count(start, parts) > 0);
    }
}

fn marked(kind: &str, name: &str) -> Vec<u8> {
    [&typed(kind, name)[..], format!("NTE|1||{MARK} {name}\r").as_bytes()].concat()
}

fn feed(store: MemoryStore, partner: &Partner, lab: u16) -> (Engine, Control) {
    let (store, control) = troubled(store);
    let engine = Engine::builder("unused")
        .store(Box::new(store))
        .min_free(1_000)
        .inbound("IB", "127.0.0.1:0", "r")
        .inbound("STRANGE", "127.0.0.1:0", "r")
        .receive(|it| it.allow = vec!["10.0.0.0/8".parse().unwrap()])
        .router("r", |message| match message.get("MSH-9.2") {
            Some(b"A02") => vec!["panics"],
            Some(b"A03") => vec![MARK],
            Some(b"A04") => vec!["astray"],
            _ => vec!["h"],
        })
        .handler("h", |_| [Send::unchanged("OB"), Send::unchanged("LAB")])
        .handler("panics", |message| -> Option<Send> {
            std::panic::resume_unwind(Box::new(message.payload().to_vec()))
        })
        .handler("astray", |_| [Send::unchanged(MARK)])
        .outbound("OB", "127.0.0.1", partner.address.port())
        .retry(Retry { backoff: 10, max_backoff: 20, ..Retry::DEFAULT })
        .outbound("LAB", "127.0.0.1", lab)
        .start()
        .unwrap();
    (engine, control)
}

/// A partner that is down, and one that is busy: one record each, however often it is tried. The first is
/// up in the end.
fn partners_that_fail(
    engine: &Engine,
    sender: &mut Peer,
    busy: &AtomicBool,
    lab: SocketAddr,
) -> Partner {
    for n in 0..5 {
        assert_eq!(sender.send(&marked("ADT^A01", &format!("M{n}"))), Some(format!("AA M{n}")));
    }
    wait_for(engine, "it is tried", |it| it.outbound("OB").unwrap().attempt > 3);
    RECORDS.wait("WARN a delivery has failed", &["connection=OB", "failure=refused_for_now"]);
    busy.store(false, Ordering::Relaxed);
    RECORDS.wait("INFO deliveries succeed again", &["connection=OB"]);
    let lab = Partner::at(lab, common::accept);
    RECORDS.wait("INFO connected", &["connection=LAB"]);
    (0..5).for_each(|_| drop(lab.next()));
    assert_eq!(RECORDS.count("WARN a delivery has failed", &["connection=OB"]), 1);
    assert_eq!(RECORDS.count("WARN not connected", &[]), 1);
    assert_eq!(RECORDS.count("WARN lost", &["connection=LAB"]), 0);
    lab
}

fn peers_that_are_turned_away(engine: &Engine) {
    // The first, the second, the fourth.
    let strange = engine.address("STRANGE").unwrap();
    (0..5).for_each(|_| assert!(Peer::connect(strange).frame().is_none()));
    let why = ["connection=STRANGE", "peer=127.0.0.1:", "its network may not connect", "peers=4"];
    RECORDS.wait("WARN a peer was turned away", &why);
    assert_eq!(RECORDS.count("WARN a peer was turned away", &[]), 3);
    // They send something else: a TLS handshake, and a message without frames.
    let address = engine.address("IB").unwrap();
    Peer::connect(address).write_bytes(b"\x16\x03\x01\x02\x00\x01\x00");
    let why = ["connection=IB", "peer=127.0.0.1:", "another protocol does: tls"];
    RECORDS.wait("WARN trouble with a peer", &why);
    Peer::connect(address).write_bytes(&marked("ADT^A01", "BARE"));
    RECORDS.wait("WARN trouble with a peer", &["connection=IB", "bytes are in no frame"]);
}

/// Functions that fail, and a delivery that is dead.
fn functions_that_fail(engine: &Engine, sender: &mut Peer) {
    for (kind, name) in
        [("ADT^A02", "P1"), ("ADT^A03", "P2"), ("ADT^A04", "P3"), ("ADT^A01", "DEAD")]
    {
        assert_eq!(sender.send(&marked(kind, name)), Some(format!("AA {name}")));
    }
    common::wait_until_idle(engine);
    RECORDS.wait("WARN the function has failed", &["connection=panics", "error=panic"]);
    RECORDS.wait("WARN the function has failed", &["connection=IB", "error=unknown_handler"]);
    RECORDS.wait("WARN the function has failed", &["connection=astray", "error=unknown_outbound"]);
    RECORDS.wait("WARN a delivery is dead", &["connection=OB", "failure=refused_for_good"]);
}

fn a_store_in_every_trouble(control: &Control, mut sender: Peer, address: SocketAddr) {
    control.set(|it| it.room = Some(Room { free: 1, size: 1 << 30 }));
    RECORDS.wait("WARN the store does not take everything", &["state=full", "reason=low"]);
    assert_eq!(sender.send(&marked("ADT^A01", "F")).as_deref(), Some("AE F"));
    control.set(|it| it.room = Some(Room { free: 1 << 29, size: 1 << 30 }));
    RECORDS.wait("INFO the store writes again", &[]);
    for (commits, reason) in [
        (Commits::Refuse(Refusal::Full), "full"),
        (Commits::Refuse(Refusal::Unavailable), "unavailable"),
    ] {
        control.set(|it| it.commits = commits);
        assert_eq!(sender.send(&marked("ADT^A01", reason)), Some(format!("AE {reason}")));
        RECORDS.wait("WARN the store does not take everything", &[&format!("reason={reason}")]);
        control.set(|it| it.commits = Commits::Work);
        let back = || sender.send(&marked("ADT^A01", reason)) == Some(format!("AA {reason}"));
        until("it comes back", back);
    }
    control.set(|it| it.commits = Commits::Vanish);
    assert_eq!(sender.send(&marked("ADT^A01", "V")), None);
    RECORDS.wait("WARN the store does not take everything", &["reason=unknown_outcome"]);
    control.set(|it| it.commits = Commits::Work);
    let mut sender = Peer::connect(address);
    assert_eq!(sender.send(&marked("ADT^A01", "V")).as_deref(), Some("AA V"));
}

fn a_store_that_ends(store: MemoryStore, partner: &Partner, lab: u16) -> Error {
    let (engine, control) = feed(store, partner, lab);
    control.set(|it| it.commits = Commits::EndAtMessage);
    assert_eq!(Peer::connect(engine.address("IB").unwrap()).send(&marked("ADT^A01", "E")), None);
    until("it has ended", || engine.has_ended());
    let error = engine.stop(Duration::from_secs(1)).unwrap_err();
    RECORDS.wait("ERROR the store has come to its end", &["status=5"]);
    RECORDS.wait("WARN stopped", &[]);
    error
}

#[test]
fn a_record_for_each_change_of_state_and_nothing_of_a_message() {
    log::set_logger(&RECORDS).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let busy = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&busy);
    // What the partner says quotes the patient.
    let partner = Partner::start(move |id| match id {
        _ if told.load(Ordering::Relaxed) => "AE no MARKEDPATIENT now",
        "DEAD" => "AR no MARKEDPATIENT here",
        _ => "AA",
    });
    let lab = Partner::start(common::accept);
    let (lab_address, store) = (lab.address, MemoryStore::new());
    drop(lab);
    let (engine, control) = feed(store.clone(), &partner, lab_address.port());
    let address = engine.address("IB").unwrap();
    RECORDS.wait("INFO listening", &["connection=IB", &format!("address={address}")]);
    RECORDS.wait("INFO connected", &["connection=OB"]);
    RECORDS.wait("WARN not connected", &["connection=LAB", "not reached: connection refused"]);
    let mut sender = Peer::connect(address);
    let lab = partners_that_fail(&engine, &mut sender, &busy, lab_address);
    peers_that_are_turned_away(&engine);
    functions_that_fail(&engine, &mut sender);
    // The same control ID with other bytes.
    assert_eq!(sender.send(&typed("ADT^A01", "M1")).as_deref(), Some("AA M1"));
    RECORDS.wait("WARN a control ID has come again", &["connection=IB", "of="]);
    a_store_in_every_trouble(&control, sender, address);
    common::wait_until_idle(&engine);
    let status = format!("{:?}", engine.status().unwrap());
    let journeys: Vec<_> = (1..9).map(|id| format!("{:?}", journey(&engine, id))).collect();
    drop(lab);
    engine.stop(DEADLINE).unwrap();
    RECORDS.wait("INFO stopped", &[]);
    let error = a_store_that_ends(store, &partner, lab_address.port());
    // Nothing of a message is anywhere.
    let written = RECORDS.0.lock().unwrap().join("\n");
    let told = [&written, &status, &journeys.concat(), &format!("{error} {error:?}"), &debugs()];
    for text in told {
        assert!(!text.contains(MARK), "{text}");
        assert!(!text.contains(PATIENT), "{text}");
        assert!(!text.contains(&KEY.to_string()), "{text}");
    }
    let at_info = written.lines().filter(|it| it.starts_with("INFO")).count();
    assert!(at_info < 20, "one for each change of state\n{written}");
}

/// `Debug` of what holds payloads.
fn debugs() -> String {
    let payload = marked("ADT^A01", "D");
    let received = Fact::Received(Received {
        ticket: Ticket(1),
        inbound: LaneId(1),
        identity: 0,
        name: IdHash::NONE,
        control_id: Piece::from(&payload[..]),
        message_type: Piece::from(&payload[..]),
        indexed: Keys::new(&[KEY]),
        body: Body::Inline(payload.clone().into()),
        acknowledgment: Piece::from(&payload[..]),
        accepted: true,
        origin: Piece::from(&payload[..]),
        session: None,
    });
    let failed = Fact::Failed {
        lane: LaneId(1),
        seq: mllp_pipeline::Seq(1),
        failure: mllp_pipeline::Failure::RefusedForNow,
        note: mllp_pipeline::Note(MARK.to_owned()),
    };
    let send = Send::bytes("OB", payload);
    let error = StoreError::Unavailable("not reachable".to_owned());
    format!("{received:?} {failed:?} {send:?} {error:?}")
}
