//! Partners that are away, silent or deaf: each holds up its own lane and nothing else, and a stop keeps
//! its deadline.

mod common;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, stopped, wait_for,
    wait_until_idle,
};
use mllp_engine::{Builder, By, Engine, Flow, Note, Retry, Send, Side, Stage};
use tempfile::TempDir;

/// One inbound whose messages go to every one of these partners, unchanged.
fn feed(data: &TempDir, partners: &[(&'static str, SocketAddr)]) -> Builder {
    let names: Vec<_> = partners.iter().map(|(name, _)| *name).collect();
    let mut builder = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", move |_| names.iter().map(|it| Send::unchanged(*it)).collect::<Vec<_>>());
    for (name, address) in partners {
        builder = builder.outbound(name, &address.ip().to_string(), address.port());
    }
    builder
}

fn connect(engine: &Engine) -> Peer {
    Peer::connect(engine.address("IB").unwrap())
}

/// A partner that reads every message and never answers.
fn silent() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, arrived) = channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let (mut peer, sender) = (Peer::new(stream), sender.clone());
            std::thread::spawn(move || {
                while let Some(payload) = peer.frame() {
                    let _ = sender.send(payload);
                }
            });
        }
    });
    (address, arrived)
}

/// An address without a listener.
fn away() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn partners_that_are_away_or_silent_hold_up_no_other() {
    let (data, lab, bill) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let (mute, arrived) = silent();
    let partners = [("AWAY", away()), ("LAB", lab.address), ("MUTE", mute), ("BILL", bill.address)];
    let engine = feed(&data, &partners).start().unwrap();
    let mut sender = connect(&engine);
    for number in 0..50 {
        let name = format!("M{number}");
        assert_eq!(sender.send(&message(&name)), Some(format!("AA {name}")));
    }
    for number in 0..50 {
        assert_eq!(control_id(&lab.next()), format!("M{number}"));
        assert_eq!(control_id(&bill.next()), format!("M{number}"));
    }
    let depth = |name: &str, depth| {
        wait_for(&engine, name, |it| it.outbound(name).unwrap().depth == depth);
    };
    depth("LAB", 0);
    depth("BILL", 0);
    depth("AWAY", 50);
    depth("MUTE", 50);
    assert_eq!(control_id(&arrived.recv_timeout(DEADLINE).unwrap()), "M0");
    assert_eq!(disposition(&engine, 1), "ROUTED", "open as long as one delivery is");
}

#[test]
fn a_partner_that_never_answers_gets_the_same_message_a_counted_number_of_times() {
    let (data, (address, arrived)) = (TempDir::new().unwrap(), silent());
    let retry = Retry { max_attempts: Some(3), backoff: 1, max_backoff: 2, ..Retry::DEFAULT };
    let engine = feed(&data, &[("OB", address)])
        .retry(retry)
        .timeout(Duration::from_millis(30))
        .start()
        .unwrap();
    let mut sender = connect(&engine);
    for name in ["M1", "M2"] {
        assert_eq!(sender.send(&message(name)), Some(format!("AA {name}")));
    }
    wait_until_idle(&engine);
    // Byte for byte the same, MSH-10 too; the next one only when this one is given up.
    let all: Vec<_> = arrived.try_iter().collect();
    assert_eq!(all, ["M1", "M1", "M1", "M2", "M2", "M2"].map(message));
    let text = journey(&engine, 1).to_string();
    for line in ["attempt 1     OB  no_reply", "attempt 3     OB  no_reply", "dead          OB"] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(!text.contains("attempt 4"), "{text}");
    assert_eq!((disposition(&engine, 1), disposition(&engine, 2)), ("ERROR", "ERROR"));
}

#[test]
fn a_lane_that_may_lose_its_order_says_so_and_what_was_overtaken_is_recorded() {
    // M1 is refused once, when M2 is with the partner as well.
    let both = Arc::new(AtomicBool::new(false));
    let (with_both, refused) = (Arc::clone(&both), Arc::new(AtomicBool::new(false)));
    let once = move |id: &str| {
        if id != "M1" || refused.swap(true, Ordering::SeqCst) {
            return "AA";
        }
        common::until("both are there", || with_both.load(Ordering::SeqCst));
        "AE"
    };
    let (data, lab, bill) = (TempDir::new().unwrap(), Partner::start(accept), Partner::start(once));
    let partners = [("LAB", lab.address), ("BILL", bill.address)];
    let retry = Retry { backoff: 10, max_backoff: 10, ..Retry::DEFAULT };
    let engine = feed(&data, &partners).window(3).retry(retry).start().unwrap();
    let status = engine.status().unwrap();
    assert!(status.outbound("LAB").unwrap().keeps_order);
    assert!(!status.outbound("BILL").unwrap().keeps_order);
    let mut sender = connect(&engine);
    for name in ["M1", "M2"] {
        assert_eq!(sender.send(&message(name)), Some(format!("AA {name}")));
    }
    wait_for(&engine, "both are with it", |it| it.outbound("BILL").unwrap().in_flight == 2);
    both.store(true, Ordering::SeqCst);
    wait_until_idle(&engine);
    let text = journey(&engine, 1).to_string();
    assert!(text.contains("overtaken     BILL  by 2"), "{text}");
    let text = journey(&engine, 2).to_string();
    assert!(!text.contains("overtaken"), "{text}");
}

#[test]
fn a_stop_keeps_its_deadline_while_a_partner_takes_no_byte() {
    let data = TempDir::new().unwrap();
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap();
    let engine = feed(&data, &[("OB", address)]).start().unwrap();
    // More than sockets keep, so that the sender hangs in its write.
    let large = [message("M1"), vec![b'x'; 8 << 20]].concat();
    assert_eq!(connect(&engine).send(&large).as_deref(), Some("AA M1"));
    let (held, _) = deaf.accept().unwrap();
    wait_for(&engine, "it is being sent", |it| it.outbound("OB").unwrap().in_flight == 1);
    // It returns, which is the question here.
    drop(stopped(engine, Duration::from_millis(50)));
    drop((held, deaf));
    // Nothing is half recorded: the next life sends it whole.
    let partner = Partner::at(address, accept);
    let engine = feed(&data, &[("OB", address)]).start().unwrap();
    assert_eq!(partner.next(), large);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 1), "PROCESSED");
}

#[test]
fn an_outbound_that_hangs_in_a_write_is_stopped_and_started_while_the_others_go_on() {
    let (data, lab) = (TempDir::new().unwrap(), Partner::start(accept));
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let partners = [("DEAF", deaf.local_addr().unwrap()), ("LAB", lab.address)];
    let engine = feed(&data, &partners).start().unwrap();
    let mut sender = connect(&engine);
    let large = [message("M1"), vec![b'x'; 8 << 20]].concat();
    assert_eq!(sender.send(&large).as_deref(), Some("AA M1"));
    wait_for(&engine, "it is being sent", |it| it.outbound("DEAF").unwrap().in_flight == 1);
    assert_eq!(lab.next(), large);
    let by = By { who: Note("anna".into()), reason: Note("it does not read".into()) };
    for (flow, name) in [(Flow::Stopped, "M2"), (Flow::On, "M3"), (Flow::Stopped, "M4")] {
        // It returns, whatever the partner does.
        engine.switch(Stage::Outbound, "DEAF", Side::Output, flow, &by).unwrap();
        assert_eq!(sender.send(&message(name)), Some(format!("AA {name}")));
        assert_eq!(control_id(&lab.next()), name);
    }
    wait_for(&engine, "nothing of LAB waits", |it| it.outbound("LAB").unwrap().depth == 0);
    assert_eq!(engine.status().unwrap().outbound("DEAF").unwrap().depth, 4);
}

#[test]
fn messages_that_come_in_one_piece_are_all_kept_and_in_order() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feed(&data, &[("OB", partner.address)]).start().unwrap();
    let mut sender = connect(&engine);
    let names: Vec<_> = (0..500).map(|number| format!("M{number}")).collect();
    let piece: Vec<u8> = names.iter().flat_map(|it| common::framed(&message(it))).collect();
    sender.write_bytes(&piece);
    for name in &names {
        assert_eq!(common::msa(&sender.frame().unwrap()), format!("AA {name}"));
        assert_eq!(control_id(&partner.next()), *name);
    }
    wait_until_idle(&engine);
    assert!(names.iter().zip(1..).all(|(name, id)| {
        let journey = journey(&engine, id);
        *journey.message.message.control_id.0 == *name.as_bytes()
            && journey.message.disposition.name() == "PROCESSED"
    }));
}

#[test]
fn bytes_are_passed_on_as_they_came() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let engine = feed(&data, &[("OB", partner.address)]).start().unwrap();
    // Every byte but the two blocks of a frame: no character set is assumed, nothing is cleaned up.
    let every: Vec<u8> = (0..=255).filter(|byte| !matches!(byte, 0x0B | 0x1C)).collect();
    let payload = [&message("M1")[..], b"ZZZ|", &every, b"\r\n\n\r|^^~~"].concat();
    assert_eq!(connect(&engine).send(&payload).as_deref(), Some("AA M1"));
    assert!(partner.next() == payload, "not the bytes that came");
    wait_until_idle(&engine);
}

#[test]
fn retries_end_within_a_working_day_unless_for_ever_is_asked_for() {
    let Retry { max_attempts, backoff, multiplier, max_backoff, .. } = Retry::DEFAULT;
    let attempts = max_attempts.expect("a number of attempts");
    let wait = |n| max_backoff.min(backoff.saturating_mul(u64::from(multiplier).saturating_pow(n)));
    let longest = Duration::from_millis((0..attempts - 1).map(wait).sum());
    assert!(longest < Duration::from_secs(8 * 60 * 60), "{longest:?}");
    assert_eq!(Retry::default(), Retry::DEFAULT, "what an outbound has that says nothing");
}
