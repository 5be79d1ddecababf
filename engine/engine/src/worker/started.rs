//! A worker's process, and where it is in its batch.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::Pid;

use super::protocol::Mark;
use super::supervisor::Marked;
use crate::program::{Program, Running};

/// What can be said of a worker from other threads than the one that speaks with it.
#[derive(Default)]
pub(super) struct Started {
    running: Running,
    /// It outlives the process.
    mark: OnceLock<File>,
    /// The batch that it was given last.
    batch: AtomicU64,
    /// The place in its piece of each message of that batch.
    places: Mutex<Vec<usize>>,
    waits: AtomicBool,
}

impl Started {
    /// Starts the program; returns our end of its socket.
    pub(super) fn start(&self, program: &Program) -> io::Result<(Pid, UnixStream)> {
        let mark = mark_file()?;
        let output = Stdio::from(mark.try_clone()?);
        // Told before there is a process, which is started once.
        let _ = self.mark.set(mark);
        self.running.start(program, output)
    }

    /// Waits for its end; says how it ended.
    pub(super) fn wait(&self, pid: Pid) -> String {
        self.running.wait(pid)
    }

    pub(super) fn kill(&self) {
        self.running.kill();
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.running.pid()
    }

    /// It gets its next batch, of messages with these places in their piece. Returns the batch.
    pub(super) fn begin(&self, places: &[usize]) -> u64 {
        let mut its = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.clone_into(&mut its);
        self.batch.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Where it is in its piece.
    pub(super) fn mark(&self) -> Marked {
        let mut bytes = [0; 8];
        let Some(file) = self.mark.get() else { return Marked::default() };
        let read = file.read_exact_at(&mut bytes, 0);
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (mark, batch) = (Mark::of(bytes), self.batch.load(Ordering::Relaxed));
        let is_now = read.is_ok() && mark.batch == batch as u32;
        let index = is_now.then(|| places.get(mark.index as usize).copied()).flatten();
        let waits = self.waits.load(Ordering::Relaxed);
        Marked { index, returned: index.is_some() && mark.returned, waits }
    }

    /// Whether it waits for us.
    pub(super) fn set_waits(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// Bytes of memory that it holds; 0 where that cannot be said.
    pub(super) fn memory(&self) -> u64 {
        let Some(pid) = self.pid() else { return 0 };
        let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
        let pages = statm.split(' ').nth(1).and_then(|it| it.parse::<u64>().ok());
        pages.unwrap_or(0) * rustix::param::page_size() as u64
    }
}

/// A file without a name.
#[cfg(target_os = "linux")]
fn mark_file() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(memfd_create("fastmllp-mark", MemfdFlags::CLOEXEC)?.into())
}

/// A file without a name.
#[cfg(not(target_os = "linux"))]
fn mark_file() -> io::Result<File> {
    tempfile::tempfile()
}
