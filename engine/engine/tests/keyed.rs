//! Outbounds that keep the order of their keys, or none, and those with several connections.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use common::{Partner, Peer, accept, control_id, message, wait_until_idle};
use mllp_engine::{Builder, Engine, Error, Retry, Send};
use tempfile::TempDir;

fn feeds(data: &TempDir, bill: &Partner) -> Builder {
    Engine::builder(data.path())
        .inbound("IB_ADT", "127.0.0.1:0", "adt")
        .router("adt", |_| Some("to_bill"))
        .handler("to_bill", |_| Some(Send::unchanged("OB_BILL")))
        .outbound("OB_BILL", &bill.address.ip().to_string(), bill.address.port())
        .retry(Retry { backoff: 20, max_backoff: 50, max_attempts: None, ..Retry::DEFAULT })
}

fn by_patient(data: &TempDir, bill: &Partner) -> Engine {
    let feeds = feeds(data, bill).key("PID-3.1").also("MRG-1.1").window(4);
    feeds.connections(2).start().unwrap()
}

fn about(control_id: &str, segments: &str) -> Vec<u8> {
    format!("MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A08|{control_id}|P|2.5\r{segments}").into_bytes()
}

/// The example: 1 {A}, 2 {B}, 3 {A, C} (a merge of A into C), 4 {C}, 5 {B}, 6 without a key, 7 {A}.
fn example() -> [Vec<u8>; 7] {
    [
        about("M1", "PID|1||A^^^H\r"),
        about("M2", "PID|1||B\r"),
        about("M3", "PID|1||C\rMRG|A^^^H\r"),
        about("M4", "PID|1||9~C\r"),
        about("M5", "PID|1||B\r"),
        about("M6", "MFI|PRA\r"),
        about("M7", "PID|1||A\r"),
    ]
}

/// A partner that refuses M1 for now until it is told otherwise.
fn reluctant() -> (Partner, Arc<AtomicBool>) {
    let takes = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&takes);
    let answer = move |id: &str| match id == "M1" && !told.load(Ordering::SeqCst) {
        true => "AE",
        false => "AA",
    };
    (Partner::start(answer), takes)
}

/// What comes up to and with this message.
fn up_to(partner: &Partner, last: &str) -> Vec<String> {
    let mut all = Vec::new();
    while all.last().is_none_or(|it| it != last) {
        all.push(control_id(&partner.next()));
    }
    all
}

fn send_all(engine: &Engine) {
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    for payload in example() {
        let expected = format!("AA {}", control_id(&payload));
        assert_eq!(sender.send(&payload), Some(expected));
    }
}

/// The last M1 was taken; these come after it, in this order.
fn check_rest(came: &[String]) {
    let last = came.iter().rposition(|it| it == "M1").unwrap();
    assert_eq!(came[last + 1..], ["M3", "M4", "M6", "M7"]);
    assert!(came[..last].iter().all(|it| it == "M1"));
}

#[test]
fn a_patient_who_is_refused_keeps_only_those_back_who_share_a_key() {
    let (data, (bill, takes)) = (TempDir::new().unwrap(), reluctant());
    let engine = by_patient(&data, &bill);
    send_all(&engine);
    let mut came = up_to(&bill, "M5");
    came.retain(|it| it != "M1");
    assert_eq!(came, ["M2", "M5"]);
    takes.store(true, Ordering::SeqCst);
    check_rest(&up_to(&bill, "M7"));
    wait_until_idle(&engine);
    assert!(engine.journey(mllp_engine::MessageId(1)).unwrap().unwrap().to_string().contains("AE"));
}

#[test]
fn a_restart_keeps_the_order_and_the_attempts() {
    let (data, (bill, takes)) = (TempDir::new().unwrap(), reluctant());
    let engine = by_patient(&data, &bill);
    send_all(&engine);
    up_to(&bill, "M5");
    engine.stop(Duration::from_secs(10)).unwrap();
    while !bill.nothing_came() {}
    let engine = by_patient(&data, &bill);
    assert_eq!(control_id(&bill.next()), "M1", "nothing passes it");
    takes.store(true, Ordering::SeqCst);
    check_rest(&up_to(&bill, "M7"));
    wait_until_idle(&engine);
    let journey = engine.journey(mllp_engine::MessageId(1)).unwrap().unwrap().to_string();
    assert!(journey.contains("possibly sent OB_BILL"), "{journey}");
    assert_eq!(journey.matches("attempt 1 ").count(), 1, "its attempts go on: {journey}");
}

#[test]
fn connections_share_what_has_no_order() {
    // Each answer waits for the other, so both connections have to be used.
    let both = Arc::new(Barrier::new(2));
    let answer = move |_: &str| {
        both.wait();
        "AA"
    };
    let (data, bill) = (TempDir::new().unwrap(), Partner::start(answer));
    let engine = feeds(&data, &bill).unordered().connections(2).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    for id in ["M1", "M2", "M3", "M4"] {
        assert_eq!(sender.send(&message(id)), Some(format!("AA {id}")));
    }
    let mut came: Vec<_> = (0..4).map(|_| control_id(&bill.next())).collect();
    came.sort();
    assert_eq!(came, ["M1", "M2", "M3", "M4"]);
    wait_until_idle(&engine);
}

#[test]
fn what_cannot_be_ordered_is_refused() {
    let (data, bill) = (TempDir::new().unwrap(), Partner::start(accept));
    let wrong = feeds(&data, &bill).key("PID").also("P-3").connections(2).start();
    let Err(Error::Graph(faults)) = wrong else { panic!("it has started") };
    assert_eq!(
        faults,
        [
            "key: \"PID\" is not a field",
            "also: \"P-3\" is not a field",
            "outbound OB_BILL: more than one connection needs a key, or no order",
        ]
    );
    let wrong = feeds(&data, &bill).key("PID-3.1").unordered().start();
    let Err(Error::Graph(faults)) = wrong else { panic!("it has started") };
    assert_eq!(faults, ["outbound OB_BILL: it has a key, and is unordered"]);
    let wrong = Engine::builder(data.path()).key("PID-3.1").unordered().connections(2).start();
    let Err(Error::Graph(faults)) = wrong else { panic!("it has started") };
    assert!(faults.contains(&"key: there is no outbound before it".to_owned()), "{faults:?}");
    let wrong = Engine::builder(data.path()).window(4).on_full(mllp_engine::OnFull::Wait).start();
    let Err(Error::Graph(faults)) = wrong else { panic!("it has started") };
    for (setting, of) in [("window", "outbound"), ("on_full", "inbound")] {
        let line = format!("{setting}: there is no {of} before it");
        assert!(faults.contains(&line), "{faults:?}");
    }
}
