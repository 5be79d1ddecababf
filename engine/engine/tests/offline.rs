//! The files of a stopped engine, and a backup, tell everything of a message.

mod common;

use std::path::Path;

use common::{DEADLINE, Peer, message};
use mllp_engine::{Engine, Error, MessageId, Offline, Search, StoreError};
use mllp_store::{Digest, hexadecimal};

fn engine(data: &Path) -> Engine {
    Engine::builder(data)
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| Some("pass"))
        .handler("pass", |_| [mllp_engine::Send::unchanged("OB")])
        // Nobody is there.
        .outbound("OB", "127.0.0.1", 1)
        .start()
        .unwrap()
}

fn digest(bytes: &[u8]) -> String {
    let mut digest = Digest::default();
    digest.add(bytes);
    hexadecimal(&digest.end())
}

#[test]
fn a_receipt_comes_from_the_files() {
    let home = tempfile::TempDir::new().unwrap();
    let data = home.path().join("data");
    assert!(matches!(Offline::open(&data), Err(Error::Store(StoreError::Unavailable(_)))));
    let engine = engine(&data);
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    let mut acks = Vec::new();
    let other = [message("M1"), b"ZZZ|other bytes\r".to_vec()].concat();
    for payload in [message("M1"), message("M1"), other.clone()] {
        sender.write(&payload);
        acks.push(sender.frame().unwrap());
    }
    assert!(matches!(Offline::open(&data), Err(Error::Store(StoreError::InUse))));
    let backup = engine.back_up(&home.path().join("backup")).unwrap().finish().unwrap().at;
    engine.stop(DEADLINE).unwrap();
    for place in [&data, &backup] {
        let mut offline = Offline::open(place).unwrap();
        let search = Search { control_id: Some("M1".into()), ..Search::default() };
        let found = offline.search(&search, None, 9).unwrap().messages;
        assert_eq!(found.iter().map(|it| it.message.id.0).collect::<Vec<_>>(), [3, 2, 1]);
        let (journey, receipt) = offline.show(MessageId(1)).unwrap().unwrap();
        assert!(journey.to_string().starts_with("1  ADT^A01  control ID M1  IB"), "{journey}");
        assert_eq!(receipt.sha256, Some(digest(&message("M1"))));
        assert_eq!(receipt.acknowledgment, acks[0]);
        assert_eq!(receipt.row.map(|it| it.0), Some(1));
        let [delivery] = &receipt.deliveries[..] else { panic!("{receipt}") };
        assert_eq!((delivery.outbound.as_str(), delivery.how), ("OB", "open"));
        let text = receipt.to_string();
        assert!(text.starts_with("position      message 1, row 1 of IB\nSHA-256       "), "{text}");
        // A duplicate has the bytes of the first, and what follows it its own.
        let mut sha256 = |id| offline.show(MessageId(id)).unwrap().unwrap().1.sha256;
        assert_eq!((sha256(2), sha256(3)), (Some(digest(&message("M1"))), Some(digest(&other))));
        assert!(offline.show(MessageId(4)).unwrap().is_none());
    }
    // Nothing has changed: the engine goes on from there.
    let again = self::engine(&data);
    assert!(again.journey(MessageId(3)).unwrap().is_some());
    again.stop(DEADLINE).unwrap();
}
