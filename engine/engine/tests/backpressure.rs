//! Lanes with a capacity: what does not fit waits in front of it, in order, back to the sender; nothing
//! that was accepted is dropped.

mod common;

use std::collections::BTreeSet;

use common::{
    DEADLINE, Partner, Peer, accept, control_id, journey, message, msa, until, wait_for,
    wait_until_idle,
};
use mllp_engine::{Builder, Capacity, Engine, OnFull, Send};
use mllp_store::{MemoryStore, Store};

const FEW: Capacity = Capacity { depth: 3, ..Capacity::NONE };

fn build(store: &MemoryStore, partner: std::net::SocketAddr) -> Builder {
    Engine::builder("unused")
        .store(Box::new(store.clone()))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", "127.0.0.1", partner.port())
        .capacity("OB", FEW)
        .capacity("h", FEW)
        .capacity("IB", FEW)
}

/// The control IDs of all messages in the store.
fn stored(engine: &Engine, store: &MemoryStore) -> BTreeSet<String> {
    let all = store.reader().unwrap().dispositions(mllp_engine::MessageId(0), 1_000).unwrap();
    let name = |id: u64| {
        let control_id = journey(engine, id).message.message.control_id;
        String::from_utf8_lossy(&control_id.0).into_owned()
    };
    all.into_iter().map(|(id, _)| name(id.0)).collect()
}

fn depth(status: &mllp_engine::Status, name: &str) -> u64 {
    status.lanes.iter().find(|it| it.name == name).unwrap().depth
}

#[test]
fn what_does_not_fit_is_refused_and_what_was_accepted_arrives_in_order() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let address = partner.address;
    drop(partner);
    let engine = build(&store, address).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let (mut accepted, mut refused) = (Vec::new(), 0);
    // Every lane fills up, and then some.
    while refused < 20 {
        let name = format!("M{}", accepted.len() + refused);
        match sender.send(&message(&name)).unwrap() {
            answer if answer == format!("AA {name}") => accepted.push(name),
            answer => {
                assert_eq!(answer, format!("AE {name}"));
                refused += 1;
            }
        }
        assert!(accepted.len() <= 9, "three lanes of three");
    }
    let status = wait_for(&engine, "all lanes are full", |it| {
        ["IB", "h", "OB"].iter().all(|name| depth(it, name) == 3)
    });
    assert!(status.lanes.iter().all(|lane| lane.is_full && lane.bytes > 0), "{status:#?}");
    let names: BTreeSet<String> = accepted.iter().cloned().collect();
    assert_eq!(stored(&engine, &store), names, "accepted is stored, and nothing else");
    // After a restart the lanes are as full as before.
    drop(engine);
    let engine = build(&store, address).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("N")).as_deref(), Some("AE N"));
    let partner = Partner::at(address, accept);
    for name in accepted {
        assert_eq!(control_id(&partner.next()), name);
    }
    wait_until_idle(&engine);
    assert_eq!(sender.send(&message("L")).as_deref(), Some("AA L"));
    assert_eq!(control_id(&partner.next()), "L");
    wait_until_idle(&engine);
    assert!(engine.status().unwrap().lanes.iter().all(|lane| lane.bytes == 0));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn an_inbound_that_waits_reads_no_more_and_loses_nothing() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let address = partner.address;
    drop(partner);
    let engine = build(&store, address).on_full(OnFull::Wait).start().unwrap();
    let mut senders: Vec<_> =
        (0..40).map(|_| Peer::connect(engine.address("IB").unwrap())).collect();
    for (n, sender) in senders.iter_mut().enumerate() {
        sender.write(&message(&format!("M{n}")));
    }
    wait_for(&engine, "all lanes are full", |it| {
        ["IB", "h", "OB"].iter().all(|name| depth(it, name) == 3)
    });
    assert_eq!(stored(&engine, &store).len(), 9);
    let partner = Partner::at(address, accept);
    let mut arrived = BTreeSet::new();
    for (n, sender) in senders.iter_mut().enumerate() {
        assert_eq!(msa(&sender.frame().unwrap()), format!("AA M{n}"));
        arrived.insert(control_id(&partner.next()));
    }
    wait_until_idle(&engine);
    assert_eq!(arrived.len(), 40);
    assert_eq!(stored(&engine, &store), arrived);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_lane_is_full_by_its_bytes_and_takes_one_message_that_is_larger() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let address = partner.address;
    drop(partner);
    let capacity = Capacity { bytes: 1_000, ..Capacity::NONE };
    let engine = build(&store, address).capacity("IB", capacity).capacity("h", capacity);
    let engine = engine.capacity("OB", capacity).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let long = |name: &str| [&message(name)[..], &[b'x'; 100_000]].concat();
    // One in each lane, each larger than its lane.
    for name in ["OB", "h", "IB"] {
        // The listener may not have heard yet that the lane has room again.
        until(name, || sender.send(&long(name)) == Some(format!("AA {name}")));
        wait_for(&engine, "it has its place", |it| depth(it, name) == 1);
    }
    for name in ["M1", "M2"] {
        assert_eq!(sender.send(&message(name)), Some(format!("AE {name}")));
    }
    let partner = Partner::at(address, accept);
    for name in ["OB", "h", "IB"] {
        assert_eq!(control_id(&partner.next()), name);
    }
    wait_until_idle(&engine);
    assert_eq!(sender.send(&message("M3")).as_deref(), Some("AA M3"));
    assert_eq!(control_id(&partner.next()), "M3");
}

/// A partner that is down fills its lane, and what goes elsewhere is not held up by that.
#[test]
fn another_handler_goes_on_while_one_stands_still() {
    let (store, down) = (MemoryStore::new(), Partner::start(accept));
    let (up, address) = (Partner::start(accept), down.address);
    drop(down);
    let engine = build(&store, address)
        .capacity("IB", Capacity::NONE)
        .capacity("h", Capacity::NONE)
        .router("both", |_| ["h", "other"])
        .handler("other", |_| [Send::unchanged("UP")])
        .outbound("UP", "127.0.0.1", up.address.port())
        .inbound("IB2", "127.0.0.1:0", "both")
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("IB2").unwrap());
    for n in 0..50 {
        assert_eq!(sender.send(&message(&format!("M{n}"))), Some(format!("AA M{n}")));
        assert_eq!(control_id(&up.next()), format!("M{n}"));
    }
    let status = wait_for(&engine, "the rest waits before the handler", |it| depth(it, "h") == 47);
    assert_eq!(depth(&status, "OB"), 3);
    let down = Partner::at(address, accept);
    for n in 0..50 {
        assert_eq!(control_id(&down.next()), format!("M{n}"));
    }
    wait_until_idle(&engine);
}
