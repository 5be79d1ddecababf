//! A process of a program: how it is started, watched and killed.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};

use super::Program;

/// A process, from before its start until after its end.
#[derive(Default)]
pub(crate) struct Running(Mutex<Life>);

#[derive(Clone, Copy, Default)]
enum Life {
    #[default]
    Unborn,
    /// It is to be killed as soon as it lives.
    Doomed,
    Lives(Pid),
    /// It is not there any more, and its number may be somebody else's.
    Over,
}

impl Running {
    fn life(&self) -> MutexGuard<'_, Life> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the program; returns our end of its socket, which it has as its standard input.
    pub(crate) fn start(&self, program: &Program, output: Stdio) -> io::Result<(Pid, UnixStream)> {
        let (ours, its) = UnixStream::pair()?;
        let mut command = program.command();
        command.stdin(Stdio::from(OwnedFd::from(its))).stdout(output);
        // A group of its own: it is killed with all that it has started, and a signal from the terminal
        // is for the engine alone.
        let child = command.process_group(0).spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("it has no number"))?;
        let mut life = self.life();
        if matches!(*life, Life::Doomed) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        *life = Life::Lives(pid);
        Ok((pid, ours))
    }

    /// Waits for its end; says how it ended.
    pub(crate) fn wait(&self, pid: Pid) -> String {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        let mut life = self.life();
        // Until it is waited for, no other process has its number.
        let _ = kill_process_group(pid, Signal::KILL);
        let status = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED).ok().flatten();
        *life = Life::Over;
        status.map_or_else(|| "it ended".to_owned(), |it| in_words(&it))
    }

    pub(crate) fn kill(&self) {
        let mut life = self.life();
        match *life {
            Life::Lives(pid) => drop(kill_process_group(pid, Signal::KILL)),
            Life::Unborn => *life = Life::Doomed,
            Life::Doomed | Life::Over => {}
        }
    }

    /// Its number, while it lives.
    pub(crate) fn pid(&self) -> Option<u32> {
        match *self.life() {
            Life::Lives(pid) => Some(pid.as_raw_nonzero().get().unsigned_abs()),
            _ => None,
        }
    }
}

fn in_words(status: &WaitIdStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => format!("it ended with status {status}"),
        (_, Some(signal)) => format!("it was killed by signal {signal}"),
        _ => "it ended".to_owned(),
    }
}
