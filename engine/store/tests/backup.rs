//! A backup is whole or not there, commits go on while it is made, and what is made of it is a store.

use std::fs;
use std::path::{Path, PathBuf};

use mllp_pipeline::{
    Append, Body, CommitOutcome, LaneId, MessageId, NewMessage, Record, Stage, Transaction,
};
use mllp_store::{
    Backup, BackupError, Copied, LaneName, Made, SqliteStore, Store, StoreError, back_up,
    restore_check, verify,
};
use tempfile::TempDir;

struct World {
    home: TempDir,
    store: SqliteStore,
    lane: LaneId,
    next: u64,
}

impl World {
    /// A store with some hundred slices to copy.
    fn new() -> World {
        let home = TempDir::new().unwrap();
        let data = home.path().join("data");
        let mut store = SqliteStore::open(&data).unwrap();
        let next = store.numbers().unwrap().message.0;
        let name = LaneName { stage: Stage::Ingress, name: "IN".into() };
        let lane = store.own(&[name]).unwrap()[0].lane;
        let mut world = World { home, store, lane, next };
        for _ in 0..20 {
            let received = received(lane, &mut world.next, 20);
            assert!(is_committed(&mut world.store, &received));
        }
        world
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn to(&self) -> PathBuf {
        self.home.path().join("backup")
    }

    fn begin(&self) -> Result<Backup, BackupError> {
        Backup::begin(&self.data(), &self.to(), 1_796_000_000_000, 0)
    }

    /// Makes a backup, with a commit of one message after each slice.
    fn back_up(&mut self) -> Made {
        let backup = self.begin().unwrap();
        let (lane, next) = (self.lane, &mut self.next);
        let copied = self.store.back_up(&backup.place().store(), &mut |store, _| {
            assert!(is_committed(store, &received(lane, next, 1)));
            assert!(!store.tend().unwrap() || *next > 0);
            Ok(true)
        });
        backup.finish(copied.unwrap()).unwrap()
    }

    /// What is beside the data.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path()).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.filter(|it| it != "data").collect()
    }
}

fn received(lane: LaneId, next: &mut u64, count: u64) -> Transaction {
    let records = (0..count).flat_map(|_| {
        let id = MessageId(*next);
        *next += 1;
        let body = Body::Inline([id.0 as u8; 20_000][..].into());
        let message = NewMessage { received_at: 1, body, ..NewMessage::new(id, lane) };
        [Record::Message(message), Record::Append(Append::new(lane, id))]
    });
    Transaction { records: records.collect(), lanes: Vec::new() }
}

fn is_committed(store: &mut dyn Store, transaction: &Transaction) -> bool {
    matches!(store.commit(transaction).unwrap(), CommitOutcome::Committed(_))
}

fn findings(backup: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    let (_, verified) =
        restore_check(backup, &mut |finding| findings.push(finding.to_string())).unwrap();
    assert_eq!(verified.findings, findings.len() as u64);
    findings
}

#[test]
fn what_is_committed_meanwhile_is_in_the_copy() {
    let mut world = World::new();
    let before = world.next;
    let made = world.back_up();
    assert_eq!(world.left(), ["backup"]);
    assert!(world.next > before + 10, "commits went on");
    assert_eq!(findings(&made.at), Vec::<String>::new());
    // All of them were committed before the last slice but what came after that slice.
    let verified = verify(&made.at, &mut |_| {}).unwrap();
    assert_eq!(verified.received, world.next - 1);
    assert_eq!(verified.open_work, verified.received);
    // The store goes on, and a store is made of the backup.
    assert!(is_committed(&mut world.store, &received(world.lane, &mut world.next, 1)));
    let restored = world.home.path().join("restored");
    fs::create_dir(&restored).unwrap();
    fs::copy(made.at.join("store.db"), restored.join("store.db")).unwrap();
    let mut restored = SqliteStore::open(&restored).unwrap();
    assert_eq!(restored.numbers().unwrap().message, MessageId(verified.received + 1));
}

#[test]
fn a_backup_that_was_broken_off_leaves_nothing_and_can_be_made_again() {
    let mut world = World::new();
    let backup = world.begin().unwrap();
    let store = backup.place().store();
    let copied = world.store.back_up(&store, &mut |_, _| Ok(false));
    assert_eq!(copied, Err(BackupError::Stopped));
    assert!(store.exists());
    drop(backup);
    assert_eq!(world.left(), Vec::<String>::new());
    // A process that has died leaves what it had.
    let part = world.home.path().join(".backup.part");
    fs::create_dir_all(part.join("configurations")).unwrap();
    fs::write(part.join("store.db"), b"half").unwrap();
    let made = world.back_up();
    assert_eq!(findings(&made.at), Vec::<String>::new());
    assert!(!made.at.join("configurations").exists());
    assert_eq!(world.left(), ["backup"]);
}

#[test]
fn an_error_of_the_store_ends_the_copy() {
    let mut world = World::new();
    let backup = world.begin().unwrap();
    let corrupt = StoreError::Corrupt("for the test".into());
    let copied = world.store.back_up(&backup.place().store(), &mut |_, _| {
        Err(StoreError::Corrupt("for the test".into()))
    });
    assert_eq!(copied, Err(BackupError::Store(corrupt)));
}

#[test]
fn what_else_is_there_comes_along() {
    let world = World::new();
    let kept = world.data().join("configurations/9c41e02/adt.py");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::write(&kept, b"feeds").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.data().join("api.sock")).unwrap();
    let mut world = world;
    let at = world.back_up().at;
    assert_eq!(fs::read(at.join("configurations/9c41e02/adt.py")).unwrap(), b"feeds");
    let entries = fs::read_dir(&at).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["backup.txt", "configurations", "store.db"]);
}

#[test]
fn a_place_that_cannot_be_is_refused() {
    let world = World::new();
    let refused = |to: PathBuf, least: u64| {
        Backup::begin(&world.data(), &to, 0, least).map(drop).unwrap_err()
    };
    assert!(matches!(refused(world.data(), 0), BackupError::Place(_)), "it is there");
    assert!(matches!(refused(world.data().join("a"), 0), BackupError::Place(_)), "inside");
    assert!(matches!(refused(world.home.path().join("no/a"), 0), BackupError::Place(_)));
    // More than any disk has.
    assert!(matches!(refused(world.to(), u64::MAX / 2), BackupError::Full(_)));
    assert_eq!(world.left(), Vec::<String>::new());
    let first = world.begin().unwrap();
    assert!(matches!(refused(world.to(), 0), BackupError::Place(_)), "one at a time");
    drop(first);
    drop(world.begin().unwrap());
}

#[test]
fn room_that_goes_meanwhile_is_seen() {
    let world = World::new();
    let backup = world.begin().unwrap();
    let copying = |total| mllp_store::Copying { copied: 0, total };
    assert_eq!(backup.place().goes_on(copying(1)), Ok(()));
    assert!(matches!(backup.place().goes_on(copying(u64::MAX / 2)), Err(BackupError::Full(_))));
}

#[test]
fn a_stopped_engine_is_copied_too() {
    let world = World::new();
    let to = world.home.path().join("copy.db");
    let used = back_up(&world.data(), &to, &mut |_| true);
    assert_eq!(used, Err(BackupError::Store(StoreError::InUse)));
    let World { home, store, .. } = world;
    drop(store);
    let data = home.path().join("data");
    let before = fs::read(data.join("store.db")).unwrap();
    let backup = Backup::begin(&data, &home.path().join("backup"), 7, 0).unwrap();
    let copied = back_up(&data, &backup.place().store(), &mut |_| true).unwrap();
    assert_eq!(copied, Copied { bytes: before.len() as u64 });
    let made = backup.finish(copied).unwrap();
    assert_eq!((made.about.made_at, findings(&made.at)), (7, vec![]));
    assert_eq!(fs::read(data.join("store.db")).unwrap(), before);
}

#[test]
fn damage_is_found() {
    let mut world = World::new();
    let made = world.back_up();
    let path = made.at.join("store.db");
    let mut bytes = fs::read(&path).unwrap();
    // In the middle of a body, where SQLite itself sees nothing.
    let at = bytes.windows(64).rposition(|it| it.iter().all(|byte| *byte == it[0] && *byte > 0));
    bytes[at.unwrap() + 30] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(findings(&made.at).len(), 1);
    assert!(verify(&made.at, &mut |_| panic!("the tables are whole")).is_ok());
    fs::remove_file(made.at.join("backup.txt")).unwrap();
    let checked = restore_check(&made.at, &mut |_| {});
    assert!(matches!(checked, Err(BackupError::Place(_))));
}
