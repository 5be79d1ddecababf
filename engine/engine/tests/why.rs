//! Why a message is not yet delivered: one answer for each outbound, each reason told from the others.

mod common;

use std::net::TcpListener;

use common::troubled::{Commits, troubled};
use common::{Partner, Peer, accept, message, until, wait_for, wait_until_idle};
use mllp_engine::{
    Attempts, Builder, By, Capacity, Engine, Failure, Flow, GiveUp, MessageId, Note, Reason, Retry,
    Selection, Send, Side, Stage, Status, Then, To, Which,
};
use mllp_pipeline::Refusal;
use mllp_store::MemoryStore;

const HOUR: u64 = 3_600_000;

fn by() -> By {
    By { who: Note("anna".into()), reason: Note("they move".into()) }
}

/// An inbound, a handler, and LAB, where a delivery that fails waits for an hour.
fn to_lab(port: u16) -> Builder {
    Engine::builder("unused")
        .store(Box::new(MemoryStore::new()))
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |message| match message.get("MSH-9.1") {
            Some(b"ORU") => None,
            _ => Some("to_lab"),
        })
        .handler("to_lab", |_| [Send::unchanged("LAB")])
        .outbound("LAB", "127.0.0.1", port)
        .retry(Retry { backoff: HOUR, max_backoff: HOUR, ..Retry::DEFAULT })
}

fn send(engine: &Engine, ids: &[&str]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for id in ids {
        assert_eq!(sender.send(&message(id)), Some(format!("AA {id}")));
    }
}

fn depth(count: u64) -> impl Fn(&Status) -> bool {
    move |it| it.outbound("LAB").unwrap().depth == count
}

fn why(engine: &Engine, id: u64) -> Vec<(String, Reason)> {
    let why = engine.why(MessageId(id)).unwrap().expect("a message");
    why.answers.into_iter().map(|it| (it.place, it.reason)).collect()
}

/// The answer of a message that has one.
fn only(engine: &Engine, id: u64, place: &str) -> Reason {
    let mut answers = why(engine, id);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, place, "{answers:?}");
    answers.remove(0).1
}

fn text(engine: &Engine, id: u64) -> String {
    engine.why(MessageId(id)).unwrap().unwrap().to_string()
}

fn switch(engine: &Engine, flow: Flow) {
    engine.switch(Stage::Outbound, "LAB", Side::Output, flow, &by()).unwrap();
}

fn is_busy(attempts: &Attempts) -> bool {
    let Attempts { count, limit, failure, said, due, due_in, is_sent } = attempts;
    (*count, *limit, *failure) == (1, Some(100), Some(Failure::RefusedForNow))
        && said.0 == "AE lab busy"
        && (1..=2 * HOUR).contains(due_in)
        && *due > *due_in
        && !*is_sent
}

#[test]
fn a_message_behind_one_that_is_refused_for_now_and_one_for_each_outbound() {
    let lab = Partner::start(|_| "AE lab busy");
    let bill = Partner::start(accept);
    let engine = to_lab(lab.address.port())
        .handler("to_bill", |_| [Send::unchanged("BILL")])
        .router("both", |_| ["to_lab", "to_bill"])
        .inbound("BOTH", "127.0.0.1:0", "both")
        .outbound("BILL", "127.0.0.1", bill.address.port())
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("BOTH").unwrap());
    for id in ["M1", "M2"] {
        assert_eq!(sender.send(&message(id)), Some(format!("AA {id}")));
        bill.next();
    }
    wait_for(&engine, "M1 waits", |it| {
        let (lab, bill) = (it.outbound("LAB").unwrap(), it.outbound("BILL").unwrap());
        lab.due_in > 0 && lab.depth == 2 && bill.depth == 0
    });
    let first = why(&engine, 1);
    assert!(matches!(&first[0].1, Reason::Retries(it) if is_busy(it)), "{first:?}");
    let second = why(&engine, 2);
    assert_eq!(second.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["LAB", "BILL"]);
    let is_behind = |it: &Reason| match it {
        Reason::Behind { head, before: 1, attempts } => *head == MessageId(1) && is_busy(attempts),
        _ => false,
    };
    assert!(is_behind(&second[0].1), "{second:?}");
    assert!(
        matches!(&second[1].1, Reason::Delivered { said, .. } if said.0 == "AA RM2"),
        "{second:?}"
    );
    let lines = text(&engine, 2);
    let head = "LAB: waits behind 1, the head of its lane (1 before it): refused for now, AE lab busy \
                (1 of 100 attempts), next at ";
    assert!(lines.starts_with("2 ADT^A01 M2 of BOTH, received "), "{lines}");
    assert!(lines.contains(", open for 0 s\n") && lines.contains(" s)\n"), "{lines}");
    assert!(lines.contains(head) && lines.contains("\nBILL: delivered "), "{lines}");
    let debug = format!("{:?}", engine.why(MessageId(2)).unwrap());
    assert!(!debug.contains("busy") && !debug.contains("M2"), "it may get into a log: {debug}");
    assert!(engine.why(MessageId(3)).unwrap().is_none());
}

#[test]
fn a_lane_that_is_stopped_or_paused_says_by_whom_and_since_when() {
    let lab = Partner::start(accept);
    let engine = to_lab(lab.address.port()).start().unwrap();
    for flow in [Flow::Stopped, Flow::Paused] {
        switch(&engine, flow);
        send(&engine, &[if flow == Flow::Stopped { "M1" } else { "M2" }]);
        wait_for(&engine, "it waits", depth(if flow == Flow::Stopped { 1 } else { 2 }));
        let Reason::Switched(setting) = only(&engine, 1, "LAB") else { panic!("{flow:?}") };
        assert_eq!((setting.flow, setting.by.as_str()), (flow, "anna"));
        assert!(setting.since > 0);
        let lines = text(&engine, 1);
        let state = format!("LAB: the lane is {} since ", flow.name());
        assert!(lines.contains(&state) && lines.ends_with(" by anna: they move"), "{lines}");
    }
    engine.switch(Stage::Routed, "to_lab", Side::Output, Flow::Stopped, &by()).unwrap();
    send(&engine, &["M3"]);
    wait_for(&engine, "M3 waits", |it| it.lane(Stage::Routed, "to_lab").unwrap().depth == 1);
    assert!(matches!(only(&engine, 3, "to_lab"), Reason::Switched(_)));
}

#[test]
fn a_partner_who_is_not_connected_and_one_who_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let engine = to_lab(port).start().unwrap();
    send(&engine, &["M1"]);
    wait_for(&engine, "M1 waits", |it| {
        let lab = it.outbound("LAB").unwrap();
        lab.depth == 1 && lab.lost.is_some()
    });
    let reason = only(&engine, 1, "LAB");
    let refused = |it: &Option<String>| it.as_ref().is_some_and(|it| it.contains("not reached"));
    let Reason::NotConnected { since, why, .. } = &reason else { panic!("{reason:?}") };
    assert!(refused(why) && *since > 0, "{reason:?}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let engine = to_lab(listener.local_addr().unwrap().port()).start().unwrap();
    send(&engine, &["M1"]);
    let mut partner = Peer::new(listener.accept().unwrap().0);
    partner.frame().unwrap();
    assert_eq!(only(&engine, 1, "LAB"), Reason::WithPartner);
}

#[test]
fn a_message_that_shares_a_key_with_an_earlier_one() {
    let lab = Partner::start(|id| if id == "M1" { "AE lab busy" } else { "AA" });
    let engine = to_lab(lab.address.port()).key("PID-3.1").window(4).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for (id, patient) in [("M1", "A"), ("M2", "B"), ("M3", "A")] {
        let header = format!("MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A08|{id}|P|2.5\r");
        sender.write(format!("{header}PID|1||{patient}\r").as_bytes());
        sender.frame().unwrap();
    }
    wait_for(&engine, "M1 waits", |it| {
        let lab = it.outbound("LAB").unwrap();
        lab.due_in > 0 && lab.in_flight == 0
    });
    until("M2 is delivered", || matches!(why(&engine, 2)[..], [(_, Reason::Delivered { .. })]));
    until("M3 is in the lane", || why(&engine, 3).iter().any(|it| it.0 == "LAB"));
    assert_eq!(only(&engine, 3, "LAB"), Reason::SharesKey { with: MessageId(1) });
    assert!(matches!(only(&engine, 1, "LAB"), Reason::Retries(it) if is_busy(&it)));
}

#[test]
fn a_lane_that_is_full_holds_up_its_handler() {
    let lab = Partner::start(accept);
    let one = Capacity { depth: 1, ..Capacity::NONE };
    let engine = to_lab(lab.address.port()).capacity("LAB", one).start().unwrap();
    switch(&engine, Flow::Stopped);
    send(&engine, &["M1", "M2", "M3"]);
    wait_for(&engine, "it is full", |it| {
        it.outbound("LAB").unwrap().is_full && it.lane(Stage::Routed, "to_lab").unwrap().depth == 2
    });
    assert!(matches!(only(&engine, 1, "LAB"), Reason::Switched(_)));
    assert_eq!(only(&engine, 2, "to_lab"), Reason::Full { lane: "LAB".into() });
    let reason = only(&engine, 3, "to_lab");
    assert!(matches!(reason, Reason::Behind { head: MessageId(2), .. }), "{reason:?}");
}

#[test]
fn a_store_that_is_full_or_does_not_write() {
    for refusal in [Refusal::Full, Refusal::Unavailable] {
        let lab = Partner::start(accept);
        let (store, control) = troubled(MemoryStore::new());
        let engine = to_lab(lab.address.port()).store(Box::new(store)).start().unwrap();
        switch(&engine, Flow::Paused);
        send(&engine, &["M1"]);
        wait_for(&engine, "M1 waits", depth(1));
        control.set(|it| it.commits = Commits::Refuse(refusal));
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        assert_eq!(sender.send(&message("M2")).as_deref(), Some("AE M2"));
        let Reason::Store(state) = only(&engine, 1, "LAB") else { panic!("{refusal:?}") };
        let name = if refusal == Refusal::Full { "full" } else { "not_writing" };
        assert_eq!(state.name(), name);
        assert!(text(&engine, 1).contains(&format!("waits for the store: {name} since ")));
        control.set(|it| it.commits = Commits::Work);
        until("it writes", || sender.send(&message("M2")).as_deref() == Some("AA M2"));
        assert!(matches!(only(&engine, 1, "LAB"), Reason::Switched(_)));
    }
}

#[test]
fn what_is_dead_held_cancelled_failed_or_went_nowhere() {
    let lab = Partner::start(|id| if id == "M1" || id == "M2" { "AR unknown" } else { "AA" });
    let hold = GiveUp { then: Then::Hold, ..GiveUp::DEFAULT };
    for (give_up, id) in [(GiveUp::DEFAULT, "M1"), (hold, "M2")] {
        let engine = to_lab(lab.address.port()).give_up(give_up).start().unwrap();
        send(&engine, &[id]);
        wait_until_idle(&engine);
        let good = Failure::RefusedForGood;
        match only(&engine, 1, "LAB") {
            Reason::Dead { failure, said, .. } if id == "M1" => {
                assert_eq!((failure, said.0.as_str()), (good, "AR unknown"));
                let dead = Selection::all(Which::Dead, None);
                switch(&engine, Flow::Stopped);
                engine.replay(&dead, &To::Same, &by(), "1").unwrap();
                assert!(matches!(only(&engine, 1, "LAB"), Reason::Switched(_)), "open again");
                engine.cancel_head("LAB", &by()).unwrap();
                let reason = only(&engine, 1, "LAB");
                assert!(matches!(&reason, Reason::Cancelled { by: it, .. } if *it == by()));
            }
            Reason::Held { failure, said, .. } if id == "M2" => {
                assert_eq!((failure, said.0.as_str()), (Some(good), "AR unknown"));
                let lines = text(&engine, 1);
                let rule = "Z by the rule of the outbound: refused for good, AR unknown";
                assert!(lines.contains("LAB: held since ") && lines.ends_with(rule), "{lines}");
            }
            other => panic!("{id}: {other:?}"),
        }
    }
    let engine = to_lab(lab.address.port()).handler("none", |_| None::<Send>);
    let engine = engine.router("lost", |_| ["gone"]).inbound("LOST", "127.0.0.1:0", "lost");
    let engine = engine.router("nil", |_| ["none"]).inbound("NIL", "127.0.0.1:0", "nil").start();
    let engine = engine.unwrap();
    for inbound in ["LOST", "NIL"] {
        let mut sender = Peer::connect(engine.address(inbound).unwrap());
        assert_eq!(sender.send(&message(inbound)), Some(format!("AA {inbound}")));
        wait_until_idle(&engine);
    }
    assert!(matches!(only(&engine, 1, "LOST"), Reason::Failed { .. }));
    assert!(why(&engine, 2).is_empty());
    assert!(text(&engine, 2).ends_with("FILTERED"), "{}", text(&engine, 2));
}

#[test]
fn what_an_outbound_has_left_that_is_no_longer_configured() {
    let lab = Partner::start(accept);
    let store = MemoryStore::new();
    let engine = to_lab(lab.address.port()).store(Box::new(store.clone())).start().unwrap();
    switch(&engine, Flow::Stopped);
    send(&engine, &["M1"]);
    wait_for(&engine, "M1 waits", depth(1));
    drop(engine);
    let engine = Engine::builder("unused").store(Box::new(store));
    let engine = engine.inbound("IB", "127.0.0.1:0", "none").router("none", |_| None::<&str>);
    let engine = engine.start().unwrap();
    assert_eq!(only(&engine, 1, "LAB"), Reason::Orphaned);
}
