//! What SQLite promises, held against the images of crashes, and the disks and settings that break it.

use mllp_disk::{Disk, Image, Replay, Rng, Step, Trouble};
use rusqlite::{Connection, OpenFlags};

fn open(disk: &Disk) -> Connection {
    Connection::open_with_flags_and_vfs("/t.db", OpenFlags::default(), disk.name()).unwrap()
}

/// Writes rows, each acknowledged after its commit, with a checkpoint now and then.
fn work(disk: &Disk, synchronous: &str, rows: i64) {
    let store = open(disk);
    let settings = format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};
         PRAGMA wal_autocheckpoint=0; CREATE TABLE t(n INTEGER PRIMARY KEY, filling);"
    );
    store.execute_batch(&settings).unwrap();
    disk.sync_directory();
    for n in 1..=rows {
        store.execute("INSERT INTO t VALUES(?1, randomblob(900))", (n,)).unwrap();
        disk.mark(n as u64);
        if n % 37 == 0 {
            store.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())).unwrap();
        }
    }
}

/// Opens an image; returns the highest row, if all before it are there.
fn survivors(image: &Image) -> Result<i64, String> {
    let disk = Disk::from_image(image);
    let store = open(&disk);
    let check: String = store
        .query_row("PRAGMA quick_check", (), |row| row.get(0))
        .map_err(|error| error.to_string())?;
    if check != "ok" {
        return Err(check);
    }
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match store.query_row("SELECT count(*), coalesce(max(n), 0) FROM t", (), row) {
        Ok((count, highest)) if count == highest => Ok(count),
        Ok((count, highest)) => Err(format!("{count} rows up to {highest}")),
        Err(error) if error.to_string().contains("no such table") => Ok(0),
        Err(error) => Err(error.to_string()),
    }
}

/// Cuts the power at random points; returns the first image that has lost something.
fn losses(log: &[Step], seed: u64) -> Option<String> {
    let mut rng = Rng::new(seed);
    let mut replay = Replay::new(&Image::default());
    let mut acknowledged = 0;
    for (at, step) in log.iter().enumerate() {
        acknowledged = replay.apply(step).map_or(acknowledged, |it| it as i64);
        if !rng.one_in(5) {
            continue;
        }
        match survivors(&replay.image(&mut rng)) {
            Ok(rows) if rows >= acknowledged => {}
            Ok(rows) => {
                return Some(format!("step {at}: {acknowledged} acknowledged, {rows} there"));
            }
            Err(why) => return Some(format!("step {at}: {why}")),
        }
    }
    None
}

#[test]
fn what_was_acknowledged_survives() {
    let disk = Disk::new();
    work(&disk, "FULL", 150);
    let log = disk.take_log();
    assert!(log.iter().filter(|step| matches!(step, Step::Sync { .. })).count() >= 150);
    assert_eq!(losses(&log, 1), None);
}

#[test]
fn normal_is_found_to_lose_what_was_acknowledged() {
    let disk = Disk::new();
    work(&disk, "NORMAL", 150);
    assert!(losses(&disk.take_log(), 1).is_some());
}

#[test]
fn a_disk_that_lies_is_found_out() {
    let disk = Disk::new();
    disk.lie_about_syncs();
    work(&disk, "FULL", 150);
    assert!(losses(&disk.take_log(), 1).is_some());
}

#[test]
fn a_new_name_can_be_lost_until_its_directory_is_synced() {
    let disk = Disk::new();
    open(&disk).execute_batch("CREATE TABLE t(n); INSERT INTO t VALUES(1)").unwrap();
    let log = disk.take_log();
    // Up to the sync of the journal's name, which makes that of the database durable as well.
    let end = log.iter().position(|step| *step == Step::SyncDirectory).unwrap();
    let mut replay = Replay::new(&Image::default());
    for step in &log[..end] {
        replay.apply(step);
    }
    let mut rng = Rng::new(1);
    let mut images = (0..100).map(|_| replay.image(&mut rng));
    assert!(images.any(|image| !image.files.contains_key("/t.db")));
    replay.apply(&Step::SyncDirectory);
    let mut images = (0..100).map(|_| replay.image(&mut rng));
    assert!(images.all(|image| image.files.contains_key("/t.db")));
}

#[test]
fn a_write_is_torn_by_sectors_and_reordered() {
    let file = {
        let disk = Disk::from_image(&Image::default());
        let log = {
            open(&disk).execute_batch("CREATE TABLE t(n)").unwrap();
            disk.take_log()
        };
        log.iter().find_map(|step| match step {
            Step::Create { file, .. } => Some(*file),
            _ => None,
        })
    };
    let file = file.unwrap();
    let mut replay = Replay::new(&Image::default());
    replay.apply(&Step::Create { file, path: "/t.db".into() });
    replay.apply(&Step::SyncDirectory);
    replay.apply(&Step::Write { file, at: 0, bytes: [1; 1024].into() });
    replay.apply(&Step::Sync { file });
    replay.apply(&Step::Write { file, at: 256, bytes: [2; 768].into() });
    replay.apply(&Step::Write { file, at: 0, bytes: [3; 100].into() });
    let mut rng = Rng::new(7);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2000 {
        let bytes = &replay.image(&mut rng).files["/t.db"];
        seen.insert([bytes[0], bytes[256], bytes[511], bytes[512], bytes[1023]]);
        assert_eq!(bytes[255], 1, "no byte beside a write is changed");
        assert_eq!((bytes[256], bytes[512]), (bytes[511], bytes[1023]), "sectors are whole");
    }
    // First write or not in each of its two sectors, second write or not: all eight.
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn two_connections_share_the_index_of_the_log() {
    let disk = Disk::new();
    work(&disk, "FULL", 10);
    let (writer, reader) = (open(&disk), open(&disk));
    let count = || reader.query_row("SELECT count(*) FROM t", (), |row| row.get::<_, i64>(0));
    assert_eq!(count(), Ok(10));
    let held = reader.unchecked_transaction().unwrap();
    assert_eq!(count(), Ok(10));
    writer.execute("INSERT INTO t VALUES(11, '')", ()).unwrap();
    assert_eq!(count(), Ok(10), "a snapshot stays");
    drop(held);
    assert_eq!(count(), Ok(11));
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    reader.busy_timeout(std::time::Duration::ZERO).unwrap();
    let busy = reader.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(busy.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    writer.execute_batch("COMMIT").unwrap();
    reader.execute_batch("BEGIN IMMEDIATE; COMMIT").unwrap();
}

#[test]
fn a_full_disk_is_told_and_ends() {
    for trouble in [Trouble::Full, Trouble::FullHalfway] {
        let disk = Disk::new();
        work(&disk, "FULL", 10);
        let store = open(&disk);
        for after in 0..3 {
            disk.trouble(Some((trouble, after)), true);
            let insert = "INSERT INTO t VALUES(NULL, randomblob(9000))";
            let full = store.execute(insert, ()).unwrap_err();
            assert_eq!(full.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull), "{after}");
        }
        assert_eq!(disk.failed(), 3, "SQLite gives up at the first");
        disk.trouble(None, false);
        store.execute("INSERT INTO t VALUES(NULL, '')", ()).unwrap();
        assert_eq!(survivors(&disk.contents()), Ok(11));
    }
}

#[test]
fn a_write_that_fails_is_told() {
    let disk = Disk::new();
    work(&disk, "FULL", 10);
    let store = open(&disk);
    disk.trouble(Some((Trouble::WriteFails, 1)), false);
    let failed = store.execute("INSERT INTO t VALUES(NULL, randomblob(9000))", ()).unwrap_err();
    let extended = failed.sqlite_error().unwrap().extended_code;
    assert_eq!(extended, rusqlite::ffi::SQLITE_IOERR_WRITE);
    assert_eq!(survivors(&disk.contents()), Ok(10));
}

#[test]
fn a_sync_that_fails_is_told() {
    let disk = Disk::new();
    work(&disk, "FULL", 10);
    let store = open(&disk);
    store.execute_batch("PRAGMA synchronous=FULL").unwrap();
    disk.trouble(Some((Trouble::SyncFails, 0)), false);
    let failed = store.execute("INSERT INTO t VALUES(NULL, '')", ()).unwrap_err();
    let extended = failed.sqlite_error().unwrap().extended_code;
    assert_eq!(extended, rusqlite::ffi::SQLITE_IOERR_FSYNC);
}
