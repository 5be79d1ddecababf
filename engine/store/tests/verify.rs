//! Every kind of damage is found by a verification, and nothing is found where there is none.

use std::fs;
use std::path::Path;

use mllp_pipeline::{
    Append, Body, Disposition, Keys, LaneId, MessageId, NewMessage, Piece, Record, RowBody, Seq,
    Stamp, Transaction, field_hash,
};
use mllp_store::{SqliteStore, Store, StoreError, verify};
use rusqlite::Connection;
use tempfile::TempDir;

/// The store of version 1, brought to the newest one, and messages 12 to 411 with an index in runs.
fn undamaged() -> TempDir {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("store.db"), include_bytes!("data/version-1.db")).unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    store.write_small_runs();
    for id in 12..=411u64 {
        let message = NewMessage {
            received_at: 1_796_000_000_000 + id * 1_000,
            control_id: Piece::from(format!("M{id}").as_bytes()),
            message_type: Piece::from(&b"ADT^A01"[..]),
            indexed: Keys::new(&[field_hash("PID-3.1", &(id % 9).to_le_bytes())]),
            body: Body::Inline([7; 9][..].into()),
            ..NewMessage::new(MessageId(id), LaneId(1))
        };
        let (stamp, disposition) = (Stamp(1 << 50 | id), Disposition::Processed);
        let outcome = Record::Outcome { message: message.id, stamp, disposition, at: 5 };
        let mut records = vec![Record::Message(message), outcome];
        if id == 411 {
            // Two rows with one body, which wait.
            records.pop();
            let row = |body| Append { body, sole: false, ..Append::new(LaneId(6), MessageId(id)) };
            let own = RowBody::Own(Body::Inline([8; 9][..].into()));
            records.push(Record::Append(row(own)));
            records.push(Record::Append(row(RowBody::Row(LaneId(6), Seq(2)))));
        }
        store.commit(&Transaction { records, lanes: vec![] }).unwrap();
        store.tend().unwrap();
    }
    drop(store);
    let raw = Connection::open(data.path().join("store.db")).unwrap();
    raw.execute("INSERT INTO part VALUES(411, 1, 2, 0, 0, 0)", ()).unwrap();
    drop(raw);
    let mut store = SqliteStore::open(data.path()).unwrap();
    store.write_small_runs();
    while store.tend().unwrap() {}
    data
}

fn findings(data: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    let verified = verify(data, &mut |it| findings.push(it.to_string())).unwrap();
    assert_eq!(verified.findings, findings.len() as u64);
    assert_eq!(verified.dispositions.values().sum::<u64>(), verified.received);
    findings
}

fn copy(of: &TempDir) -> TempDir {
    let data = TempDir::new().unwrap();
    fs::copy(of.path().join("store.db"), data.path().join("store.db")).unwrap();
    data
}

/// Damages, and what has to be found of each.
const DAMAGES: [(&str, &str); 31] = [
    ("DELETE FROM work WHERE lane = 5 AND seq = 5", "lane 5: its last row is 4, and its tail 5"),
    (
        "DELETE FROM work WHERE lane = 5 AND seq = 5",
        "message 9: ROUTED, and has 0 open rows in place of 1",
    ),
    ("DELETE FROM work WHERE lane = 5 AND seq = 4", "lane 5: a gap from row 4 to 4"),
    ("DELETE FROM work WHERE lane = 1 AND seq = 1", "lane 1: a gap from row 1 to 1"),
    (
        "UPDATE lane SET cursor = 3 WHERE id = 5",
        "message 6: ROUTED, and has 0 open rows in place of 1",
    ),
    ("UPDATE lane SET cursor = 7 WHERE id = 5", "lane 5: tail 5, cursor 7, sent to 5"),
    ("UPDATE lane SET tail = 9 WHERE id = 5", "lane 5: its last row is 5, and its tail 9"),
    ("INSERT INTO done VALUES(5, 6)", "lane 5: row 6 is done, and its tail is 5"),
    ("DELETE FROM done", "lane 5, row 4: it waits, and its message 8 is PROCESSED"),
    (
        "DELETE FROM outcome WHERE message = 1",
        "message 1: ROUTED, and has 0 open rows in place of 1",
    ),
    (
        "INSERT INTO outcome(message, stamp, disposition, at) VALUES(11, 9, 4, 5)",
        "lane 2, row 1: it waits, and its message 11 is PROCESSED",
    ),
    ("UPDATE outcome SET disposition = 77 WHERE message = 2", "message 2: unknown disposition 77"),
    (
        "UPDATE part SET finished = 2 WHERE message = 6 AND finished = 1",
        "message 6: ROUTED, and all its parts are finished",
    ),
    (
        "INSERT INTO part VALUES(12, 1, 1, 0, 0, 0)",
        "message 12: PROCESSED, and has parts that are not finished",
    ),
    ("DELETE FROM message WHERE id = 8", "lane 5, row 4: its message 8 is not there"),
    ("DELETE FROM message WHERE id = 8", "message 8: it is not there, and has a row in outcome"),
    ("DELETE FROM message WHERE id = 1", "message 7: its first, message 1, is not there"),
    ("UPDATE message SET body = NULL WHERE id = 1", "message 1: its body is not there"),
    (
        "UPDATE message SET body = x'00' WHERE id = 12",
        "message 12: its body has 1 bytes in place of 9",
    ),
    ("DELETE FROM chunk WHERE body = 1 AND n = 1", "message 9: chunks of its body 1 are missing"),
    (
        "DELETE FROM chunk WHERE body = 2 AND n = 2; DELETE FROM chunk WHERE body = 2 AND n = 0",
        "lane 5, row 5: chunks of its body 2 are missing",
    ),
    ("UPDATE work SET chunks = NULL WHERE chunks = 2", "body 2: no message and no row holds it"),
    ("INSERT INTO parked VALUES(5, 9)", "lane 5, row 9: parked, and not there"),
    ("INSERT INTO parked VALUES(5, 1)", "lane 5, row 1: it waits, and its message 1 is PROCESSED"),
    ("DELETE FROM row_body", "lane 6, row 2: its body is not there"),
    (
        "UPDATE row_body SET kept_before = 5, kept_after = 5",
        "lane 6, row 2: it has 10 bytes in common with its message, which has 9",
    ),
    ("UPDATE work SET row_body = NULL", "body 1 of a row: no row holds it"),
    ("DELETE FROM unheld", "body 3: no message and no row holds it"),
    (
        "UPDATE work SET row_body = NULL WHERE lane = 6 AND seq = 2",
        "lane 6, row 3: row 2 of lane 6, which has its body, has none",
    ),
    ("DELETE FROM lane WHERE id = 4", "lane 4: it is not there, and has rows"),
    (
        "UPDATE message SET received_at = 5 WHERE id = 100",
        "message 100: it is outside the times of its span",
    ),
];

/// The same for the index.
const DAMAGES_OF_THE_INDEX: [(&str, &str); 5] = [
    (
        "UPDATE message SET control_id = x'00' WHERE id = 100",
        "message 100: the index has other entries",
    ),
    (
        "UPDATE message SET indexed = NULL WHERE id = 100",
        "message 100: the index has other entries",
    ),
    ("DELETE FROM run_block WHERE rowid = (SELECT max(rowid) FROM run_block)", "in place of"),
    (
        "UPDATE run_block SET entries = CAST(substr(entries, 17) || substr(entries, 1, 16) AS BLOB)
         WHERE length(entries) > 16 AND run = (SELECT max(id) FROM run WHERE state = 1)",
        "its entries are not in order",
    ),
    (
        "UPDATE run SET state = 2 WHERE id = (SELECT max(id) FROM run WHERE state = 1)",
        "the index has other entries",
    ),
];

#[test]
fn a_store_without_damage_has_no_findings() {
    let data = undamaged();
    assert_eq!(findings(data.path()), [] as [String; 0]);
    let verified = verify(data.path(), &mut |_| ()).unwrap();
    assert_eq!((verified.received, verified.open_work), (411, 6));
    assert_eq!(verified.dispositions["PROCESSED"], 401);
    assert!(!data.path().join("store.db-wal").exists(), "nothing is left beside it");
    // The same beside a running engine.
    let store = SqliteStore::open(data.path()).unwrap();
    let mut reader = store.reader().unwrap();
    let beside = reader.verify(&mut |it| panic!("{it}")).unwrap();
    assert_eq!(beside, Some(verified));
    assert_eq!(verify(data.path(), &mut |_| ()), Err(StoreError::InUse));
}

#[test]
fn every_kind_of_damage_is_found() {
    let whole = undamaged();
    for (damage, expected) in DAMAGES.iter().chain(&DAMAGES_OF_THE_INDEX) {
        let data = copy(&whole);
        let raw = Connection::open(data.path().join("store.db")).unwrap();
        raw.execute_batch(damage).unwrap();
        drop(raw);
        let found = findings(data.path());
        assert!(found.iter().any(|it| it.contains(expected)), "{damage}: {found:#?}");
    }
}

#[test]
fn a_damaged_file_is_found() {
    let data = undamaged();
    let path = data.path().join("store.db");
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 8192;
    let mut found = 0;
    for page in 2..pages {
        let mut bytes = whole.clone();
        bytes[page * 8192..page * 8192 + 8].fill(0x55);
        fs::write(&path, bytes).unwrap();
        let mut findings = Vec::new();
        match verify(data.path(), &mut |it| findings.push(it.to_string())) {
            Ok(_) => found += u32::from(findings.iter().any(|it| it.starts_with("file: "))),
            // Not even the tables' names can be read.
            Err(StoreError::Corrupt(_) | StoreError::Unavailable(_)) => found += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    // Some pages are free, and hold nothing.
    assert!(found > pages as u32 / 2, "{found} of {pages}");
}

#[test]
fn what_is_not_there_or_not_ours_is_refused() {
    let data = TempDir::new().unwrap();
    assert!(matches!(verify(data.path(), &mut |_| ()), Err(StoreError::Unavailable(_))));
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    let path = data.path().join("store.db");
    fs::write(&path, b"something else").unwrap();
    assert_eq!(verify(data.path(), &mut |_| ()), Err(StoreError::Foreign));
    fs::write(&path, include_bytes!("data/version-1.db")).unwrap();
    assert!(matches!(verify(data.path(), &mut |_| ()), Err(StoreError::Unavailable(_))));
    assert_eq!(fs::read(&path).unwrap(), include_bytes!("data/version-1.db"));
}
