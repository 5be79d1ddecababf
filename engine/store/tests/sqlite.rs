//! The store in SQLite keeps the contract, and refuses what it must not touch.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use mllp_pipeline::{
    Append, Body, MessageId, NewMessage, Record, RowBody, Seq, Source, Stage, Transaction,
};
use mllp_store::conformance::{self, Subject};
use mllp_store::{LaneName, SqliteStore, Store, StoreError, Swept};
use tempfile::TempDir;

struct Sqlite {
    data: TempDir,
    small_runs: bool,
    /// Plays the other node.
    other: Option<rusqlite::Connection>,
}

impl Subject for Sqlite {
    fn open(&mut self) -> Box<dyn Store> {
        self.other = None;
        let mut store = SqliteStore::open(self.data.path()).unwrap();
        if self.small_runs {
            store.write_small_runs();
        }
        self.other = Some(store.second_handle().unwrap());
        Box::new(store)
    }

    fn take_over(&mut self, name: &LaneName) {
        let other = self.other.as_ref().unwrap();
        let sql = "UPDATE lane SET epoch = epoch + 1 WHERE name = ?1";
        assert_eq!(other.execute(sql, (&name.name,)).unwrap(), 1);
    }
}

#[test]
fn sqlite_keeps_the_contract() {
    for small_runs in [false, true] {
        let make = || Sqlite { data: TempDir::new().unwrap(), small_runs, other: None };
        conformance::run(&mut || Box::new(make()));
    }
}

fn refusal(data: &Path) -> StoreError {
    SqliteStore::open(data).map(drop).unwrap_err()
}

fn contents(data: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("lock"))
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn one_engine_at_a_time() {
    let data = TempDir::new().unwrap();
    let first = SqliteStore::open(data.path()).unwrap();
    assert_eq!(refusal(data.path()), StoreError::InUse);
    drop(first);
    SqliteStore::open(data.path()).unwrap();
}

#[test]
fn a_newer_store_is_not_touched() {
    let data = TempDir::new().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    store.commit(&Transaction::default()).unwrap();
    drop(store);
    let path = data.path().join("store.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&1_000u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    let before = contents(data.path());
    let refused = refusal(data.path());
    assert_eq!((&refused, refused.exit_status()), (&StoreError::Newer(1_000), 4));
    assert_eq!(contents(data.path()), before);
}

#[test]
fn a_file_of_somebody_else_is_not_touched() {
    for foreign in [&b"not a database"[..], &[b'x'; 200]] {
        let data = TempDir::new().unwrap();
        fs::write(data.path().join("store.db"), foreign).unwrap();
        let before = contents(data.path());
        assert_eq!(refusal(data.path()), StoreError::Foreign);
        assert_eq!(contents(data.path()), before);
    }
    let data = TempDir::new().unwrap();
    let theirs = rusqlite::Connection::open(data.path().join("store.db")).unwrap();
    theirs.execute_batch("PRAGMA user_version = 3; CREATE TABLE t(a)").unwrap();
    drop(theirs);
    let before = contents(data.path());
    assert_eq!(refusal(data.path()), StoreError::Foreign);
    assert_eq!(contents(data.path()), before);
}

#[test]
fn a_store_whose_making_was_cut_off_is_made() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("store.db"), b"").unwrap();
    SqliteStore::open(data.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("file"), b"").unwrap();
    let refused = refusal(&data.path().join("file/data"));
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
}

/// The WAL is copied back while commits go on, so it stays small, and nothing is copied inside a
/// commit.
#[test]
fn the_log_is_copied_back_between_commits() {
    use mllp_pipeline::{Body, LaneId, MessageId, NewMessage, Record};
    let data = TempDir::new().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    let wal = data.path().join("store.db-wal");
    let file = data.path().join("store.db");
    let mut id = 0;
    let mut largest = 0;
    for _ in 0..200 {
        let records = (0..50).map(|_| {
            id += 1;
            Record::Message(NewMessage {
                body: Body::Inline(Arc::from(&[7u8; 2000][..])),
                ..NewMessage::new(MessageId(id), LaneId(1))
            })
        });
        let transaction = Transaction { records: records.collect(), lanes: vec![] };
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        store.commit(&transaction).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
        store.tend().unwrap();
        largest = largest.max(fs::metadata(&wal).unwrap().len());
    }
    assert!(largest < 5 * 1024 * 1024, "{largest}");
    assert!(fs::metadata(&file).unwrap().len() > 15 * 1024 * 1024);
}

#[test]
fn a_reader_on_another_thread_sees_what_was_committed() {
    let data = TempDir::new().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    let names = [LaneName { stage: mllp_pipeline::Stage::Ingress, name: "IN".into() }];
    let lane = store.own(&names).unwrap()[0].lane;
    let reader = Arc::new(Mutex::new(store.reader().unwrap()));
    let row = mllp_pipeline::Append::new(lane, mllp_pipeline::MessageId(1));
    let records = vec![mllp_pipeline::Record::Append(row)];
    store.commit(&Transaction { records, lanes: vec![] }).unwrap();
    let thread = std::thread::spawn(move || {
        let mut reader = reader.lock().unwrap();
        reader.entries(lane, mllp_pipeline::Seq(0), 9).unwrap().len()
    });
    assert_eq!(thread.join().unwrap(), 1);
}

/// Eight chunks are one slice of a sweep: when it is done, nothing remembers the body.
#[test]
fn the_number_of_a_swept_body_can_be_used_again() {
    use mllp_pipeline::{BodyId, CommitOutcome, Piece, Record};
    let data = TempDir::new().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    let body = store.numbers().unwrap().body;
    let write = |store: &mut SqliteStore, n| {
        let records = vec![Record::Chunk { body, n, bytes: Piece::from(&[7u8; 1000][..]) }];
        store.commit(&Transaction { records, lanes: vec![] }).unwrap()
    };
    for n in 0..8 {
        write(&mut store, n);
    }
    assert_eq!(store.sweep(body..BodyId(body.0 + 1)).unwrap(), Swept::More);
    drop(store);
    let mut store = SqliteStore::open(data.path()).unwrap();
    assert_eq!(store.numbers().unwrap().body, body);
    assert!(matches!(write(&mut store, 0), CommitOutcome::Committed(_)));
}

/// A backlog is read in ranges: a body alone costs as much as its snapshot.
#[test]
fn bodies_come_along_with_their_rows() {
    let data = TempDir::new().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    let name = LaneName { stage: Stage::Outbound, name: "LAB".into() };
    let lane = store.own(&[name]).unwrap()[0].lane;
    let body = |byte| Body::Inline(vec![byte; 100].into());
    let message = NewMessage { body: body(0), ..NewMessage::new(MessageId(1), lane) };
    let own = |byte| RowBody::Own(body(byte));
    let rows = [own(1), RowBody::Message, own(2), RowBody::Row(lane, Seq(1))];
    let row = |body| Record::Append(Append { body, ..Append::new(lane, MessageId(1)) });
    let records = [Record::Message(message)].into_iter().chain(rows.map(row)).collect();
    store.commit(&Transaction { records, lanes: vec![] }).unwrap();
    let mut reader = store.reader().unwrap();
    let mut entries = reader.entries(lane, Seq(0), 9).unwrap();
    reader.fetch(&mut entries, 1000).unwrap();
    let bodies: Vec<_> = entries.into_iter().map(|it| it.body).collect();
    assert_eq!(bodies, [1, 0, 2, 1].map(|byte| Source::Memory(body(byte))));
    let mut entries = reader.entries(lane, Seq(0), 9).unwrap();
    reader.fetch(&mut entries, 150).unwrap();
    let at_hand = entries.iter().filter(|it| matches!(it.body, Source::Memory(_))).count();
    assert_eq!(at_hand, 2, "no more than were asked for, and the one that crosses the line");
}
