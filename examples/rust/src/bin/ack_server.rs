//! A server that acknowledges every message it has taken: epoll, one thread, thousands of
//! connections, a fixed block of memory for each.
//!
//! ```sh
//! ack_server [PORT]
//! ```
//!
//! Prints where it listens, and at SIGTERM or SIGINT, when it has answered what it has read, how
//! many messages there were. The same program: `../../../c/ack_server.c`,
//! `../../../python/ack_server.py`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use std::{env, mem};

use ack_gen::{Ack, AckCode, Timestamp};
use mllp_link::{OverLimit, Refuse, Responder, ResponderConfig, ResponderEvent};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::process::{Resource, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

const MAX_CONNECTIONS: usize = 8192;
/// What a connection reads into: the longest message, and three bytes.
const INCOMING: usize = 64 * 1024;
const ANSWERS: usize = 16 * 1024;
/// How often deadlines are looked at, in milliseconds.
const TICK: u64 = 100;
/// How long a closed connection may take to read its last answers, in milliseconds.
const LINGER: u64 = 2000;

const LISTENER: u64 = u64::MAX;
const SIGNAL: u64 = u64::MAX - 1;

struct Connection {
    stream: TcpStream,
    responder: Responder<Memory<INCOMING>, Memory<ANSWERS>, 64>,
    /// When it is given up, once everything is sent and our side is closed.
    gone: Option<u64>,
    /// What epoll is asked to tell.
    interest: EventFlags,
}

/// A block of memory of a fixed size, on the heap: moving a connection does not copy it.
struct Memory<const N: usize>(Box<[u8]>);

impl<const N: usize> Memory<N> {
    fn new() -> Self {
        Memory(vec![0; N].into_boxed_slice())
    }
}

impl<const N: usize> AsRef<[u8]> for Memory<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> AsMut<[u8]> for Memory<N> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl<const N: usize> mllp_core::Storage for Memory<N> {}

struct Server {
    poll: OwnedFd,
    /// Readable after a signal.
    signalled: UnixStream,
    listener: Option<TcpListener>,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    start: Instant,
    stamps: Stamps,
}

/// What is new in each acknowledgment: its time, and its name; and how many messages were taken.
struct Stamps {
    time: Timestamp,
    /// Sixteen digits: when the program was started, in seconds, and a count.
    id: [u8; 16],
    /// The number of the next one.
    next: u64,
    taken: u64,
}

impl Stamps {
    fn new() -> Self {
        let start = unix_time();
        Stamps { time: Timestamp::utc(start as i64), id: [0; 16], next: start << 32, taken: 0 }
    }

    /// Once in each turn of the loop.
    fn set_time(&mut self) {
        self.time = Timestamp::utc(unix_time() as i64);
    }

    fn stamped(&mut self, code: AckCode) -> Ack<'_> {
        let mut number = self.next;
        self.next += 1;
        for digit in self.id.iter_mut().rev() {
            *digit = b"0123456789abcdef"[(number & 15) as usize];
            number >>= 4;
        }
        Ack::always(code, None, &self.id, self.time.as_bytes())
    }
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// As many connections as the system allows.
fn raise_limits() {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    let _ = setrlimit(Resource::Nofile, files);
}

fn main() -> io::Result<()> {
    let port = env::args().nth(1).map_or(Ok(2575), |port| port.parse());
    let port = port.map_err(|_| io::Error::other("usage: ack_server [PORT]"))?;
    raise_limits();
    let (signalled, signal) = UnixStream::pair()?;
    for number in [SIGTERM, SIGINT] {
        signal_hook::low_level::pipe::register(number, signal.try_clone()?)?;
    }
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    println!("listening {}", listener.local_addr()?);

    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    epoll::add(&poll, &signalled, EventData::new_u64(SIGNAL), EventFlags::IN)?;
    let mut server = Server {
        poll,
        signalled,
        listener: Some(listener),
        connections: Vec::new(),
        free: Vec::new(),
        start: Instant::now(),
        stamps: Stamps::new(),
    };
    server.serve()?;
    println!("{} messages", server.stamps.taken);
    Ok(())
}

impl Server {
    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    fn serve(&mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(512);
        let mut tick = self.now() + TICK;
        while self.listener.is_some() || self.connections.iter().any(Option::is_some) {
            let wait = rustix::time::Timespec {
                tv_sec: 0,
                tv_nsec: (tick.saturating_sub(self.now()) * 1_000_000) as i64,
            };
            events.clear();
            match epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), Some(&wait))
            {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            self.stamps.set_time();
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    SIGNAL => self.stop()?,
                    at => self.turn(at as usize, event.flags),
                }
            }
            if self.now() >= tick {
                tick = self.now() + TICK;
                self.watch_listener(EventFlags::IN)?; // where it rested, it tries again
                for at in 0..self.connections.len() {
                    self.turn(at, EventFlags::empty());
                }
            }
        }
        Ok(())
    }

    fn watch_listener(&self, interest: EventFlags) -> io::Result<()> {
        let Some(listener) = &self.listener else { return Ok(()) };
        Ok(epoll::modify(&self.poll, listener, EventData::new_u64(LISTENER), interest)?)
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Some(listener) = &self.listener {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Out of descriptors, for instance: those that wait would wake epoll for ever.
                Err(_) => return self.watch_listener(EventFlags::empty()),
            };
            let at = match self.free.pop() {
                Some(at) => at,
                None if self.connections.len() < MAX_CONNECTIONS => {
                    self.connections.push(None);
                    self.connections.len() - 1
                }
                None => continue, // closed: a peer that is turned away tries again
            };
            let data = EventData::new_u64(at as u64);
            let ready = stream.set_nonblocking(true).is_ok()
                && stream.set_nodelay(true).is_ok()
                && epoll::add(&self.poll, &stream, data, EventFlags::IN).is_ok();
            if !ready {
                self.free.push(at);
                continue;
            }
            let config =
                ResponderConfig { over_limit: OverLimit::Refuse, ..ResponderConfig::DEFAULT };
            let responder = Responder::new(Memory::new(), Memory::new(), config, self.now());
            self.connections[at] =
                Some(Connection { stream, responder, gone: None, interest: EventFlags::IN });
        }
        Ok(())
    }

    /// Accepts nothing further, reads once more from each connection, answers what it has read, and
    /// ends. What comes later is not taken: its sender gets no answer and keeps it.
    fn stop(&mut self) -> io::Result<()> {
        let now = self.now();
        epoll::delete(&self.poll, &self.signalled)?; // it stays readable, and once is enough
        self.accept()?; // closing the listener would reset those that wait
        self.listener = None;
        for at in 0..self.connections.len() {
            self.turn(at, EventFlags::IN);
            if let Some(connection) = &mut self.connections[at] {
                connection.responder.close(now);
            }
            self.turn(at, EventFlags::empty());
        }
        Ok(())
    }

    /// One turn of a connection: read, answer, write, look at the time.
    fn turn(&mut self, at: usize, flags: EventFlags) {
        let now = self.now();
        let Some(connection) = self.connections.get_mut(at).and_then(Option::as_mut) else {
            return;
        };
        let lost = connection.turn(flags, now, &mut self.stamps).is_err();
        if lost || connection.gone.is_some_and(|gone| gone <= now) {
            let _ = epoll::delete(&self.poll, &connection.stream);
            self.connections[at] = None;
            self.free.push(at);
            return;
        }
        let interest = connection.interest();
        if mem::replace(&mut connection.interest, interest) != interest {
            let data = EventData::new_u64(at as u64);
            let _ = epoll::modify(&self.poll, &connection.stream, data, interest);
        }
    }
}

impl Connection {
    fn turn(&mut self, flags: EventFlags, now: u64, stamps: &mut Stamps) -> io::Result<()> {
        // If it is this program that is late, what the peer sent in time is still to be read.
        let due = self.responder.next_deadline().is_some_and(|at| at <= now);
        if due || flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.read(now)?;
        }
        self.responder.on_time(now);
        self.write(now)?;
        // What is sent makes room for what has come and waits.
        while self.answer(now, stamps)? {
            self.write(now)?;
        }
        if self.responder.is_finished() && self.gone.is_none() {
            self.stream.shutdown(Shutdown::Write)?;
            self.gone = Some(now + LINGER);
        }
        Ok(())
    }

    fn interest(&self) -> EventFlags {
        let mut interest = EventFlags::empty();
        interest.set(EventFlags::OUT, !self.responder.outgoing().is_empty());
        interest.set(EventFlags::IN, self.responder.wants_input() || self.gone.is_some());
        interest
    }

    fn read(&mut self, now: u64) -> io::Result<()> {
        if self.gone.is_some() {
            // Closing with unread bytes would make the kernel reset the connection, answers and all.
            let read = self.stream.read(&mut [0; 4096]);
            return match read {
                Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
                _ => Ok(()),
            };
        }
        let room = self.responder.spare_mut(INCOMING);
        if room.is_empty() {
            return Ok(());
        }
        match self.stream.read(room) {
            Ok(0) => self.responder.peer_closed(now),
            Ok(len) => self.responder.commit_read(len, now),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether anything has happened; an error gives the connection up.
    fn answer(&mut self, now: u64, stamps: &mut Stamps) -> io::Result<bool> {
        let mut happened = false;
        while let Some(event) = self.responder.next_event(now) {
            happened = true;
            let answered = match event {
                ResponderEvent::Message(ticket, _) => {
                    // Here it is stored, before it is answered: AA says that it is safe.
                    let ack = stamps.stamped(AckCode::AA);
                    let answered = self.responder.answer(ticket, &ack, now);
                    stamps.taken += u64::from(answered.is_ok());
                    answered.map_err(|unanswered| {
                        self.responder.leave_unanswered(unanswered.ticket, now);
                        unanswered.error
                    })
                }
                ResponderEvent::TooLarge(refusal, _) => {
                    let ack = stamps.stamped(AckCode::AR);
                    let refused = self.responder.refuse(refusal, Refuse::Reject, &ack, now);
                    refused.map_err(|unrefused| {
                        self.responder.leave_unrefused(unrefused.refusal, now);
                        unrefused.error
                    })
                }
                // A ClientHello, for instance: between two of its bytes there is no message.
                ResponderEvent::Protocol(protocol) if protocol.is_foreign() => {
                    return Err(ErrorKind::InvalidData.into());
                }
                _ => Ok(()), // what the peer did wrong, for a log
            };
            if let Err(error) = answered {
                // An open connection on which no answer comes tells the sender nothing.
                eprintln!("not answered: {}", error.name());
                self.responder.close(now);
            }
        }
        Ok(happened)
    }

    fn write(&mut self, now: u64) -> io::Result<()> {
        while !self.responder.outgoing().is_empty() {
            match self.stream.write(self.responder.outgoing()) {
                Ok(len) => self.responder.sent(len, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
