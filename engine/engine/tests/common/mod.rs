//! Senders and partners by hand, over real sockets.

#![allow(dead_code, reason = "each test uses its part")]

pub mod child;
pub mod connector;
pub mod gateway;
pub mod troubled;

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mllp_engine::{Engine, Error, Journey, MessageId, Status};

/// Longer than anything takes on a busy machine, whose disk may do nothing for half a minute.
pub const DEADLINE: Duration = Duration::from_secs(120);

pub fn message(control_id: &str) -> Vec<u8> {
    typed("ADT^A01", control_id)
}

/// The patient's number: no time, port or process number holds it by chance.
pub const PATIENT: &str = "PX47";

pub fn typed(message_type: &str, control_id: &str) -> Vec<u8> {
    let header = format!("MSH|^~\\&|LAB|L|HIS|H|20260101||{message_type}|{control_id}|P|2.5\r");
    format!("{header}PID|1||{PATIENT}\r").into_bytes()
}

pub fn framed(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

/// One end of a connection, which reads frames.
pub struct Peer(BufReader<TcpStream>);

impl Peer {
    pub fn connect(address: SocketAddr) -> Peer {
        Peer::new(TcpStream::connect(address).unwrap())
    }

    pub fn new(stream: TcpStream) -> Peer {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Peer(BufReader::new(stream))
    }

    pub fn write(&mut self, payload: &[u8]) {
        self.0.get_mut().write_all(&framed(payload)).unwrap();
    }

    /// Frames or parts of them, at once.
    pub fn write_bytes(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// The next frame; `None`: the connection has ended.
    pub fn frame(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\x1c\r") {
            match self.0.read_until(b'\r', &mut bytes) {
                Ok(_) if bytes.ends_with(b"\r") => {}
                Ok(_) => return None,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no frame: {error}"),
            }
        }
        Some(bytes[1..bytes.len() - 2].to_vec())
    }

    /// The address of this end.
    pub fn local(&self) -> SocketAddr {
        self.0.get_ref().local_addr().unwrap()
    }

    /// The same connection once more, for another thread to write to.
    pub fn to_write(&self) -> Peer {
        Peer::new(self.0.get_ref().try_clone().unwrap())
    }

    /// Whether something has come that was not read.
    pub fn has_more(&self) -> bool {
        let stream = self.0.get_ref();
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]).is_ok_and(|len| len > 0);
        stream.set_nonblocking(false).unwrap();
        peeked || !self.0.buffer().is_empty()
    }

    /// Sends nothing more and reads nothing more.
    pub fn hang_up(&self) {
        let _ = self.0.get_ref().shutdown(Shutdown::Both);
    }

    /// Sends, and returns MSA-1 and MSA-2 of the answer; `None`: the connection was closed.
    pub fn send(&mut self, payload: &[u8]) -> Option<String> {
        self.write(payload);
        self.frame().map(|it| msa(&it))
    }
}

pub fn msa(ack: &[u8]) -> String {
    let text = String::from_utf8_lossy(ack);
    let segment = text.split('\r').find(|it| it.starts_with("MSA|")).expect("MSA").to_owned();
    segment.split('|').skip(1).take(2).collect::<Vec<_>>().join(" ")
}

pub fn control_id(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).split('|').nth(9).unwrap_or_default().to_owned()
}

/// A partner that answers every message with the code that it is told for it, and perhaps a text after
/// it.
pub struct Partner {
    pub address: SocketAddr,
    arrived: Receiver<Vec<u8>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    ends: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Partner {
    pub fn start(answer: impl Fn(&str) -> &'static str + Send + Clone + 'static) -> Partner {
        Partner::at("127.0.0.1:0".parse().unwrap(), answer)
    }

    pub fn at(
        address: SocketAddr,
        answer: impl Fn(&str) -> &'static str + Send + Clone + 'static,
    ) -> Partner {
        let listener = bind(address);
        let address = listener.local_addr().unwrap();
        let (sender, arrived) = channel();
        let (open, ends) = (Arc::<Mutex<Vec<TcpStream>>>::default(), Arc::<AtomicBool>::default());
        let (all, over) = (Arc::clone(&open), Arc::clone(&ends));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                if over.load(Relaxed) {
                    return;
                }
                all.lock().unwrap().push(stream.try_clone().unwrap());
                let (sender, answer) = (sender.clone(), answer.clone());
                std::thread::spawn(move || converse(Peer::new(stream), &sender, answer));
            }
        });
        Partner { address, arrived, open, ends, accepting: Some(accepting) }
    }

    /// The next message that has come.
    pub fn next(&self) -> Vec<u8> {
        self.arrived.recv_timeout(DEADLINE).expect("a delivery")
    }

    pub fn nothing_came(&self) -> bool {
        self.arrived.try_recv().is_err()
    }

    /// The control IDs of everything that has come until now.
    pub fn all(&self) -> Vec<String> {
        self.arrived.try_iter().map(|it| control_id(&it)).collect()
    }
}

impl Drop for Partner {
    /// Once it is dropped, it is not to be reached any more.
    fn drop(&mut self) {
        self.ends.store(true, Relaxed);
        let _ = TcpStream::connect(self.address);
        self.accepting.take().map(JoinHandle::join);
        self.open.lock().unwrap().drain(..).for_each(|it| drop(it.shutdown(Shutdown::Both)));
    }
}

fn bind(address: SocketAddr) -> TcpListener {
    let end = Instant::now() + DEADLINE;
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        std::thread::yield_now();
    }
}

fn converse(mut peer: Peer, sender: &Sender<Vec<u8>>, answer: impl Fn(&str) -> &'static str) {
    while let Some(payload) = peer.frame() {
        let id = control_id(&payload);
        let code = answer(&id);
        if sender.send(payload).is_err() {
            return;
        }
        let (code, text) = code.split_once(' ').unwrap_or((code, ""));
        let header = format!("MSH|^~\\&|P|P|E|E|2026||ACK|R{id}|P|2.5\r");
        let reply = format!("{header}MSA|{code}|{id}|{text}\r");
        if peer.0.get_mut().write_all(&framed(reply.as_bytes())).is_err() {
            return;
        }
    }
}

pub fn accept(_control_id: &str) -> &'static str {
    "AA"
}

/// Looks again until it is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// Stops the engine, which returns although something hangs for ever.
pub fn stopped(engine: Engine, deadline: Duration) -> Result<(), Error> {
    let (ended, end) = channel();
    let stopping = std::thread::spawn(move || ended.send(engine.stop(deadline)));
    let result = end.recv_timeout(DEADLINE).expect("the deadline is kept");
    drop(stopping.join());
    result
}

/// Asks again until the engine stands so.
pub fn wait_for(engine: &Engine, what: &str, stands: impl Fn(&Status) -> bool) -> Status {
    let end = Instant::now() + DEADLINE;
    loop {
        let status = engine.status().unwrap();
        if stands(&status) {
            return status;
        }
        assert!(Instant::now() < end, "{what}: {status:#?}");
        std::thread::yield_now();
    }
}

pub fn wait_until_idle(engine: &Engine) {
    wait_for(engine, "idle", |status| status.is_idle);
}

pub fn journey(engine: &Engine, id: u64) -> Journey {
    engine.journey(MessageId(id)).unwrap().expect("a message")
}

pub fn disposition(engine: &Engine, id: u64) -> &'static str {
    journey(engine, id).message.disposition.name()
}
