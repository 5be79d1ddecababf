//! The end of the socket that a connector's process has.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mllp_io::{CHUNK, Submitted};

use super::delivery::Delivery;
use super::inbox::{Line, gone};
use super::protocol::{FromChild, FromEngine, VERSION};
use crate::program::{Incoming, Payload, broken, close_standard, cut, take_socket};

/// The longest reason, and the longest line of the log, in bytes.
const REASON: usize = 16 << 10;
const LINE: usize = 1 << 10;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Somebody has to do something.
    Error,
    /// Somebody should look.
    Warn,
    /// A change of state.
    Info,
    /// For who looks for a cause.
    Debug,
}

/// The end of the socket to the engine that the process of a connector has. See
/// [the module](crate::connector). It may be used by many threads.
pub struct Child {
    line: Arc<Line>,
    connection: String,
    is_inbound: bool,
}

impl Child {
    /// Takes standard input, which the engine has prepared, and standard output. What reads from
    /// standard input after this finds nothing, and what prints to standard output prints to standard
    /// error, which is dropped unless the program was [told](crate::Program::with_output) to show it.
    /// From here on the end of the engine is the end of this process.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: this process was not started by an engine as a connector, or has no more
    /// descriptors or threads.
    pub fn take() -> io::Result<Child> {
        let socket = take_socket()?;
        close_standard(&socket)?;
        Child::on(socket)
    }

    fn on(socket: UnixStream) -> io::Result<Child> {
        let mut incoming = Incoming::new(socket.try_clone()?);
        let welcome = incoming.next()?.and_then(FromEngine::parse);
        let Some(FromEngine::Welcome { version: VERSION, is_inbound, connection }) = welcome else {
            return Err(broken());
        };
        let connection = connection.to_owned();
        let line = Arc::new(Line::new(socket));
        let listens = Arc::clone(&line);
        let thread = thread::Builder::new().name("engine-listen".into());
        thread.spawn(move || listens.listen(incoming))?;
        Ok(Child { line, connection, is_inbound })
    }

    /// The name of the inbound or outbound.
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// Whether it is an inbound.
    pub const fn is_inbound(&self) -> bool {
        self.is_inbound
    }

    /// Says that the process works: within a minute, or it is killed.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone. So of the other functions.
    pub fn hello(&self) -> io::Result<()> {
        self.line.say(&FromChild::Hello(VERSION))
    }

    /// Says that it cannot work, and why: in a text that the status of the engine shows, without
    /// anything that a message holds. The process should then end; another one is started after a
    /// while. Longer than 16 KiB, it is cut.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone.
    pub fn refuse(&self, why: &str) -> io::Result<()> {
        self.line.say(&FromChild::Refusal(cut(why, REASON)))
    }

    /// Has the engine write a line of its log, with the name of the connection. The text holds nothing
    /// of a payload; longer than 1 KiB, it is cut.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone.
    pub fn note(&self, level: Level, text: &str) -> io::Result<()> {
        let level = match level {
            Level::Error => 0,
            Level::Warn => 1,
            Level::Info => 2,
            Level::Debug => 3,
        };
        self.line.say(&FromChild::Note(level, cut(text, LINE)))
    }

    /// Whether the engine wants this process to end.
    pub fn is_ending(&self) -> bool {
        let inbox = self.line.inbox();
        inbox.ending || inbox.gone
    }

    /// Whether a message that is submitted now waits: its inbound is paused, or full.
    pub fn is_paused(&self) -> bool {
        self.line.inbox().paused
    }

    /// Waits so long, or until the engine wants this process to end: false.
    pub fn wait(&self, time: Duration) -> bool {
        self.line.wait_for(time, |it| (it.ending || it.gone).then_some(())).is_none()
    }

    /// Submits a message, and waits until the engine has committed it, or says that it will not.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone, or this is no inbound's process.
    pub fn submit(&self, payload: &[u8]) -> io::Result<Submitted> {
        let mut submission = self.submission()?;
        submission.part(payload)?;
        submission.end()
    }

    /// Submits a message in parts, so that it need not lie in memory whole. Another one waits until
    /// this one has ended.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone, or this is no inbound's process.
    pub fn submission(&self) -> io::Result<Submission<'_>> {
        if !self.is_inbound {
            return Err(io::Error::other("an outbound submits nothing"));
        }
        self.line.wait(|inbox| match inbox.submitting {
            _ if inbox.gone => Some(Err(gone())),
            true => None,
            false => {
                inbox.submitting = true;
                inbox.submitted = None;
                Some(Ok(()))
            }
        })?;
        Ok(Submission { line: &self.line, is_over: false })
    }

    /// Says that the partner of an outbound can be reached: deliveries come from now on.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone, or this is no outbound's process.
    pub fn ready(&self) -> io::Result<()> {
        self.is_outbound()?;
        self.line.say(&FromChild::Ready)
    }

    /// Says that it cannot, and why: deliveries wait.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone, or this is no outbound's process.
    pub fn not_ready(&self, why: &str) -> io::Result<()> {
        self.is_outbound()?;
        self.line.say(&FromChild::NotReady(cut(why, REASON)))
    }

    /// Waits for the next delivery. `None`: the engine wants this process to end.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: this is no outbound's process.
    pub fn next_delivery(&self) -> io::Result<Option<Delivery>> {
        self.is_outbound()?;
        let arrived = self.line.wait(|inbox| match inbox.deliveries.pop_front() {
            Some(arrived) => Some(Some(arrived)),
            None => (inbox.ending || inbox.gone).then_some(None),
        });
        Ok(arrived.map(|it| Delivery::new(Arc::clone(&self.line), it)))
    }

    fn is_outbound(&self) -> io::Result<()> {
        match self.is_inbound {
            true => Err(io::Error::other("an inbound delivers nothing")),
            false => Ok(()),
        }
    }
}

/// A message that is being submitted. Dropped before its [end](Submission::end), nothing of it is
/// stored.
pub struct Submission<'a> {
    line: &'a Line,
    is_over: bool,
}

impl Submission<'_> {
    /// Adds bytes. Waits while the engine is slower than they come.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone.
    pub fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.chunks(CHUNK).try_for_each(|part| self.line.say(&FromChild::Part(Payload(part))))
    }

    /// Waits until the engine has committed the message, or says that it will not.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine is gone.
    pub fn end(mut self) -> io::Result<Submitted> {
        self.line.say(&FromChild::Submit)?;
        self.is_over = true;
        self.line.wait(|inbox| match inbox.submitted.take() {
            Some(submitted) => Some(Ok(submitted)),
            None => inbox.gone.then(|| Err(gone())),
        })
    }
}

impl Drop for Submission<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.line.say(&FromChild::GiveUp);
        }
        self.line.change(|inbox| inbox.submitting = false);
    }
}
