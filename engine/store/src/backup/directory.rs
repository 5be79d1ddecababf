//! The directory of a backup: made under another name, and given its own once it is whole.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::about::{self, About};
use super::{BackupError, Copied, Copying};
use crate::StoreError;

/// What a backup leaves of the room where it is written: one per cent of that, and 512 MiB at most. An engine
/// that has its store there keeps so much for its deliveries.
const LEFT: u64 = 512 * 1024 * 1024;
const STORE: &str = "store.db";
const LOCK: &str = "lock";

/// A backup that is being made. Dropped, it leaves nothing.
pub struct Backup {
    place: Place,
    made_at: u64,
    is_whole: bool,
    _lock: File,
}

/// Where a backup is made, and how much room it leaves there.
#[derive(Clone, Debug)]
pub struct Place {
    part: PathBuf,
    to: PathBuf,
    /// Bytes that stay free, at least.
    least: u64,
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where.
    pub at: PathBuf,
    /// What is known of it.
    pub about: About,
}

impl Backup {
    /// Begins a backup of the data in a directory, which is to have this name. What an interrupted one has
    /// left is removed. Everything but the store is copied at once: of the store and what else connections
    /// remember, the store has to be the newer one, or what they take for done could be missing there.
    ///
    /// `least` bytes stay free if the data is on the same file system, and on any what an engine would keep.
    ///
    /// # Errors
    ///
    /// [`BackupError`]: the name is taken, or the place cannot be used.
    pub fn begin(data: &Path, to: &Path, made_at: u64, least: u64) -> Result<Backup, BackupError> {
        let to = std::path::absolute(to).map_err(|error| failed(to, &error))?;
        let (Some(above), Some(name)) = (to.parent(), to.file_name()) else {
            return Err(BackupError::Place(format!("{}: no backup can be there", to.display())));
        };
        if to.symlink_metadata().is_ok() {
            return Err(BackupError::Place(format!("{}: it is there already", to.display())));
        }
        let data = std::path::absolute(data).map_err(|error| failed(data, &error))?;
        if to.starts_with(&data) {
            let why = "a backup cannot be among what it is made of";
            return Err(BackupError::Place(format!("{}: {why}", to.display())));
        }
        let hidden = format!(".{}.part", name.to_string_lossy());
        let part = above.join(hidden);
        let lock = take(&part)?;
        let least = if is_beside(&data, &part) { least } else { 0 };
        let place = Place { part, to, least };
        let backup = Backup { place, made_at, is_whole: false, _lock: lock };
        backup.empty()?;
        let size = fs::metadata(data.join(STORE)).map_or(0, |it| it.len());
        backup.place.has_room(size + size_beside(&data))?;
        copy_beside(&data, &backup.place.part)?;
        Ok(backup)
    }

    /// Where it is made.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Makes everything durable once the store is copied, and gives the backup its name.
    ///
    /// # Errors
    ///
    /// [`BackupError`]: there is no backup.
    pub fn finish(mut self, copied: Copied) -> Result<Made, BackupError> {
        let made = self.complete(copied).map_err(|error| failed(&self.place.part, &error))?;
        self.is_whole = true;
        Ok(made)
    }

    fn complete(&self, copied: Copied) -> io::Result<Made> {
        let Place { part, to, .. } = &self.place;
        let store = self.place.store();
        File::open(&store)?.sync_all()?;
        let sha256 = about::digest(&store)?;
        let about = About { made_at: self.made_at, bytes: copied.bytes, sha256 };
        let mut file = File::create_new(part.join(about::FILE))?;
        file.write_all(about.text().as_bytes())?;
        file.sync_all()?;
        fs::remove_file(part.join(LOCK))?;
        File::open(part)?.sync_all()?;
        fs::rename(part, to)?;
        File::open(to.parent().unwrap_or(to))?.sync_all()?;
        Ok(Made { at: to.clone(), about })
    }

    /// Removes what an interrupted backup has left.
    fn empty(&self) -> Result<(), BackupError> {
        let emptied = (|| {
            for entry in fs::read_dir(&self.place.part)? {
                let entry = entry?;
                match entry.file_type()?.is_dir() {
                    true => fs::remove_dir_all(entry.path())?,
                    false if entry.file_name() == LOCK => {}
                    false => fs::remove_file(entry.path())?,
                }
            }
            Ok(())
        })();
        emptied.map_err(|error| failed(&self.place.part, &error))
    }
}

impl Place {
    /// Where the store has to be copied to.
    pub fn store(&self) -> PathBuf {
        self.part.join(STORE)
    }

    /// Whether what is left to copy finds room.
    ///
    /// # Errors
    ///
    /// [`BackupError::Full`]: it does not.
    pub fn goes_on(&self, copying: Copying) -> Result<(), BackupError> {
        self.has_room(copying.total.saturating_sub(copying.copied))
    }

    fn has_room(&self, needed: u64) -> Result<(), BackupError> {
        let Some(room) = crate::sqlite::room(&self.part) else { return Ok(()) };
        let left = self.least.max(LEFT.min(room.size / 100));
        match needed.saturating_add(left) > room.free {
            true => Err(BackupError::Full(self.to.display().to_string())),
            false => Ok(()),
        }
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        if !self.is_whole {
            // What cannot be removed is removed by the next one of this name.
            let _ = fs::remove_dir_all(&self.place.part);
        }
    }
}

/// Makes the directory, and takes it: one backup of a name at a time.
fn take(part: &Path) -> Result<File, BackupError> {
    match DirBuilder::new().mode(0o700).create(part) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed(part, &error));
        }
        _ => {}
    }
    let path = part.join(LOCK);
    let lock = File::create(&path).map_err(|error| failed(&path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let why = "a backup of this name is being made";
            Err(BackupError::Place(format!("{}: {why}", part.display())))
        }
        Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
    }
}

fn is_beside(data: &Path, part: &Path) -> bool {
    let device = |path: &Path| path.metadata().map(|it| it.dev());
    matches!((device(data), device(part)), (Ok(one), Ok(other)) if one == other)
}

/// Files of the store, and what belongs to a running engine alone.
fn stays(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(STORE) || name == LOCK || name == about::FILE
}

/// Copies what else is in the data directory, but for sockets, which belong to a process.
fn copy_beside(from: &Path, to: &Path) -> Result<(), BackupError> {
    each_beside(from, true, &mut |entry, kind| {
        let target = to.join(entry.strip_prefix(from).unwrap_or(entry));
        if kind.is_dir() {
            return DirBuilder::new().mode(0o700).create(target);
        }
        fs::copy(entry, &target)?;
        File::open(target)?.sync_all()
    })
    .map_err(|(path, error)| failed(&path, &error))
}

fn size_beside(from: &Path) -> u64 {
    let mut size = 0;
    let _ = each_beside(from, true, &mut |entry, _| {
        size += entry.symlink_metadata().map_or(0, |it| it.size());
        Ok(())
    });
    size
}

fn each_beside(
    from: &Path,
    is_top: bool,
    each: &mut dyn FnMut(&Path, fs::FileType) -> io::Result<()>,
) -> Result<(), (PathBuf, io::Error)> {
    let here = |error| (from.to_owned(), error);
    for entry in fs::read_dir(from).map_err(here)? {
        let entry = entry.map_err(here)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(here)?);
        if is_top && stays(&entry.file_name()) || !kind.is_dir() && !kind.is_file() {
            continue;
        }
        match each(&path, kind) {
            // A file of a connection that was removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => continue,
            other => other.map_err(|error| (path.clone(), error))?,
        }
        if kind.is_dir() {
            each_beside(&path, false, each)?;
        }
    }
    Ok(())
}

pub(super) fn failed(path: &Path, error: &io::Error) -> BackupError {
    match crate::sqlite::io_failed(path, error) {
        StoreError::Full => BackupError::Full(path.display().to_string()),
        _ => BackupError::Place(format!("{}: {}", path.display(), error.kind())),
    }
}
