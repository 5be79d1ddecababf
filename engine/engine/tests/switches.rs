//! What an operator starts, pauses and stops, and what a rule stops, also across a restart.

mod common;

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message};
use common::{until, wait_for, wait_until_idle};
use mllp_engine::{
    Builder, By, Engine, Error, Flow, GiveUp, Note, Retry, Send, Side, Stage, Status, Then,
};
use tempfile::TempDir;

fn feeds(data: &TempDir, lab: &Partner) -> Builder {
    let address = lab.address;
    Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| ["to_lab"])
        .handler("to_lab", |_| [Send::unchanged("LAB")])
        .outbound("LAB", &address.ip().to_string(), address.port())
        .retry(Retry { backoff: 10, max_backoff: 20, ..Retry::DEFAULT })
}

fn by() -> By {
    By { who: Note("anna".into()), reason: Note("the partner moves".into()) }
}

fn output(engine: &Engine, flow: Flow) {
    engine.switch(Stage::Outbound, "LAB", Side::Output, flow, &by()).unwrap();
}

fn send(engine: &Engine, ids: &[&str]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for id in ids {
        assert_eq!(sender.send(&message(id)), Some(format!("AA {id}")));
    }
}

fn depth(depth: u64) -> impl Fn(&Status) -> bool {
    move |status| status.outbound("LAB").unwrap().depth == depth
}

fn stop(engine: Engine) {
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_stopped_outbound_sends_nothing_and_stays_stopped_across_a_restart() {
    let (data, lab) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feeds(&data, &lab).start().unwrap();
    send(&engine, &["M1"]);
    assert_eq!(control_id(&lab.next()), "M1");
    wait_until_idle(&engine);
    output(&engine, Flow::Stopped);
    send(&engine, &["M2", "M3"]);
    let status = wait_for(&engine, "both wait", depth(2));
    let setting = status.outbound("LAB").unwrap().output.clone().unwrap();
    assert_eq!((setting.flow, setting.by.as_str()), (Flow::Stopped, "anna"));
    assert_eq!(setting.reason, "the partner moves");
    assert!(setting.since > 0 && !status.outbound("LAB").unwrap().ready);
    stop(engine);
    let engine = feeds(&data, &lab).start().unwrap();
    let status = engine.status().unwrap();
    assert_eq!(status.outbound("LAB").unwrap().output, Some(setting), "still, and since then");
    send(&engine, &["M4"]);
    let status = wait_for(&engine, "all wait", depth(3));
    assert_eq!(status.outbound("LAB").unwrap().in_flight, 0);
    assert!(!journey(&engine, 2).to_string().contains("delivered"));
    output(&engine, Flow::On);
    for id in ["M2", "M3", "M4"] {
        assert_eq!(control_id(&lab.next()), id);
    }
    wait_until_idle(&engine);
}

#[test]
fn an_outbound_that_is_stopped_finishes_what_is_in_flight() {
    let (asked, go) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (saw, may) = (Arc::clone(&asked), Arc::clone(&go));
    let lab = Partner::start(move |_| {
        saw.store(true, Ordering::SeqCst);
        until("the answer", || may.load(Ordering::SeqCst));
        "AA"
    });
    let data = TempDir::new().unwrap();
    let engine = feeds(&data, &lab).start().unwrap();
    send(&engine, &["M1", "M2"]);
    until("M1 is with the partner", || asked.load(Ordering::SeqCst));
    wait_for(&engine, "M2 waits", depth(2));
    // It returns although the partner has not answered.
    output(&engine, Flow::Stopped);
    assert_eq!(engine.status().unwrap().outbound("LAB").unwrap().in_flight, 1);
    go.store(true, Ordering::SeqCst);
    wait_for(&engine, "M1 is recorded", depth(1));
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    assert_eq!(control_id(&lab.next()), "M1");
    assert!(lab.nothing_came());
    output(&engine, Flow::On);
    assert_eq!(control_id(&lab.next()), "M2");
    wait_until_idle(&engine);
}

#[test]
fn routing_and_handlers_wait_while_they_are_paused() {
    let (data, lab) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feeds(&data, &lab).start().unwrap();
    let set = |stage, name, flow| engine.switch(stage, name, Side::Output, flow, &by()).unwrap();
    set(Stage::Ingress, "IB", Flow::Paused);
    send(&engine, &["M1"]);
    let waits = |stage| {
        move |status: &Status| status.lanes.iter().find(|it| it.stage == stage).unwrap().depth == 1
    };
    wait_for(&engine, "it is not routed", waits("ingress"));
    set(Stage::Routed, "to_lab", Flow::Stopped);
    set(Stage::Ingress, "IB", Flow::On);
    wait_for(&engine, "it rests before the handler", waits("routed"));
    set(Stage::Routed, "to_lab", Flow::On);
    assert_eq!(control_id(&lab.next()), "M1");
    wait_until_idle(&engine);
    let no_such_side = engine.switch(Stage::Outbound, "LAB", Side::Input, Flow::Paused, &by());
    assert!(matches!(no_such_side, Err(Error::Refused(_))));
    let no_such_lane = engine.switch(Stage::Outbound, "LBA", Side::Output, Flow::Paused, &by());
    assert!(matches!(no_such_lane, Err(Error::Refused(_))));
}

#[test]
fn an_inbound_that_is_stopped_does_not_listen_and_one_that_is_paused_does_not_read() {
    let (data, lab) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feeds(&data, &lab).start().unwrap();
    let input = |engine: &Engine, flow| {
        engine.switch(Stage::Ingress, "IB", Side::Input, flow, &by()).unwrap();
    };
    let address = engine.address("IB").unwrap();
    input(&engine, Flow::Paused);
    let mut waits = Peer::connect(address);
    waits.write(&message("M1"));
    input(&engine, Flow::Stopped);
    until("the listener is closed", || TcpStream::connect(address).is_err());
    assert!(waits.frame().is_none(), "its message was never read");
    stop(engine);
    let engine = feeds(&data, &lab).start().unwrap();
    let address = engine.address("IB").unwrap();
    assert!(TcpStream::connect(address).is_err(), "still stopped");
    input(&engine, Flow::On);
    until("it listens", || TcpStream::connect(address).is_ok());
    send(&engine, &["M2"]);
    wait_until_idle(&engine);
    input(&engine, Flow::Paused);
    let mut waits = Peer::connect(address);
    waits.write(&message("M3"));
    output(&engine, Flow::Stopped);
    assert_eq!(engine.journey(mllp_engine::MessageId(2)).unwrap().map(drop), None, "not read");
    input(&engine, Flow::On);
    assert_eq!(common::msa(&waits.frame().unwrap()), "AA M3");
    input(&engine, Flow::Paused);
    stop(engine);
    let engine = feeds(&data, &lab).start().unwrap();
    let mut waits = Peer::connect(engine.address("IB").unwrap());
    waits.write(&message("M4"));
    wait_for(&engine, "the input is paused", |it| {
        it.lanes.iter().any(|it| it.input.as_ref().is_some_and(|it| it.flow == Flow::Paused))
    });
    assert_eq!(engine.journey(mllp_engine::MessageId(4)).unwrap().map(drop), None, "not read");
    input(&engine, Flow::On);
    assert_eq!(common::msa(&waits.frame().unwrap()), "AA M4");
}

#[test]
fn a_refused_delivery_is_held_and_the_next_goes_on() {
    let lab = Partner::start(|id| if id == "M1" { "AR" } else { "AA" });
    let data = TempDir::new().unwrap();
    let give_up = GiveUp { then: Then::Hold, ..GiveUp::DEFAULT };
    let engine = feeds(&data, &lab).give_up(give_up).start().unwrap();
    send(&engine, &["M1", "M2"]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "ROUTED", "a held delivery keeps its message open");
    assert!(journey(&engine, 1).to_string().contains("held          LAB  refused_for_good"));
    assert_eq!(disposition(&engine, 2), "PROCESSED");
}

#[test]
fn a_refused_delivery_stops_its_lane_and_is_tried_again_first() {
    let good = Arc::new(AtomicBool::new(false));
    let is_good = Arc::clone(&good);
    let lab = Partner::start(move |_| if is_good.load(Ordering::SeqCst) { "AA" } else { "AR" });
    let data = TempDir::new().unwrap();
    let give_up = GiveUp { then: Then::Stop, ..GiveUp::DEFAULT };
    let engine = feeds(&data, &lab).give_up(give_up).start().unwrap();
    send(&engine, &["M1", "M2"]);
    let stopped = |status: &Status| status.outbound("LAB").unwrap().output.is_some();
    let status = wait_for(&engine, "it stops", stopped);
    let setting = status.outbound("LAB").unwrap().output.clone().unwrap();
    assert_eq!((setting.flow, setting.by.as_str()), (Flow::Stopped, ""));
    assert_eq!(setting.reason, "refused_for_good");
    assert_eq!(control_id(&lab.next()), "M1");
    wait_for(&engine, "both wait", depth(2));
    good.store(true, Ordering::SeqCst);
    assert!(lab.nothing_came());
    output(&engine, Flow::On);
    assert_eq!([control_id(&lab.next()), control_id(&lab.next())], ["M1", "M2"]);
    wait_until_idle(&engine);
    assert!(journey(&engine, 1).to_string().contains("gave up       LAB  refused_for_good"));
    assert_eq!(disposition(&engine, 1), "PROCESSED");
}

#[test]
fn a_delivery_is_given_up_when_its_time_is_over_though_the_partner_is_never_there() {
    let (data, lab) = (TempDir::new().unwrap(), Partner::start(accept));
    let address = lab.address;
    drop(lab);
    let lab = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let give_up = GiveUp { after: Some(30), ..GiveUp::DEFAULT };
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| ["to_lab"])
        .handler("to_lab", |_| [Send::unchanged("LAB")])
        .outbound("LAB", &address.ip().to_string(), lab.port())
        .give_up(give_up)
        .start()
        .unwrap();
    send(&engine, &["M1"]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "ERROR");
}

#[test]
fn the_head_is_tried_now_or_held_or_cancelled() {
    let answer = Arc::new(AtomicBool::new(false));
    let is_good = Arc::clone(&answer);
    let lab = Partner::start(move |_| if is_good.load(Ordering::SeqCst) { "AA" } else { "AE" });
    let data = TempDir::new().unwrap();
    let hours = Retry { backoff: 3_600_000, max_backoff: 3_600_000, ..Retry::DEFAULT };
    let engine = feeds(&data, &lab).retry(hours).start().unwrap();
    send(&engine, &["M1", "M2", "M3"]);
    let waits = |id| {
        move |status: &Status| {
            let lane = status.outbound("LAB").unwrap();
            lane.head == Some(id) && lane.due_in > 0
        }
    };
    wait_for(&engine, "M1 waits", waits(1));
    engine.hold_head("LAB", &by()).unwrap();
    wait_for(&engine, "M2 waits", waits(2));
    engine.cancel_head("LAB", &by()).unwrap();
    wait_for(&engine, "M3 waits", waits(3));
    answer.store(true, Ordering::SeqCst);
    engine.retry_now(Stage::Outbound, "LAB").unwrap();
    wait_until_idle(&engine);
    assert_eq!([1, 2, 3].map(|id| disposition(&engine, id)), ["ROUTED", "ERROR", "PROCESSED"]);
    let held = journey(&engine, 1).to_string();
    assert!(held.contains("held          LAB    by anna  \"the partner moves\""), "{held}");
    assert!(journey(&engine, 2).to_string().contains("cancelled     LAB  by anna"));
    assert!(matches!(engine.hold_head("LAB", &by()), Err(Error::Refused(_))), "it is empty");
    let ids: Vec<_> = (0..4).map(|_| control_id(&lab.next())).collect();
    assert_eq!(ids, ["M1", "M2", "M3", "M3"]);
    engine.stop(common::DEADLINE).unwrap();
}

#[test]
fn what_is_tried_now_does_not_wait_for_the_next_dial() {
    let data = tempfile::tempdir().unwrap();
    let partner = Partner::start(common::accept);
    let address = partner.address;
    drop(partner);
    let hour = std::time::Duration::from_secs(3600);
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("LAB")])
        .outbound("LAB", "127.0.0.1", address.port())
        .send(|it| (it.back_off, it.max_back_off) = (hour, hour))
        .start()
        .unwrap();
    wait_for(&engine, "it rests", |it| it.outbound("LAB").is_some_and(|it| it.lost.is_some()));
    let mut peer = common::Peer::connect(engine.address("IB").unwrap());
    assert_eq!(peer.send(&common::message("M1")).unwrap(), "AA M1");
    let partner = Partner::at(address, common::accept);
    engine.retry_now(Stage::Outbound, "LAB").unwrap();
    assert_eq!(control_id(&partner.next()), "M1");
    wait_until_idle(&engine);
    engine.stop(common::DEADLINE).unwrap();
}

#[test]
fn no_command_waits_for_another() {
    let [has_it, answers] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let flags = (Arc::clone(&has_it), Arc::clone(&answers));
    let lab = Partner::start(move |_| {
        flags.0.store(true, Ordering::SeqCst);
        until("it may answer", || flags.1.load(Ordering::SeqCst));
        "AE"
    });
    let data = TempDir::new().unwrap();
    let engine = feeds(&data, &lab).start().unwrap();
    send(&engine, &["M1"]);
    until("the partner has it", || has_it.load(Ordering::SeqCst));
    std::thread::scope(|scope| {
        // It is with the partner, so it is held only when the partner has answered.
        let held = scope.spawn(|| engine.hold_head("LAB", &by()));
        for flow in [Flow::Paused, Flow::On].repeat(20) {
            engine.switch(Stage::Ingress, "IB", Side::Input, flow, &by()).unwrap();
        }
        assert!(!held.is_finished());
        answers.store(true, Ordering::SeqCst);
        held.join().unwrap().unwrap();
    });
    stop(engine);
}

/// Another program has taken the port meanwhile.
#[test]
fn an_inbound_that_cannot_listen_says_why_until_it_does() {
    let (data, lab) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feeds(&data, &lab).start().unwrap();
    let address = engine.address("IB").unwrap();
    let input = |flow| engine.switch(Stage::Ingress, "IB", Side::Input, flow, &by()).unwrap();
    let lost = |status: &Status| status.lane(Stage::Ingress, "IB").unwrap().lost.clone();
    input(Flow::Stopped);
    until("it does not listen", || TcpStream::connect(address).is_err());
    let other = std::net::TcpListener::bind(address).unwrap();
    assert_eq!(lost(&engine.status().unwrap()), None, "it is not to listen");
    input(Flow::On);
    let status = wait_for(&engine, "it says so", |status| lost(status).is_some());
    let why = lost(&status).unwrap();
    assert_eq!(why, format!("cannot listen at {address}: address in use"));
    drop(other);
    wait_for(&engine, "it listens", |status| lost(status).is_none());
    send(&engine, &["M1"]);
    stop(engine);
}
