//! An inbound that answers after the last verdict: AA for what was done, AE for what was not, or not yet.
//! A retry gets the verdict on the first.

mod common;

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, msa, typed,
    wait_for, wait_until_idle,
};
use mllp_engine::{AckMode, Builder, Engine, Error, ListenerOptions, Retry, Send};
use mllp_io::Recognise;
use mllp_store::MemoryStore;

fn build(store: &MemoryStore, partner: SocketAddr, within: Duration) -> Builder {
    Engine::builder("unused")
        .store(Box::new(store.clone()))
        .inbound("IB", "127.0.0.1:0", "r")
        .ack_after_delivery(within)
        .router("r", |message| match message.get("MSH-9.2") {
            Some(b"A02") => vec!["nothing"],
            Some(b"A03") => vec![],
            Some(b"A04") => vec!["panics"],
            _ => vec!["h"],
        })
        .handler("h", |_| [Send::unchanged("OB")])
        .handler("nothing", |_| None)
        .handler("panics", |_| -> Option<Send> { std::panic::resume_unwind(Box::new(())) })
        .outbound("OB", "127.0.0.1", partner.port())
        .retry(Retry { backoff: 20, max_backoff: 50, ..Retry::DEFAULT })
}

/// The message as its sender sends it again, with another time in MSH-7.
fn again(message: &[u8]) -> Vec<u8> {
    String::from_utf8(message.to_vec()).unwrap().replace("|20260101|", "|20260102|").into_bytes()
}

/// A partner that says what has arrived, and answers when it is told.
fn slow() -> (Partner, Receiver<String>, Sender<()>) {
    let (arrived, arrives) = channel();
    let (go, goes) = channel();
    let goes = Arc::new(Mutex::new(goes));
    let partner = Partner::start(move |id| {
        let _ = arrived.send(id.to_owned());
        let _ = goes.lock().unwrap().recv_timeout(DEADLINE);
        "AA"
    });
    (partner, arrives, go)
}

#[test]
fn a_sender_is_answered_after_the_partner_has_answered() {
    let (store, (partner, arrives, go)) = (MemoryStore::new(), slow());
    let engine = build(&store, partner.address, DEADLINE).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let mut retry = Peer::connect(engine.address("IB").unwrap());
    sender.write(&message("M1"));
    assert_eq!(arrives.recv_timeout(DEADLINE).unwrap(), "M1");
    // Its sender has lost patience, and tries on another connection.
    retry.write(&again(&message("M1")));
    common::until("it is stored", || engine.journey(mllp_engine::MessageId(2)).unwrap().is_some());
    assert!(!sender.has_more() && !retry.has_more(), "no answer before the verdict");
    go.send(()).unwrap();
    assert_eq!(msa(&sender.frame().unwrap()), "AA M1");
    assert_eq!(msa(&retry.frame().unwrap()), "AA M1");
    // And one that comes after the verdict gets it at once.
    assert_eq!(retry.send(&again(&message("M1"))).as_deref(), Some("AA M1"));
    assert_eq!(control_id(&partner.next()), "M1");
    assert!(partner.nothing_came(), "it was delivered once");
    wait_until_idle(&engine);
    for (id, expected) in [(1, "PROCESSED"), (2, "DUPLICATE"), (3, "DUPLICATE")] {
        assert_eq!(disposition(&engine, id), expected);
        let text = journey(&engine, id).to_string();
        assert!(text.contains("stored, to be answered after delivery"), "{text}");
        assert!(text.contains("  answered AA (ACK control ID "), "{text}");
    }
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_needs_no_delivery_is_accepted_and_an_error_is_not() {
    let refuses = |_: &str| "AR";
    let (store, partner) = (MemoryStore::new(), Partner::start(refuses));
    let engine = build(&store, partner.address, DEADLINE).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let cases = [
        ("ADT^A02", "AA", "FILTERED"),
        ("ADT^A03", "AA", "UNROUTED"),
        ("ADT^A04", "AE", "ERROR"),
        ("ADT^A01", "AE", "ERROR"),
    ];
    for (id, (kind, answer, end)) in (1..).zip(cases) {
        let name = format!("M{id}");
        assert_eq!(sender.send(&typed(kind, &name)), Some(format!("{answer} {name}")), "{kind}");
        assert_eq!(disposition(&engine, id), end);
    }
    assert!(sender.send(b"PID|1\r").unwrap().starts_with("AR"), "no header");
    wait_until_idle(&engine);
    assert!(journey(&engine, 4).to_string().contains("answered      not delivered"));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn after_the_deadline_delivery_goes_on_and_a_retry_gets_the_verdict() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let address = partner.address;
    drop(partner);
    let engine = build(&store, address, Duration::from_millis(100)).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    sender.write(&message("M1"));
    let answer = String::from_utf8(sender.frame().unwrap()).unwrap();
    assert_eq!(msa(answer.as_bytes()), "AE M1");
    assert!(answer.contains("stored, and not delivered so far"), "{answer}");
    assert_eq!(disposition(&engine, 1), "ROUTED");
    let partner = Partner::at(address, accept);
    assert_eq!(control_id(&partner.next()), "M1");
    wait_until_idle(&engine);
    assert_eq!(sender.send(&again(&message("M1"))).as_deref(), Some("AA M1"));
    assert!(partner.nothing_came());
    assert_eq!((disposition(&engine, 1), disposition(&engine, 2)), ("PROCESSED", "DUPLICATE"));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_stop_is_answered_and_a_crash_is_not_and_the_retry_gets_the_verdict() {
    for crash in [false, true] {
        let (store, partner) = (MemoryStore::new(), Partner::start(accept));
        let address = partner.address;
        drop(partner);
        let engine = build(&store, address, DEADLINE).start().unwrap();
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        sender.write(&message("M1"));
        wait_for(&engine, "it rests", |it| it.outbound("OB").unwrap().depth == 1);
        if crash {
            drop(engine);
            assert_eq!(sender.frame(), None, "no answer");
        } else {
            engine.stop(DEADLINE).unwrap();
            assert_eq!(msa(&sender.frame().unwrap()), "AE M1");
        }
        let engine = build(&store, address, DEADLINE).start().unwrap();
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        sender.write(&again(&message("M1")));
        common::until("it is stored", || {
            engine.journey(mllp_engine::MessageId(2)).unwrap().is_some()
        });
        assert!(!sender.has_more());
        let partner = Partner::at(address, accept);
        assert_eq!(msa(&sender.frame().unwrap()), "AA M1");
        assert_eq!(control_id(&partner.next()), "M1");
        wait_until_idle(&engine);
        assert!(partner.nothing_came());
        engine.stop(DEADLINE).unwrap();
    }
}

#[test]
fn the_same_control_id_with_another_body_is_another_message_and_is_flagged() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = build(&store, partner.address, DEADLINE).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    let other = [&message("M1")[..], b"ZZZ|1\r"].concat();
    assert_eq!(sender.send(&other).as_deref(), Some("AA M1"));
    assert_eq!((partner.next(), partner.next()), (message("M1"), other));
    wait_until_idle(&engine);
    let text = journey(&engine, 2).to_string();
    assert!(text.contains("same ID       as 1, with other bytes"), "{text}");
    assert!(!journey(&engine, 1).to_string().contains("same ID"));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn segments_that_end_with_a_line_feed_tell_two_messages_apart() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = build(&store, partner.address, DEADLINE).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let of = |patient: &str| {
        let text = String::from_utf8(message("M1")).unwrap().replace('\r', "\n");
        format!("{}\nPID|1||{patient}\n", text.trim_end()).into_bytes()
    };
    for patient in ["1001", "1002"] {
        assert_eq!(sender.send(&of(patient)).as_deref(), Some("AA M1"));
        assert_eq!(partner.next(), of(patient));
    }
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn an_answer_after_delivery_without_duplicates_is_refused() {
    let refused = build(&MemoryStore::new(), "127.0.0.1:1".parse().unwrap(), DEADLINE);
    let refused = refused
        .inbound("IB2", "127.0.0.1:0", "r")
        .keep_duplicates()
        .ack_after_delivery(DEADLINE)
        .start();
    let Err(error @ Error::Graph(_)) = refused else { panic!("not refused") };
    let line = "inbound IB2: an answer after delivery needs duplicates to be recognised";
    assert_eq!(error.to_string(), line);
    // Any other acknowledgment would come before the verdict, or not at all.
    type Change = fn(&mut ListenerOptions);
    let changes: [(Change, &str); 3] = [
        (|it| it.ack_mode = AckMode::Enhanced, "ack_mode original"),
        (|it| it.ack_mode = AckMode::None, "ack_mode original"),
        (|it| it.commit_blocks = true, "a wire without commit_blocks"),
    ];
    for (change, needs) in changes {
        let refused = build(&MemoryStore::new(), "127.0.0.1:1".parse().unwrap(), DEADLINE);
        let Err(error) = refused.receive(change).start() else { panic!("not refused") };
        let line = format!("inbound IB: an answer after delivery needs {needs}");
        assert_eq!(error.to_string(), line);
    }
}

#[test]
fn a_retry_of_a_large_message_gets_the_verdict_as_well() {
    let (store, partner) = (MemoryStore::new(), Partner::start(accept));
    let engine = build(&store, partner.address, DEADLINE);
    // What the options say of it does not matter: the answer needs it.
    let engine = engine.receive(|it| it.recognise = Recognise::Bytes).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let large = [&message("M1")[..], b"OBX|1|ED|", &[b'x'; 1_000_000], b"\r"].concat();
    let other = [&message("M1")[..], b"OBX|1|ED|", &[b'y'; 1_000_000], b"\r"].concat();
    for (id, sent, expected) in
        [(1, &large, "PROCESSED"), (2, &again(&large), "DUPLICATE"), (3, &other, "PROCESSED")]
    {
        assert_eq!(sender.send(sent).as_deref(), Some("AA M1"));
        wait_until_idle(&engine);
        assert_eq!(disposition(&engine, id), expected);
    }
    assert!(partner.next() == large);
    assert!(partner.next() == other);
    assert!(partner.nothing_came());
    engine.stop(DEADLINE).unwrap();
}
