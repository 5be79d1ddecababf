//! One message that a router or a handler is to be run on, as the worker sees it.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{Pid, Signal, getpid, kill_process};

use super::Function;
use super::protocol::{FromEngine, FromWorker, Incoming, Outgoing, broken};

/// A router or a handler to run on one message. Clones are the same call; they may go to other threads.
#[derive(Clone)]
pub struct Call(Arc<Inner>);

pub(super) struct Inner {
    pub(super) line: Arc<Line>,
    pub(super) place: Place,
    pub(super) function: Function,
    pub(super) inbound: Arc<str>,
    pub(super) number: u64,
    pub(super) received: u64,
    pub(super) hops: u8,
    pub(super) len: u64,
    pub(super) beginning: Box<[u8]>,
    /// All of it, once it was asked for; `None`: it could not be read.
    pub(super) whole: OnceLock<Option<Box<[u8]>>>,
}

/// A message of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) batch: u64,
    pub(super) index: u32,
}

impl Place {
    /// Unlike that of any other message of this worker, and not 0.
    const fn number(self) -> u64 {
        (self.batch << 24 | self.index as u64) + 1
    }
}

impl Call {
    pub(super) fn new(inner: Inner) -> Call {
        Call(Arc::new(inner))
    }

    pub(super) fn place(&self) -> Place {
        self.0.place
    }

    /// What is to be run.
    pub fn function(&self) -> Function {
        self.0.function
    }

    /// The name of the inbound that received the message.
    pub fn inbound(&self) -> &str {
        &self.0.inbound
    }

    /// The number of the message.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// When it was received, by the wall clock: milliseconds since 1970 in UTC. The same each time that
    /// the function is called with it.
    pub fn received(&self) -> u64 {
        self.0.received
    }

    /// How many handlers have sent it on to a handler before.
    pub fn hops(&self) -> u8 {
        self.0.hops
    }

    /// Length of the message in bytes.
    pub fn len(&self) -> u64 {
        self.0.len
    }

    /// Whether the message has no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Its first bytes: all of them, unless it is longer than 64 KiB.
    pub fn beginning(&self) -> &[u8] {
        &self.0.beginning
    }

    /// All of its bytes. The rest of a large message is fetched from the engine at the first call, which
    /// blocks until it is here: release locks that other threads need.
    ///
    /// # Errors
    ///
    /// [`NotReadable`]: the store cannot be read now, or the call was answered before. In the first case
    /// the engine uses no answer to this call, and makes it again later.
    pub fn payload(&self) -> Result<&[u8], NotReadable> {
        let Inner { beginning, len, whole, line, .. } = &*self.0;
        if beginning.len() as u64 == *len {
            return Ok(beginning);
        }
        whole.get_or_init(|| line.fetch(&self.0)).as_deref().ok_or(NotReadable)
    }
}

// The bytes are health data: they stay out of logs and tracebacks.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { function, inbound, number, len, .. } = &*self.0;
        write!(f, "Call({function:?}, message {number} of {inbound}, {len} bytes)")
    }
}

/// The rest of a message cannot be read: see [`Call::payload`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotReadable;

impl fmt::Display for NotReadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rest of the message cannot be read now")
    }
}

impl std::error::Error for NotReadable {}

/// The socket to the engine.
pub(super) struct Line {
    /// The worker itself, not a copy of it that a function has forked.
    worker: Pid,
    ends: Mutex<Ends>,
    /// The message whose function runs now. Not with the ends: they are locked for as long as the
    /// worker waits for its next call.
    current: AtomicU64,
}

pub(super) struct Ends {
    pub(super) incoming: Incoming<UnixStream>,
    socket: UnixStream,
}

impl Ends {
    /// Writes all of it, and gives back memory that a large one has taken.
    pub(super) fn write(&mut self, outgoing: &mut Outgoing) -> io::Result<()> {
        self.socket.write_all(&outgoing.bytes)?;
        outgoing.bytes.clear();
        outgoing.bytes.shrink_to(1 << 20);
        Ok(())
    }
}

impl Line {
    pub(super) fn new(socket: UnixStream) -> io::Result<Line> {
        let incoming = Incoming::new(socket.try_clone()?);
        let ends = Mutex::new(Ends { incoming, socket });
        Ok(Line { worker: getpid(), ends, current: AtomicU64::new(0) })
    }

    /// The ends of the socket. A copy of the worker that a function has forked, and that came back from
    /// the function as the worker itself does, ends here: it must not answer as well.
    pub(super) fn ends(&self) -> MutexGuard<'_, Ends> {
        if getpid() != self.worker {
            let _ = kill_process(getpid(), Signal::KILL);
        }
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_current(&self, place: Option<Place>) {
        self.current.store(place.map_or(0, Place::number), Ordering::Release);
    }

    /// All bytes of a large message; `None`: they cannot be had.
    fn fetch(&self, call: &Inner) -> Option<Box<[u8]>> {
        let is_current = || self.current.load(Ordering::Acquire) == call.place.number();
        if !is_current() {
            return None;
        }
        let mut ends = self.ends();
        if !is_current() {
            return None;
        }
        let fetched = ends.fetch(call);
        if fetched.is_err() {
            // Nothing can be said on this line any more.
            let _ = ends.socket.shutdown(std::net::Shutdown::Both);
        }
        fetched.ok().flatten()
    }
}

impl Ends {
    fn fetch(&mut self, call: &Inner) -> io::Result<Option<Box<[u8]>>> {
        let mut outgoing = Outgoing::default();
        outgoing.worker(&FromWorker::Rest(call.place.index));
        self.write(&mut outgoing)?;
        let mut all = call.beginning.to_vec();
        while (all.len() as u64) < call.len {
            match self.incoming.next()?.and_then(FromEngine::parse) {
                Some(FromEngine::Chunk(bytes)) => all.extend_from_slice(bytes.0),
                Some(FromEngine::Unreadable) => return Ok(None),
                _ => return Err(broken()),
            }
        }
        if all.len() as u64 == call.len { Ok(Some(all.into())) } else { Err(broken()) }
    }
}
