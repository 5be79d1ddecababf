//! The end of the socket that a process has.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};

/// Takes the socket that is the standard input of a process which an engine has started.
pub(crate) fn take_socket() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr().map_err(|_| not_started())?;
    Ok(socket)
}

/// Has nothing but this socket lead to the engine: what reads from standard input finds nothing, and what
/// prints to standard output prints to standard error. From here on the end of the engine is the end of
/// this process.
pub(crate) fn close_standard(socket: &UnixStream) -> io::Result<()> {
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    end_with_engine(socket.try_clone()?)
}

/// Ends this process with the engine, whatever it does at that moment.
fn end_with_engine(socket: UnixStream) -> io::Result<()> {
    let watch = move || {
        loop {
            // Only the other end's close, which is told without being asked for.
            let mut watched = [PollFd::new(&socket, PollFlags::empty())];
            if matches!(poll(&mut watched, None), Ok(n) if n > 0) {
                break;
            }
        }
        // With all that the functions have started, if it is this worker's own group.
        if getpgrp() == getpid() {
            let _ = kill_current_process_group(Signal::KILL);
        }
        let _ = kill_process(getpid(), Signal::KILL);
    };
    let thread = thread::Builder::new().name("engine-watch".into()).stack_size(64 << 10);
    thread.spawn(watch).map(drop)
}

/// The beginning of a text that has so many bytes at most.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

pub(crate) fn not_started() -> io::Error {
    io::Error::other("this process is started by the engine, not by hand")
}
