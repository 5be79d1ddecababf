//! A worker's process: how it is started, watched and killed.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};

use super::WorkerProgram;
use super::protocol::Mark;
use super::supervisor::Marked;

/// What can be said of a worker from other threads than the one that speaks with it.
#[derive(Default)]
pub(super) struct Started {
    life: Mutex<Life>,
    /// The batch that it was given last.
    batch: AtomicU64,
    /// The place in its piece of each message of that batch.
    places: Mutex<Vec<usize>>,
    waits: AtomicBool,
}

#[derive(Default)]
enum Life {
    #[default]
    Unborn,
    /// It is to be killed as soon as it lives.
    Doomed,
    Lives {
        pid: Pid,
        mark: File,
    },
    /// It is not there any more, and its number may be somebody else's.
    Over {
        mark: File,
    },
}

impl Started {
    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the program; returns our end of its socket.
    pub(super) fn start(&self, program: &WorkerProgram) -> io::Result<(Pid, UnixStream)> {
        let (ours, its) = UnixStream::pair()?;
        let mark = mark_file()?;
        let mut command = program.command();
        command.stdin(Stdio::from(OwnedFd::from(its)));
        command.stdout(Stdio::from(mark.try_clone()?));
        // A group of its own: it is killed with all that its functions have started, and a signal from
        // the terminal is for the engine alone.
        let child = command.process_group(0).spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("it has no number"))?;
        let mut life = self.life();
        if matches!(*life, Life::Doomed) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        *life = Life::Lives { pid, mark };
        Ok((pid, ours))
    }

    /// Waits for its end; says how it ended.
    pub(super) fn wait(&self, pid: Pid) -> String {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        let mut life = self.life();
        // Until it is waited for, no other process has its number.
        let _ = kill_process_group(pid, Signal::KILL);
        let status = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED).ok().flatten();
        if let Life::Lives { mark, .. } = std::mem::take(&mut *life) {
            *life = Life::Over { mark };
        }
        status.map_or_else(|| "it ended".to_owned(), |it| in_words(&it))
    }

    pub(super) fn kill(&self) {
        let mut life = self.life();
        match &*life {
            Life::Lives { pid, .. } => drop(kill_process_group(*pid, Signal::KILL)),
            Life::Unborn => *life = Life::Doomed,
            Life::Doomed | Life::Over { .. } => {}
        }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        match &*self.life() {
            Life::Lives { pid, .. } => Some(pid.as_raw_nonzero().get().unsigned_abs()),
            _ => None,
        }
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
        let read = match &*self.life() {
            Life::Lives { mark, .. } | Life::Over { mark } => mark.read_exact_at(&mut bytes, 0),
            _ => return Marked::default(),
        };
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

fn in_words(status: &WaitIdStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => format!("it ended with status {status}"),
        (_, Some(signal)) => format!("it was killed by signal {signal}"),
        _ => "it ended".to_owned(),
    }
}
