//! Large messages: in chunks, in order, and in nobody's way.

mod common;

use common::troubled::{Commits, troubled};
use common::{
    Partner, Peer, accept, control_id, disposition, message, msa, until, wait_for, wait_until_idle,
};
use mllp_engine::{Builder, Engine, Send};
use mllp_pipeline::{BodyId, MessageId, Refusal};
use mllp_store::{CHUNK, Held, INLINE_LIMIT, MemoryStore, SqliteStore, Store};
use tempfile::TempDir;

/// A message of 5 MB, each byte of which says where it stands.
fn large(control_id: &str) -> Vec<u8> {
    let mut bytes = message(control_id);
    bytes.extend_from_slice(b"OBX|1|ED|");
    bytes.extend((0..5_000_000u32).map(|at| b'A' + (at / 7 + at / 262_143) as u8 % 26));
    bytes.push(b'\r');
    bytes
}

fn graph(builder: Builder, partner: &Partner) -> Builder {
    let address = partner.address;
    builder
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", &address.ip().to_string(), address.port())
}

fn feed(store: impl Store + std::marker::Send + 'static, partner: &Partner) -> Builder {
    graph(Engine::builder("unused").store(Box::new(store)), partner)
}

fn chunks(store: &MemoryStore, body: u64) -> usize {
    // Chunk by chunk: they may go while they are looked at.
    let mut reader = store.reader().unwrap();
    let chunks = (0..).map_while(|n| reader.chunk(BodyId(body), n).unwrap());
    chunks.map(|it| it.0.len()).sum()
}

#[test]
fn a_large_message_among_small_ones_arrives_whole_and_in_its_place() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let (store, control) = troubled(SqliteStore::open(data.path()).unwrap());
    let engine = feed(store, &partner).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let mut sent = Vec::new();
    for n in 0..20 {
        let name = format!("M{n}");
        sent.push(if n % 8 == 3 { large(&name) } else { message(&name) });
        sender.write(sent.last().unwrap());
    }
    for n in 0..20 {
        assert_eq!(msa(&sender.frame().unwrap()), format!("AA M{n}"));
    }
    for (n, expected) in sent.iter().enumerate() {
        assert!(partner.next() == *expected, "M{n} is not as it was");
    }
    wait_until_idle(&engine);
    for n in 1..=20 {
        assert_eq!(disposition(&engine, n), "PROCESSED");
    }
    let tried = control.state().tried.clone();
    assert!(tried.iter().all(|(_, longest)| *longest <= CHUNK), "{tried:?}");
    let in_chunks: Vec<_> = tried.iter().filter(|(_, longest)| *longest > INLINE_LIMIT).collect();
    assert!(in_chunks.iter().all(|(records, _)| *records == 1), "each chunk alone");
    assert_eq!(in_chunks.len(), 3 * (5_000_000 / CHUNK), "nothing else is large");
    engine.stop(common::DEADLINE).unwrap();
    // It is read from the store by the next life too.
    let mut reader = SqliteStore::open(data.path()).unwrap().reader().unwrap();
    let mut whole = Vec::new();
    reader.body(Held::Message(MessageId(4)), &mut |bytes| whole.extend_from_slice(bytes)).unwrap();
    assert!(whole == sent[3]);
}

#[test]
fn a_large_message_delays_no_other_connection() {
    let partner = Partner::start(accept);
    let (store, control) = troubled(MemoryStore::new());
    let engine = feed(store, &partner).start().unwrap();
    let address = engine.address("IB").unwrap();
    let mut slow = Peer::connect(address);
    control.set(|it| it.commits = Commits::Hang);
    // It is not read further than its chunks are written, so it is not done before they are.
    let writing = std::thread::spawn(move || {
        slow.write(&large("L1"));
        slow.write(&message("L2"));
        slow
    });
    control.wait_until("a chunk is written", |it| it.tried.len() == 1);
    let mut other = Peer::connect(address);
    other.write(&message("M1"));
    wait_for(&engine, "the other is there", |it| it.waiting == 1);
    control.set(|it| it.commits = Commits::Work);
    assert_eq!(msa(&other.frame().unwrap()), "AA M1");
    let mut slow = writing.join().unwrap();
    assert_eq!(msa(&slow.frame().unwrap()), "AA L1");
    assert_eq!(msa(&slow.frame().unwrap()), "AA L2");
    let arrived: Vec<_> = (0..3).map(|_| control_id(&partner.next())).collect();
    let place = |name: &str| arrived.iter().position(|it| it == name).unwrap();
    assert!(place("L1") < place("L2"), "{arrived:?}");
    assert_eq!(place("M1"), 0, "{arrived:?}");
}

#[test]
fn a_large_result_of_a_handler_is_what_is_sent() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let address = partner.address;
    let (failing, control) = troubled(store.clone());
    let engine = Engine::builder("unused")
        .store(Box::new(failing))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |message| {
            let id = message.get("MSH-10").unwrap_or_default();
            [Send::bytes("OB", large(&String::from_utf8_lossy(id)))]
        })
        .outbound("OB", &address.ip().to_string(), address.port())
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    assert!(partner.next() == large("M1"));
    wait_until_idle(&engine);
    assert!(control.state().tried.iter().all(|(_, longest)| *longest <= CHUNK));
    assert_eq!(chunks(&store, 1), large("M1").len());
}

#[test]
fn a_result_with_a_fault_leaves_nothing_of_its_large_bodies() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let address = partner.address;
    let engine = Engine::builder("unused")
        .store(Box::new(store.clone()))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::bytes("OB", large("M1")), Send::unchanged("nowhere")])
        .outbound("OB", &address.ip().to_string(), address.port())
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "ERROR");
    until("they are swept", || chunks(&store, 1) == 0);
}

/// The chunks are durable and the message is not: it was not answered, it comes again, and what was
/// left of it goes.
#[test]
fn a_crash_between_the_chunks_and_the_message_leaves_nothing() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (failing, control) = troubled(store.clone());
    let engine = feed(failing, &partner).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    control.set(|it| it.commits = Commits::EndAtMessage);
    assert_eq!(sender.send(&large("M1")), None, "no answer");
    until("it has ended", || engine.has_ended());
    drop(engine);
    assert_eq!(chunks(&store, 1), large("M1").len(), "they are there, and nothing holds them");
    assert!(store.reader().unwrap().message(MessageId(1)).unwrap().is_none());

    let engine = feed(store.clone(), &partner).start().unwrap();
    until("they are swept", || chunks(&store, 1) == 0);
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&large("M1")).as_deref(), Some("AA M1"));
    assert!(partner.next() == large("M1"));
    wait_until_idle(&engine);
    assert!(partner.nothing_came());
}

#[test]
fn a_large_message_that_finds_no_room_is_refused_and_leaves_nothing() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (failing, control) = troubled(store.clone());
    let engine = feed(failing, &partner).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    control.set(|it| it.commits = Commits::Refuse(Refusal::Full));
    sender.write(&large("M1"));
    sender.write(&message("M2"));
    assert_eq!(msa(&sender.frame().unwrap()), "AE M1");
    assert_eq!(msa(&sender.frame().unwrap()), "AE M2");
    control.set(|it| it.commits = Commits::Work);
    until("there is room again", || {
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        sender.send(&large("M1")).as_deref() == Some("AA M1")
    });
    assert!(partner.next() == large("M1"));
    wait_until_idle(&engine);
}

#[test]
fn a_large_message_that_comes_again_is_a_duplicate_and_kept_once() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = feed(store.clone(), &partner).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for _ in 0..2 {
        assert_eq!(sender.send(&large("M1")).as_deref(), Some("AA M1"));
    }
    let mut other = large("M1");
    let last = other.len() - 2;
    other[last] = b'!';
    assert_eq!(sender.send(&other).as_deref(), Some("AA M1"));
    assert!(partner.next() == large("M1"));
    assert!(partner.next() == other, "other bytes are another message");
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 2), "DUPLICATE");
    until("the second copy goes", || chunks(&store, 2) == 0);
    assert_eq!((chunks(&store, 1), chunks(&store, 3)), (large("M1").len(), other.len()));
}

#[test]
fn a_message_at_the_limit_is_stored_in_one_piece() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = feed(store.clone(), &partner).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let mut exact = message("M1");
    exact.resize(INLINE_LIMIT, b'x');
    let mut above = message("M2");
    above.resize(INLINE_LIMIT + 1, b'x');
    for payload in [exact, above] {
        let _ = sender.send(&payload);
        assert!(partner.next() == payload);
    }
    assert_eq!((chunks(&store, 1), chunks(&store, 2)), (INLINE_LIMIT + 1, 0));
}
