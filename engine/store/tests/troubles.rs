//! The store on a disk that fails: what it says of it, and what it never does afterwards.

use mllp_disk::{Disk, Trouble};
use mllp_pipeline::{
    Body, CommitOutcome, LaneId, MessageId, NewMessage, Record, Refusal, Transaction,
};
use mllp_store::{SqliteStore, Store, StoreError};
use tempfile::TempDir;

fn open(data: &TempDir, disk: &Disk) -> Result<SqliteStore, StoreError> {
    SqliteStore::open_with_vfs(data.path(), Some(disk.name()))
}

fn message(id: u64) -> Transaction {
    let body = Body::Inline([7; 9000][..].into());
    let message = NewMessage { body, ..NewMessage::new(MessageId(id), LaneId(1)) };
    Transaction { records: vec![Record::Message(message)], lanes: Vec::new() }
}

#[test]
fn after_a_sync_that_has_failed_nothing_is_written_any_more() {
    let (data, disk) = (TempDir::new().unwrap(), Disk::new());
    let mut store = open(&data, &disk).unwrap();
    assert!(matches!(store.commit(&message(1)), Ok(CommitOutcome::Committed(_))));
    disk.trouble(Some((Trouble::SyncFails, 0)), false);
    let failed = store.commit(&message(2)).unwrap_err();
    assert!(matches!(failed, StoreError::SyncFailed(_)), "{failed:?}");
    // The disk works again, as a kernel's does that has thrown the pages away.
    disk.take_log();
    assert_eq!(store.commit(&message(3)).unwrap_err(), failed);
    assert_eq!(store.tend().unwrap_err(), failed);
    drop(store);
    assert_eq!(disk.take_log(), [], "nothing, not even at the close");
    let mut store = open(&data, &disk).unwrap();
    assert!(store.reader().unwrap().message(MessageId(1)).unwrap().is_some());
    assert!(matches!(store.commit(&message(4)), Ok(CommitOutcome::Committed(_))));
}

#[test]
fn after_a_write_that_has_failed_nothing_is_written_any_more() {
    for after in 0.. {
        let (data, disk) = (TempDir::new().unwrap(), Disk::new());
        let mut store = open(&data, &disk).unwrap();
        assert!(matches!(store.commit(&message(1)), Ok(CommitOutcome::Committed(_))));
        disk.trouble(Some((Trouble::WriteFails, after)), false);
        let tried = store.commit(&message(2));
        if disk.failed() == 0 {
            assert!(after > 3, "only {after} writes in a commit");
            break;
        }
        let failed = tried.unwrap_err();
        assert!(matches!(failed, StoreError::SyncFailed(_)), "write {after}: {failed:?}");
        disk.take_log();
        assert_eq!(store.commit(&message(3)).unwrap_err(), failed);
        drop(store);
        assert_eq!(disk.take_log(), [], "nothing, not even at the close");
        let mut store = open(&data, &disk).unwrap();
        assert!(store.reader().unwrap().message(MessageId(1)).unwrap().is_some());
        assert!(store.reader().unwrap().message(MessageId(2)).unwrap().is_none());
        assert!(matches!(store.commit(&message(4)), Ok(CommitOutcome::Committed(_))));
    }
}

/// At every write of a start: an empty directory, and a store that is there.
#[test]
fn a_disk_that_is_full_at_the_start_is_said_to_be_full() {
    for there in [false, true] {
        let mut refused = 0;
        for trouble in [Trouble::Full, Trouble::FullHalfway] {
            for after in 0.. {
                let (data, disk) = (TempDir::new().unwrap(), Disk::new());
                if there {
                    open(&data, &disk).unwrap().commit(&message(1)).unwrap();
                }
                disk.trouble(Some((trouble, after)), true);
                let started = open(&data, &disk).and_then(|mut store| store.numbers());
                let had_trouble = started.is_err();
                if let Err(error) = started {
                    assert_eq!(error, StoreError::Full, "write {after}");
                    refused += 1;
                }
                disk.trouble(None, false);
                let mut store = open(&data, &disk).unwrap();
                let kept = store.reader().unwrap().message(MessageId(1)).unwrap();
                assert_eq!(kept.is_some(), there);
                assert!(matches!(store.commit(&message(2)), Ok(CommitOutcome::Committed(_))));
                if !had_trouble {
                    break;
                }
            }
        }
        assert!(refused >= 2, "{refused}");
    }
}

/// The log is on the disk before it is copied back: no room for the copy is no trouble.
#[test]
fn a_disk_that_is_full_for_a_while_is_no_end() {
    let (data, disk) = (TempDir::new().unwrap(), Disk::new());
    let mut store = open(&data, &disk).unwrap();
    let (mut kept, mut refused) = (Vec::new(), 0);
    for id in 1..2000 {
        disk.take_log();
        disk.trouble((id % 7 == 0).then_some((Trouble::Full, id % 3)), true);
        match store.commit(&message(id)).unwrap() {
            CommitOutcome::Committed(_) => kept.push(id),
            CommitOutcome::Refused(Refusal::Full) => refused += 1,
            other => panic!("{other:?}"),
        }
        disk.trouble((id % 5 == 0).then_some((Trouble::Full, 0)), true);
        store.tend().unwrap();
    }
    disk.trouble(None, false);
    assert!(refused > 100, "{refused}");
    let mut reader = store.reader().unwrap();
    for id in 1..2000 {
        let found = reader.message(MessageId(id)).unwrap().is_some();
        assert_eq!(found, kept.contains(&id), "{id}");
    }
}
