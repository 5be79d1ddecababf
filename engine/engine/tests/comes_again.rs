//! A message that comes again to an inbound that answers after the last verdict: what has failed is done
//! again, and nothing else.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, wait_for,
    wait_until_idle,
};
use mllp_engine::{Builder, By, Engine, GiveUp, Note, Selection, Send, Then, Which};
use mllp_store::MemoryStore;

/// The message as its sender sends it again, with another time in MSH-7.
fn again(message: &[u8]) -> Vec<u8> {
    String::from_utf8(message.to_vec()).unwrap().replace("|20260101|", "|20260102|").into_bytes()
}

/// An engine that sends each message to both partners.
fn build(store: &MemoryStore, lab: &Partner, bill: &Partner) -> Builder {
    Engine::builder("unused")
        .store(Box::new(store.clone()))
        .inbound("IB", "127.0.0.1:0", "r")
        .ack_after_delivery(10 * DEADLINE)
        .router("r", |_| vec!["h"])
        .handler("h", |_| [Send::unchanged("LAB"), Send::unchanged("BILL")])
        .outbound("LAB", "127.0.0.1", lab.address.port())
        .outbound("BILL", "127.0.0.1", bill.address.port())
}

/// A partner that refuses for good until it is cured.
fn ill() -> (Partner, Arc<AtomicBool>) {
    let cured = Arc::new(AtomicBool::new(false));
    let is_cured = Arc::clone(&cured);
    let answer = move |_: &str| if is_cured.load(Ordering::SeqCst) { "AA" } else { "AR" };
    (Partner::start(answer), cured)
}

#[test]
fn dead_deliveries_alone_are_sent_again_and_answered_for() {
    for restarts in [false, true] {
        let store = MemoryStore::new();
        let (lab, (bill, cured)) = (Partner::start(accept), ill());
        let mut engine = build(&store, &lab, &bill).start().unwrap();
        let send = |engine: &Engine, bytes: &[u8]| {
            Peer::connect(engine.address("IB").unwrap()).send(bytes).unwrap()
        };
        assert_eq!(send(&engine, &message("M1")), "AE M1");
        assert_eq!(send(&engine, &again(&message("M1"))), "AE M1", "it has died again");
        assert_eq!(disposition(&engine, 1), "ERROR");
        if restarts {
            engine.stop(DEADLINE).unwrap();
            engine = build(&store, &lab, &bill).start().unwrap();
        }
        cured.store(true, Ordering::SeqCst);
        assert_eq!(send(&engine, &again(&message("M1"))), "AA M1");
        assert_eq!(send(&engine, &again(&message("M1"))), "AA M1", "it was done");
        wait_until_idle(&engine);
        assert_eq!(control_id(&lab.next()), "M1");
        assert!(lab.nothing_came(), "what was delivered is not sent again");
        for _ in 0..3 {
            assert_eq!(bill.next(), message("M1"), "as it was received first");
        }
        assert!(bill.nothing_came());
        assert_eq!(disposition(&engine, 1), "PROCESSED");
        for id in 2..=4 {
            assert_eq!(disposition(&engine, id), "DUPLICATE");
        }
        let text = journey(&engine, 1).to_string();
        assert!(text.contains("replayed      to BILL"), "{text}");
        engine.stop(DEADLINE).unwrap();
    }
}

#[test]
fn a_message_that_came_to_no_outbound_is_processed_anew() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let fails = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&fails);
    let engine = Engine::builder("unused")
        .store(Box::new(store))
        .inbound("IB", "127.0.0.1:0", "r")
        .ack_after_delivery(10 * DEADLINE)
        .router("r", |_| vec!["h"])
        .handler("h", move |_| match still.load(Ordering::SeqCst) {
            true => std::panic::resume_unwind(Box::new(())),
            false => [Send::unchanged("OB")],
        })
        .outbound("OB", "127.0.0.1", partner.address.port())
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AE M1"));
    fails.store(false, Ordering::SeqCst);
    let retry = again(&message("M1"));
    assert_eq!(sender.send(&retry).as_deref(), Some("AA M1"));
    assert_eq!(sender.send(&retry).as_deref(), Some("AA M1"), "it is a duplicate of the second");
    wait_until_idle(&engine);
    assert_eq!(partner.next(), retry);
    assert!(partner.nothing_came());
    let ends = [(1, "ERROR"), (2, "PROCESSED"), (3, "DUPLICATE")];
    ends.into_iter().for_each(|(id, end)| assert_eq!(disposition(&engine, id), end));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_held_delivery_is_answered_when_it_is_held() {
    let store = MemoryStore::new();
    let (lab, (bill, cured)) = (Partner::start(accept), ill());
    let hold = GiveUp { then: Then::Hold, ..GiveUp::DEFAULT };
    let engine = build(&store, &lab, &bill).give_up(hold).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AE M1"), "long before the deadline");
    assert_eq!(sender.send(&again(&message("M1"))).as_deref(), Some("AE M1"), "it is still held");
    assert_eq!(disposition(&engine, 1), "ROUTED");
    cured.store(true, Ordering::SeqCst);
    let held = Selection::all(Which::Held, None);
    let by = By { who: Note("anna".into()), reason: Note("cured".into()) };
    engine.release(&held, &by, "release").unwrap();
    wait_for(&engine, "it is delivered", |it| it.outbound("BILL").unwrap().depth == 0);
    assert_eq!(sender.send(&again(&message("M1"))).as_deref(), Some("AA M1"));
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    assert_eq!(control_id(&lab.next()), "M1");
    assert!(lab.nothing_came());
    engine.stop(DEADLINE).unwrap();
}
