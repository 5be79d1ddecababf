//! The disk: its files, what was done to them, and what it is told to do wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::crash::Image;
use crate::locks::{FileLocks, SharedMemory};
use crate::vfs::Registration;

/// A file, whatever its name is. A name that is used again is a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub(crate) u64);

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file was made. Its name survives a crash after the next [`Step::SyncDirectory`].
    Create {
        /// The file.
        file: FileId,
        /// Its name.
        path: String,
    },
    /// A name was removed. It may come back until the next [`Step::SyncDirectory`].
    Delete {
        /// The name.
        path: String,
    },
    /// Bytes were written; they survive a crash after the next [`Step::Sync`] of the file.
    Write {
        /// The file.
        file: FileId,
        /// Where, in bytes.
        at: usize,
        /// What.
        bytes: Arc<[u8]>,
    },
    /// The file was cut or made longer.
    Truncate {
        /// The file.
        file: FileId,
        /// Its new length, in bytes.
        len: usize,
    },
    /// Everything written to the file is durable.
    Sync {
        /// The file.
        file: FileId,
    },
    /// Every name is as it is now, durably.
    SyncDirectory,
    /// The program has acknowledged something, and said so by this number.
    Mark(u64),
}

/// What a disk does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room for the write; nothing of it is written.
    Full,
    /// There is room for its first half.
    FullHalfway,
    /// A write fails for another reason; the first half of it is written.
    WriteFails,
    /// A sync fails. What was written is on the disk, or not.
    SyncFails,
}

impl Trouble {
    /// Whether a write runs into it; otherwise a sync does.
    const fn is_of_a_write(self) -> bool {
        !matches!(self, Trouble::SyncFails)
    }

    /// How much of a write is written.
    const fn written(self, len: usize) -> usize {
        match self {
            Trouble::FullHalfway | Trouble::WriteFails => len / 2,
            Trouble::Full | Trouble::SyncFails => 0,
        }
    }
}

/// A file system of SQLite's, in memory. It lives as long as one of its handles or connections.
#[derive(Clone)]
pub struct Disk {
    inner: Arc<Registration>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) names: BTreeMap<String, FileId>,
    pub(crate) files: BTreeMap<FileId, File>,
    pub(crate) log: Vec<Step>,
    next: u64,
    /// Writes or syncs from now on until the trouble, and whether it lasts.
    trouble: Option<(Trouble, u64, bool)>,
    /// Writes and syncs that have run into one.
    failed: u64,
    /// Syncs are said to be done and are not.
    lies: bool,
}

#[derive(Default)]
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    pub(crate) locks: FileLocks,
    pub(crate) memory: SharedMemory,
}

/// The state, shared by the handles and by SQLite's functions.
pub(crate) type SharedState = Arc<Mutex<State>>;

pub(crate) fn lock(state: &SharedState) -> MutexGuard<'_, State> {
    // No function of this crate leaves the state half changed when it panics.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Disk {
        Disk::from_image(&Image::default())
    }

    /// A disk with these files, all of them durable.
    pub fn from_image(image: &Image) -> Disk {
        let mut state = State::default();
        for (path, bytes) in &image.files {
            let file = state.create(path);
            state.files.entry(file).or_default().bytes = bytes.clone();
        }
        state.log.clear();
        Disk { inner: Arc::new(Registration::new(Arc::new(Mutex::new(state)))) }
    }

    /// The name of the VFS, for opening a database on it.
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// Puts an acknowledgment into the log: everything it stands for has to survive from here on.
    pub fn mark(&self, number: u64) {
        self.state().log.push(Step::Mark(number));
    }

    /// Makes the names of the files durable, as a program does after it has made its files.
    pub fn sync_directory(&self) {
        self.state().log.push(Step::SyncDirectory);
    }

    /// What was done since the last call.
    pub fn take_log(&self) -> Vec<Step> {
        std::mem::take(&mut self.state().log)
    }

    /// The files as they are now, synced or not.
    pub fn contents(&self) -> Image {
        let state = self.state();
        let bytes = |file| state.files.get(file).map_or_else(Vec::new, |it| it.bytes.clone());
        Image {
            files: state.names.iter().map(|(path, file)| (path.clone(), bytes(file))).collect(),
        }
    }

    /// Does something wrong at the `after`-th write or sync from now on, counted from 0, and at every
    /// later one if it `lasts`; `None` ends it.
    pub fn trouble(&self, trouble: Option<(Trouble, u64)>, lasts: bool) {
        self.state().trouble = trouble.map(|(trouble, after)| (trouble, after, lasts));
    }

    /// How many writes and syncs have gone wrong so far.
    pub fn failed(&self) -> u64 {
        self.state().failed
    }

    /// Says that syncs are done without doing them, as a disk with a volatile cache does. A test that
    /// finds nothing then finds nothing at all.
    pub fn lie_about_syncs(&self) {
        self.state().lies = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(self.inner.state())
    }
}

impl Default for Disk {
    fn default() -> Self {
        Disk::new()
    }
}

impl State {
    pub(crate) fn create(&mut self, path: &str) -> FileId {
        self.next += 1;
        let file = FileId(self.next);
        self.names.insert(path.to_owned(), file);
        self.files.insert(file, File::default());
        self.log.push(Step::Create { file, path: path.to_owned() });
        file
    }

    pub(crate) fn delete(&mut self, path: &str) -> bool {
        let known = self.names.remove(path).is_some();
        if known {
            self.log.push(Step::Delete { path: path.to_owned() });
        }
        known
    }

    /// Copies bytes out of a file; returns how many there were.
    pub(crate) fn read(&self, file: FileId, at: usize, out: &mut [u8]) -> usize {
        let bytes = self.files.get(&file).and_then(|it| it.bytes.get(at..)).unwrap_or_default();
        let len = bytes.len().min(out.len());
        out[..len].copy_from_slice(&bytes[..len]);
        len
    }

    /// Writes; returns what has gone wrong.
    pub(crate) fn write(&mut self, file: FileId, at: usize, bytes: &[u8]) -> Option<Trouble> {
        let trouble = self.troubled(Trouble::is_of_a_write);
        let bytes = &bytes[..trouble.map_or(bytes.len(), |it| it.written(bytes.len()))];
        if !bytes.is_empty() {
            put(&mut self.files.entry(file).or_default().bytes, at, bytes);
            self.log.push(Step::Write { file, at, bytes: bytes.into() });
        }
        trouble
    }

    pub(crate) fn truncate(&mut self, file: FileId, len: usize) {
        self.files.entry(file).or_default().bytes.resize(len, 0);
        self.log.push(Step::Truncate { file, len });
    }

    /// Syncs, and with a new journal its name; returns whether it went well.
    pub(crate) fn sync(&mut self, file: FileId, name_too: bool) -> bool {
        if self.troubled(|it| !it.is_of_a_write()).is_some() {
            return false;
        }
        if !self.lies {
            self.log.push(Step::Sync { file });
            if name_too {
                self.log.push(Step::SyncDirectory);
            }
        }
        true
    }

    fn troubled(&mut self, applies: impl Fn(Trouble) -> bool) -> Option<Trouble> {
        let (trouble, after, lasts) = self.trouble.filter(|(trouble, ..)| applies(*trouble))?;
        if after > 0 {
            self.trouble = Some((trouble, after - 1, lasts));
            return None;
        }
        if !lasts {
            self.trouble = None;
        }
        self.failed += 1;
        Some(trouble)
    }
}

/// Writes into a file's bytes, and fills a gap before them with zeros.
pub(crate) fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}
