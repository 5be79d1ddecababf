//! A store that is away for a while: nothing is answered that is not kept, listeners go on, a stop
//! keeps its deadline, and everything goes on when the store is back.

mod common;

use std::time::Duration;

use common::troubled::{Commits, Control, troubled};
use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, message, msa, stopped, wait_for,
    wait_until_idle,
};
use mllp_engine::{Engine, Error, Send};
use mllp_pipeline::{MessageId, Refusal};
use mllp_store::{MemoryStore, Store, StoreError};

fn start(store: &MemoryStore, partner: &Partner) -> (Engine, Control) {
    let (store, control) = troubled(store.clone());
    let address = partner.address;
    let engine = Engine::builder("unused")
        .store(Box::new(store))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", &address.ip().to_string(), address.port())
        .start()
        .unwrap();
    (engine, control)
}

fn connect(engine: &Engine) -> Peer {
    Peer::connect(engine.address("IB").unwrap())
}

#[test]
fn a_store_that_cannot_tell_its_lanes_is_asked_until_it_can() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (engine, control) = start(&store, &partner);
    control.set(|it| (it.commits, it.heads_fail) = (Commits::Vanish, true));
    assert_eq!(connect(&engine).send(&message("M1")), None, "closed, without an answer");
    // Commits would work again: nothing is answered before the lane is known.
    control.set(|it| it.commits = Commits::Work);
    let mut sender = connect(&engine);
    for n in 2..10 {
        sender.write(&message(&format!("M{n}")));
    }
    wait_for(&engine, "it reads on", |it| it.waiting == 8);
    control.wait_until("it asks again", |it| it.asked_in_vain >= 3);
    assert!(!engine.has_ended());
    assert_eq!(engine.status().unwrap().waiting, 8, "none is answered");
    control.set(|it| it.heads_fail = false);
    for n in 2..10 {
        assert_eq!(msa(&sender.frame().unwrap()), format!("AA M{n}"));
        assert_eq!(control_id(&partner.next()), format!("M{n}"));
    }
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_stop_does_not_wait_for_a_store_that_cannot_tell_its_lanes() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (engine, control) = start(&store, &partner);
    control.set(|it| (it.commits, it.heads_fail) = (Commits::Vanish, true));
    assert_eq!(connect(&engine).send(&message("M1")), None);
    let mut sender = connect(&engine);
    sender.write(&message("M2"));
    wait_for(&engine, "it is read", |it| it.waiting == 1);
    let stopped = engine.stop(Duration::from_millis(100));
    assert!(matches!(stopped, Err(Error::Unfinished)), "{stopped:?}");
    assert_eq!(sender.frame(), None, "closed, without an answer");
    // The store was given back, and nothing is in it.
    let (engine, _) = start(&store, &partner);
    assert_eq!(connect(&engine).send(&message("M2")).as_deref(), Some("AA M2"));
    assert_eq!(control_id(&partner.next()), "M2");
}

#[test]
fn a_store_that_never_tells_its_lanes_and_is_damaged_ends_the_engine() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (engine, _control) = start(&store, &partner);
    store.fail_next(mllp_store::Fault::End(StoreError::Corrupt("a page".to_owned())));
    assert_eq!(connect(&engine).send(&message("M1")), None);
    common::until("it has ended", || engine.has_ended());
    let Err(error) = engine.stop(DEADLINE) else { panic!() };
    assert_eq!(error.exit_status(), 4);
    assert_eq!(error.to_string(), "the store is damaged: a page");
}

/// 1,000 connections are accepted, read and closed while no commit returns.
#[test]
fn a_store_that_never_commits_answers_nothing_and_holds_nobody() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (engine, control) = start(&store, &partner);
    control.set(|it| it.commits = Commits::Hang);
    let mut first = connect(&engine);
    first.write(&message("M"));
    control.wait_until("a commit hangs", |it| it.tried.len() == 1);
    let mut waiting = 1;
    for round in 0..10 {
        let mut peers: Vec<_> = (0..100).map(|_| connect(&engine)).collect();
        for (n, peer) in peers.iter_mut().enumerate() {
            peer.write(&message(&format!("M{round}-{n}")));
            // Its sender gives up, as senders do.
            peer.hang_up();
        }
        waiting += 100;
        wait_for(&engine, "all are read", |it| it.waiting == waiting);
    }
    assert_eq!(control.state().tried.len(), 1, "one commit is open at a time");
    let stopped = stopped(engine, Duration::from_millis(200));
    assert!(matches!(stopped, Err(Error::Unfinished)), "{stopped:?}");
    assert_eq!(first.frame(), None, "closed, without an answer");
    assert!(store.reader().unwrap().dispositions(MessageId(0), 1).unwrap().is_empty());
    assert!(partner.nothing_came());
}

#[test]
fn senders_that_wait_for_a_store_that_hangs_are_answered_when_it_goes_on() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let (engine, control) = start(&store, &partner);
    control.set(|it| it.commits = Commits::Hang);
    let mut senders: Vec<_> = (0..50).map(|_| connect(&engine)).collect();
    for (n, sender) in senders.iter_mut().enumerate() {
        sender.write(&message(&format!("M{n}")));
    }
    wait_for(&engine, "all are read", |it| it.waiting == 50);
    control.set(|it| it.commits = Commits::Work);
    for (n, sender) in senders.iter_mut().enumerate() {
        assert_eq!(msa(&sender.frame().unwrap()), format!("AA M{n}"));
    }
    (0..50).for_each(|_| drop(partner.next()));
    wait_until_idle(&engine);
}

#[test]
fn a_store_that_refuses_every_write_is_answered_for_and_comes_back() {
    for refusal in [Refusal::Full, Refusal::Unavailable] {
        let (store, partner) = (MemoryStore::new(), Partner::start(accept));
        let (engine, control) = start(&store, &partner);
        let mut sender = connect(&engine);
        assert_eq!(sender.send(&message("M0")).as_deref(), Some("AA M0"));
        assert_eq!(control_id(&partner.next()), "M0");
        wait_until_idle(&engine);
        control.set(|it| it.commits = Commits::Refuse(refusal));
        for n in 0..200 {
            sender.write(&message(&format!("N{n}")));
        }
        for n in 0..200 {
            assert_eq!(msa(&sender.frame().unwrap()), format!("AE N{n}"), "{refusal:?}");
        }
        assert!(partner.nothing_came());
        control.set(|it| it.commits = Commits::Work);
        common::until("it comes back", || sender.send(&message("M1")).as_deref() == Some("AA M1"));
        assert_eq!(control_id(&partner.next()), "M1");
        wait_until_idle(&engine);
        assert_eq!(disposition(&engine, 1), "PROCESSED");
        engine.stop(DEADLINE).unwrap();
    }
}
