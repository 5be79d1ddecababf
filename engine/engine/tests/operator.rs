//! A bad night: deliveries that are dead or held are found, sent again, released or cancelled, each once.

mod common;

use std::sync::{Arc, Mutex};

use common::{DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message};
use common::{wait_for, wait_until_idle};
use mllp_engine::{
    Builder, By, Engine, Error, Flow, GiveUp, JobReport, MessageId, Note, Retry, Selection, Send,
    Side, Stage, Then, To, Which,
};
use tempfile::TempDir;

fn by() -> By {
    By { who: Note("anna".into()), reason: Note("unknown patient".into()) }
}

fn feeds(data: &TempDir, lab: &Partner, bill: &Partner) -> Builder {
    let (lab, bill) = (lab.address, bill.address);
    Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| ["to_lab"])
        .handler("to_lab", |message| {
            let changed = String::from_utf8_lossy(message.payload()).replace("|HIS|", "|LAB|");
            [Send::bytes("LAB", changed.into_bytes())]
        })
        .outbound("LAB", &lab.ip().to_string(), lab.port())
        .outbound("BILL", &bill.ip().to_string(), bill.port())
        .retry(Retry { backoff: 10, max_backoff: 20, ..Retry::DEFAULT })
}

/// A partner that refuses these, until it is told others.
fn refusing(ids: &[&'static str]) -> (Partner, Arc<Mutex<Vec<&'static str>>>) {
    let refused = Arc::new(Mutex::new(ids.to_vec()));
    let these = Arc::clone(&refused);
    let partner =
        Partner::start(move |id| if these.lock().unwrap().contains(&id) { "AR" } else { "AA" });
    (partner, refused)
}

fn send(engine: &Engine, ids: &[&str]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for id in ids {
        assert_eq!(sender.send(&message(id)), Some(format!("AA {id}")));
    }
}

fn arrived(partner: &Partner, count: usize) -> Vec<String> {
    (0..count).map(|_| control_id(&partner.next())).collect()
}

fn dead() -> Selection {
    Selection::all(Which::Dead, Some("LAB"))
}

#[test]
fn dead_deliveries_are_sent_again_once_in_the_order_of_acceptance() {
    let (lab, refused) = refusing(&["M1", "M3", "M4"]);
    let (data, bill) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    send(&engine, &["M1", "M2", "M3", "M4"]);
    wait_until_idle(&engine);
    assert_eq!(arrived(&lab, 4), ["M1", "M2", "M3", "M4"]);
    assert_eq!(disposition(&engine, 1), "ERROR");
    assert_eq!(engine.count(&dead()).unwrap(), 3);
    refused.lock().unwrap().retain(|id| *id == "M4");
    let done = engine.replay(&dead(), &To::Same, &by(), "night 1").unwrap();
    assert_eq!(done, JobReport { total: 3, done: 3, newer: 1 });
    // Pressed twice.
    assert_eq!(engine.replay(&dead(), &To::Same, &by(), "night 1").unwrap(), done);
    assert_eq!(arrived(&lab, 3), ["M1", "M3", "M4"]);
    wait_until_idle(&engine);
    assert!(lab.nothing_came());
    let ends = [1, 2, 3, 4].map(|id| disposition(&engine, id));
    assert_eq!(ends, ["PROCESSED", "PROCESSED", "PROCESSED", "ERROR"]);
    assert_eq!(engine.count(&dead()).unwrap(), 1, "M4 is dead again");
    let text = journey(&engine, 1).to_string();
    assert!(text.contains("replayed      to LAB  by anna  \"unknown patient\""), "{text}");
    engine.stop(DEADLINE).unwrap();
    // The key is known to the next life as well.
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    assert_eq!(engine.replay(&dead(), &To::Same, &by(), "night 1").unwrap(), done);
    wait_until_idle(&engine);
    assert!(lab.nothing_came());
}

#[test]
fn a_dead_delivery_goes_to_another_outbound_as_it_was_sent_or_as_it_was_received() {
    let (lab, _) = refusing(&["M1"]);
    let (data, bill) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    send(&engine, &["M1"]);
    wait_until_idle(&engine);
    let to_bill = To::Outbound("BILL".into());
    engine.replay(&Selection::messages(&[1]), &to_bill, &by(), "received").unwrap();
    assert_eq!(bill.next(), message("M1"));
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "ERROR", "LAB still has not got it");
    engine.replay(&dead(), &to_bill, &by(), "sent").unwrap();
    assert!(String::from_utf8(bill.next()).unwrap().contains("|LAB|L|LAB|H|"));
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    // What was delivered is sent again as well; its message is open until then.
    let past = Selection::all(Which::Past, Some("BILL"));
    assert_eq!(engine.replay(&past, &To::Same, &by(), "again").unwrap().total, 2);
    assert_eq!(arrived(&bill, 2), ["M1", "M1"]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    let nowhere = To::Outbound("NOWHERE".into());
    let refused = engine.replay(&dead(), &nowhere, &by(), "nowhere");
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[test]
fn a_message_goes_through_its_router_again() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let broken = feeds(&data, &lab, &bill);
    let engine = broken.router("broken", |_| ["unknown"]).inbound("IB2", "127.0.0.1:0", "broken");
    let engine = engine.start().unwrap();
    let mut sender = Peer::connect(engine.address("IB2").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "ERROR");
    engine.stop(DEADLINE).unwrap();
    let repaired = feeds(&data, &lab, &bill).inbound("IB2", "127.0.0.1:0", "all");
    let engine = repaired.start().unwrap();
    engine.replay(&Selection::messages(&[1]), &To::Router, &by(), "repaired").unwrap();
    assert_eq!(arrived(&lab, 1), ["M1"]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED", "{}", journey(&engine, 1));
}

#[test]
fn an_edited_copy_is_a_message_of_its_own() {
    let (lab, _) = refusing(&["M1"]);
    let (data, bill) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    send(&engine, &["M1"]);
    wait_until_idle(&engine);
    let edited = message("M1-EDITED");
    let copy = engine.send_edited(MessageId(1), edited.clone(), &To::Router, &by()).unwrap();
    assert_eq!(copy, MessageId(2));
    assert_eq!(arrived(&lab, 2), ["M1", "M1-EDITED"]);
    let direct = To::Outbound("BILL".into());
    engine.send_edited(MessageId(1), edited.clone(), &direct, &by()).unwrap();
    assert_eq!(bill.next(), edited);
    wait_until_idle(&engine);
    assert_eq!([1, 2, 3].map(|id| disposition(&engine, id)), ["ERROR", "PROCESSED", "PROCESSED"]);
    assert_eq!(journey(&engine, 2).message.message.original, Some(MessageId(1)));
    assert!(journey(&engine, 1).to_string().contains("edited        as 2  by anna"));
}

#[test]
fn held_deliveries_are_released_or_cancelled() {
    let (lab, refused) = refusing(&["M1", "M2", "M3"]);
    let (data, bill) = (TempDir::new().unwrap(), Partner::start(accept));
    let hold = || GiveUp { then: Then::Hold, ..GiveUp::DEFAULT };
    let start = || {
        let (lab, bill) = (&lab, &bill);
        let address = lab.address;
        let engine = Engine::builder(data.path())
            .inbound("IB", "127.0.0.1:0", "all")
            .router("all", |_| ["to_lab"])
            .handler("to_lab", |_| [Send::unchanged("LAB")])
            .outbound("LAB", &address.ip().to_string(), address.port())
            .give_up(hold());
        let _ = bill;
        engine.start().unwrap()
    };
    let engine = start();
    send(&engine, &["M1", "M2", "M3"]);
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
    let engine = start();
    let held = Selection::all(Which::Held, None);
    assert_eq!(engine.count(&held).unwrap(), 3, "also after a restart");
    refused.lock().unwrap().clear();
    let second = Selection { only: vec![2], ..held.clone() };
    assert_eq!(
        engine.cancel(&second, &by(), "c").unwrap(),
        JobReport { total: 1, done: 1, newer: 0 }
    );
    assert_eq!(
        engine.release(&held, &by(), "r").unwrap(),
        JobReport { total: 2, done: 2, newer: 1 }
    );
    assert_eq!(
        engine.release(&held, &by(), "r").unwrap(),
        JobReport { total: 2, done: 2, newer: 1 }
    );
    assert_eq!(arrived(&lab, 5), ["M1", "M2", "M3", "M1", "M3"]);
    wait_until_idle(&engine);
    assert_eq!([1, 2, 3].map(|id| disposition(&engine, id)), ["PROCESSED", "ERROR", "PROCESSED"]);
    assert_eq!(engine.count(&held).unwrap(), 0);
}

#[test]
fn what_a_renamed_outbound_has_left_is_moved_or_cancelled() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    engine.switch(Stage::Outbound, "LAB", Side::Output, Flow::Stopped, &by()).unwrap();
    send(&engine, &["M1", "M2", "M3"]);
    wait_for(&engine, "three wait", |it| it.outbound("LAB").unwrap().depth == 3);
    engine.stop(DEADLINE).unwrap();
    let renamed = |name: &'static str| {
        let address = lab.address;
        Engine::builder(data.path())
            .inbound("IB", "127.0.0.1:0", "all")
            .router("all", |_| ["to_lab"])
            .handler("to_lab", move |_| [Send::unchanged(name)])
            .outbound(name, &address.ip().to_string(), address.port())
            .start()
            .unwrap()
    };
    let engine = renamed("LAB_2");
    let status = engine.status().unwrap();
    let orphan = status.outbound("LAB").expect("it is shown");
    assert_eq!((orphan.depth, orphan.is_orphaned, orphan.ready), (3, true, false));
    assert!(engine.move_lane(Stage::Outbound, "LAB_2", "LAB_2", &by()).is_ok_and(|it| it == 0));
    assert_eq!(engine.move_lane(Stage::Outbound, "LAB", "LAB_2", &by()).unwrap(), 3);
    assert_eq!(arrived(&lab, 3), ["M1", "M2", "M3"]);
    wait_until_idle(&engine);
    assert!(engine.status().unwrap().outbound("LAB").is_none(), "it is empty");
    let text = journey(&engine, 2).to_string();
    assert!(text.contains("moved         LAB -> LAB_2  by anna"), "{text}");
    assert!(!text.contains("possibly sent"), "a stopped lane lets nothing go");
    assert_eq!(disposition(&engine, 2), "PROCESSED");
    engine.switch(Stage::Outbound, "LAB_2", Side::Output, Flow::Stopped, &by()).unwrap();
    send(&engine, &["M4"]);
    wait_for(&engine, "M4 waits", |it| it.outbound("LAB_2").unwrap().depth == 1);
    engine.stop(DEADLINE).unwrap();
    let engine = renamed("LAB_3");
    assert_eq!(engine.cancel_lane(Stage::Outbound, "LAB_2", &by()).unwrap(), 1);
    assert_eq!(disposition(&engine, 4), "ERROR");
    assert!(journey(&engine, 4).to_string().contains("cancelled     LAB_2  by anna"));
}
