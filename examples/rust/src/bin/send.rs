//! Sends each file as one message, waits for its acknowledgment, and says what became of it.
//!
//! ```sh
//! send HOST PORT FILE...
//! ```
//!
//! Exit status: 0 every message was accepted, 1 one was not, 2 wrong usage. The same program:
//! `../../../c/send.c`, `../../../python/send.py`.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use mllp_link::{
    Action, Fate, Handle, Initiator, InitiatorConfig, InitiatorEvent, ReplyKind, Verdict,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// One message at a time: the next one leaves when this one has its verdict.
type Link = Initiator<[u8; 64 * 1024], 1, 199>;

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, files @ ..] = arguments.as_slice() else { return Ok(usage()) };
    let (Ok(port), false) = (port.parse(), files.is_empty()) else { return Ok(usage()) };

    let mut sender = Sender::new(host, port);
    let mut accepted = 0;
    for file in files {
        let text = fs::read(file).map_err(|_| "not_readable");
        match text.and_then(|text| sender.send(&segments(&text))) {
            Ok(end) => {
                println!("{file}: {}", end.word);
                accepted += usize::from(end.accepted);
            }
            Err(reason) => println!("{file}: {reason}"),
        }
    }
    Ok(ExitCode::from(u8::from(accepted != files.len())))
}

fn usage() -> ExitCode {
    eprintln!("usage: send HOST PORT FILE...");
    ExitCode::from(2)
}

/// The text of a file with the segment terminator of HL7, a carriage return.
fn segments(text: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(text.len());
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'\n' if at > 0 && text[at - 1] == b'\r' => {}
            b'\n' => payload.push(b'\r'),
            _ => payload.push(byte),
        }
    }
    payload
}

/// What became of a message.
struct End {
    word: &'static str,
    accepted: bool,
}

impl End {
    /// The receiver has the message in safe storage: there is nothing more to wait for.
    const STORED: End = End { word: Fate::Stored.name(), accepted: true };

    fn new(verdict: &Verdict, fate: Fate) -> End {
        let word = match (fate, verdict.reply) {
            (Fate::Answered, reply) => reply.name(),
            (Fate::Uncertain, reply) if reply != ReplyKind::NoReply => reply.name(),
            (fate, _) => fate.name(),
        };
        End { word, accepted: verdict.action == Action::Accept }
    }
}

/// The host of a link: it moves bytes, tells the time, and decides nothing.
struct Sender<'a> {
    host: &'a str,
    port: u16,
    link: Link,
    stream: Option<TcpStream>,
    writing: Option<Writing>,
    start: Instant,
}

/// A frame that is being written.
struct Writing {
    handle: Handle,
    frame: Vec<u8>,
    written: usize,
}

impl<'a> Sender<'a> {
    fn new(host: &'a str, port: u16) -> Self {
        let config = InitiatorConfig { max_attempts: 1, ..InitiatorConfig::default() };
        let link = Initiator::new([0; 64 * 1024], config);
        Sender { host, port, link, stream: None, writing: None, start: Instant::now() }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    fn send(&mut self, payload: &[u8]) -> Result<End, &'static str> {
        let handle = self.link.submit(payload, self.now()).map_err(|error| error.name())?;
        loop {
            if self.link.is_suspended() {
                // By what became of an earlier one.
                self.link.withdraw(handle);
                return Err("suspended");
            }
            let ready = self.wait();
            if !ready.difference(PollFlags::OUT).is_empty() {
                self.read();
            }
            let now = self.now();
            self.say_what_has_not_left();
            self.link.on_time(now);
            if let Some(end) = self.take_events(handle, now) {
                return Ok(end);
            }
            if self.link.wants_connection(now) {
                self.stream = self.dial().ok();
                if self.stream.is_none() {
                    self.link.withdraw(handle);
                    return Err("not_connected");
                }
                self.link.connected();
            }
            // A peer that closes after an answer takes no further message: its end is read first.
            if !ready.contains(PollFlags::RDHUP)
                && let Some(handle) = self.link.next_to_send(now)
            {
                let mut frame = vec![0; mllp_core::encoded_len(payload.len())];
                mllp_core::encode(payload, &mut frame).map_err(|error| error.name())?;
                self.writing = Some(Writing { handle, frame, written: 0 });
            }
            self.write();
        }
    }

    fn dial(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host, self.port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// What the socket is ready for: waits for it, until the next deadline.
    fn wait(&self) -> PollFlags {
        let mut interest = PollFlags::IN | PollFlags::RDHUP;
        interest.set(PollFlags::OUT, self.writing.is_some());
        let wait = self.link.next_deadline().map_or(1000, |at| at.saturating_sub(self.now()));
        let wait = Duration::from_millis(wait.min(1000));
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: wait.subsec_nanos().into() };
        let mut sockets: Vec<_> =
            self.stream.iter().map(|stream| PollFd::new(stream, interest)).collect();
        match poll(&mut sockets, Some(&wait)) {
            Ok(1) => sockets[0].revents(),
            _ => PollFlags::empty(),
        }
    }

    fn read(&mut self) {
        let now = self.now();
        let Some(stream) = &mut self.stream else { return };
        match stream.read(self.link.spare_mut(64 * 1024)) {
            Ok(0) => self.lose(),
            Ok(len) => self.link.commit_read(len, now),
            Err(error) if is_passing(&error) => {}
            Err(_) => self.lose(),
        }
    }

    /// What became of the message, if that is known. Takes every event: only then may more be read.
    fn take_events(&mut self, handle: Handle, now: u64) -> Option<End> {
        let mut end = None;
        while let Some(event) = self.link.next_event(now) {
            match event {
                InitiatorEvent::Verdict { handle: of, verdict, fate } if of == handle => {
                    end = Some(End::new(&verdict, fate));
                }
                InitiatorEvent::Stored { handle: of } if of == handle => {
                    self.link.withdraw(handle);
                    end = Some(End::STORED);
                }
                InitiatorEvent::Reconnect => self.hang_up(),
                _ => {}
            }
        }
        end
    }

    fn write(&mut self) {
        let (Some(stream), Some(writing)) = (&mut self.stream, &mut self.writing) else { return };
        match stream.write(&writing.frame[writing.written..]) {
            Ok(len) => writing.written += len,
            Err(error) if is_passing(&error) => {}
            Err(_) => return self.lose(),
        }
        if writing.written == writing.frame.len() {
            let handle = writing.handle;
            self.writing = None;
            self.link.sent(handle, self.now());
        }
    }

    fn hang_up(&mut self) {
        self.stream = None;
        self.writing = None;
    }

    fn lose(&mut self) {
        self.say_what_has_not_left();
        self.hang_up();
        let now = self.now();
        self.link.disconnected(now);
    }

    fn say_what_has_not_left(&mut self) {
        if let Some(writing) = self.writing.as_ref().filter(|writing| writing.written == 0) {
            self.link.not_sent(writing.handle);
        }
    }
}

/// Not now, but soon.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
