//! Inbounds that handlers send to: a message is routed again there, in order, and survives whatever an
//! inbound's messages survive.

mod common;

use std::path::Path;

use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, wait_for,
    wait_until_idle,
};
use mllp_engine::{
    Builder, By, Capacity, Engine, Error, Flow, MessageId, NotReloaded, Reason, Send, Side, Stage,
};
use tempfile::TempDir;

/// What it receives goes to HOP, changed, and from there to OB as `to_ob` makes it.
fn graph(data: &Path, partner: &Partner) -> Builder {
    start(data).pass_through("HOP", "again").outbound("OB", "127.0.0.1", partner.address.port())
}

fn start(data: &Path) -> Builder {
    Engine::builder(data)
        .inbound("IB", "127.0.0.1:0", "first")
        .router("first", |_| ["to_hop"])
        .router("again", |_| ["to_ob"])
        .handler("to_hop", |message| [Send::bytes("HOP", changed(message.payload(), "first"))])
        .handler("to_ob", |message| [Send::bytes("OB", changed(message.payload(), "second"))])
}

fn changed(payload: &[u8], by: &str) -> Vec<u8> {
    [payload, format!("ZZZ|{by}\r").as_bytes()].concat()
}

fn by() -> By {
    By::default()
}

fn send(engine: &Engine, ids: impl IntoIterator<Item = String>) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for id in ids {
        assert_eq!(sender.send(&message(&id)).unwrap(), format!("AA {id}"));
    }
}

fn switch(engine: &Engine, flow: Flow) {
    engine.switch(Stage::Ingress, "HOP", Side::Output, flow, &by()).unwrap();
}

fn rests(engine: &Engine, name: &str, depth: u64) {
    wait_for(engine, "it rests", |it| {
        it.lanes.iter().any(|lane| lane.name == name && lane.depth == depth)
    });
}

#[test]
fn what_a_handler_sends_is_routed_again_in_order() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = graph(data.path(), &partner).start().unwrap();
    assert!(engine.address("HOP").is_none(), "it does not listen");
    send(&engine, (0..50).map(|n| format!("M{n}")));
    for n in 0..50 {
        let (came, id) = (partner.next(), format!("M{n}"));
        assert_eq!(control_id(&came), id);
        assert_eq!(came, changed(&changed(&message(&id), "first"), "second"));
    }
    wait_until_idle(&engine);
    let text = journey(&engine, 1).to_string();
    let way = [
        "routed        first -> to_hop",
        "transformed   to_hop -> HOP (1 field",
        "again -> to_ob  at HOP",
    ];
    let mut rest = &text[..];
    for line in way {
        let at = rest.find(line).unwrap_or_else(|| panic!("no {line:?} in\n{text}"));
        rest = &rest[at + line.len()..];
    }
    assert!(rest.contains("transformed   to_ob -> OB (1 field differs: +"), "{text}");
    let answers = engine.why(MessageId(1)).unwrap().unwrap().answers;
    assert!(matches!(answers[..], [ref it] if it.place == "OB"), "it left the others: {answers:?}");
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn one_message_may_go_on_to_several_routers() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "first")
        .pass_through("HOP_A", "to_a")
        .pass_through("HOP_B", "to_b")
        .pass_through("HOP_C", "to_nobody")
        .router("first", |_| ["split"])
        .router("to_a", |_| ["a"])
        .router("to_b", |_| ["b"])
        .router("to_nobody", |message| match message.get("MSH-10") {
            Some(b"M2") => panic!("a router that fails"),
            _ => None::<&str>,
        })
        .handler("split", |message| {
            let everywhere = ["HOP_A", "HOP_B", "HOP_C"].map(Send::unchanged);
            everywhere.into_iter().chain([Send::bytes("OB", changed(message.payload(), "split"))])
        })
        .handler("a", |message| [Send::bytes("OB", changed(message.payload(), "a"))])
        .handler("b", |_| [Send::unchanged("OB")])
        .outbound("OB", "127.0.0.1", partner.address.port())
        .start()
        .unwrap();
    send(&engine, ["M1".to_owned()]);
    let mut came = [partner.next(), partner.next(), partner.next()];
    came.sort();
    let bytes = message("M1");
    assert_eq!(came, [bytes.clone(), changed(&bytes, "a"), changed(&bytes, "split")]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    send(&engine, ["M2".to_owned()]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 2), "ERROR");
    let text = journey(&engine, 2).to_string();
    assert!(text.contains("failed        HOP_C  content  panic"), "{text}");
    assert_eq!(text.matches("delivered ").count(), 3, "{text}");
    engine.stop(DEADLINE).unwrap();
}

/// UNROUTED is said of the router of its own inbound alone: that of another has had it because somebody was
/// interested.
#[test]
fn a_message_that_the_second_router_gives_to_nobody_is_filtered() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "first")
        .pass_through("HOP", "nobody")
        .router("first", |message| match message.get("MSH-10") {
            Some(b"M1") => vec!["one"],
            Some(b"M2") => vec!["one", "two"],
            _ => vec![],
        })
        .router("nobody", |_| None::<&str>)
        .handler("one", |_| [Send::unchanged("HOP")])
        .handler("two", |_| [Send::unchanged("HOP")])
        .outbound("OB", "127.0.0.1", partner.address.port())
        .start()
        .unwrap();
    send(&engine, ["M1", "M2", "M3"].map(str::to_owned));
    wait_until_idle(&engine);
    let ends = [1, 2, 3].map(|id| disposition(&engine, id));
    assert_eq!(ends, ["FILTERED", "FILTERED", "UNROUTED"], "alone or one of two, it is the same");
    engine.stop(DEADLINE).unwrap();
}

/// Its output is paused: what handlers send waits in its lane, across a restart, and `why` says so.
#[test]
fn what_waits_to_be_routed_again_is_there_after_a_restart() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = graph(data.path(), &partner).start().unwrap();
    switch(&engine, Flow::Paused);
    send(&engine, ["M1".to_owned(), "M2".to_owned()]);
    rests(&engine, "HOP", 2);
    for id in [1, 2] {
        let answers = engine.why(MessageId(id)).unwrap().unwrap().answers;
        let [answer] = &answers[..] else { panic!("one reason: {answers:?}") };
        assert_eq!(answer.place, "HOP");
        assert!(matches!(&answer.reason, Reason::Switched(it) if it.flow == Flow::Paused));
    }
    drop(engine);
    let engine = graph(data.path(), &partner).start().unwrap();
    rests(&engine, "HOP", 2);
    assert_eq!(disposition(&engine, 1), "ROUTED");
    assert!(partner.nothing_came());
    switch(&engine, Flow::On);
    for id in ["M1", "M2"] {
        assert_eq!(partner.next(), changed(&changed(&message(id), "first"), "second"));
    }
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 2), "PROCESSED");
    let input = engine.switch(Stage::Ingress, "HOP", Side::Input, Flow::Paused, &by());
    assert!(
        matches!(input, Err(Error::Refused(_))),
        "nothing keeps handlers from sending: {input:?}"
    );
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn one_that_is_gone_leaves_an_orphan_and_is_moved_or_cancelled() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = graph(data.path(), &partner).start().unwrap();
    switch(&engine, Flow::Paused);
    send(&engine, ["M1".to_owned(), "M2".to_owned()]);
    rests(&engine, "HOP", 2);
    let other = || {
        let graph = start(data.path()).pass_through("HOP_TOO", "again");
        graph.outbound("OB", "127.0.0.1", partner.address.port())
    };
    let refused =
        engine.reload(other(), &[], &By::default(), DEADLINE).err().expect("it is refused");
    let NotReloaded { error, engine } = *refused;
    let text = "inbound HOP is no longer configured, and 2 messages wait in its lane";
    assert_eq!(error.to_string(), text);
    drop(engine);
    let engine = other().start().unwrap();
    let status = engine.status().unwrap();
    let lane = status.lane(Stage::Ingress, "HOP").expect("an orphan");
    assert!(lane.is_orphaned && lane.depth == 2, "{lane:?}");
    let answers = engine.why(MessageId(1)).unwrap().unwrap().answers;
    assert!(matches!(answers[..], [ref it] if it.reason == Reason::Orphaned), "{answers:?}");
    assert_eq!(engine.move_lane(Stage::Ingress, "HOP", "HOP_TOO", &by()).unwrap(), 2);
    for id in ["M1", "M2"] {
        assert_eq!(partner.next(), changed(&changed(&message(id), "first"), "second"));
    }
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    let text = journey(&engine, 1).to_string();
    assert!(text.contains(" -> to_ob  at HOP_TOO"), "{text}");
    // The handler sends to a name that is gone.
    send(&engine, ["M3".to_owned()]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 3), "ERROR");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_is_left_of_one_that_is_gone_can_be_cancelled() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = graph(data.path(), &partner).start().unwrap();
    switch(&engine, Flow::Stopped);
    send(&engine, ["M1".to_owned()]);
    rests(&engine, "HOP", 1);
    drop(engine);
    let without = start(data.path()).outbound("OB", "127.0.0.1", partner.address.port());
    let engine = without.start().unwrap();
    assert_eq!(engine.cancel_lane(Stage::Ingress, "HOP", &by()).unwrap(), 1);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "ERROR");
    assert!(partner.nothing_came());
    engine.stop(DEADLINE).unwrap();
}

/// Through lanes that may hold one message: nothing waits for itself.
#[test]
fn a_circle_ends_after_eight_times_and_stops_nobody() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "round")
        .pass_through("HOP", "round")
        .router("round", |_| ["on", "out"])
        .handler("on", |_| [Send::unchanged("HOP")])
        .handler("out", |_| [Send::unchanged("OB")])
        .outbound("OB", "127.0.0.1", partner.address.port())
        .capacity("on", Capacity { depth: 1, bytes: u64::MAX })
        .capacity("out", Capacity { depth: 1, bytes: u64::MAX })
        .capacity("OB", Capacity { depth: 1, bytes: u64::MAX })
        .start()
        .unwrap();
    send(&engine, (0..5).map(|n| format!("M{n}")));
    wait_until_idle(&engine);
    for id in 1..=5 {
        let text = journey(&engine, id).to_string();
        assert_eq!(text.matches("transformed   on -> HOP").count(), 8, "{text}");
        assert_eq!(text.matches("routed        round -> on, out  at HOP").count(), 8, "{text}");
        assert!(text.contains("failed        on  content  chain too deep"), "{text}");
        assert_eq!(disposition(&engine, id), "ERROR");
    }
    assert_eq!(partner.all().len(), 5 * 9);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn one_may_have_the_name_of_a_handler_that_is_gone() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let port = partner.address.port();
    let first = start(data.path()).handler("HOP", |_| [Send::unchanged("OB")]);
    drop(first.outbound("OB", "127.0.0.1", port).start().unwrap());
    let engine = graph(data.path(), &partner).start().unwrap();
    send(&engine, ["M1".to_owned()]);
    assert_eq!(partner.next(), changed(&changed(&message("M1"), "first"), "second"));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_handler_sends_to_no_inbound_that_receives() {
    let data = TempDir::new().unwrap();
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("IB")])
        .start()
        .unwrap();
    send(&engine, ["M1".to_owned()]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "ERROR");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_is_wrong_with_one_is_said_at_once() {
    let refused = Engine::builder("unused")
        .pass_through("HOP", "nobody")
        .keep_duplicates()
        .index(&["PID-3"])
        .capacity("HOP", Capacity::NONE)
        .pass_through("OB", "r")
        .pass_through("h", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", "127.0.0.1", 1)
        .start();
    let Err(error @ Error::Graph(_)) = refused else { panic!("not refused") };
    let expected = [
        "keep_duplicates: HOP takes what handlers send, and nothing else",
        "\"PID-3\" is no field of an inbound to index",
        "capacity: what handlers send to HOP is never held back",
        "inbound OB: an outbound has the same name",
        "inbound h: a handler has the same name",
        "inbound HOP: unknown router \"nobody\"",
    ];
    assert_eq!(error.to_string(), expected.join("\n"));
}
