//! What a message waits for that its lane and its partner do not explain, and the place of each in a
//! lane: with its partner, behind a window, in a thread, behind a store.

mod common;

use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::troubled::{Commits, troubled};
use common::{DEADLINE, Partner, Peer, accept, message, wait_for};
use mllp_engine::{
    Builder, By, Engine, Flow, MessageId, Note, Reason, Retry, Send, SenderOptions, Side, Stage,
    Trouble,
};
use mllp_pipeline::Room;
use mllp_store::MemoryStore;

const HOUR: u64 = 3_600_000;

/// An inbound, a handler, and LAB, where a delivery that fails waits for an hour.
fn to_lab(port: u16) -> Builder {
    Engine::builder("unused")
        .store(Box::new(MemoryStore::new()))
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| ["to_lab"])
        .handler("to_lab", |_| [Send::unchanged("LAB")])
        .outbound("LAB", "127.0.0.1", port)
        .retry(Retry { backoff: HOUR, max_backoff: HOUR, ..Retry::DEFAULT })
}

fn of_patient(control_id: &str, patient: &str) -> Vec<u8> {
    let header = format!("MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A08|{control_id}|P|2.5\r");
    format!("{header}PID|1||{patient}\r").into_bytes()
}

fn send(engine: &Engine, messages: &[Vec<u8>]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for message in messages {
        assert!(sender.send(message).unwrap().starts_with("AA "));
    }
}

/// Where a message stands; a message that is handed on in between has no answer for a moment.
fn reason(engine: &Engine, id: u64, place: &str) -> Option<Reason> {
    let why = engine.why(MessageId(id)).unwrap().expect("a message");
    let mut here = why.answers.into_iter().filter(|it| it.place == place);
    let reason = here.next().map(|it| it.reason);
    assert!(here.next().is_none(), "one reason for each place");
    reason
}

fn stands(engine: &Engine, id: u64, place: &str, is_it: impl Fn(&Reason) -> bool) -> Reason {
    let end = Instant::now() + DEADLINE;
    loop {
        match reason(engine, id, place) {
            Some(reason) if is_it(&reason) => return reason,
            other => assert!(Instant::now() < end, "message {id} at {place}: {other:?}"),
        }
        std::thread::yield_now();
    }
}

/// A partner who takes messages and answers none by himself.
struct Silent(TcpListener);

impl Silent {
    fn new() -> Silent {
        Silent(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn accept(&self) -> Peer {
        Peer::new(self.0.accept().unwrap().0)
    }
}

fn answer(partner: &mut Peer, id: &str) {
    let header = format!("MSH|^~\\&|P|P|E|E|2026||ACK|R{id}|P|2.5\r");
    partner.write(format!("{header}MSA|AA|{id}\r").as_bytes());
}

#[test]
fn a_delivery_that_is_with_the_partner_though_it_is_not_the_head() {
    let all = [("M1", "A"), ("M2", "B"), ("M3", "C"), ("M4", "A")];
    let all = all.map(|(id, patient)| of_patient(id, patient));
    // First in, first out; by key; in any order: two of them leave.
    for lane in 0..3 {
        let silent = Silent::new();
        let builder = to_lab(silent.port());
        let engine = match lane {
            0 => builder.window(2),
            1 => builder.key("PID-3.1").window(2),
            _ => builder.unordered().window(2),
        };
        let engine = engine.start().unwrap();
        send(&engine, &all);
        let mut partner = silent.accept();
        partner.frame().unwrap();
        partner.frame().unwrap();
        stands(&engine, 1, "LAB", |it| *it == Reason::WithPartner);
        stands(&engine, 2, "LAB", |it| *it == Reason::WithPartner);
        stands(&engine, 3, "LAB", |it| match it {
            Reason::Behind { head: MessageId(1), before: 2, attempts } => {
                lane == 0 && attempts.is_sent && attempts.count == 0
            }
            Reason::WindowFull { window: 2 } => lane > 0,
            _ => false,
        });
        stands(&engine, 4, "LAB", |it| match it {
            Reason::Behind { head: MessageId(1), before: 3, .. } => lane == 0,
            Reason::SharesKey { with: MessageId(1) } => lane == 1,
            Reason::WindowFull { window: 2 } => lane == 2,
            _ => false,
        });
        // A lane that is stopped waits for what is with the partner.
        let by = By { who: Note("anna".into()), reason: Note::default() };
        engine.switch(Stage::Outbound, "LAB", Side::Output, Flow::Stopped, &by).unwrap();
        stands(&engine, 2, "LAB", |it| *it == Reason::WithPartner);
        stands(&engine, 3, "LAB", |it| matches!(it, Reason::Switched(by) if by.by == "anna"));
    }
}

#[test]
fn a_message_without_a_key_waits_for_the_first_and_the_next_ones_for_it() {
    let silent = Silent::new();
    let engine = to_lab(silent.port()).key("PID-3.1").window(4).start().unwrap();
    send(&engine, &[of_patient("M1", "A"), of_patient("M2", ""), of_patient("M3", "B")]);
    stands(&engine, 1, "LAB", |it| *it == Reason::WithPartner);
    stands(&engine, 2, "LAB", |it| *it == Reason::SharesKey { with: MessageId(1) });
    stands(&engine, 3, "LAB", |it| *it == Reason::SharesKey { with: MessageId(2) });
}

#[test]
fn a_partner_who_cannot_be_reached_has_a_time_of_the_next_dial() {
    let silent = Silent::new();
    let port = silent.port();
    drop(silent);
    let ten_minutes = Duration::from_secs(600);
    let rests =
        |it: &mut SenderOptions| (it.back_off, it.max_back_off) = (ten_minutes, ten_minutes);
    let engine = to_lab(port).send(rests).start().unwrap();
    send(&engine, &[message("M1")]);
    let is_dialed = |it: &Reason| matches!(it, Reason::NotConnected { next: Some(_), .. });
    let reason = stands(&engine, 1, "LAB", is_dialed);
    let Reason::NotConnected { since, why: Some(why), next: Some(next) } = reason else { panic!() };
    assert!(why.starts_with("not reached: "), "{why}");
    assert!(next > since + 200_000, "{since} {next}");
    let lines = engine.why(MessageId(1)).unwrap().unwrap().to_string();
    assert!(lines.contains("LAB: the partner is not connected since 20"), "{lines}");
    assert!(lines.contains(", next attempt at 20"), "{lines}");
}

#[test]
fn a_connection_that_is_lost_is_not_one_that_waits_for_an_answer() {
    let silent = Silent::new();
    let engine = to_lab(silent.port()).start().unwrap();
    send(&engine, &[message("M1")]);
    let mut partner = silent.accept();
    partner.frame().unwrap();
    stands(&engine, 1, "LAB", |it| *it == Reason::WithPartner);
    drop(silent);
    partner.hang_up();
    let is_lost = |it: &Reason| matches!(it, Reason::NotConnected { .. } | Reason::Retries(_));
    stands(&engine, 1, "LAB", is_lost);
}

#[test]
fn a_function_that_runs_in_a_thread_and_what_is_behind_it() {
    let lab = Partner::start(accept);
    let (go_on, goes_on) = channel::<()>();
    let goes_on = Arc::new(Mutex::new(goes_on));
    let engine = to_lab(lab.address.port())
        .workers(2)
        .router("slow", |_| ["slow"])
        .handler("slow", move |_| {
            goes_on.lock().unwrap().recv().unwrap();
            [Send::unchanged("LAB")]
        })
        .inbound("SLOW", "127.0.0.1:0", "slow")
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("SLOW").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    // It rests before its handler after a while, and those that come then do so at once.
    let first = stands(&engine, 1, "slow", |it| matches!(it, Reason::Running { .. }));
    let Reason::Running { since } = first else { panic!() };
    for id in ["M2", "M3"] {
        assert_eq!(sender.send(&message(id)), Some(format!("AA {id}")));
    }
    let received = engine.journey(MessageId(1)).unwrap().unwrap().message.message.received_at;
    assert!(since >= received, "{since} {received}");
    let is_behind = |n| move |it: &Reason| matches!(it, Reason::Behind { head: MessageId(1), before, .. } if *before == n);
    stands(&engine, 2, "slow", is_behind(1));
    stands(&engine, 3, "slow", is_behind(2));
    let lines = engine.why(MessageId(3)).unwrap().unwrap().to_string();
    assert!(lines.ends_with("slow: waits behind 1, the head of the lane (2 before it)"), "{lines}");
    drop(go_on);
}

#[test]
fn a_router_that_waits_for_a_thread() {
    let lab = Partner::start(accept);
    let (go_on, goes_on) = channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let engine = to_lab(lab.address.port())
        .workers(1)
        .router("slow", move |_| {
            let _ = goes_on.lock().unwrap().recv();
            ["to_lab"]
        })
        .inbound("SLOW", "127.0.0.1:0", "slow")
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("SLOW").unwrap());
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
    stands(&engine, 1, "SLOW", |it| matches!(it, Reason::Running { .. }));
    send(&engine, &[message("M2")]);
    stands(&engine, 2, "IB", |it| *it == Reason::Next);
    drop(go_on);
    stands(&engine, 2, "LAB", |it| matches!(it, Reason::Delivered { .. }));
}

#[test]
fn a_commit_that_does_not_return() {
    let silent = Silent::new();
    let (store, control) = troubled(MemoryStore::new());
    let engine = to_lab(silent.port()).window(2).store(Box::new(store)).start().unwrap();
    send(&engine, &[message("M1"), message("M2")]);
    let mut partner = silent.accept();
    partner.frame().unwrap();
    partner.frame().unwrap();
    stands(&engine, 2, "LAB", |it| *it == Reason::WithPartner);
    control.set(|it| it.commits = Commits::Hang);
    answer(&mut partner, "M1");
    // One that is answered, and one that is not: neither gets any further.
    for id in [1, 2] {
        let is_slow = |it: &Reason| matches!(it, Reason::Store(it) if it.trouble == Some(Trouble::Slow) && it.since > 0);
        stands(&engine, id, "LAB", is_slow);
    }
    let lines = engine.why(MessageId(2)).unwrap().unwrap().to_string();
    assert!(lines.contains("LAB: waits for the store: not_writing since 20"), "{lines}");
    control.set(|it| it.commits = Commits::Work);
    stands(&engine, 1, "LAB", |it| matches!(it, Reason::Delivered { .. }));
    stands(&engine, 2, "LAB", |it| *it == Reason::WithPartner);
}

#[test]
fn what_became_of_a_delivery_is_being_written() {
    let silent = Silent::new();
    let (store, control) = troubled(MemoryStore::new());
    let engine = to_lab(silent.port()).store(Box::new(store)).start().unwrap();
    let mut partner = None;
    // On a busy machine a second may pass before it is asked.
    let is_seen = (1..20).any(|n| {
        let id = format!("M{n}");
        send(&engine, &[message(&id)]);
        let partner = partner.get_or_insert_with(|| silent.accept());
        partner.frame().unwrap();
        control.set(|it| it.commits = Commits::Hang);
        answer(partner, &id);
        let has_answer = |it: &Reason| matches!(it, Reason::Ends | Reason::Store(_));
        let reason = stands(&engine, n, "LAB", has_answer);
        control.set(|it| it.commits = Commits::Work);
        stands(&engine, n, "LAB", |it| matches!(it, Reason::Delivered { .. }));
        reason == Reason::Ends
    });
    assert!(is_seen);
}

#[test]
fn a_disk_with_little_room_holds_up_no_message_that_is_stored() {
    let lab = Partner::start(|_| "AE lab busy");
    let (store, control) = troubled(MemoryStore::new());
    let engine = to_lab(lab.address.port()).store(Box::new(store)).start().unwrap();
    send(&engine, &[message("M1")]);
    control.set(|it| it.room = Some(Room { free: 1, size: 1 << 30 }));
    wait_for(&engine, "the disk is low", |it| it.store.trouble == Some(Trouble::Low));
    stands(&engine, 1, "LAB", |it| matches!(it, Reason::Retries(_)));
    let lines = engine.why(MessageId(1)).unwrap().unwrap().to_string();
    let last = lines.lines().last().unwrap();
    assert!(last.starts_with("the disk has little room since 20"), "{lines}");
    assert!(last.ends_with("Z: no new message is stored"), "{lines}");
}
