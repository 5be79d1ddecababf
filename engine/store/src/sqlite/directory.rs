//! The data directory: one engine at a time, on a file system that keeps its promises.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::contract::StoreError;

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

/// Held by the engine that uses the directory; the system takes it back when the process ends.
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

/// Makes the directory if needed, and takes it.
pub(super) fn take(data: &Path) -> Result<Lock, StoreError> {
    std::fs::create_dir_all(data).map_err(failed)?;
    let kind = rustix::fs::statfs(data).map_err(|error| failed(error.into()))?.f_type;
    if NETWORK.contains(&(kind as i64 & 0xFFFF_FFFF)) {
        return Err(StoreError::NetworkFileSystem);
    }
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(false).open(data.join("lock"));
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Makes the names of the files in the directory durable.
pub(super) fn sync(data: &Path) -> Result<(), StoreError> {
    let synced = File::open(data).and_then(|directory| directory.sync_all());
    synced.map_err(|error| StoreError::SyncFailed(error.kind().to_string()))
}

fn failed(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        kind => StoreError::Unavailable(kind.to_string()),
    }
}
