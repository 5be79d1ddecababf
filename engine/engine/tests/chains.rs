//! Handlers that send a message on to handlers, and sessions.

mod common;

use common::{
    Partner, Peer, accept, control_id, disposition, journey, message, typed, wait_for,
    wait_until_idle,
};
use mllp_engine::{Engine, Error, Send};
use tempfile::TempDir;

#[test]
fn a_message_goes_from_handler_to_handler_and_keeps_what_was_made_of_it() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let address = partner.address;
    let build = |partner_host: &str| {
        Engine::builder(data.path())
            .inbound("IB", "127.0.0.1:0", "r")
            .router("r", |message| match message.get("MSH-9.2") {
                Some(b"A08") => ["circle"],
                _ => ["first"],
            })
            .handler("first", |message| {
                let changed = [message.payload(), b"ZZ1|first\r"].concat();
                [Send::bytes("second", changed)]
            })
            .handler("second", |message| {
                let changed = [message.payload(), b"ZZ2|second\r"].concat();
                [Send::unchanged("third"), Send::bytes("OB", changed)]
            })
            .handler("third", |_| [Send::unchanged("OB")])
            .handler("circle", |_| [Send::unchanged("circle")])
            .outbound("OB", partner_host, address.port())
    };
    let engine = build("127.0.0.1").start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    let first = [&message("M1")[..], b"ZZ1|first\r"].concat();
    let second = [&first[..], b"ZZ2|second\r"].concat();
    let mut came = [partner.next(), partner.next()];
    came.sort_by_key(Vec::len);
    assert!(came == [first, second], "each with the bytes of its handler");
    wait_until_idle(&engine);
    let text = journey(&engine, 1).to_string();
    for line in [
        "transformed   first -> second (1 field differs: +ZZ1)",
        "transformed   second -> third (unchanged)",
        "transformed   second -> OB (1 field differs: +ZZ2)",
        "transformed   third -> OB (unchanged)",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(text.lines().next().unwrap().ends_with("session 1"), "{text}");
    assert_eq!(journey(&engine, 1).message.message.session.0, 1);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
    // One that goes in circles ends.
    assert_eq!(sender.send(&typed("ADT^A08", "M2")).as_deref(), Some("AA M2"));
    wait_until_idle(&engine);
    let text = journey(&engine, 2).to_string();
    assert!(text.contains("failed        circle  content  chain too deep"), "{text}");
    assert_eq!(text.matches("transformed   circle -> circle").count(), 8, "{text}");
    assert_eq!(disposition(&engine, 2), "ERROR");
}

#[test]
fn what_rests_between_two_handlers_is_there_after_a_restart() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let address = partner.address;
    let build = |is_fixed: bool| {
        Engine::builder(data.path())
            .inbound("IB", "127.0.0.1:0", "r")
            .router("r", |_| ["first"])
            .handler("first", |message| {
                let changed = [message.payload(), b"ZZ1|first\r"].concat();
                [Send::bytes("second", changed)]
            })
            .handler("second", move |_| {
                if !is_fixed {
                    // It never comes back.
                    std::thread::park_timeout(common::DEADLINE * 4);
                }
                [Send::unchanged("OB")]
            })
            .outbound("OB", "127.0.0.1", address.port())
    };
    let engine = build(false).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    wait_for(&engine, "it rests", |it| {
        it.lanes.iter().any(|lane| lane.name == "second" && lane.depth == 1)
    });
    drop(engine);
    let engine = build(true).start().unwrap();
    let came = partner.next();
    assert_eq!(control_id(&came), "M1");
    assert!(came.ends_with(b"ZZ1|first\r"), "with the bytes that the first handler has made");
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
}

#[test]
fn a_name_that_may_be_a_handler_or_an_outbound_is_refused() {
    let refused = Engine::builder("unused")
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["LAB"])
        .handler("LAB", |_| [Send::unchanged("LAB")])
        .outbound("LAB", "127.0.0.1", 1)
        .start();
    let Err(error @ Error::Graph(_)) = refused else { panic!("not refused") };
    assert!(error.to_string().contains("handler LAB: an outbound has the same name"), "{error}");
}
