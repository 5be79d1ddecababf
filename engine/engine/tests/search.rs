//! Messages of a running engine are found by what its operators know of them.

mod common;

use common::{PATIENT, Peer, message, typed};
use mllp_engine::{Disposition, Engine, Error, MessageId, Search, Send};
use tempfile::TempDir;

fn found(engine: &Engine, search: &Search) -> Vec<u64> {
    let found = engine.search(search, None, 50).unwrap();
    assert_eq!(found.next, None);
    found.messages.iter().map(|it| it.message.id.0).collect()
}

fn of_patient(control_id: &str, patients: &str) -> Vec<u8> {
    let text = String::from_utf8(message(control_id)).unwrap();
    text.replace(PATIENT, patients).into_bytes()
}

#[test]
fn messages_are_found_by_their_terms_in_this_life_and_the_next() {
    let data = TempDir::new().unwrap();
    let start = || {
        Engine::builder(data.path())
            .inbound("IN", "127.0.0.1:0", "router")
            .index(&["PID-3.1"])
            .router("router", |message| {
                message.get("MSH-9.1").filter(|it| *it == b"ORU").map(|_| "none")
            })
            .handler("none", |_| [] as [Send; 0])
            .start()
            .unwrap()
    };
    let engine = start();
    let mut sender = Peer::connect(engine.address("IN").unwrap());
    assert_eq!(sender.send(&of_patient("M1", "7^^^X~8&9")).unwrap(), "AA M1");
    assert_eq!(sender.send(&typed("ORU^R01^ORU_R01", "M2")).unwrap(), "AA M2");
    assert_eq!(sender.send(&of_patient("M3", "8")).unwrap(), "AA M3");
    common::wait_until_idle(&engine);
    // The first was not processed, so this is no duplicate.
    assert_eq!(sender.send(&of_patient("M3", "8")).unwrap(), "AA M3");
    common::wait_until_idle(&engine);
    let check = |engine: &Engine| {
        let control_id = Search { control_id: Some("M2".into()), ..Search::default() };
        assert_eq!(found(engine, &control_id), [2]);
        let patient = |value: &str| {
            let fields = vec![("PID-3.1".to_owned(), value.to_owned())];
            found(engine, &Search { fields, ..Search::default() })
        };
        assert_eq!(patient("7"), [1]);
        assert_eq!(patient("8"), [4, 3, 1]);
        assert!(patient("9").is_empty());
        let kind = Search { message_type: Some("ORU".into()), ..Search::default() };
        assert_eq!(found(engine, &kind), [2]);
        let through = Search { connection: Some("none".into()), ..Search::default() };
        assert_eq!(found(engine, &through), [2]);
        let filtered = Search { disposition: Some(Disposition::Unrouted), ..Search::default() };
        assert_eq!(found(engine, &filtered), [4, 3, 1]);
        let page = engine.search(&Search::default(), Some(MessageId(4)), 2).unwrap();
        let ids: Vec<_> = page.messages.iter().map(|it| it.message.id.0).collect();
        assert_eq!((ids, page.next), (vec![3, 2], Some(MessageId(2))));
        let unknown = Search { connection: Some("LAB".into()), ..Search::default() };
        assert!(matches!(engine.search(&unknown, None, 9), Err(Error::Graph(_))));
    };
    check(&engine);
    engine.stop(common::DEADLINE).unwrap();
    let engine = start();
    check(&engine);
    engine.stop(common::DEADLINE).unwrap();
}

#[test]
fn a_field_that_cannot_be_indexed_is_refused() {
    let data = TempDir::new().unwrap();
    let builder = Engine::builder(data.path())
        .inbound("IN", "127.0.0.1:0", "r")
        .router("r", |_| None::<&str>);
    let Err(Error::Graph(faults)) = builder.index(&["PID", "PID-3.1", "3"]).start() else {
        panic!()
    };
    assert_eq!(faults.len(), 2, "{faults:?}");
}
