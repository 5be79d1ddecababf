//! Power cuts in the midst of a migration, and while the index is written and merged.

use std::collections::BTreeSet;
use std::path::Path;

use mllp_disk::{Disk, Image, Replay, Rng, Step, Trouble};
use mllp_pipeline::{
    CommitOutcome, Keys, LaneId, MessageId, NewMessage, Piece, Record, Transaction, field_hash,
};
use mllp_store::{Days, Held, LastPass, Query, Reader, Retention, SqliteStore, Store, StoreError};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// Made by the program whose newest migration was the first: messages in every disposition, several
/// with open work, one with chunks, one dead, and an orphan.
const VERSION_1: &[u8] = include_bytes!("data/version-1.db");

/// What version 1 has in its tables.
const TABLES: [&str; 11] = [
    "life(id, next_stamp)",
    "lane(id, stage, name, tail, cursor, sent_to, epoch, attempt, due)",
    "message(id, inbound, received_at, identity, accepted, duplicate_of, control_id, message_type,
         acknowledgment, chunks, len, body)",
    "chunk(body, n, bytes)",
    "unheld(body)",
    "work(lane, seq, message, sole, id_hash, chunks, body)",
    "done(lane, seq)",
    "part(message, stamp, added, finished, delivered, failed)",
    "outcome(message, stamp, disposition, at)",
    "dead(lane, seq, message, why, at)",
    "event(message, stamp, at, kind, lane, number, text)",
];

fn image_of_version_1(data: &Path) -> Image {
    let path = data.join("store.db").to_str().unwrap().to_owned();
    let mut image = Image::default();
    image.files.insert(path, VERSION_1.to_vec());
    image
}

fn connect(data: &Path, disk: &Disk) -> Connection {
    let flags = OpenFlags::default();
    Connection::open_with_flags_and_vfs(data.join("store.db"), flags, disk.name()).unwrap()
}

/// Every row of every table of version 1, in its columns.
fn rows(connection: &Connection) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for table in TABLES {
        let (name, columns) = table.split_once('(').unwrap();
        let columns = columns.strip_suffix(')').unwrap();
        let sql = format!("SELECT {columns} FROM {name} ORDER BY 1, 2");
        // `unheld` has one column.
        let sql = if columns.contains(',') { sql } else { sql.replace(", 2", "") };
        let mut statement = connection.prepare(&sql).unwrap();
        let count = statement.column_count();
        let before = all.len();
        let row = |row: &rusqlite::Row<'_>| (0..count).map(|at| row.get(at)).collect();
        all.extend(statement.query_map((), row).unwrap().map(Result::unwrap));
        assert!(all.len() > before, "{name} has rows");
    }
    all
}

fn version(connection: &Connection) -> u32 {
    connection.query_row("PRAGMA user_version", (), |row| row.get(0)).unwrap()
}

fn open(data: &TempDir, disk: &Disk) -> SqliteStore {
    SqliteStore::open_with_vfs(data.path(), Some(disk.name())).unwrap()
}

fn control_id(number: u64) -> Query {
    let control_id = Some(Piece::from(format!("M{number}").as_bytes()));
    Query { control_id, ..Query::default() }
}

#[test]
fn a_store_of_version_1_is_migrated_with_all_it_has() {
    let data = TempDir::new().unwrap();
    let disk = Disk::from_image(&image_of_version_1(data.path()));
    let before = rows(&connect(data.path(), &disk));
    let mut store = open(&data, &disk);
    assert_eq!(rows(&connect(data.path(), &disk)), before);
    let mut reader = store.reader().unwrap();
    let mut dispositions = reader.dispositions(MessageId(0), 99).unwrap();
    let named: Vec<_> = dispositions.drain(..).map(|(_, it)| it.name()).collect();
    let expected = [
        "PROCESSED",
        "UNROUTED",
        "FILTERED",
        "ERROR",
        "ERROR",
        "ROUTED",
        "DUPLICATE",
        "PROCESSED",
        "ROUTED",
        "ROUTED",
        "RECEIVED",
    ];
    assert_eq!(named, expected);
    let found = |reader: &mut dyn Reader, number| {
        let found = reader.search(&control_id(number), MessageId(u64::MAX), 9).unwrap();
        found.messages.iter().map(|it| it.message.id.0).collect::<Vec<_>>()
    };
    assert_eq!(found(&mut *reader, 1), [7, 1]);
    while store.tend().unwrap() {}
    assert_eq!(found(&mut *reader, 11), [11]);
    // What it did not write down is not known.
    let message = reader.message(MessageId(1)).unwrap().unwrap().message;
    assert_eq!(message.origin, Piece::default());
    let first = reader.journey(MessageId(1)).unwrap()[0].stamp;
    assert_eq!(reader.life(first).unwrap(), None);
    assert_eq!(store.numbers().unwrap().message, MessageId(12));
    drop(store);
    assert_eq!(version(&connect(data.path(), &disk)), 4);
    // The version stands in the header of the file, where an older program looks first.
    let path = data.path().join("store.db");
    assert_eq!(disk.contents().files[path.to_str().unwrap()][60..64], 4u32.to_be_bytes());
}

#[test]
fn a_power_cut_during_a_migration_leaves_one_version_or_the_other() {
    let data = TempDir::new().unwrap();
    let image = image_of_version_1(data.path());
    let disk = Disk::from_image(&image);
    let before = rows(&connect(data.path(), &disk));
    disk.take_log();
    drop(open(&data, &disk));
    let log = disk.take_log();
    let (mut replay, mut rng, mut versions) = (Replay::new(&image), Rng::new(7), [0; 5]);
    for step in &log {
        replay.apply(step);
        for _ in 0..4 {
            let crashed = Disk::from_image(&replay.image(&mut rng));
            let raw = connect(data.path(), &crashed);
            versions[version(&raw) as usize] += 1;
            assert_eq!(rows(&raw), before);
            drop(raw);
            let store = open(&data, &crashed);
            assert_eq!(rows(&connect(data.path(), &crashed)), before);
            drop(store);
            assert_eq!(version(&connect(data.path(), &crashed)), 4);
        }
    }
    assert!(versions[1] > 10 && versions[4] > 10, "{versions:?}");
}

fn message(id: u64) -> NewMessage {
    NewMessage {
        received_at: 1_796_000_000_000 + id,
        control_id: Piece::from(format!("M{id}").as_bytes()),
        message_type: Piece::from(&b"ADT^A01"[..]),
        indexed: Keys::new(&[field_hash("PID-3.1", &(id % 40).to_le_bytes())]),
        ..NewMessage::new(MessageId(id), LaneId(1))
    }
}

/// Commits messages with slices of upkeep in between, and every seventh later than the six after
/// it. Marks the number of those that are committed.
fn live(data: &TempDir, disk: &Disk, last: u64) -> Vec<u64> {
    let mut store = open(data, disk);
    store.write_small_runs();
    disk.sync_directory();
    let first = store.numbers().unwrap().message.0;
    let mut order: Vec<u64> = (first..=last).collect();
    for seven in order.chunks_mut(7) {
        seven.rotate_left(1);
    }
    for (id, count) in order.iter().zip(1..) {
        let records = vec![Record::Message(message(*id))];
        let committed = store.commit(&Transaction { records, lanes: vec![] }).unwrap();
        assert!(matches!(committed, CommitOutcome::Committed(_)));
        disk.mark(count);
        for _ in 0..count % 3 {
            store.tend().unwrap();
        }
    }
    order
}

/// Every message that was committed is found by its control ID and with its patient.
fn check(data: &TempDir, image: &Image, committed: &[u64], after_upkeep: bool) {
    let disk = Disk::from_image(image);
    let mut store = open(data, &disk);
    store.write_small_runs();
    while after_upkeep && store.tend().unwrap() {}
    let mut reader = store.reader().unwrap();
    for id in committed {
        let found = reader.search(&control_id(*id), MessageId(u64::MAX), 9).unwrap();
        let found: Vec<_> = found.messages.iter().map(|it| it.message.id.0).collect();
        assert_eq!(found, [*id]);
    }
    for patient in 0..40u64 {
        let indexed = Keys::new(&[field_hash("PID-3.1", &patient.to_le_bytes())]);
        let query = Query { indexed, ..Query::default() };
        let found = reader.search(&query, MessageId(u64::MAX), 1_000).unwrap();
        let found: BTreeSet<_> = found.messages.iter().map(|it| it.message.id.0).collect();
        let expected = committed.iter().filter(|id| **id % 40 == patient).copied();
        assert!(expected.collect::<BTreeSet<_>>().is_subset(&found));
    }
}

#[test]
fn a_power_cut_at_any_point_loses_no_entry_of_the_index() {
    let data = TempDir::new().unwrap();
    let disk = Disk::new();
    let committed = live(&data, &disk, 420);
    let log = disk.take_log();
    let (mut replay, mut rng) = (Replay::new(&Image::default()), Rng::new(20_261_130));
    let (mut count, mut images) = (0, 0);
    for step in &log {
        count = replay.apply(step).map_or(count, |mark| mark as usize);
        if count > 0 && rng.one_in(20) && !matches!(step, Step::Mark(_)) {
            images += 1;
            let after_upkeep = rng.one_in(2);
            check(&data, &replay.image(&mut rng), &committed[..count], after_upkeep);
        }
    }
    assert!(images > 60, "{images}");
}

/// Lives that follow from one another, each cut off.
#[test]
fn a_life_goes_on_with_the_index_of_the_one_before() {
    let data = TempDir::new().unwrap();
    let (mut image, mut rng) = (Image::default(), Rng::new(3));
    for life in 1..=6 {
        let disk = Disk::from_image(&image);
        live(&data, &disk, life * 120);
        let mut replay = Replay::new(&image);
        disk.take_log().iter().for_each(|step| {
            let _ = replay.apply(step);
        });
        image = replay.image(&mut rng);
        let all: Vec<u64> = (1..=life * 120).collect();
        check(&data, &image, &all, rng.one_in(2));
    }
}

/// A power cut during a pass: what waits is whole, what is not old enough is there, and another pass
/// finishes it.
#[test]
fn a_power_cut_while_something_expires_leaves_what_waits() {
    let data = TempDir::new().unwrap();
    let mut image = image_of_version_1(data.path());
    {
        let disk = Disk::from_image(&image);
        drop(open(&data, &disk));
        image = disk.contents();
    }
    let disk = Disk::from_image(&image);
    let none = Days { bodies: Some(0), metadata: Some(0), dead: Some(0) };
    let expiry = Retention { days: none, of: vec![] }.at(1_900_000_000_000);
    let mut store = open(&data, &disk);
    store.numbers().unwrap();
    while store.expire(&expiry).unwrap() {
        store.commit(&Transaction::default()).unwrap();
    }
    drop(store);
    let log = disk.take_log();
    let (mut replay, mut rng, mut there) = (Replay::new(&image), Rng::new(9), BTreeSet::new());
    for step in &log {
        replay.apply(step);
        let crashed = Disk::from_image(&replay.image(&mut rng));
        let mut store = open(&data, &crashed);
        let mut reader = store.reader().unwrap();
        reader.verify(&mut |finding| panic!("{finding}")).unwrap();
        there.insert(reader.dispositions(MessageId(0), 99).unwrap().len());
        while store.expire(&expiry).unwrap() {}
        reader.verify(&mut |finding| panic!("{finding}")).unwrap();
        let left = reader.dispositions(MessageId(0), 99).unwrap();
        assert_eq!(left.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [6, 9, 10, 11]);
        for id in [6, 9, 10, 11] {
            assert!(reader.body(Held::Message(MessageId(id)), &mut |_| ()).unwrap());
        }
    }
    assert!(there.len() > 1, "{there:?}");
}

/// At every write of a pass: it ends early, and another one does the rest.
#[test]
fn a_disk_that_is_full_while_something_expires_is_no_end() {
    let data = TempDir::new().unwrap();
    let none = Days { bodies: Some(0), metadata: Some(0), dead: Some(0) };
    let expiry = Retention { days: none, of: vec![] }.at(1_900_000_000_000);
    for after in 0.. {
        let disk = Disk::from_image(&image_of_version_1(data.path()));
        let mut store = open(&data, &disk);
        store.numbers().unwrap();
        disk.trouble(Some((Trouble::Full, after)), true);
        let kept = store.keep_pass(&LastPass { at: 5, stopped: None });
        assert!(matches!(kept, Ok(()) | Err(StoreError::Full)), "{kept:?}");
        while store.expire(&expiry).unwrap() {}
        disk.trouble(None, false);
        let mut reader = store.reader().unwrap();
        let had_trouble = reader.dispositions(MessageId(0), 99).unwrap().len() > 4;
        while store.expire(&expiry).unwrap() {}
        reader.verify(&mut |finding| panic!("{finding}")).unwrap();
        assert_eq!(reader.dispositions(MessageId(0), 99).unwrap().len(), 4);
        let outcome = store.commit(&Transaction::default()).unwrap();
        assert!(matches!(outcome, CommitOutcome::Committed(_)));
        if !had_trouble {
            assert!(after > 3, "{after}");
            return;
        }
    }
}
