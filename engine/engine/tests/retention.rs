//! Retention in a running engine.

mod common;

use common::{Partner, Peer, message};
use mllp_engine::{
    Builder, By, Days, Engine, Error, MessageId, Search, Selection, Send, To, Which,
};
use tempfile::TempDir;

fn builder(data: &TempDir, lab: &Partner) -> Builder {
    let nothing = Days { bodies: Some(0), metadata: None, dead: Some(0) };
    Engine::builder(data.path())
        .retention(nothing)
        .inbound("IN", "127.0.0.1:0", "router")
        .inbound("KEPT", "127.0.0.1:0", "router")
        .keep(Days { bodies: None, ..nothing })
        .router("router", |_| ["to_lab"])
        .handler("to_lab", |_| [Send::unchanged("LAB")])
        .outbound("LAB", "127.0.0.1", lab.address.port())
}

/// Whether the body of a message has expired.
fn has_expired(engine: &Engine, id: u64) -> bool {
    engine.journey(MessageId(id)).unwrap().unwrap().message.body_expired.is_some()
}

#[test]
fn a_pass_takes_what_is_final_and_leaves_what_waits() {
    let data = TempDir::new().unwrap();
    let lab = Partner::start(|control_id| if control_id == "WAITS" { "AE" } else { "AA" });
    let engine = builder(&data, &lab).start().unwrap();
    let mut sender = Peer::connect(engine.address("IN").unwrap());
    let mut kept = Peer::connect(engine.address("KEPT").unwrap());
    assert_eq!(sender.send(&message("M1")).unwrap(), "AA M1");
    assert_eq!(kept.send(&message("M2")).unwrap(), "AA M2");
    common::wait_until_idle(&engine);
    assert_eq!(sender.send(&message("WAITS")).unwrap(), "AA WAITS");
    engine.stop(common::DEADLINE).unwrap();
    // A life begins with a pass.
    let engine = builder(&data, &lab).start().unwrap();
    common::until("the body has expired", || has_expired(&engine, 1));
    assert!(!has_expired(&engine, 2), "kept for ever");
    assert!(!has_expired(&engine, 3), "it waits");
    let found = engine.search(&Search::default(), None, 9).unwrap();
    assert_eq!(found.messages.len(), 3);
    assert!(engine.journey(MessageId(1)).unwrap().unwrap().to_string().contains("expired"));
    assert_eq!(engine.retention_doubt(), None);
    let verified = engine.verify(&mut |finding| panic!("{finding}")).unwrap().unwrap();
    assert_eq!((verified.received, verified.open_work), (3, 1));
    engine.stop(common::DEADLINE).unwrap();
}

/// It could not be sent, and the lane would wait for it for ever.
#[test]
fn what_has_no_body_any_more_is_not_sent_again() {
    let data = TempDir::new().unwrap();
    let lab = Partner::start(|_| "AA");
    let engine = builder(&data, &lab).start().unwrap();
    let mut sender = Peer::connect(engine.address("IN").unwrap());
    let mut kept = Peer::connect(engine.address("KEPT").unwrap());
    assert_eq!(sender.send(&message("M1")).unwrap(), "AA M1");
    assert_eq!(kept.send(&message("M2")).unwrap(), "AA M2");
    common::wait_until_idle(&engine);
    engine.stop(common::DEADLINE).unwrap();
    let engine = builder(&data, &lab).start().unwrap();
    common::until("the body has expired", || has_expired(&engine, 1));
    let both = [lab.next(), lab.next()];
    assert_eq!(both, [message("M1"), message("M2")]);
    let replay = |of: &Selection, to: &To, key: &str| engine.replay(of, to, &By::default(), key);
    let lab_again = To::Outbound("LAB".into());
    for (n, to) in [&To::Router, &lab_again].into_iter().enumerate() {
        let all = Selection::all(Which::Messages, None);
        let Err(Error::Refused(why)) = replay(&all, to, &format!("all {n}")) else {
            panic!("it is sent again");
        };
        assert!(why.starts_with("the body of message 1 expired on "), "{why}");
        let left = Selection::messages(&[2]);
        assert_eq!(replay(&left, to, &format!("left {n}")).unwrap().done, 1);
        assert_eq!(lab.next(), message("M2"));
    }
    common::wait_until_idle(&engine);
    assert!(lab.nothing_came(), "nothing of a job that is refused is sent");
    engine.stop(common::DEADLINE).unwrap();
}
