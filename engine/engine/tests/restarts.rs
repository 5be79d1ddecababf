//! What waits when an engine ends, and what the next life makes of it: in its order whatever its state,
//! for the outbounds that were chosen, under the names that it was stored with.

mod common;

use std::net::TcpListener;

use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, wait_for,
    wait_until_idle,
};
use mllp_engine::{Builder, Engine, Retry, Send};
use tempfile::TempDir;

const RETRY: Retry = Retry { backoff: 10, max_backoff: 20, ..Retry::DEFAULT };

fn inbound(data: &TempDir) -> Builder {
    Engine::builder(data.path()).inbound("IB", "127.0.0.1:0", "r")
}

fn to(builder: Builder, name: &str, port: u16) -> Builder {
    builder.outbound(name, "127.0.0.1", port).retry(RETRY)
}

/// One lane.
fn feed(data: &TempDir, port: u16) -> Builder {
    let builder = inbound(data).router("r", |_| ["h"]);
    to(builder.handler("h", |_| [Send::unchanged("OB")]), "OB", port)
}

/// Sends these, and has each of them taken over.
fn send(engine: &Engine, names: impl IntoIterator<Item = String>) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let names: Vec<_> = names.into_iter().collect();
    for name in &names {
        sender.write(&message(name));
    }
    for name in &names {
        assert_eq!(common::msa(&sender.frame().unwrap()), format!("AA {name}"));
    }
}

fn name(number: u64) -> String {
    format!("M{number}")
}

/// A port without a listener.
fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_backlog_that_memory_does_not_hold_is_delivered_whole_and_in_order() {
    const MESSAGES: u64 = 5_000;
    let data = TempDir::new().unwrap();
    let engine = feed(&data, closed()).start().unwrap();
    send(&engine, (1..=MESSAGES).map(name));
    wait_for(&engine, "all wait", |it| it.outbound("OB").unwrap().depth == MESSAGES);
    drop(engine);
    let partner = Partner::start(accept);
    let engine = feed(&data, partner.address.port()).window(32).start().unwrap();
    for number in 1..=MESSAGES {
        assert_eq!(control_id(&partner.next()), name(number));
    }
    wait_until_idle(&engine);
    assert!((1..=MESSAGES).all(|id| disposition(&engine, id) == "PROCESSED"));
}

#[test]
fn what_waits_in_different_states_goes_on_in_the_order_of_its_lane() {
    let data = TempDir::new().unwrap();
    // It takes four, and answers the second and the third: the first and the fourth may have arrived.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let engine = feed(&data, listener.local_addr().unwrap().port()).window(4).start().unwrap();
    send(&engine, (1..=6).map(name));
    let mut partner = Peer::new(listener.accept().unwrap().0);
    for number in 1..=4 {
        assert_eq!(control_id(&partner.frame().unwrap()), name(number));
    }
    for id in ["M2", "M3"] {
        let reply = format!("MSH|^~\\&|P|P|E|E|2026||ACK|R{id}|P|2.5\rMSA|AA|{id}\r");
        partner.write(reply.as_bytes());
    }
    let delivered = |id| journey(&engine, id).to_string().contains("delivered     OB");
    common::until("two are recorded", || delivered(2) && delivered(3));
    drop(engine);
    let partner = Partner::start(accept);
    let engine = feed(&data, partner.address.port()).window(4).start().unwrap();
    for number in [1, 4, 5, 6] {
        assert_eq!(control_id(&partner.next()), name(number));
    }
    wait_until_idle(&engine);
    assert!(partner.nothing_came());
    for id in 1..=6 {
        let text = journey(&engine, id).to_string();
        let listed = text.contains("possibly sent OB");
        assert_eq!(listed, id == 1 || id == 4, "{text}");
        assert_eq!(disposition(&engine, id), "PROCESSED");
    }
}

#[test]
fn a_delivery_that_was_refused_for_now_stays_ahead_of_the_next_after_a_restart() {
    let (data, busy) = (TempDir::new().unwrap(), Partner::start(|_| "AE"));
    let engine = feed(&data, busy.address.port()).start().unwrap();
    send(&engine, (1..=3).map(name));
    wait_for(&engine, "two attempts", |it| it.outbound("OB").unwrap().attempt >= 2);
    let attempts = engine.status().unwrap().outbound("OB").unwrap().attempt;
    drop((engine, busy));
    let partner = Partner::start(accept);
    let engine = feed(&data, partner.address.port()).start().unwrap();
    for number in 1..=3 {
        assert_eq!(control_id(&partner.next()), name(number));
    }
    wait_until_idle(&engine);
    let text = journey(&engine, 1).to_string();
    assert!(text.contains(&format!("attempt {attempts}")), "what was counted is kept\n{text}");
}

#[test]
fn lanes_are_found_by_their_names_and_not_by_their_places() {
    let data = TempDir::new().unwrap();
    let handlers = |builder: Builder| {
        builder
            .router("r", |_| ["a", "b"])
            .handler("a", |message| [Send::bytes("OB_A", [message.payload(), b"ZZA|\r"].concat())])
            .handler("b", |_| [Send::unchanged("OB_B")])
    };
    let first = to(to(handlers(inbound(&data)), "OB_A", closed()), "OB_B", closed());
    let engine = first.start().unwrap();
    send(&engine, (1..=3).map(name));
    wait_for(&engine, "all wait", |it| {
        ["OB_A", "OB_B"].iter().all(|name| it.outbound(name).unwrap().depth == 3)
    });
    drop(engine);
    // The other way round, with another one before and between them.
    let (a, b) = (Partner::start(accept), Partner::start(accept));
    let builder = to(handlers(inbound(&data)), "OB_NEW", closed());
    let builder = to(builder, "OB_B", b.address.port());
    let engine = to(to(builder, "OB_OTHER", closed()), "OB_A", a.address.port()).start().unwrap();
    for number in 1..=3 {
        assert!(a.next().ends_with(b"ZZA|\r"));
        assert_eq!(b.next(), message(&name(number)));
    }
    wait_until_idle(&engine);
    assert!(a.nothing_came() && b.nothing_came());
}

#[test]
fn a_handler_may_have_the_name_of_an_outbound_that_is_gone() {
    let (data, away) = (TempDir::new().unwrap(), closed());
    let first = inbound(&data).router("r", |_| ["h"]);
    let engine = to(first.handler("h", |_| [Send::unchanged("X")]), "X", away).start().unwrap();
    drop(engine);
    let ob = Partner::start(accept);
    let builder = inbound(&data)
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("X")])
        .handler("X", |_| [Send::unchanged("OB")]);
    let engine = to(builder, "OB", ob.address.port()).start().unwrap();
    send(&engine, [name(1)]);
    assert_eq!(ob.next(), message(&name(1)));
    wait_until_idle(&engine);
}

#[test]
fn what_was_routed_before_a_change_keeps_the_way_that_was_chosen() {
    let data = TempDir::new().unwrap();
    let engine = feed(&data, closed()).start().unwrap();
    send(&engine, (1..=3).map(name));
    wait_for(&engine, "all are routed", |it| it.outbound("OB").unwrap().depth == 3);
    engine.stop(common::DEADLINE).unwrap();
    // From now on every message also goes to another partner, and to the first one changed.
    let (old, new) = (Partner::start(accept), Partner::start(accept));
    let builder = inbound(&data)
        .router("r", |_| ["h", "other"])
        .handler("h", |message| [Send::bytes("OB", [message.payload(), b"NTE|\r"].concat())])
        .handler("other", |_| [Send::unchanged("OB_NEW")]);
    let builder = to(to(builder, "OB", old.address.port()), "OB_NEW", new.address.port());
    let engine = builder.start().unwrap();
    send(&engine, [name(4)]);
    for number in 1..=3 {
        assert_eq!(old.next(), message(&name(number)), "as it was transformed then");
    }
    assert!(old.next().ends_with(b"NTE|\r"));
    assert_eq!(control_id(&new.next()), "M4");
    wait_until_idle(&engine);
    assert!(new.nothing_came(), "nothing old goes to what is new");
    engine.stop(DEADLINE).unwrap();
}
