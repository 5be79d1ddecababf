//! What the engine has said to a process, until its code wants to know.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mllp_io::Submitted;

use super::protocol::{DeliveryFrame, FromChild, FromEngine};
use crate::program::{Incoming, Outgoing, broken};

/// The process's end of the socket.
pub(super) struct Line {
    socket: Mutex<UnixStream>,
    inbox: Mutex<Inbox>,
    arrived: Condvar,
}

/// What has come.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) ending: bool,
    pub(super) paused: bool,
    /// The engine says nothing more.
    pub(super) gone: bool,
    /// A message is being submitted.
    pub(super) submitting: bool,
    pub(super) submitted: Option<Submitted>,
    pub(super) deliveries: VecDeque<Arrived>,
    /// Pieces that were asked for, by their deliveries; `None`: not to be read.
    pub(super) pieces: HashMap<u64, Option<Arc<[u8]>>>,
}

/// A delivery that has come.
pub(super) struct Arrived {
    pub(super) number: u64,
    pub(super) message: u64,
    pub(super) attempt: u32,
    pub(super) control_id: Box<[u8]>,
    pub(super) len: u64,
    pub(super) payload: Arc<[u8]>,
}

impl Line {
    pub(super) fn new(socket: UnixStream) -> Line {
        let (socket, inbox) = (Mutex::new(socket), Mutex::default());
        Line { socket, inbox, arrived: Condvar::new() }
    }

    pub(super) fn say(&self, said: &FromChild<'_>) -> io::Result<()> {
        let mut out = Outgoing::default();
        said.write(&mut out);
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.write_all(&out.bytes)
    }

    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is there.
    pub(super) fn wait<T>(&self, mut find: impl FnMut(&mut Inbox) -> Option<T>) -> T {
        let mut inbox = self.inbox();
        loop {
            if let Some(found) = find(&mut inbox) {
                return found;
            }
            inbox = self.arrived.wait(inbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same, for so long at most.
    pub(super) fn wait_for<T>(
        &self,
        time: Duration,
        mut find: impl FnMut(&mut Inbox) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now().checked_add(time);
        let Some(end) = end else { return Some(self.wait(find)) };
        let mut inbox = self.inbox();
        loop {
            if let Some(found) = find(&mut inbox) {
                return Some(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.arrived.wait_timeout(inbox, left);
            inbox = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Changes the inbox, and has those who wait look into it.
    pub(super) fn change(&self, change: impl FnOnce(&mut Inbox)) {
        change(&mut self.inbox());
        self.arrived.notify_all();
    }

    /// Takes what the engine says, until it says nothing more.
    pub(super) fn listen(&self, mut incoming: Incoming<UnixStream>) {
        while let Ok(Some(frame)) = incoming.next() {
            if self.take(FromEngine::parse(frame)).is_err() {
                break;
            }
        }
        self.change(|inbox| inbox.gone = true);
    }

    fn take(&self, said: Option<FromEngine<'_>>) -> io::Result<()> {
        let said = said.ok_or_else(broken)?;
        self.change(|inbox| match said {
            FromEngine::Welcome { .. } => {}
            FromEngine::Paused(paused) => inbox.paused = paused,
            FromEngine::Submitted(submitted) => inbox.submitted = Some(submitted),
            FromEngine::Deliver(it) => {
                let DeliveryFrame { number, message, attempt, control_id, len, payload } = it;
                inbox.deliveries.push_back(Arrived {
                    number,
                    message,
                    attempt,
                    control_id: control_id.into(),
                    len,
                    payload: payload.0.into(),
                });
            }
            FromEngine::Piece(number, bytes) => {
                inbox.pieces.insert(number, Some(bytes.0.into()));
            }
            FromEngine::Unreadable(number) => drop(inbox.pieces.insert(number, None)),
            FromEngine::End => inbox.ending = true,
        });
        Ok(())
    }
}

/// The engine is gone, and this process ends with it.
pub(super) fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the engine has ended")
}
