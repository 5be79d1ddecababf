//! A store that refuses, forgets to say, or ends: nothing is answered AA that is not kept.

mod common;

use common::{Partner, Peer, accept, control_id, disposition, message, wait_for, wait_until_idle};
use mllp_engine::{Builder, Engine, Error, Send, StoreError};
use mllp_pipeline::Refusal;
use mllp_store::{Fault, MemoryStore, SqliteStore};
use tempfile::TempDir;

fn feed(store: &MemoryStore, partner: &Partner) -> Builder {
    let address = partner.address;
    Engine::builder("unused")
        .store(Box::new(store.clone()))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", &address.ip().to_string(), address.port())
}

#[test]
fn a_store_that_refuses_is_answered_for_and_comes_back() {
    for refusal in [Refusal::Unavailable, Refusal::Full] {
        let (store, partner) = (MemoryStore::new(), Partner::start(accept));
        let engine = feed(&store, &partner).start().unwrap();
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        store.fail_next(Fault::Refuse(refusal));
        assert_eq!(sender.send(&message("M1")).as_deref(), Some("AE M1"), "{refusal:?}");
        let mut tries = 0;
        while sender.send(&message("M1")).as_deref() != Some("AA M1") {
            tries += 1;
            assert!(tries < 100_000, "it does not come back");
            std::thread::yield_now();
        }
        assert_eq!(control_id(&partner.next()), "M1");
        wait_until_idle(&engine);
        engine.stop(common::DEADLINE).unwrap();
    }
}

#[test]
fn a_store_that_fails_every_write_takes_nothing_over() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = feed(&store, &partner).start().unwrap();
    (0..10_000).for_each(|_| store.fail_next(Fault::Refuse(Refusal::Unavailable)));
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for number in 0..5 {
        let name = format!("M{number}");
        assert_eq!(sender.send(&message(&name)), Some(format!("AE {name}")));
    }
    assert!(partner.nothing_came());
}

#[test]
fn an_unknown_outcome_is_not_answered_and_the_message_comes_once() {
    for written in [false, true] {
        let (store, partner) = (MemoryStore::new(), Partner::start(accept));
        let engine = feed(&store, &partner).start().unwrap();
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        store.fail_next(Fault::Unknown { written });
        assert_eq!(sender.send(&message("M1")), None, "closed, without an answer");
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
        assert_eq!(control_id(&partner.next()), "M1");
        wait_until_idle(&engine);
        if !written {
            assert!(partner.nothing_came());
        }
        engine.stop(common::DEADLINE).unwrap();
    }
}

#[test]
fn a_sync_that_fails_ends_the_engine() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = feed(&store, &partner).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    wait_until_idle(&engine);
    store.fail_next(Fault::End(StoreError::SyncFailed("the disk is gone".to_owned())));
    sender.write(&message("M2"));
    let end = std::time::Instant::now() + common::DEADLINE;
    while !engine.has_ended() {
        assert!(std::time::Instant::now() < end);
        std::thread::yield_now();
    }
    assert_eq!(sender.frame(), None, "no answer");
    let Err(error @ Error::Store(_)) = engine.stop(common::DEADLINE) else { panic!() };
    assert_eq!(error.exit_status(), 5);
}

#[test]
fn a_life_that_ends_in_the_midst_loses_nothing() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = feed(&store, &partner).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for number in 0..100 {
        sender.write(&message(&format!("M{number}")));
    }
    let mut accepted = 0;
    while accepted < 60 {
        assert_eq!(common::msa(&sender.frame().unwrap()), format!("AA M{accepted}"));
        accepted += 1;
    }
    drop(engine);
    let engine = feed(&store, &partner).start().unwrap();
    wait_until_idle(&engine);
    let mut missing: Vec<_> = (0..accepted).map(|number| format!("M{number}")).collect();
    while !missing.is_empty() {
        let arrived = control_id(&partner.next());
        missing.retain(|it| *it != arrived);
    }
    for number in 0..accepted {
        assert_eq!(disposition(&engine, number as u64 + 1), "PROCESSED");
    }
}

#[test]
fn a_store_that_is_in_use_is_refused_with_its_exit_status() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let _first = SqliteStore::open(data.path()).unwrap();
    let address = partner.address;
    let refused = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| None)
        .outbound("OB", &address.ip().to_string(), address.port())
        .start();
    let Err(error) = refused else { panic!("not refused") };
    assert_eq!(error.exit_status(), 4);
    assert_eq!(error.to_string(), "the store is in use by another engine");
}

#[test]
fn a_stop_says_what_is_left_and_loses_nothing() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let address = partner.address;
    let build = || {
        Engine::builder(data.path())
            .inbound("IB", "127.0.0.1:0", "r")
            .router("r", |_| ["h"])
            .handler("h", |_| [Send::unchanged("OB")])
            .outbound("OB", &address.ip().to_string(), address.port())
    };
    drop(partner);
    let engine = build().start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    wait_for(&engine, "it rests", |it| it.outbound("OB").unwrap().depth == 1);
    // What waits for a partner is not in progress.
    engine.stop(common::DEADLINE).unwrap();
    let partner = Partner::at(address, accept);
    let engine = build().start().unwrap();
    assert_eq!(control_id(&partner.next()), "M1");
    wait_until_idle(&engine);
}
