//! A store in balance: as much goes as comes, and its file does not grow.

use std::fs;

use mllp_pipeline::{
    Body, Disposition, Event, Keys, LaneId, MessageId, NewMessage, Piece, Record, Stamp,
    Transaction, What, field_hash,
};
use mllp_store::{Days, MemoryStore, Retention, SqliteStore, Store};
use tempfile::TempDir;

const DAY: u64 = 24 * 60 * 60 * 1000;
const A_DAY: u64 = 600;

fn day(store: &mut dyn Store, day: u64) {
    for first in (day * A_DAY + 1..=(day + 1) * A_DAY).step_by(50) {
        let records = (first..first + 50).flat_map(|id| {
            let (message, stamp) = (MessageId(id), Stamp(id << 8));
            let at = 1_796_000_000_000 + day * DAY;
            let new = NewMessage {
                received_at: at,
                control_id: Piece::from(format!("M{id}").as_bytes()),
                indexed: Keys::new(&[field_hash("PID-3.1", &(id % 70).to_le_bytes())]),
                body: Body::Inline(vec![7; 700 + (id % 13) as usize * 100].into()),
                ..NewMessage::new(message, LaneId(1))
            };
            let what = What::Routed { inbound: None, handlers: vec![] };
            let disposition = Disposition::Unrouted;
            let stamp_after = Stamp(stamp.0 + 1);
            [
                Record::Message(new),
                Record::Event(Event { message, stamp, at, what }),
                Record::Outcome { message, stamp: stamp_after, disposition, at },
            ]
        });
        let transaction = Transaction { records: records.collect(), lanes: vec![] };
        store.commit(&transaction).unwrap();
        store.tend().unwrap();
    }
}

fn purge(store: &mut dyn Store, day: u64) {
    let days = Days { bodies: Some(2), metadata: Some(6), dead: Some(3) };
    let expiry = Retention { days, of: vec![] }.at(1_796_000_000_000 + day * DAY + 1);
    while store.expire(&expiry).unwrap() {
        store.tend().unwrap();
    }
    while store.tend().unwrap() {}
}

#[test]
fn the_file_of_a_store_in_balance_does_not_grow() {
    let data = TempDir::new().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    store.write_small_runs();
    store.numbers().unwrap();
    let size = || fs::metadata(data.path().join("store.db")).unwrap().len();
    let mut sizes = Vec::new();
    for n in 0..40 {
        day(&mut store, n);
        purge(&mut store, n);
        sizes.push(size());
    }
    let early = sizes[8..16].iter().max().unwrap();
    let late = sizes[32..].iter().max().unwrap();
    // A page here and there; and eight bytes for each control ID that is gone, which stay for 400 days.
    let control_ids = (39 - 8) * A_DAY * 8;
    assert!(*late <= early + early / 20 + control_ids, "{sizes:?}");
    let mut reader = store.reader().unwrap();
    let there = reader.dispositions(MessageId(0), 100_000).unwrap().len() as u64;
    assert_eq!(there, 6 * A_DAY);
    // What was stored for a while and is gone: its pages come back.
    for n in 40..60 {
        day(&mut store, n);
    }
    let full = size();
    purge(&mut store, 100);
    store.commit(&Transaction::default()).unwrap();
    store.tend().unwrap();
    drop((reader, store));
    assert!(size() < full / 2, "{} of {full}", size());
}

/// Memory and SQLite keep the same.
#[test]
fn both_stores_keep_the_same() {
    let data = TempDir::new().unwrap();
    let mut stores: [Box<dyn Store>; 2] =
        [Box::new(SqliteStore::open(data.path()).unwrap()), Box::new(MemoryStore::new())];
    let kept = stores.each_mut().map(|store| {
        store.numbers().unwrap();
        for n in 0..8 {
            day(&mut **store, n);
            purge(&mut **store, n);
        }
        let mut reader = store.reader().unwrap();
        (1..=8 * A_DAY)
            .map(|id| {
                let id = MessageId(id);
                let stored = reader.message(id).unwrap();
                (stored.map(|it| (it.len, it.body_expired)), reader.expired(id).unwrap().is_some())
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(kept[0], kept[1]);
}
