//! The data directory: one engine at a time, on a file system that keeps its promises.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use mllp_pipeline::Room;

use crate::error::StoreError;

/// The file systems whose locks and syncs another machine answers for, by the numbers of statfs(2):
/// NFS, SMB (three of them), 9P, AFS, Ceph, Coda, Lustre and GPFS.
const NETWORK: [i64; 11] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x0102_1997,
    0x5346_414F,
    0x6B41_4653,
    0x00C3_6400,
    0x7375_7245,
    0x0BD0_0BD0,
    0x4750_4653,
];

/// Room that a start needs, in bytes: for the tables, the numbers of a life, and the index of the log.
/// Less is seen before anything is touched.
const ROOM: u64 = 1024 * 1024;

/// How long a lock is tried. A process that this one has just begun to start holds it as well, until its
/// program runs.
const TRIED: Duration = Duration::from_millis(250);

/// Held by the engine that uses the directory; the system takes it back when the process ends.
/// Dropped before it is [kept](Lock::keep), it removes what was made since it was taken.
pub(super) struct Lock {
    /// Before the file, because fields are dropped in this order: nothing is removed under another
    /// engine that has the lock already.
    made: Made,
    #[cfg_attr(not(test), expect(dead_code, reason = "held, not read"))]
    file: File,
}

/// Files and directories that were not there before. Dropped, it removes them, the last one first.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Lock {
    /// What is there stays.
    pub(super) fn keep(&mut self) {
        self.made.0.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.0.drain(..).rev() {
            // Directories go only if they are empty. What cannot be removed does no harm.
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path));
        }
    }
}

/// Makes the directory if needed, and takes it for a store in these files, the database last.
pub(super) fn take(data: &Path, files: &[PathBuf]) -> Result<Lock, StoreError> {
    inspect(data)?;
    let mut made = Made::default();
    make(data, &mut made)?;
    let path = data.join("lock");
    let end = Instant::now() + TRIED;
    let file = loop {
        let (file, is_new) = open(&path)?;
        match file.try_lock() {
            // Its maker was refused and has removed it: the lock would exclude no other process.
            Ok(()) if !is_at(&file, &path) => {}
            Ok(()) => {
                // Only now: another engine may have opened and locked what was made here.
                made.0.extend(is_new.then(|| path.clone()));
                break file;
            }
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => return Err(failed(&path, &error)),
        }
    };
    // Beside a database that is there, its log is a part of it.
    if files.iter().all(|it| it.try_exists().is_ok_and(|it| !it)) {
        made.0.extend_from_slice(files);
    }
    Ok(Lock { made, file })
}

/// Whether a store may be here, as far as can be seen without touching anything.
fn inspect(data: &Path) -> Result<(), StoreError> {
    if data.exists() && !data.is_dir() {
        return Err(StoreError::Unavailable(format!("{} is not a directory", data.display())));
    }
    let whole = std::path::absolute(data).map_err(|error| failed(data, &error))?;
    // A directory that is not there yet will be on the file system of the one above it.
    let there = whole.ancestors().find(|it| it.exists()).unwrap_or(&whole);
    let system = rustix::fs::statfs(there).map_err(|error| failed(there, &error.into()))?;
    if is_network(system.f_type as i64) {
        return Err(StoreError::NetworkFileSystem);
    }
    match room(there) {
        Some(room) if room.free < ROOM => Err(StoreError::Full),
        _ => Ok(()),
    }
}

/// The room on the file system of this path, as far as it says.
pub(crate) fn room(path: &Path) -> Option<Room> {
    let system = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(system.f_frsize);
    let (free, size) = (bytes(system.f_bavail), bytes(system.f_blocks));
    // A file system that does not count its blocks does not know its room either.
    (size > 0).then_some(Room { free, size })
}

fn is_network(kind: i64) -> bool {
    NETWORK.contains(&(kind & 0xFFFF_FFFF))
}

fn make(data: &Path, made: &mut Made) -> Result<(), StoreError> {
    let missing: Vec<_> =
        data.ancestors().take_while(|it| !it.as_os_str().is_empty() && !it.exists()).collect();
    for directory in missing.into_iter().rev() {
        match std::fs::create_dir(directory) {
            Ok(()) => made.0.push(directory.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(directory, &error)),
        }
    }
    Ok(())
}

/// Opens the lock; whether it was not there before.
fn open(path: &Path) -> Result<(File, bool), StoreError> {
    let mut options = File::options();
    let opened = match options.write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            File::options().write(true).open(path).map(|file| (file, false))
        }
        made => made.map(|file| (file, true)),
    };
    opened.map_err(|error| failed(path, &error))
}

fn is_at(file: &File, path: &Path) -> bool {
    let same =
        |one: Metadata, other: Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    file.metadata().and_then(|one| Ok(same(one, path.metadata()?))).unwrap_or(false)
}

/// Makes the names of the files in the directory durable.
pub(super) fn sync(data: &Path) -> Result<(), StoreError> {
    let synced = File::open(data).and_then(|directory| directory.sync_all());
    synced.map_err(|error| StoreError::SyncFailed(error.kind().to_string()))
}

pub(crate) fn failed(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        kind => StoreError::Unavailable(format!("{}: {kind}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are the kernel's own, which its header names; no machine of a test has all of
    /// these file systems.
    #[test]
    fn a_network_file_system_is_known_by_its_number() {
        for network in NETWORK {
            assert!(is_network(network));
            // As a machine with 32 bits, where the number is negative, tells it.
            assert!(is_network(i64::from(network as i32)));
        }
        let Ok(header) = std::fs::read_to_string("/usr/include/linux/magic.h") else { return };
        let theirs = ["NFS", "SMB", "CIFS", "SMB2", "V9FS", "AFS", "AFS_FS", "CEPH", "CODA"];
        let mut seen = 0;
        for line in header.lines() {
            let mut words = line.split_whitespace().skip(1);
            let (Some(name), Some(number)) = (words.next(), words.next()) else { continue };
            let number = number.strip_prefix("0x").map(|it| i64::from_str_radix(it, 16));
            let Some(Ok(number)) = number else { continue };
            let bare = name.trim_end_matches("_MAGIC").trim_end_matches("_NUMBER");
            let bare = bare.trim_end_matches("_MAGIC").trim_end_matches("_SUPER");
            assert_eq!(is_network(number), theirs.contains(&bare), "{name} {number:#x}");
            seen += usize::from(is_network(number));
        }
        assert!(seen > 4, "{seen}");
    }

    /// As if a process were being started, which has every file of this one until its program runs.
    #[test]
    fn a_lock_that_is_held_for_a_moment_is_waited_for() {
        let home = tempfile::TempDir::new().unwrap();
        let mut lock = take(home.path(), &[]).unwrap();
        lock.keep();
        let started = lock.file.try_clone().unwrap();
        drop(lock);
        assert_eq!(take(home.path(), &[]).err(), Some(StoreError::InUse));
        let (begins, begun) = std::sync::mpsc::channel();
        let ends = thread::spawn(move || {
            begun.recv().unwrap();
            drop(started);
        });
        begins.send(()).unwrap();
        let taken = take(home.path(), &[]);
        ends.join().unwrap();
        assert!(taken.is_ok());
    }

    #[test]
    fn what_was_made_goes_again_unless_it_is_kept() {
        let home = tempfile::TempDir::new().unwrap();
        let data = home.path().join("a/b");
        let file = data.join("store.db");
        let lock = take(&data, std::slice::from_ref(&file)).unwrap();
        std::fs::write(&file, b"half").unwrap();
        drop(lock);
        assert!(!home.path().join("a").exists());
        let mut lock = take(&data, std::slice::from_ref(&file)).unwrap();
        std::fs::write(&file, b"whole").unwrap();
        lock.keep();
        drop(lock);
        drop(take(&data, std::slice::from_ref(&file)).unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"whole");
        // What a migration has committed may stand in the log alone.
        let log = data.join("store.db-wal");
        let lock = take(&data, &[log.clone(), file.clone()]).unwrap();
        std::fs::write(&log, b"migrated").unwrap();
        drop(lock);
        assert_eq!(std::fs::read(&log).unwrap(), b"migrated");
        assert!(data.join("lock").exists());
    }
}
