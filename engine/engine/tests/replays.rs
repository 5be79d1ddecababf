//! An older message that is sent again comes after newer ones, and an operator is told so before and after.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{DEADLINE, Partner, Peer, accept, control_id, journey, wait_until_idle};
use mllp_engine::{
    Builder, By, Engine, Flow, GiveUp, JobReport, MessageId, Note, Selection, Send, Side, Stage,
    Then, To, Which,
};
use tempfile::TempDir;

fn by() -> By {
    By { who: Note("anna".into()), reason: Note("repaired".into()) }
}

fn feeds(data: &TempDir, lab: &Partner) -> Builder {
    let (host, port) = (lab.address.ip().to_string(), lab.address.port());
    Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| ["to_lab"])
        .handler("to_lab", |_| [Send::unchanged("LAB")])
        .outbound("LAB", &host, port)
}

/// A partner that refuses these until it is repaired.
fn refusing(ids: &'static [&'static str]) -> (Partner, Arc<AtomicBool>) {
    let repaired = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&repaired);
    let refuses = move |id: &str| ids.contains(&id) && !seen.load(Ordering::SeqCst);
    (Partner::start(move |id| if refuses(id) { "AR" } else { "AA" }), repaired)
}

/// Sends messages, each of a patient, and waits until nothing is left to do.
fn send(engine: &Engine, messages: &[(&str, &str)]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for (id, patient) in messages {
        let header = format!("MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A08|{id}|P|2.5\r");
        let payload = format!("{header}PID|1||{patient}\r");
        assert_eq!(sender.send(payload.as_bytes()), Some(format!("AA {id}")));
    }
    wait_until_idle(engine);
}

fn arrived(partner: &Partner, count: usize) -> Vec<String> {
    (0..count).map(|_| control_id(&partner.next())).collect()
}

/// The lines of a journey that say that something was sent again.
fn again(engine: &Engine, id: u64) -> Vec<String> {
    let text = journey(engine, id).to_string();
    let lines = text.lines().filter(|it| it.contains("replayed") || it.contains("released"));
    lines.map(|it| it[14..].to_owned()).collect()
}

const REPLAYED: &str = "replayed      to LAB  by anna  \"repaired\"";

#[test]
fn a_replay_says_which_of_its_messages_come_after_newer_ones() {
    let (lab, repaired) = refusing(&["M1", "M3", "M5"]);
    let data = TempDir::new().unwrap();
    let engine = feeds(&data, &lab).start().unwrap();
    send(&engine, &["M1", "M2", "M3", "M4", "M5"].map(|id| (id, "A")));
    arrived(&lab, 5);
    repaired.store(true, Ordering::SeqCst);
    let dead = Selection::all(Which::Dead, Some("LAB"));
    let preview = engine.preview(&dead, &To::Same).unwrap();
    assert_eq!(preview, JobReport { total: 3, done: 0, newer: 2 });
    assert_eq!(engine.count(&dead).unwrap(), 3, "nothing was done");
    let done = engine.replay(&dead, &To::Same, &by(), "night").unwrap();
    assert_eq!(done, JobReport { total: 3, done: 3, newer: 2 });
    assert_eq!(arrived(&lab, 3), ["M1", "M3", "M5"]);
    // What is dead itself has gone nowhere.
    assert_eq!(again(&engine, 1), [format!("{REPLAYED}  after 2 newer")]);
    assert_eq!(again(&engine, 3), [format!("{REPLAYED}  after 1 newer")]);
    assert_eq!(again(&engine, 5), [REPLAYED]);
    wait_until_idle(&engine);
    // Now four are newer than M1, though M3 and M5 have two rows each.
    let first = Selection { only: vec![1], ..Selection::all(Which::Past, Some("LAB")) };
    engine.replay(&first, &To::Same, &by(), "past").unwrap();
    wait_until_idle(&engine);
    assert_eq!(again(&engine, 1).pop().unwrap(), format!("{REPLAYED}  after 4 newer"));
    // Of its ten rows all but the two of M5, which is newer than none: not than itself either.
    let past = engine.preview(&Selection::all(Which::Past, Some("LAB")), &To::Same).unwrap();
    assert_eq!((past.total, past.newer), (10, 8));
    engine.stop(DEADLINE).unwrap();
    // The next life knows it as well.
    let engine = feeds(&data, &lab).start().unwrap();
    assert_eq!(engine.replay(&dead, &To::Same, &by(), "night").unwrap(), done);
}

#[test]
fn in_a_lane_ordered_by_key_only_messages_of_the_same_key_are_newer() {
    let (lab, repaired) = refusing(&["M1", "M2"]);
    let data = TempDir::new().unwrap();
    let engine = feeds(&data, &lab).key("PID-3.1").start().unwrap();
    send(&engine, &[("M1", "A"), ("M2", "B"), ("M3", "A"), ("M4", "C"), ("M5", "A")]);
    arrived(&lab, 5);
    repaired.store(true, Ordering::SeqCst);
    let dead = Selection::all(Which::Dead, None);
    assert_eq!(engine.preview(&dead, &To::Same).unwrap().newer, 1);
    assert_eq!(engine.replay(&dead, &To::Same, &by(), "1").unwrap().newer, 1);
    assert_eq!(again(&engine, 1), [format!("{REPLAYED}  after 2 newer")]);
    assert_eq!(again(&engine, 2), [REPLAYED]);
    // A message without a key may be about anyone.
    send(&engine, &[("M6", "")]);
    let second = Selection { only: vec![2], ..Selection::all(Which::Past, Some("LAB")) };
    assert_eq!(engine.preview(&second, &To::Same).unwrap().newer, 2, "it has two rows");
    engine.replay(&second, &To::Same, &by(), "2").unwrap();
    assert_eq!(again(&engine, 2).pop().unwrap(), format!("{REPLAYED}  after 1 newer"));
}

#[test]
fn what_waits_in_the_lane_is_newer_as_well() {
    let (lab, repaired) = refusing(&["M1"]);
    let data = TempDir::new().unwrap();
    let hold = GiveUp { then: Then::Hold, ..GiveUp::DEFAULT };
    let engine = feeds(&data, &lab).give_up(hold).start().unwrap();
    send(&engine, &[("M1", "A")]);
    engine.switch(Stage::Outbound, "LAB", Side::Output, Flow::Paused, &by()).unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for id in ["M2", "M3"] {
        assert_eq!(sender.send(&common::message(id)), Some(format!("AA {id}")));
    }
    common::wait_for(&engine, "two wait", |it| it.outbound("LAB").unwrap().depth == 2);
    repaired.store(true, Ordering::SeqCst);
    let held = Selection::all(Which::Held, Some("LAB"));
    let expected = JobReport { total: 1, done: 0, newer: 1 };
    assert_eq!(engine.preview(&held, &To::Same).unwrap(), expected);
    assert_eq!(engine.release(&held, &by(), "r").unwrap(), JobReport { done: 1, ..expected });
    let released = "released      LAB  by anna  \"repaired\"  after 2 newer";
    assert_eq!(again(&engine, 1), [released]);
    engine.switch(Stage::Outbound, "LAB", Side::Output, Flow::On, &by()).unwrap();
    assert_eq!(arrived(&lab, 4), ["M1", "M2", "M3", "M1"]);
}

#[test]
fn the_lane_that_it_goes_to_counts_and_an_edited_copy_is_as_old_as_its_original() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let (host, port) = (bill.address.ip().to_string(), bill.address.port());
    let engine = feeds(&data, &lab).outbound("BILL", &host, port).start().unwrap();
    send(&engine, &[("M1", "A"), ("M2", "A"), ("M3", "A")]);
    let (first, bill) = (Selection::messages(&[1]), To::Outbound("BILL".into()));
    assert_eq!(engine.preview(&first, &bill).unwrap().newer, 0, "BILL has had nothing");
    assert_eq!(engine.preview(&first, &To::Router).unwrap().newer, 1);
    engine.replay(&first, &To::Router, &by(), "routed").unwrap();
    assert_eq!(again(&engine, 1), ["replayed      to IB  by anna  \"repaired\"  after 2 newer"]);
    let edited = common::message("M1-EDITED");
    let copy = engine.send_edited(MessageId(1), edited, &To::Router, &by()).unwrap();
    let expected = "replayed      to IB  by anna  \"repaired\"  after 2 newer";
    assert_eq!(again(&engine, copy.0), [expected]);
}
