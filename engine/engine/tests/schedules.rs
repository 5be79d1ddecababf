//! Connections that work at some times only, under a clock that is set.

mod common;

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use common::{Partner, Peer, accept, control_id, message, until, wait_for, wait_until_idle};
use mllp_engine::{
    Builder, By, Closed, Engine, Flow, MessageId, Reason, Schedule, Send, Side, Stage, Status,
    Window,
};
use mllp_store::MemoryStore;

/// Wednesday, 7 January 2026, 00:00 in UTC.
const MIDNIGHT: u64 = 1_767_744_000_000;
const HOUR: u64 = 3_600_000;

/// A clock that stands at what it is set to.
#[derive(Clone)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn at(hour: u64) -> Clock {
        Clock(Arc::new(AtomicU64::new(MIDNIGHT + hour * HOUR)))
    }

    fn set(&self, at: u64) {
        self.0.store(at, Ordering::SeqCst);
    }
}

fn from_six_to_ten() -> Schedule {
    let window = Window::parse("mon-fri", "06:00", "10:00").unwrap();
    Schedule::new(vec![window], "UTC", false).unwrap()
}

fn feed(lab: &Partner, clock: &Clock) -> Builder {
    let (clock, address) = (clock.clone(), lab.address);
    Engine::builder("unused")
        .store(Box::new(MemoryStore::new()))
        .wall_clock(move || UNIX_EPOCH + Duration::from_millis(clock.0.load(Ordering::SeqCst)))
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| ["to_lab"])
        .handler("to_lab", |_| [Send::unchanged("LAB")])
        .outbound("LAB", &address.ip().to_string(), address.port())
}

fn send(engine: &Engine, id: &str) -> Option<String> {
    Peer::connect(engine.address("IB").unwrap()).send(&message(id))
}

fn lab_is_open(open: bool) -> impl Fn(&Status) -> bool {
    move |it| it.outbound("LAB").unwrap().hours.as_ref().is_some_and(|it| it.is_open == open)
}

fn reason(engine: &Engine, id: u64) -> Reason {
    let why = engine.why(MessageId(id)).unwrap().expect("a message");
    why.answers.into_iter().next().expect("an answer").reason
}

#[test]
fn an_outbound_keeps_its_queue_outside_of_its_schedule() {
    let (lab, clock) = (Partner::start(accept), Clock::at(5));
    let engine = feed(&lab, &clock).schedule("LAB", from_six_to_ten()).start().unwrap();
    assert_eq!(send(&engine, "M1").as_deref(), Some("AA M1"));
    assert_eq!(send(&engine, "M2").as_deref(), Some("AA M2"));
    let status = wait_for(&engine, "both wait", |it| it.outbound("LAB").unwrap().depth == 2);
    let state = status.outbound("LAB").unwrap();
    assert!(!state.ready && state.in_flight == 0);
    let opens = MIDNIGHT + 6 * HOUR;
    assert_eq!(state.hours.as_ref().unwrap().until, Some(opens));
    assert_eq!(reason(&engine, 1), Reason::Closed { opens: Some(opens) });
    let text = engine.why(MessageId(2)).unwrap().unwrap().to_string();
    assert!(text.contains("LAB: outside of the schedule (opens at 2026-01-07 06:00:00"), "{text}");
    assert!(lab.nothing_came());
    clock.set(opens);
    assert_eq!(control_id(&lab.next()), "M1");
    assert_eq!(control_id(&lab.next()), "M2");
    wait_until_idle(&engine);
    clock.set(MIDNIGHT + 10 * HOUR);
    wait_for(&engine, "it closes", lab_is_open(false));
    assert_eq!(send(&engine, "M3").as_deref(), Some("AA M3"));
    wait_for(&engine, "it waits", |it| it.outbound("LAB").unwrap().depth == 1);
    assert!(lab.nothing_came());
}

#[test]
fn a_clock_that_jumps_leaves_nothing_open_or_closed() {
    let (lab, clock) = (Partner::start(accept), Clock::at(7));
    let engine = feed(&lab, &clock).schedule("LAB", from_six_to_ten()).start().unwrap();
    wait_for(&engine, "it is open", lab_is_open(true));
    for (at, open) in [
        (MIDNIGHT + 400 * 24 * HOUR + 5 * HOUR, false),
        (MIDNIGHT + 9 * HOUR, true),
        (MIDNIGHT - 24 * HOUR, false),
        (MIDNIGHT - 24 * HOUR + 8 * HOUR, true),
        (0, false),
        (MIDNIGHT + 7 * HOUR, true),
    ] {
        clock.set(at);
        wait_for(&engine, "it has followed the clock", lab_is_open(open));
    }
    assert_eq!(send(&engine, "M1").as_deref(), Some("AA M1"));
    assert_eq!(control_id(&lab.next()), "M1");
}

#[test]
fn an_operator_and_a_schedule_both_have_to_let_a_lane_go() {
    let (lab, clock) = (Partner::start(accept), Clock::at(5));
    let engine = feed(&lab, &clock).schedule("LAB", from_six_to_ten()).start().unwrap();
    assert_eq!(send(&engine, "M1").as_deref(), Some("AA M1"));
    let set = |flow| {
        engine.switch(Stage::Outbound, "LAB", Side::Output, flow, &By::default()).unwrap();
    };
    set(Flow::Stopped);
    set(Flow::On);
    wait_for(&engine, "it waits", |it| it.outbound("LAB").unwrap().depth == 1);
    assert!(matches!(reason(&engine, 1), Reason::Closed { .. }), "on, and closed");
    set(Flow::Stopped);
    clock.set(MIDNIGHT + 6 * HOUR);
    wait_for(&engine, "it opens", lab_is_open(true));
    assert!(matches!(reason(&engine, 1), Reason::Switched(_)), "open, and stopped");
    assert!(lab.nothing_came());
    set(Flow::On);
    assert_eq!(control_id(&lab.next()), "M1");
}

#[test]
fn an_inbound_does_not_listen_outside_of_its_schedule() {
    let (lab, clock) = (Partner::start(accept), Clock::at(5));
    let engine = feed(&lab, &clock).schedule("IB", from_six_to_ten()).start().unwrap();
    let address = engine.address("IB").unwrap();
    assert!(TcpStream::connect(address).is_err(), "it listens at the start");
    clock.set(MIDNIGHT + 6 * HOUR);
    until("it listens", || TcpStream::connect(address).is_ok());
    let mut sender = Peer::connect(address);
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    clock.set(MIDNIGHT + 10 * HOUR);
    assert_eq!(sender.frame(), None, "the connection is closed");
    until("it does not listen", || TcpStream::connect(address).is_err());
    assert_eq!(control_id(&lab.next()), "M1");
}

#[test]
fn an_inbound_may_answer_outside_of_its_schedule() {
    let (lab, clock) = (Partner::start(accept), Clock::at(5));
    let engine = feed(&lab, &clock).schedule("IB", from_six_to_ten()).closed(Closed::Answer);
    let engine = engine.start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AE M1"));
    clock.set(MIDNIGHT + 6 * HOUR);
    until("it takes messages", || sender.send(&message("M1")).as_deref() == Some("AA M1"));
    assert_eq!(control_id(&lab.next()), "M1");
    wait_until_idle(&engine);
    assert!(engine.why(MessageId(2)).unwrap().is_none(), "what was answered AE is not stored");
}

#[test]
fn a_schedule_of_nothing_is_refused() {
    let lab = Partner::start(accept);
    let builder = feed(&lab, &Clock::at(5)).pass_through("LOOP", "all");
    let builder = builder.schedule("LOOP", from_six_to_ten()).schedule("LBA", from_six_to_ten());
    let faults = builder.start().map(drop).unwrap_err().to_string();
    assert!(faults.contains("schedule: LOOP takes what handlers send"), "{faults}");
    assert!(faults.contains("schedule of \"LBA\", which is not declared before"), "{faults}");
}
