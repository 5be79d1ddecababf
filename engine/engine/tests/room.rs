//! A disk that fills up: what is kept free is for deliveries, and new messages are refused or wait until
//! there is room again. Making room is all that an operator has to do.

mod common;

use common::troubled::{Control, troubled};
use common::{
    DEADLINE, Partner, Peer, accept, control_id, framed, message, msa, until, wait_for,
    wait_until_idle,
};
use mllp_engine::{Builder, Engine, OnFull, Send, Status, Trouble};
use mllp_pipeline::{BodyId, MessageId, Room};
use mllp_store::{CHUNK, INLINE_LIMIT, MemoryStore, Store};

const MIN_FREE: u64 = 1_000;

fn build(store: &MemoryStore, partner: std::net::SocketAddr) -> (Builder, Control) {
    let (store, control) = troubled(store.clone());
    let builder = Engine::builder("unused")
        .store(Box::new(store))
        .min_free(MIN_FREE)
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", "127.0.0.1", partner.port());
    (builder, control)
}

fn free(control: &Control, free: u64) {
    control.set(|it| it.room = Some(Room { free, size: 1 << 40 }));
}

fn is_low(status: &Status) -> bool {
    status.store.trouble == Some(Trouble::Low)
}

#[test]
fn below_the_mark_messages_are_refused_and_deliveries_go_on() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let address = partner.address;
    drop(partner);
    let (builder, control) = build(&store, address);
    let engine = builder.start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for n in 0..20 {
        assert_eq!(sender.send(&message(&format!("M{n}"))), Some(format!("AA M{n}")));
    }
    assert_eq!(engine.status().unwrap().store.name(), "writing");
    free(&control, MIN_FREE - 1);
    let status = wait_for(&engine, "it is low", is_low);
    assert_eq!(status.store.name(), "full");
    assert!(status.store.since > 0);
    for n in 0..20 {
        assert_eq!(sender.send(&message(&format!("N{n}"))), Some(format!("AE N{n}")));
    }
    let long = [&message("LONG")[..], &[b'x'; 200_000]].concat();
    assert_eq!(sender.send(&long).as_deref(), Some("AE LONG"));
    let longest = control.state().tried.iter().map(|(_, longest)| *longest).max();
    assert!(longest <= Some(INLINE_LIMIT), "its chunks are not written either");
    let partner = Partner::at(address, accept);
    for n in 0..20 {
        assert_eq!(control_id(&partner.next()), format!("M{n}"));
    }
    wait_until_idle(&engine);
    // Not before there is a quarter more than the mark.
    free(&control, MIN_FREE + MIN_FREE / 4);
    wait_for(&engine, "it writes", |it| it.store.name() == "writing");
    assert_eq!(sender.send(&message("L")).as_deref(), Some("AA L"));
    assert_eq!(control_id(&partner.next()), "L");
    wait_until_idle(&engine);
    let stored = store.reader().unwrap().dispositions(MessageId(0), 100).unwrap();
    assert_eq!(stored.len(), 21, "what was accepted is stored, and nothing else");
    engine.stop(DEADLINE).unwrap();
}

/// Ten large messages that had begun would take what is kept free.
#[test]
fn a_large_message_that_has_begun_does_not_take_what_is_kept_free() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (builder, control) = build(&store, partner.address);
    let engine = builder.start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let long = [&message("LONG")[..], &[b'x'; 8 * CHUNK]].concat();
    let frame = framed(&long);
    let (first, rest) = frame.split_at(2 * CHUNK + 1);
    sender.write_bytes(first);
    control.wait_until("two chunks are written", |it| it.tried.len() == 2);
    free(&control, MIN_FREE - 1);
    wait_for(&engine, "it is low", is_low);
    sender.write_bytes(rest);
    assert_eq!(msa(&sender.frame().unwrap()), "AE LONG");
    assert_eq!(control.state().tried.len(), 2, "nothing more of it is written");
    let mut reader = store.reader().unwrap();
    until("what was written of it goes", || reader.chunk(BodyId(1), 0).unwrap().is_none());
    free(&control, 1 << 30);
    wait_for(&engine, "it writes", |it| it.store.name() == "writing");
    assert_eq!(sender.send(&long).as_deref(), Some("AA LONG"));
    assert!(partner.next() == long);
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn messages_that_wait_for_room_are_answered_when_there_is_some() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (builder, control) = build(&store, partner.address);
    free(&control, 0);
    // A second inbound refuses all the while.
    let engine = builder.on_full(OnFull::Wait).inbound("IB2", "127.0.0.1:0", "r").start().unwrap();
    wait_for(&engine, "it is low", is_low);
    let mut refused = Peer::connect(engine.address("IB2").unwrap());
    let mut senders: Vec<_> =
        (0..20).map(|_| Peer::connect(engine.address("IB").unwrap())).collect();
    for (n, sender) in senders.iter_mut().enumerate() {
        sender.write(&message(&format!("M{n}")));
    }
    for n in 0..20 {
        let name = format!("N{n}");
        assert_eq!(refused.send(&message(&name)), Some(format!("AE {name}")));
    }
    assert!(partner.nothing_came());
    free(&control, 1 << 30);
    for (n, sender) in senders.iter_mut().enumerate() {
        assert_eq!(msa(&sender.frame().unwrap()), format!("AA M{n}"));
    }
    (0..20).for_each(|_| drop(partner.next()));
    wait_until_idle(&engine);
    let stored = store.reader().unwrap().dispositions(MessageId(0), 100).unwrap();
    assert_eq!(stored.len(), 20, "what was accepted is stored, and nothing else");
    engine.stop(DEADLINE).unwrap();
}
