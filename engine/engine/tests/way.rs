//! The way of a message: received, routed, transformed, delivered, looked up.

mod common;

use common::{
    Partner, Peer, accept, control_id, disposition, journey, message, typed, wait_for,
    wait_until_idle,
};
use mllp_engine::{Builder, Engine, Error, Retry, Send};
use tempfile::TempDir;

fn feeds(data: &TempDir, lab: &Partner, bill: &Partner) -> Builder {
    let (lab, bill) = (lab.address, bill.address);
    Engine::builder(data.path())
        .inbound("IB_ADT", "127.0.0.1:0", "adt")
        .router("adt", |message| match message.get("MSH-9.2") {
            Some(b"A01") => vec!["to_lab", "to_bill"],
            Some(b"A08") => vec!["to_lab"],
            Some(b"A02") => vec!["nothing"],
            Some(b"A03") => vec!["nobody"],
            Some(b"A04") => vec!["panics"],
            Some(b"A05") => vec!["astray", "to_lab"],
            _ => vec![],
        })
        .handler("to_lab", |message| {
            let changed = String::from_utf8_lossy(message.payload()).replace("|HIS|", "|LAB|");
            [Send::bytes("OB_LAB", changed.into_bytes())]
        })
        .handler("to_bill", |_| Some(Send::unchanged("OB_BILL")))
        .handler("nothing", |_| None)
        .handler("panics", |_| -> Option<Send> { std::panic::resume_unwind(Box::new(())) })
        .handler("astray", |_| [Send::unchanged("OB_NOBODY")])
        .outbound("OB_LAB", &lab.ip().to_string(), lab.port())
        .outbound("OB_BILL", &bill.ip().to_string(), bill.port())
        .retry(Retry { backoff: 20, max_backoff: 50, ..Retry::DEFAULT })
}

#[test]
fn a_message_reaches_each_of_its_outbounds() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    assert_eq!(bill.next(), message("M1"), "unchanged, byte for byte");
    let changed = String::from_utf8(lab.next()).unwrap();
    assert!(changed.contains("|LAB|H|"), "{changed}");
    wait_until_idle(&engine);
    let journey = journey(&engine, 1);
    assert_eq!(journey.message.disposition.name(), "PROCESSED");
    let text = journey.to_string();
    for line in [
        "control ID M1  IB_ADT",
        "stored, answered AA (ACK control ID ",
        " -> to_lab, to_bill",
        "transformed   to_lab -> OB_LAB (1 field differs: MSH-",
        "transformed   to_bill -> OB_BILL (unchanged)",
        "delivered     OB_LAB  AA RM1",
        "delivered     OB_BILL  AA RM1",
        "PROCESSED",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    engine.stop(common::DEADLINE).unwrap();
}

#[test]
fn every_message_ends_in_one_disposition() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    let cases = [
        ("ADT^A08", "PROCESSED"),
        ("ADT^A02", "FILTERED"),
        ("ADT^A99", "UNROUTED"),
        ("ADT^A03", "ERROR"),
        ("ADT^A04", "ERROR"),
        ("ADT^A05", "ERROR"),
    ];
    for (number, (kind, _)) in (1..).zip(cases) {
        let name = format!("M{number}");
        // What becomes of it later is no matter of the acknowledgment.
        assert_eq!(sender.send(&typed(kind, &name)), Some(format!("AA {name}")));
    }
    assert!(sender.send(b"PID|1\r").unwrap().starts_with("AR"), "no header");
    wait_until_idle(&engine);
    for (id, (kind, expected)) in (1..).zip(cases) {
        assert_eq!(disposition(&engine, id), expected, "{kind}\n{}", journey(&engine, id));
    }
    assert_eq!(disposition(&engine, 7), "ERROR");
    // One handler has failed, the other has done its work.
    assert_eq!(control_id(&lab.next()), "M1");
    assert_eq!(control_id(&lab.next()), "M6");
    assert!(journey(&engine, 5).to_string().contains("failed        panics  content  panic"));
}

#[test]
fn deliveries_are_in_the_order_of_the_messages() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).window(8).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    for number in 0..300 {
        sender.write(&message(&format!("M{number}")));
    }
    for number in 0..300 {
        assert_eq!(common::msa(&sender.frame().unwrap()), format!("AA M{number}"));
    }
    for number in 0..300 {
        assert_eq!(control_id(&lab.next()), format!("M{number}"));
        assert_eq!(control_id(&bill.next()), format!("M{number}"));
    }
    wait_until_idle(&engine);
}

#[test]
fn a_duplicate_gets_the_answer_of_the_first_and_goes_nowhere() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    sender.write(&message("M1"));
    let first = sender.frame().unwrap();
    wait_until_idle(&engine);
    sender.write(&message("M1"));
    assert_eq!(sender.frame().unwrap(), first, "the answer that was stored");
    // The same control ID with other bytes is another message.
    assert_eq!(sender.send(&typed("ADT^A08", "M1")).as_deref(), Some("AA M1"));
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 2), "DUPLICATE");
    assert_eq!(disposition(&engine, 3), "PROCESSED");
    assert_eq!((control_id(&lab.next()), control_id(&lab.next())), ("M1".into(), "M1".into()));
    assert!(lab.nothing_came());
    engine.stop(common::DEADLINE).unwrap();
    // Also after a restart.
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    sender.write(&message("M1"));
    assert_eq!(sender.frame().unwrap(), first);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 4), "DUPLICATE");
}

#[test]
fn a_partner_that_refuses_for_now_gets_it_again_and_order_is_kept() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    let count = Arc::new(AtomicU32::new(0));
    let busy = {
        let count = Arc::clone(&count);
        move |id: &str| match id {
            "M1" if count.fetch_add(1, Ordering::Relaxed) < 2 => "AE",
            _ => "AA",
        }
    };
    let (data, lab, bill) = (TempDir::new().unwrap(), Partner::start(accept), Partner::start(busy));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    for name in ["M1", "M2"] {
        assert_eq!(sender.send(&message(name)), Some(format!("AA {name}")));
    }
    let order: Vec<_> = (0..4).map(|_| control_id(&bill.next())).collect();
    assert_eq!(order, ["M1", "M1", "M1", "M2"]);
    wait_until_idle(&engine);
    let text = journey(&engine, 1).to_string();
    assert!(text.contains("attempt 2     OB_BILL  refused_for_now  AE"), "{text}");
    assert_eq!(disposition(&engine, 1), "PROCESSED");
}

#[test]
fn a_partner_that_refuses_for_good_makes_an_error_and_holds_nothing_up() {
    let never = |id: &str| if id == "M1" { "AR" } else { "AA" };
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(never));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    for name in ["M1", "M2"] {
        sender.send(&message(name));
    }
    assert_eq!((control_id(&bill.next()), control_id(&bill.next())), ("M1".into(), "M2".into()));
    wait_until_idle(&engine);
    assert_eq!((disposition(&engine, 1), disposition(&engine, 2)), ("ERROR", "PROCESSED"));
    assert!(journey(&engine, 1).to_string().contains("dead          OB_BILL  refused_for_good"));
}

#[test]
fn a_partner_that_is_down_gets_everything_when_it_is_back() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let feeds_of = feeds(&data, &lab, &bill);
    drop(bill);
    let engine = feeds_of.start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    for number in 0..20 {
        sender.send(&message(&format!("M{number}"))).unwrap();
    }
    // The other partner is not held up.
    for number in 0..20 {
        assert_eq!(control_id(&lab.next()), format!("M{number}"));
    }
    let status =
        wait_for(&engine, "the lab is done", |it| it.outbound("OB_LAB").unwrap().depth == 0);
    assert_eq!(status.outbound("OB_BILL").unwrap().depth, 20);
    assert!(!status.is_idle);
    assert_eq!(disposition(&engine, 1), "ROUTED");
    drop(engine);
    // The next life goes on where this one has ended, here with a partner that is there.
    let bill = Partner::start(accept);
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    for number in 0..20 {
        assert_eq!(control_id(&bill.next()), format!("M{number}"));
    }
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
}

#[test]
fn a_graph_with_faults_is_refused_with_all_of_them() {
    let data = TempDir::new().unwrap();
    let refused = Engine::builder(data.path().join("none"))
        .inbound("IB", "127.0.0.1:0", "adt")
        .inbound("IB", "nowhere", "adt")
        .handler("h", |_| None)
        .handler("h", |_| None)
        .outbound("OB", "127.0.0.1", 1)
        .window(65)
        .start();
    let Err(error @ Error::Graph(_)) = refused else { panic!("not refused") };
    let text = error.to_string();
    for fault in [
        "inbound IB is declared twice",
        "handler h is declared twice",
        "inbound IB: unknown router \"adt\"",
        "\"nowhere\" is not ADDRESS:PORT",
        "outbound OB: window must be from 1 to 64",
    ] {
        assert!(text.contains(fault), "no {fault:?} in\n{text}");
    }
    assert_eq!(error.exit_status(), 2);
    assert!(!data.path().join("none").exists(), "nothing was touched");
}

#[test]
fn an_address_that_is_taken_starts_nothing() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = Engine::builder(data.path())
        .inbound("IB", &address, "r")
        .router("r", |_| None::<&str>)
        .start();
    let Err(error @ Error::Listen { .. }) = refused else { panic!("not refused") };
    assert_eq!((error.exit_status(), error.to_string().lines().count()), (3, 1));
    drop(taken);
    feeds(&data, &lab, &bill).start().unwrap().stop(common::DEADLINE).unwrap();
}
