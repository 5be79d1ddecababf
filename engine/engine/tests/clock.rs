//! A wall clock that is set: a day back, and a year ahead for a while. No wait is longer than its own
//! delay, and order goes by numbers.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use common::{DEADLINE, Partner, Peer, accept, control_id, message, wait_for, wait_until_idle};
use mllp_engine::{Builder, Engine, Retry, Send};
use tempfile::TempDir;

const DAY: i64 = 24 * 60 * 60;
const YEAR: i64 = 365 * DAY;

/// Seconds from the machine's clock.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> SystemTime {
        let seconds = self.0.load(Ordering::SeqCst);
        let by = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }
}

fn feed(data: &TempDir, partner: &Partner, clock: &Clock) -> Builder {
    let clock = clock.clone();
    Engine::builder(data.path())
        .wall_clock(move || clock.now())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", &partner.address.ip().to_string(), partner.address.port())
        .retry(Retry { max_attempts: None, backoff: 200, multiplier: 1, max_backoff: 200 })
}

/// Refuses for now, as often as it is told.
fn refusing(times: &Arc<AtomicUsize>) -> Partner {
    let times = Arc::clone(times);
    Partner::start(move |_| {
        let left = times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1));
        if left.is_ok() { "AE" } else { "AA" }
    })
}

#[test]
fn no_wait_is_longer_than_its_own_delay() {
    let (data, clock) = (TempDir::new().unwrap(), Clock::default());
    let refusals = Arc::new(AtomicUsize::new(3));
    let partner = refusing(&refusals);
    let engine = feed(&data, &partner, &clock).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    // Each wait begins at one time and would end at another.
    for seconds in [-DAY, YEAR, 0] {
        assert_eq!(control_id(&partner.next()), "M1", "refused");
        clock.set(seconds);
    }
    assert_eq!(control_id(&partner.next()), "M1", "taken");
    wait_until_idle(&engine);
    // The years are in the store, and order nothing.
    for (n, seconds) in [(2, YEAR), (3, -DAY), (4, 0), (5, YEAR), (6, 0)] {
        clock.set(seconds);
        let name = format!("M{n}");
        assert_eq!(sender.send(&message(&name)), Some(format!("AA {name}")));
    }
    let arrived: Vec<_> = (2..=6).map(|_| control_id(&partner.next())).collect();
    assert_eq!(arrived, ["M2", "M3", "M4", "M5", "M6"]);
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

/// A wait goes on after a restart by the wall clock that was stored. It may be shorter, not longer.
#[test]
fn a_restart_waits_no_longer() {
    for (before, after) in [(0, -DAY), (YEAR, 0), (0, YEAR), (-DAY, 0)] {
        let (data, clock) = (TempDir::new().unwrap(), Clock::default());
        let refusals = Arc::new(AtomicUsize::new(1));
        let partner = refusing(&refusals);
        clock.set(before);
        let engine = feed(&data, &partner, &clock).start().unwrap();
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
        assert_eq!(control_id(&partner.next()), "M1", "refused");
        wait_for(&engine, "it waits", |it| it.outbound("OB").is_some_and(|it| it.attempt > 0));
        engine.stop(DEADLINE).unwrap();
        clock.set(after);
        let engine = feed(&data, &partner, &clock).start().unwrap();
        assert_eq!(control_id(&partner.next()), "M1", "taken: {before} {after}");
        wait_until_idle(&engine);
        engine.stop(DEADLINE).unwrap();
    }
}

/// What was received while the clock was wrong is recognised once it is right, after a restart as well.
#[test]
fn a_duplicate_is_recognised_over_a_jump() {
    let (data, clock) = (TempDir::new().unwrap(), Clock::default());
    let partner = Partner::start(accept);
    let receive = |engine: &Engine, name: &str| {
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        assert_eq!(sender.send(&message(name)), Some(format!("AA {name}")));
    };
    let engine = feed(&data, &partner, &clock).start().unwrap();
    for (name, seconds) in [("M1", 0), ("M2", -2 * DAY), ("M3", YEAR), ("M4", 0)] {
        clock.set(seconds);
        receive(&engine, name);
        assert_eq!(control_id(&partner.next()), name);
    }
    wait_until_idle(&engine);
    (1..=4).for_each(|n| receive(&engine, &format!("M{n}")));
    engine.stop(DEADLINE).unwrap();
    let engine = feed(&data, &partner, &clock).start().unwrap();
    (1..=4).for_each(|n| receive(&engine, &format!("M{n}")));
    wait_until_idle(&engine);
    assert!(partner.nothing_came());
    assert_eq!(common::disposition(&engine, 12), "DUPLICATE");
    engine.stop(DEADLINE).unwrap();
}
