//! Connections by programs, which are killed, hang and lie.

mod common;

use std::time::Duration;

use common::connector::Seen;
use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, stopped, until,
    wait_for, wait_until_idle,
};
use mllp_engine::{Builder, By, ContentType, Engine, Error, Flow, Note, Retry, Send, Side, Stage};
use tempfile::TempDir;

/// Not a test: what the connectors run.
#[test]
#[ignore = "started by the engines of the other tests"]
fn connector() {
    common::connector::work();
}

/// An engine that hands on what a connector submits.
fn fed(data: &TempDir, seen: &Seen, names: &[&str], partner: &Partner) -> Builder {
    let names = names.join(",");
    Engine::builder(data.path())
        .inbound_by("IN", "r", seen.program(&[("NAMES", &names)]))
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("LAB")])
        .outbound("LAB", &partner.address.ip().to_string(), partner.address.port())
}

/// An engine that has a connector deliver.
fn delivering(data: &TempDir, seen: &Seen, variables: &[(&str, &str)]) -> Builder {
    let retry = Retry { backoff: 1, max_backoff: 1, ..Retry::DEFAULT };
    Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OUT")])
        .outbound_by("OUT", seen.program(variables))
        .retry(retry)
}

fn send(engine: &Engine, names: &[&str]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for name in names {
        assert_eq!(sender.send(&common::connector::payload(name)).unwrap(), format!("AA {name}"));
    }
}

fn by() -> By {
    By { who: Note("op".to_owned()), reason: Note("test".to_owned()) }
}

#[test]
fn what_a_connector_submits_is_answered_once_it_is_committed() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let partner = Partner::start(accept);
    let engine = fed(&data, &seen, &["A", "B", "A", "NOHEADER", "C"], &partner).start().unwrap();
    let expected =
        ["A stored 1", "B stored 2", "A duplicate 3 of 1", "NOHEADER refused 4", "C stored 5"];
    assert_eq!(seen.wait("submitted", 5), expected);
    for name in ["A", "B", "C"] {
        assert_eq!(partner.next(), message(name));
    }
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 4), "ERROR");
    assert!(partner.nothing_came());
    engine.stop(DEADLINE).unwrap();
    assert_eq!(seen.lines("ended"), ["IN"], "it was told to end");
    assert_eq!(seen.lines("started"), ["IN"]);
}

#[test]
fn any_bytes_are_a_message_where_the_inbound_is_not_hl7() {
    let (data, seen, out) = (TempDir::new().unwrap(), Seen::new(), Seen::new());
    let variables = [("NAMES", "NOHEADER,NOHEADER,A")];
    let engine = Engine::builder(data.path())
        .inbound_by("IN", "r", seen.program(&variables))
        .feed(|feed| (feed.content_type, feed.max_message) = (ContentType::Any, 20))
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OUT")])
        .outbound_by("OUT", out.program(&[]))
        .start()
        .unwrap();
    let expected = ["NOHEADER stored 1", "NOHEADER duplicate 2 of 1", "A refused 3"];
    assert_eq!(seen.wait("submitted", 3), expected);
    wait_until_idle(&engine);
    assert_eq!([1, 2, 3].map(|it| disposition(&engine, it)), ["PROCESSED", "DUPLICATE", "ERROR"]);
    assert_eq!(out.lines("delivered"), [" 8"]);
    engine.stop(DEADLINE).unwrap();
}

/// Killed in the middle of a message, before it hears the answer, and after it.
#[test]
fn what_a_killed_connector_submits_again_is_delivered_once() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let partner = Partner::start(accept);
    let names = ["MIDWAY", "UNHEARD", "ANSWERED", "LAST"];
    let engine = fed(&data, &seen, &names, &partner).start().unwrap();
    until("the last is submitted", || {
        seen.lines("submitted").iter().any(|it| it.starts_with("LAST stored"))
    });
    let came: Vec<_> = names.iter().map(|_| control_id(&partner.next())).collect();
    assert_eq!(came, names);
    wait_until_idle(&engine);
    assert!(partner.nothing_came(), "nothing came twice");
    assert_eq!(seen.lines("started").len(), 4);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_connector_that_is_silent_in_a_message_is_killed() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let variables = [("NAMES", "SILENT")];
    let program = seen.program(&variables).timeout(Duration::from_millis(200));
    let engine = Engine::builder(data.path())
        .inbound_by("IN", "r", program)
        .router("r", |_| [""; 0])
        .start()
        .unwrap();
    assert_eq!(seen.wait("submitted", 1), ["SILENT stored 1"]);
    assert_eq!(seen.lines("started").len(), 2);
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_delivery_is_what_its_connector_says_of_it() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let engine = delivering(&data, &seen, &[]).start().unwrap();
    send(&engine, &["A", "REFUSED", "SILENT", "LARGE300000"]);
    wait_until_idle(&engine);
    let whole = |id: &str| format!("{id} {}", message(id).len());
    let large = "LARGE300000 300000".to_owned();
    assert_eq!(seen.lines("delivered"), [whole("A"), whole("SILENT"), large]);
    assert_eq!(
        [1, 2, 3, 4].map(|it| disposition(&engine, it)),
        ["PROCESSED", "ERROR", "PROCESSED", "PROCESSED"]
    );
    let texts = journey(&engine, 2).to_string();
    assert!(texts.contains("no such ward"), "{texts}");
    let texts = journey(&engine, 3).to_string();
    assert!(texts.contains("no_reply"), "{texts}");
    engine.stop(DEADLINE).unwrap();
    assert_eq!(seen.lines("ended"), ["OUT"], "it was told to end");
}

/// Killed before it sends, after it has sent, when it has said so, and because it hangs.
#[test]
fn a_delivery_of_a_connector_that_ends_may_have_been_sent() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let program = seen.program(&[]).timeout(Duration::from_secs(1));
    let retry = Retry { backoff: 1, max_backoff: 1, ..Retry::DEFAULT };
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OUT")])
        .outbound_by("OUT", program)
        .retry(retry)
        .start()
        .unwrap();
    send(&engine, &["UNSENT", "UNTOLD", "THENDIES", "HANGS", "LAST"]);
    wait_until_idle(&engine);
    let names: Vec<String> =
        seen.lines("delivered").iter().map(|it| it[..it.find(' ').unwrap()].to_owned()).collect();
    assert_eq!(names, ["UNSENT", "UNTOLD", "UNTOLD", "THENDIES", "HANGS", "LAST"]);
    for number in [1, 2, 4] {
        let texts = journey(&engine, number).to_string();
        assert!(texts.contains("no_reply"), "{texts}");
    }
    assert!(!journey(&engine, 3).to_string().contains("no_reply"));
    assert!((1..=5).all(|it| disposition(&engine, it) == "PROCESSED"));
    let attempts = seen.lines("attempts");
    assert!(attempts.contains(&"UNTOLD 2".to_owned()), "{attempts:?}");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn an_outbound_waits_for_a_connector_that_is_not_ready() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let engine = delivering(&data, &seen, &[("UNREADY", "1")]).start().unwrap();
    send(&engine, &["A"]);
    let status = wait_for(&engine, "a reason", |it| {
        it.outbound("OUT").unwrap().lost.as_deref() == Some("the share is not mounted")
    });
    assert!(!status.outbound("OUT").unwrap().ready);
    assert!(seen.lines("attempts").is_empty());
    seen.set("mounted");
    wait_until_idle(&engine);
    assert_eq!(seen.lines("attempts"), ["A 1"]);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_program_that_cannot_be_started_or_refuses_is_seen_and_tried_again() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let engine = delivering(&data, &seen, &[("REFUSES", "1")]).start().unwrap();
    seen.wait("started", 3);
    wait_for(&engine, "a reason", |it| {
        it.outbound("OUT").unwrap().lost.as_deref() == Some("there is no folder")
    });
    engine.stop(DEADLINE).unwrap();
    let nowhere = mllp_engine::connector::ConnectorProgram::new(mllp_engine::Program::new("/no"));
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OUT")])
        .outbound_by("OUT", nowhere)
        .start()
        .unwrap();
    wait_for(&engine, "a reason", |it| {
        let lost = it.outbound("OUT").unwrap().lost.clone();
        lost.is_some_and(|it| it.contains("cannot be started"))
    });
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn an_inbound_whose_connector_does_not_run_says_so() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let built = |variables: &[(&str, &str)]| {
        Engine::builder(data.path())
            .inbound_by("IN", "r", seen.program(variables))
            .router("r", |_| [""; 0])
    };
    let lost = |it: &mllp_engine::Status| it.lane(Stage::Ingress, "IN").unwrap().lost.clone();
    let engine = built(&[("REFUSES", "1")]).start().unwrap();
    wait_for(&engine, "a reason", |it| lost(it).as_deref() == Some("there is no folder"));
    let engine = engine.reload(built(&[("NAMES", "A")]), &[], &By::default(), DEADLINE).unwrap();
    seen.wait("submitted", 1);
    assert_eq!(lost(&engine.status().unwrap()), None);
    engine.stop(DEADLINE).unwrap();
}

/// Never whole in the memory of the engine.
#[test]
fn a_large_message_goes_through_two_connectors() {
    let (data, seen, out) = (TempDir::new().unwrap(), Seen::new(), Seen::new());
    let name = format!("LARGE{}", 100 << 20);
    let engine = Engine::builder(data.path())
        .inbound_by("IN", "r", seen.program(&[("NAMES", &name)]))
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OUT")])
        .outbound_by("OUT", out.program(&[]))
        .start()
        .unwrap();
    assert_eq!(out.wait("delivered", 1), [format!("{name} {}", 100 << 20)]);
    assert_eq!(seen.lines("submitted"), [format!("{name} stored 1")]);
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_an_operator_sets_is_so_for_connectors() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let partner = Partner::start(accept);
    let engine = fed(&data, &seen, &["A"], &partner).start().unwrap();
    let set = |engine: &Engine, flow| {
        engine.switch(Stage::Ingress, "IN", Side::Input, flow, &by()).unwrap();
    };
    seen.wait("submitted", 1);
    set(&engine, Flow::Stopped);
    seen.wait("ended", 1);
    // It begins again, and what it submits waits while it is paused.
    set(&engine, Flow::Paused);
    seen.wait("started", 2);
    assert_eq!(seen.lines("submitted"), ["A stored 1"]);
    set(&engine, Flow::On);
    assert_eq!(seen.wait("submitted", 2)[1], "A duplicate 2 of 1");
    set(&engine, Flow::Stopped);
    seen.wait("ended", 2);
    engine.stop(DEADLINE).unwrap();
    // What is stopped stays so.
    let engine = fed(&data, &seen, &["A"], &partner).start().unwrap();
    wait_until_idle(&engine);
    assert_eq!(seen.lines("started").len(), 2);
    engine.stop(DEADLINE).unwrap();
}

/// A message that waits at a closed gate is not stored when its connector is killed, and once when it
/// comes again.
#[test]
fn a_connector_that_ends_while_it_is_paused_has_submitted_nothing() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let partner = Partner::start(accept);
    let engine = fed(&data, &seen, &[], &partner).start().unwrap();
    engine.switch(Stage::Ingress, "IN", Side::Input, Flow::Paused, &by()).unwrap();
    let engine =
        engine.reload(fed(&data, &seen, &["A"], &partner), &[], &By::default(), DEADLINE).unwrap();
    seen.wait("started", 2);
    // It submits, and is told to end meanwhile.
    engine.switch(Stage::Ingress, "IN", Side::Input, Flow::Stopped, &by()).unwrap();
    let engine =
        engine.reload(fed(&data, &seen, &["A"], &partner), &[], &By::default(), DEADLINE).unwrap();
    assert!(seen.lines("submitted").is_empty());
    engine.switch(Stage::Ingress, "IN", Side::Input, Flow::On, &by()).unwrap();
    assert_eq!(seen.wait("submitted", 1), ["A stored 1"]);
    assert_eq!(control_id(&partner.next()), "A");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_stop_waits_for_a_delivery_that_a_connector_is_at() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let engine = delivering(&data, &seen, &[]).start().unwrap();
    send(&engine, &["WAITS"]);
    seen.wait("attempts", 1);
    let stopping = std::thread::spawn(move || engine.stop(DEADLINE));
    seen.set("go_on");
    stopping.join().unwrap().unwrap();
    let engine = delivering(&data, &seen, &[]).start().unwrap();
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    assert_eq!(seen.lines("attempts"), ["WAITS 1"], "its answer was heard");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_connector_that_does_not_end_is_killed() {
    let (data, seen, out) = (TempDir::new().unwrap(), Seen::new(), Seen::new());
    let stays = seen.program(&[("NAMES", "HANGS"), ("STAYS", "1")]);
    let engine = Engine::builder(data.path())
        .inbound_by("IN", "r", stays.stop(Duration::from_millis(50)))
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OUT")])
        .outbound_by("OUT", out.program(&[]))
        .start()
        .unwrap();
    out.wait("attempts", 1);
    let result = stopped(engine, Duration::from_millis(500));
    assert!(matches!(result, Err(Error::Unfinished)), "{result:?}");
    // What it was at is done again.
    let engine = Engine::builder(data.path())
        .inbound_by("IN", "r", seen.program(&[]))
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OUT")])
        .outbound_by("OUT", out.program(&[]))
        .start()
        .unwrap();
    wait_until_idle(&engine);
    assert_eq!(out.lines("attempts"), ["HANGS 1", "HANGS 2"]);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_reload_ends_the_processes_and_starts_new_ones() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let engine = delivering(&data, &seen, &[]).start().unwrap();
    send(&engine, &["A"]);
    wait_until_idle(&engine);
    let engine =
        engine.reload(delivering(&data, &seen, &[]), &[], &By::default(), DEADLINE).unwrap();
    assert_eq!(seen.lines("ended").len(), 1);
    send(&engine, &["B"]);
    wait_until_idle(&engine);
    assert_eq!(seen.lines("attempts"), ["A 1", "B 1"]);
    assert_eq!(seen.lines("started").len(), 2);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_is_wrong_with_a_connector_is_said_before_the_start() {
    let (data, seen) = (TempDir::new().unwrap(), Seen::new());
    let built = Engine::builder(data.path())
        .inbound_by("IN", "r", seen.program(&[]).timeout(Duration::ZERO))
        .receive(|_| ())
        .router("r", |_| [""; 0])
        .outbound_by("OUT", seen.program(&[]))
        .connections(2)
        .send(|_| ())
        .inbound("IB", "127.0.0.1:0", "r")
        .feed(|_| ())
        .start();
    let Err(Error::Graph(faults)) = built else { panic!("it starts") };
    let expected = [
        "receive: IN has no listener",
        "send: OUT has no socket",
        "feed: IB has a listener",
        "inbound IN: timeout must be longer than 0",
        "outbound OUT: its connector is one process",
    ];
    assert_eq!(faults, expected);
}
