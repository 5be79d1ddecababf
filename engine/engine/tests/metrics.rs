//! What Prometheus reads says what was committed, and how lanes stand.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::troubled::{Commits, troubled};
use common::{DEADLINE, Partner, Peer, accept, message, wait_for, wait_until_idle};
use mllp_engine::{Engine, Retry, Send};
use mllp_pipeline::Refusal;
use mllp_store::MemoryStore;

/// The value of a sample, such as `fastmllp_received_total{connection="IB"}`.
fn value(text: &str, sample: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(its, _)| *its == sample);
    found.unwrap_or_else(|| panic!("{sample} is not in\n{text}")).1.parse().expect("a number")
}

#[track_caller]
fn assert_values(engine: &Engine, values: &[(&str, f64)]) {
    let text = engine.metrics().unwrap();
    for (sample, expected) in values {
        let found = value(&text, &format!("fastmllp_{sample}"));
        assert!(found == *expected, "{sample} is {found}, not {expected}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn counters_say_what_has_become_of_messages() {
    let failed = Arc::new(AtomicBool::new(false));
    let partner = Partner::start(move |control_id| match control_id {
        "M2" => "AR",
        "M3" if !failed.swap(true, Ordering::Relaxed) => "AE",
        _ => "AA",
    });
    let engine = Engine::builder("unused")
        .store(Box::new(MemoryStore::new()))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |message| {
            assert!(message.get("MSH-10") != Some(b"M4"), "a function that fails");
            [Send::unchanged("OB")]
        })
        .outbound("OB", &partner.address.ip().to_string(), partner.address.port())
        .retry(Retry { backoff: 1, max_backoff: 1, ..Retry::DEFAULT })
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for (control_id, answer) in
        [("M1", "AA M1"), ("M2", "AA M2"), ("M3", "AA M3"), ("M4", "AA M4"), ("M1", "AA M1")]
    {
        assert_eq!(sender.send(&message(control_id)).as_deref(), Some(answer));
    }
    assert!(sender.send(b"no message").is_some_and(|it| it.starts_with("AR")));
    wait_until_idle(&engine);
    assert_values(
        &engine,
        &[
            ("received_total{connection=\"IB\"}", 6.0),
            ("duplicates_total{connection=\"IB\"}", 1.0),
            ("refused_total{connection=\"IB\"}", 1.0),
            ("functions_failed_total{connection=\"h\",failure=\"content\"}", 1.0),
            ("attempts_failed_total{connection=\"OB\",failure=\"refused_for_good\"}", 1.0),
            ("attempts_failed_total{connection=\"OB\",failure=\"refused_for_now\"}", 1.0),
            ("attempts_failed_total{connection=\"OB\",failure=\"no_reply\"}", 0.0),
            ("delivered_total{connection=\"OB\"}", 2.0),
            ("delivery_seconds_count{connection=\"OB\"}", 2.0),
            ("dead_total{connection=\"OB\"}", 1.0),
            ("held_total{connection=\"OB\"}", 0.0),
            ("lane_depth{stage=\"outbound\",connection=\"OB\"}", 0.0),
            ("lane_ready{stage=\"outbound\",connection=\"OB\"}", 1.0),
            ("store_writes", 1.0),
        ],
    );
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn gauges_say_how_lanes_and_the_store_stand() {
    // Nobody is there.
    let partner = Partner::start(accept);
    let away = partner.address;
    drop(partner);
    let (store, control) = troubled(MemoryStore::new());
    let engine = Engine::builder("unused")
        .store(Box::new(store))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", &away.ip().to_string(), away.port())
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    wait_for(&engine, "it waits", |it| it.outbound("OB").is_some_and(|it| it.depth == 1));
    let bytes = message("M1").len() as f64;
    assert_values(
        &engine,
        &[
            ("lane_depth{stage=\"outbound\",connection=\"OB\"}", 1.0),
            ("lane_bytes{stage=\"outbound\",connection=\"OB\"}", bytes),
            ("lane_ready{stage=\"outbound\",connection=\"OB\"}", 0.0),
            ("store_writes", 1.0),
            ("commits_failed_total", 0.0),
        ],
    );
    control.set(|it| it.commits = Commits::Refuse(Refusal::Full));
    sender.write(&message("M2"));
    wait_for(&engine, "the store is full", |it| it.store.trouble.is_some());
    let text = engine.metrics().unwrap();
    assert!(value(&text, "fastmllp_commits_failed_total") >= 1.0);
    assert!(value(&text, "fastmllp_store_writes") == 0.0);
    assert!(value(&text, "fastmllp_received_total{connection=\"IB\"}") == 1.0, "M2 is not stored");
    let _ = engine.stop(Duration::from_millis(100));
}
