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

use mllp_link::{Action, Initiator, InitiatorConfig, InitiatorEvent, ReplyKind, Verdict};

/// One message at a time: the next one leaves when this one has its verdict.
type Link = Initiator<[u8; 64 * 1024], 1, 199>;

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, files @ ..] = arguments.as_slice() else { return Ok(usage()) };
    let (Ok(port), false) = (port.parse(), files.is_empty()) else { return Ok(usage()) };

    let mut sender = Sender::new(host, port);
    let mut accepted = 0;
    for file in files {
        let payload = segments(&fs::read(file)?);
        match sender.send(&payload) {
            Ok(verdict) => {
                println!("{file}: {}", name(&verdict));
                accepted += usize::from(verdict.action == Action::Accept);
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

fn name(verdict: &Verdict) -> &'static str {
    match verdict.reply {
        ReplyKind::Code(code) => code.as_str(),
        other => other.name(),
    }
}

/// The host of a link: it moves bytes, tells the time, and decides nothing.
struct Sender<'a> {
    host: &'a str,
    port: u16,
    link: Link,
    stream: Option<TcpStream>,
    start: Instant,
}

impl<'a> Sender<'a> {
    fn new(host: &'a str, port: u16) -> Self {
        let config = InitiatorConfig { max_attempts: 1, ..InitiatorConfig::default() };
        let link = Initiator::new([0; 64 * 1024], config);
        Sender { host, port, link, stream: None, start: Instant::now() }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    fn send(&mut self, payload: &[u8]) -> Result<Verdict, &'static str> {
        let handle = self.link.submit(payload, self.now()).map_err(|error| error.name())?;
        loop {
            let now = self.now();
            self.link.on_time(now);
            while let Some(event) = self.link.next_event(now) {
                match event {
                    InitiatorEvent::Verdict { handle: of, verdict } if of == handle => {
                        return Ok(verdict);
                    }
                    InitiatorEvent::Reconnect => self.stream = None,
                    _ => {}
                }
            }
            if self.link.wants_connection(now) {
                match TcpStream::connect((self.host, self.port)) {
                    Ok(stream) => {
                        stream.set_nodelay(true).map_err(|_| "not_connected")?;
                        self.stream = Some(stream);
                        self.link.connected();
                    }
                    Err(_) => {
                        self.link.withdraw(handle);
                        return Err("not_connected");
                    }
                }
            }
            if let Some(handle) = self.link.next_to_send(now) {
                self.write(payload);
                self.link.sent(handle, self.now());
            }
            self.read();
        }
    }

    fn write(&mut self, payload: &[u8]) {
        let mut frame = vec![0; mllp_core::encoded_len(payload.len())];
        let framed = mllp_core::encode(payload, &mut frame).is_ok();
        let written = self.stream.as_mut().map(|stream| stream.write_all(&frame));
        if !framed || !matches!(written, Some(Ok(()))) {
            self.lose();
        }
    }

    /// Reads what has come, or waits for it until the next deadline.
    fn read(&mut self) {
        let now = self.now();
        let wait = self.link.next_deadline().map_or(1000, |at| at.saturating_sub(now).max(1));
        let Some(stream) = self.stream.as_mut() else { return };
        let room = self.link.spare_mut(4096);
        let read = stream
            .set_read_timeout(Some(Duration::from_millis(wait)))
            .and_then(|()| stream.read(room));
        match read {
            Ok(0) => self.lose(),
            Ok(len) => self.link.commit_read(len, self.start.elapsed().as_millis() as u64),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.lose(),
        }
    }

    fn lose(&mut self) {
        self.stream = None;
        let now = self.now();
        self.link.disconnected(now);
    }
}
