//! What a process says: it is started here, heard, and waited for.

use std::io::{self, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream as Socket;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;

use mllp_io::{Feed, Submitted};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{oneshot, watch};

use super::host::ToHost;
use super::protocol::{FromChild, FromEngine, VERSION};
use super::supervisor::Fact;
use super::writing::{Out, write};
use crate::notices;
use crate::program::{Incoming, Program, Running, broken, cut};

/// The longest note and reason, in bytes.
const NOTE: usize = 256;
const REASON: usize = 16 << 10;

/// One process, as long as it lives.
pub(super) struct Reading {
    pub(super) connection: Arc<str>,
    pub(super) running: Arc<Running>,
    pub(super) host: UnboundedSender<ToHost>,
    pub(super) to_process: UnboundedSender<Out>,
    /// Of an inbound.
    pub(super) feed: Option<Feed>,
    /// Whether it is told to end.
    pub(super) ending: watch::Receiver<bool>,
}

/// Where a submission stands.
#[derive(Clone, Copy, PartialEq)]
enum Stand {
    /// Between two messages.
    Between,
    /// In one that is taken.
    Takes,
    /// In one that passes by: it began when the inbound was closed and the process was to end.
    PassesBy,
}

/// A socket that is read without waiting.
struct Socketed(OwnedReadHalf);

impl Read for Socketed {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(room)
    }
}

impl Reading {
    /// From the start of the process to its end, which is told last.
    pub(super) async fn run(mut self, program: Program, outgoing: UnboundedReceiver<Out>) {
        let why = match self.start(program).await {
            Ok((socket, ended)) => {
                let (read, its) = socket.into_split();
                tokio::spawn(write(its, outgoing));
                let fault = self.read(read).await.err();
                // One that has closed its socket is of no use any more.
                self.running.kill();
                let how = ended.await.unwrap_or_default();
                fault
                    .filter(|it| it.kind() == io::ErrorKind::InvalidData)
                    .map_or(how, |it| it.to_string())
            }
            Err(error) => format!("the connector cannot be started: {}", error.kind()),
        };
        self.tell(Fact::Gone(why));
    }

    fn tell(&self, fact: Fact<super::Given>) {
        let _ = self.host.send(ToHost::Fact(fact));
    }

    async fn start(&self, program: Program) -> io::Result<(UnixStream, oneshot::Receiver<String>)> {
        let running = Arc::clone(&self.running);
        let starting = move || running.start(&program, Stdio::null());
        let started = tokio::task::spawn_blocking(starting).await;
        let (pid, socket) = started.map_err(io::Error::other)??;
        let (running, to_end) = (Arc::clone(&self.running), socket.try_clone());
        let (told, ended) = oneshot::channel();
        let wait = move || {
            let how = running.wait(pid);
            // A copy that it has forked may hold the other end open. What was said before is still
            // read.
            if let Ok(socket) = to_end {
                let _ = socket.shutdown(Shutdown::Both);
            }
            let _ = told.send(how);
        };
        let waits = thread::Builder::new().name("engine-wait".into()).stack_size(64 << 10);
        let heard = waits.spawn(wait).map(drop).and_then(|()| with_tokio(socket));
        match heard {
            Ok(socket) => Ok((socket, ended)),
            Err(error) => {
                self.running.kill();
                Err(error)
            }
        }
    }

    /// Hears everything until the process ends, or breaks the protocol.
    async fn read(&mut self, socket: OwnedReadHalf) -> io::Result<()> {
        let mut incoming = Incoming::new(Socketed(socket));
        let mut stand = Stand::Between;
        loop {
            loop {
                match incoming.wait_for_frame() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        incoming.from().0.readable().await?;
                    }
                    arrived => break arrived?,
                }
            }
            let Some(frame) = incoming.next()? else { return Ok(()) };
            let said = FromChild::parse(frame).ok_or_else(broken)?;
            match (said, self.feed.is_some()) {
                (FromChild::Part(bytes), true) => stand = self.part(stand, bytes.0).await?,
                (FromChild::Submit, true) => stand = self.submit(stand).await?,
                (FromChild::GiveUp, true) => stand = self.give_up(),
                (said, _) => self.hear(said)?,
            }
        }
    }

    /// Waits until the inbound takes a message that begins; the process may be told to end meanwhile.
    async fn begin(&mut self) -> Stand {
        let Some(feed) = &self.feed else { return Stand::PassesBy };
        tokio::select! {
            biased;
            () = feed.opened() => Stand::Takes,
            _ = self.ending.wait_for(|ends| *ends) => Stand::PassesBy,
        }
    }

    async fn part(&mut self, stand: Stand, bytes: &[u8]) -> io::Result<Stand> {
        // From here on until it is taken the engine lets the process wait.
        self.tell(Fact::Midway(false));
        let stand = if stand == Stand::Between { self.begin().await } else { stand };
        if let (Stand::Takes, Some(feed)) = (stand, &mut self.feed) {
            feed.take(bytes).await;
        }
        self.tell(Fact::Midway(true));
        Ok(stand)
    }

    async fn submit(&mut self, stand: Stand) -> io::Result<Stand> {
        self.tell(Fact::Midway(false));
        let stand = if stand == Stand::Between { self.begin().await } else { stand };
        let submitted = match &mut self.feed {
            Some(feed) if stand == Stand::Takes => feed.end().await,
            _ => Submitted::NotStored,
        };
        if !matches!(submitted, Submitted::NotStored | Submitted::Unknown) {
            self.tell(Fact::Useful);
        }
        let _ = self.to_process.send(Out::Frame(FromEngine::Submitted(submitted).bytes()));
        Ok(Stand::Between)
    }

    fn give_up(&mut self) -> Stand {
        self.tell(Fact::Midway(false));
        if let Some(feed) = &mut self.feed {
            feed.give_up();
        }
        Stand::Between
    }

    fn hear(&self, said: FromChild<'_>) -> io::Result<()> {
        let delivers = self.feed.is_none();
        match said {
            FromChild::Hello(VERSION) => self.tell(Fact::Hello),
            FromChild::Refusal(why) => self.tell(Fact::Refused(cut(why, REASON).to_owned())),
            FromChild::Ready if delivers => self.tell(Fact::Ready),
            FromChild::NotReady(why) if delivers => {
                self.tell(Fact::NotReady(cut(why, REASON).to_owned()));
            }
            FromChild::More(token, n) if delivers => {
                let _ = self.host.send(ToHost::More { token, n });
            }
            FromChild::Done(token, outcome, note) if delivers => {
                let note = cut(note, NOTE).to_owned();
                self.tell(Fact::Done { token, outcome, note });
            }
            FromChild::Note(level, text) => notices::said(&self.connection, level, text),
            _ => return Err(broken()),
        }
        Ok(())
    }
}

fn with_tokio(socket: Socket) -> io::Result<UnixStream> {
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}
