//! Another graph for an engine that runs: nothing is lost or turned away, and a graph that cannot be had
//! changes nothing.

mod common;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, wait_for,
    wait_until_idle,
};
use mllp_engine::{
    Builder, By, Engine, Error, Leaving, Lot, MessageId, NotReloaded, Note, Send, Settled, Side,
    Stage,
};

/// An inbound at this address, and one outbound of this name.
fn graph(data: &Path, address: &str, outbound: &'static str, partner: SocketAddr) -> Builder {
    Engine::builder(data)
        .inbound("IB", address, "r")
        .router("r", |_| ["h"])
        .handler("h", move |_| [Send::unchanged(outbound)])
        .outbound(outbound, "127.0.0.1", partner.port())
}

fn reload(engine: Engine, builder: Builder) -> Engine {
    engine.reload(builder, &[], &By::default(), DEADLINE).unwrap()
}

/// The engine that goes on, and why.
fn refused(engine: Engine, builder: Builder) -> (Engine, Error) {
    let NotReloaded { error, engine } =
        *engine.reload(builder, &[], &By::default(), DEADLINE).err().expect("it is refused");
    (engine.expect("the old graph goes on"), error)
}

fn leaving(outbound: &str, lot: Lot) -> Leaving {
    Leaving { stage: Stage::Outbound, name: outbound.to_owned(), lot }
}

#[test]
fn a_sender_that_goes_on_loses_nothing_and_is_never_turned_away() {
    let directory = tempfile::tempdir().unwrap();
    let partners = [Partner::start(accept), Partner::start(accept)];
    let names = ["OB_A", "OB_B"];
    let of = |at: usize, address: &str| {
        let (other, port) = (names[1 - at], partners[1 - at].address.port());
        let graph = graph(directory.path(), address, names[at], partners[at].address);
        graph.outbound(other, "127.0.0.1", port)
    };
    let mut engine = of(0, "127.0.0.1:0").start().unwrap();
    let address = engine.address("IB").unwrap();
    let (ready, go) = std::sync::mpsc::channel();
    let sender = std::thread::spawn(move || {
        let mut peer = None;
        for number in 0..200 {
            let id = format!("M{number}");
            let taken = format!("AA {id}");
            // A connection that is closed without an answer says nothing of the message, and AE that it
            // is to come again.
            loop {
                match peer.get_or_insert_with(|| Peer::connect(address)).send(&message(&id)) {
                    Some(answer) if answer == taken => break,
                    Some(answer) => assert_eq!(answer, format!("AE {id}")),
                    None => peer = None,
                }
            }
            ready.send(()).unwrap();
        }
    });
    for turn in 1..=5 {
        (0..20).for_each(|_| go.recv_timeout(DEADLINE).unwrap());
        engine = reload(engine, of(turn % 2, &address.to_string()));
        assert_eq!(engine.address("IB"), Some(address));
    }
    sender.join().unwrap();
    wait_until_idle(&engine);
    let mut taken = Vec::new();
    for partner in &partners {
        let numbers: Vec<u32> = partner.all().iter().map(|it| it[1..].parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        taken.extend(numbers);
    }
    taken.sort_unstable();
    assert_eq!(taken, (0..200).collect::<Vec<_>>(), "each once");
}

#[test]
fn a_graph_with_faults_disturbs_nobody() {
    let (directory, partner) = (tempfile::tempdir().unwrap(), Partner::start(accept));
    let engine = graph(directory.path(), "127.0.0.1:0", "OB", partner.address).start().unwrap();
    let mut peer = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(peer.send(&message("M1")).unwrap(), "AA M1");
    let broken = Engine::builder(directory.path()).inbound("IB", "127.0.0.1:0", "nobody");
    let (engine, error) = refused(engine, broken);
    assert_eq!(error.to_string(), "inbound IB: unknown router \"nobody\"");
    assert_eq!(error.exit_status(), 2);
    assert_eq!(peer.send(&message("M2")).unwrap(), "AA M2", "on the same connection");
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = graph(elsewhere.path(), "127.0.0.1:0", "OB", partner.address);
    let (engine, error) = refused(engine, moved);
    assert_eq!(error.to_string(), "a reload keeps the store");
    assert_eq!(peer.send(&message("M3")).unwrap(), "AA M3");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn an_address_that_is_taken_leaves_the_old_graph_at_work() {
    let (directory, partner) = (tempfile::tempdir().unwrap(), Partner::start(accept));
    let engine = graph(directory.path(), "127.0.0.1:0", "OB", partner.address).start().unwrap();
    let address = engine.address("IB").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = taken.local_addr().unwrap().to_string();
    let two = graph(directory.path(), &address.to_string(), "OB", partner.address)
        .inbound("IB_TOO", &other, "r");
    let (engine, error) = refused(engine, two);
    assert!(error.to_string().starts_with("inbound IB_TOO cannot listen"), "{error}");
    assert_eq!(engine.address("IB"), Some(address));
    assert_eq!(Peer::connect(address).send(&message("M1")).unwrap(), "AA M1");
    assert_eq!(control_id(&partner.next()), "M1");
    // And the next reload can be had.
    drop(taken);
    let two = graph(directory.path(), &address.to_string(), "OB", partner.address)
        .inbound("IB_TOO", &other, "r");
    let engine = reload(engine, two);
    assert_eq!(Peer::connect(other.parse().unwrap()).send(&message("M2")).unwrap(), "AA M2");
    assert_eq!(control_id(&partner.next()), "M2");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_lane_that_is_not_empty_does_not_vanish() {
    let (directory, partner) = (tempfile::tempdir().unwrap(), Partner::start(accept));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let engine = graph(directory.path(), "127.0.0.1:0", "OLD", nobody).start().unwrap();
    let address = engine.address("IB").unwrap();
    let mut peer = Peer::connect(address);
    for id in ["M1", "M2"] {
        assert_eq!(peer.send(&message(id)).unwrap(), format!("AA {id}"));
    }
    wait_for(&engine, "both wait", |it| it.outbound("OLD").is_some_and(|it| it.depth == 2));
    let new = || graph(directory.path(), "127.0.0.1:0", "NEW", partner.address);
    let (engine, error) = refused(engine, new());
    let words = "outbound OLD is no longer configured, and 2 deliveries wait in its lane";
    assert_eq!(error.to_string(), words);
    assert_eq!(peer.send(&message("M3")).unwrap(), "AA M3", "on the same connection");
    wait_for(&engine, "it waits", |it| it.outbound("OLD").is_some_and(|it| it.depth == 3));

    let leaving = [leaving("OLD", Lot::Orphaned)];
    let engine = engine.reload(new(), &leaving, &By::default(), DEADLINE).unwrap();
    assert_eq!(engine.address("IB"), Some(address), "a port that was not chosen stays");
    assert!(engine.status().unwrap().outbound("OLD").unwrap().is_orphaned);
    // What is orphaned already does not refuse the next one.
    let engine = reload(engine, new());
    let moved = engine.move_lane(Stage::Outbound, "OLD", "NEW", &By::default()).unwrap();
    assert_eq!(moved, 3);
    for id in ["M1", "M2", "M3"] {
        assert_eq!(control_id(&partner.next()), id);
    }
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

/// An inbound, and outbounds of these names that each get every message.
fn fan(data: &Path, address: &str, outbounds: &'static [(&'static str, u16)]) -> Builder {
    let all = Engine::builder(data)
        .inbound("IB", address, "r")
        .router("r", |_| ["h"])
        .handler("h", move |_| outbounds.iter().map(|(name, _)| Send::unchanged(*name)));
    let out = |all: Builder, (name, port): &(&str, u16)| all.outbound(name, "127.0.0.1", *port);
    outbounds.iter().fold(all, out)
}

#[test]
fn what_lanes_hold_that_leave_is_moved_and_cancelled_or_nothing_has_changed() {
    let (directory, partner) = (tempfile::tempdir().unwrap(), Partner::start(accept));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let old: &'static [_] = Box::leak(Box::new([("OLD_A", nobody), ("OLD_B", nobody)]));
    let engine = fan(directory.path(), "127.0.0.1:0", old).start().unwrap();
    let address = engine.address("IB").unwrap();
    let mut peer = Peer::connect(address);
    for id in ["M1", "M2"] {
        assert_eq!(peer.send(&message(id)).unwrap(), format!("AA {id}"));
    }
    let both = |engine: &Engine| {
        wait_for(engine, "all wait", |it| {
            old.iter().all(|(name, _)| it.outbound(name).is_some_and(|it| it.depth == 2))
        });
    };
    both(&engine);
    let new = || graph(directory.path(), &address.to_string(), "NEW", partner.address);
    let lots =
        |to: &str| [leaving("OLD_A", Lot::Moved(to.to_owned())), leaving("OLD_B", Lot::Cancelled)];
    let by = By { who: Note("anna".into()), reason: Note("the new lab".into()) };
    let refused = |engine: Engine, builder, lots: &[Leaving]| {
        let NotReloaded { error, engine } =
            *engine.reload(builder, lots, &by, DEADLINE).err().unwrap();
        let engine = engine.expect("the old graph goes on");
        both(&engine);
        (engine, error.to_string())
    };
    let (engine, error) = refused(engine, new(), &lots("NOWHERE"));
    assert_eq!(error, "OLD_A cannot be moved: there is no outbound lane NOWHERE");
    let (engine, error) =
        refused(engine, fan(directory.path(), &address.to_string(), old), &lots("OLD_B"));
    assert_eq!(
        error,
        "OLD_A is still configured: its lane stays\nOLD_B is still configured: its lane stays"
    );
    // It is found when the old graph has stopped, and before the lanes are touched.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let two = new().inbound("IB_TOO", &taken.local_addr().unwrap().to_string(), "r");
    let (engine, error) = refused(engine, two, &lots("NEW"));
    assert!(error.starts_with("inbound IB_TOO cannot listen"), "{error}");
    let engine = engine.reload(new(), &lots("NEW"), &by, DEADLINE).unwrap();
    assert_eq!(engine.settled(), Settled { moved: 2, cancelled: 2 });
    for id in ["M1", "M2"] {
        assert_eq!(control_id(&partner.next()), id);
    }
    wait_until_idle(&engine);
    assert!(engine.status().unwrap().lanes.iter().all(|it| !it.is_orphaned));
    let text = journey(&engine, 1).to_string();
    let lines: Vec<_> = text.lines().filter(|it| it.contains("anna")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("OLD_A") && lines[0].contains("the new lab"), "{text}");
    assert_eq!(disposition(&engine, 1), "ERROR");
    let engine = reload(engine, new());
    assert_eq!(engine.settled(), Settled::default());
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_waits_for_the_router_is_routed_by_the_new_graph() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (Partner::start(accept), Partner::start(accept));
    let engine = graph(directory.path(), "127.0.0.1:0", "OLD", old.address).start().unwrap();
    let address = engine.address("IB").unwrap();
    let by = By::default();
    engine.switch(Stage::Ingress, "IB", Side::Output, mllp_engine::Flow::Paused, &by).unwrap();
    assert_eq!(Peer::connect(address).send(&message("M1")).unwrap(), "AA M1");
    let engine = reload(engine, graph(directory.path(), "127.0.0.1:0", "NEW", new.address));
    let input = engine.status().unwrap().lane(Stage::Ingress, "IB").unwrap().output.clone();
    assert!(input.is_some(), "an operator's switch stays");
    engine.switch(Stage::Ingress, "IB", Side::Output, mllp_engine::Flow::On, &by).unwrap();
    assert_eq!(control_id(&new.next()), "M1");
    wait_until_idle(&engine);
    assert!(old.nothing_came());
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    let text = journey(&engine, 1).to_string();
    assert!(text.contains("delivered     NEW"), "{text}");
    assert!(engine.why(MessageId(1)).unwrap().is_some());
    engine.stop(DEADLINE).unwrap();
}
