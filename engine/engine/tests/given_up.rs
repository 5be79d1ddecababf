//! What is dead or held is listed, with what the partner said.

mod common;

use common::{DEADLINE, Partner, Peer, accept, message, wait_for, wait_until_idle};
use mllp_engine::{
    Builder, By, Engine, Error, Failure, Flow, GiveUp, GivenUp, MessageId, Note, Position, Retry,
    Selection, Send, Side, Stage, Then, To, Which,
};
use tempfile::TempDir;

fn by() -> By {
    By { who: Note("anna".into()), reason: Note("wrong ward".into()) }
}

/// LAB refuses, BILL refuses for now twice and then for good.
fn feeds(data: &TempDir, lab: &Partner, bill: &Partner) -> Builder {
    let port = |partner: &Partner| (partner.address.ip().to_string(), partner.address.port());
    let ((lab_host, lab), (bill_host, bill)) = (port(lab), port(bill));
    Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| ["both"])
        .handler("both", |_| [Send::unchanged("LAB"), Send::unchanged("BILL")])
        .outbound("LAB", &lab_host, lab)
        .outbound("BILL", &bill_host, bill)
        .retry(Retry { backoff: 10, max_backoff: 20, max_attempts: Some(3), ..Retry::DEFAULT })
        .give_up(GiveUp { then: Then::Hold, ..GiveUp::DEFAULT })
}

fn send(engine: &Engine, ids: &[&str]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for id in ids {
        assert_eq!(sender.send(&message(id)), Some(format!("AA {id}")));
    }
}

/// Message, outbound, failure, attempts and text of each.
fn facts(listed: &[GivenUp]) -> Vec<(u64, &str, Option<Failure>, u32, &str)> {
    let facts = |it: &GivenUp| (it.message.0, it.failure, it.attempts);
    let rows = listed.iter().map(|it| (facts(it), it.outbound.as_str(), it.said.0.as_str()));
    rows.map(|((id, why, attempts), name, said)| (id, name, why, attempts, said)).collect()
}

const ALL: (Option<&str>, Position, u32) = (None, Position::START, 100);

fn dead(engine: &Engine) -> Vec<GivenUp> {
    engine.dead(ALL.0, ALL.1, ALL.2).unwrap()
}

fn held(engine: &Engine) -> Vec<GivenUp> {
    engine.held(ALL.0, ALL.1, ALL.2).unwrap()
}

#[test]
fn dead_and_held_deliveries_are_listed_with_what_the_partner_said() {
    let lab = Partner::start(|id| if id == "M2" { "AA" } else { "AR unknown patient" });
    let bill = Partner::start(|id| if id == "M1" { "AA" } else { "AE lab busy" });
    let data = TempDir::new().unwrap();
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    send(&engine, &["M1", "M2", "M3"]);
    wait_until_idle(&engine);
    let (good, now) = (Some(Failure::RefusedForGood), Some(Failure::RefusedForNow));
    let of_bill = engine.held(Some("BILL"), Position::START, 100).unwrap();
    let busy = "AE lab busy";
    assert_eq!(facts(&of_bill), [(2, "BILL", now, 3, busy), (3, "BILL", now, 3, busy)]);
    assert_eq!(of_bill[0].control_id, Note("M2".into()));
    assert!(of_bill[0].at > 1_600_000_000_000 && of_bill[0].at <= of_bill[1].at);
    let text = format!("{of_bill:?}");
    assert!(!text.contains(busy) && !text.contains("M2"), "it may get into a log: {text}");
    assert_eq!(engine.dead(Some("BILL"), Position::START, 100).unwrap(), []);
    let both = [held(&engine), dead(&engine)].concat();
    let of_lab: Vec<_> = both.into_iter().filter(|it| it.outbound == "LAB").collect();
    let unknown = "AR unknown patient";
    assert_eq!(facts(&of_lab), [(1, "LAB", good, 1, unknown), (3, "LAB", good, 1, unknown)]);
    // In pages, each after the last of the one before.
    let mut pages = Vec::new();
    let mut after = Position::START;
    while let Some(one) = engine.held(None, after, 1).unwrap().pop() {
        after = one.place;
        pages.push(one);
    }
    assert_eq!(pages, held(&engine));
    assert!(matches!(engine.dead(Some("NONE"), Position::START, 1), Err(Error::Refused(_))));
    engine.stop(DEADLINE).unwrap();
    let engine = feeds(&data, &lab, &bill).start().unwrap();
    assert_eq!(held(&engine), pages, "from the store");
}

#[test]
fn what_an_operator_holds_says_who_and_why_and_nothing_of_an_earlier_delivery() {
    let (lab, bill) = (Partner::start(|_| "AR unknown patient"), Partner::start(accept));
    let data = TempDir::new().unwrap();
    let engine = feeds(&data, &lab, &bill).give_up(GiveUp::DEFAULT).start().unwrap();
    send(&engine, &["M1"]);
    wait_until_idle(&engine);
    engine.switch(Stage::Outbound, "LAB", Side::Output, Flow::Stopped, &by()).unwrap();
    let all = Selection::all(Which::Past, Some("LAB"));
    engine.replay(&all, &To::Same, &by(), "again").unwrap();
    wait_for(&engine, "it waits", |it| it.outbound("LAB").unwrap().depth == 1);
    engine.hold_head("LAB", &by()).unwrap();
    let held = engine.held(Some("LAB"), Position::START, 10).unwrap();
    assert_eq!(facts(&held), [(1, "LAB", None, 0, "")]);
    assert_eq!((held[0].message, &held[0].by), (MessageId(1), &by()));
}
