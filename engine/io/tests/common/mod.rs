//! What the tests share: an intake that keeps what it gets, reports to wait for, peers by hand.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mllp_io::{
    Chunk, Content, Gate, Incident, Incoming, Intake, Listener, ListenerOptions, Loss, Payload,
    Report, Reports, TurnedAway,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Longer than anything takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Keeps messages and chunks; chunks are stored as soon as they come, unless they are held.
pub struct Kept {
    messages: mpsc::UnboundedSender<Incoming>,
    chunks: mpsc::UnboundedSender<Chunk>,
    bodies: Arc<Mutex<Bodies>>,
}

#[derive(Default)]
pub struct Bodies {
    pub last: u64,
    /// Chunks go to the test instead.
    pub hold: bool,
    pub stored: HashMap<u64, Vec<u8>>,
    pub given_up: Vec<u64>,
    pub turned_away: Vec<TurnedAway>,
    pub incidents: Vec<Incident>,
}

impl Bodies {
    pub fn store(&mut self, chunk: Chunk) {
        self.stored.entry(chunk.body).or_default().extend_from_slice(&chunk.bytes);
        chunk.stored();
    }
}

impl Intake for Kept {
    fn received(&self, messages: &mut Vec<Incoming>) {
        messages.drain(..).for_each(|message| drop(self.messages.send(message)));
    }

    fn begin(&self) -> u64 {
        let mut bodies = self.bodies.lock().unwrap();
        bodies.last += 1;
        bodies.last
    }

    fn store(&self, chunk: Chunk) {
        let mut bodies = self.bodies.lock().unwrap();
        if bodies.hold {
            let _ = self.chunks.send(chunk);
        } else {
            bodies.store(chunk);
        }
    }

    fn give_up(&self, body: u64) {
        self.bodies.lock().unwrap().given_up.push(body);
    }

    fn happened(&self, _listener: u32, _peer: SocketAddr, incident: Incident) {
        self.bodies.lock().unwrap().incidents.push(incident);
    }

    fn turned_away(&self, _listener: u32, _peer: SocketAddr, why: &TurnedAway) {
        self.bodies.lock().unwrap().turned_away.push(why.clone());
    }
}

pub struct Inbox {
    messages: mpsc::UnboundedReceiver<Incoming>,
    pub chunks: mpsc::UnboundedReceiver<Chunk>,
    pub bodies: Arc<Mutex<Bodies>>,
}

impl Inbox {
    pub async fn next(&mut self) -> Incoming {
        let next = tokio::time::timeout(DEADLINE, self.messages.recv());
        next.await.expect("a message").expect("open")
    }

    /// The next chunk that is held.
    pub async fn chunk(&mut self) -> Chunk {
        tokio::time::timeout(DEADLINE, self.chunks.recv()).await.expect("a chunk").expect("open")
    }

    pub fn is_empty(&mut self) -> bool {
        self.messages.is_empty()
    }

    /// The bytes of a message, wherever they are.
    pub fn bytes(&self, message: &Incoming) -> Vec<u8> {
        match &message.payload {
            Payload::Whole(bytes) => bytes.to_vec(),
            Payload::Stored { body, len, .. } => {
                let bytes = self.bodies.lock().unwrap().stored[body].clone();
                assert_eq!(bytes.len() as u64, *len);
                bytes
            }
        }
    }

    /// Waits until a peer was turned away, and says why; no other may have been.
    pub async fn turned_away(&self) -> TurnedAway {
        let waited = async {
            loop {
                if let Some(why) = self.bodies.lock().unwrap().turned_away.pop() {
                    return why;
                }
                tokio::task::yield_now().await;
            }
        };
        let why = tokio::time::timeout(DEADLINE, waited).await.expect("turned away");
        assert!(self.bodies.lock().unwrap().turned_away.is_empty(), "once");
        why
    }

    /// Waits until so many bodies were given up.
    pub async fn given_up(&self, count: usize) {
        let waited = async {
            while self.bodies.lock().unwrap().given_up.len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, waited).await.expect("given up");
    }
}

pub async fn listener(options: ListenerOptions) -> (Listener, Inbox, Gate) {
    let (sender, messages) = mpsc::unbounded_channel();
    let (chunk_sender, chunks) = mpsc::unbounded_channel();
    let bodies = Arc::<Mutex<Bodies>>::default();
    let kept = Kept { messages: sender, chunks: chunk_sender, bodies: Arc::clone(&bodies) };
    let gate = Gate::new();
    let address = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(address, options, Arc::new(kept), gate.clone()).await.unwrap();
    (listener, Inbox { messages, chunks, bodies }, gate)
}

pub fn message(control_id: &str) -> Vec<u8> {
    format!("MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|{control_id}|P|2.5\rPID|1\r").into_bytes()
}

/// A payload in memory.
pub fn whole(payload: impl AsRef<[u8]>) -> Content {
    Content::Whole(payload.as_ref().into())
}

pub fn framed(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

pub fn reply(code: &str, control_id: &str) -> Vec<u8> {
    framed(format!("MSH|^~\\&|H|H|L|L|2026||ACK|R|P|2.5\rMSA|{code}|{control_id}\r").as_bytes())
}

/// The next frame that comes, without its framing.
pub async fn frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\x1c\r") {
        let byte = tokio::time::timeout(DEADLINE, stream.read_u8()).await.expect("a frame");
        bytes.push(byte.expect("a frame before the end"));
    }
    bytes[1..bytes.len() - 2].to_vec()
}

pub async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    tokio::time::timeout(DEADLINE, stream.write_all(bytes)).await.unwrap().unwrap();
}

/// Whether the stream ends, by an end or by a reset, without a byte before.
pub async fn ends(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    !matches!(tokio::time::timeout(DEADLINE, stream.read(&mut byte)).await.unwrap(), Ok(1))
}

/// Whether nothing comes for a moment. A peer that is slow passes; one that sends does not.
pub async fn is_quiet(stream: &TcpStream) -> bool {
    let mut byte = [0];
    tokio::time::timeout(Duration::from_millis(20), stream.peek(&mut byte)).await.is_err()
}

/// MSA-1 and MSA-2.
pub fn msa(ack: &[u8]) -> String {
    let text = String::from_utf8_lossy(ack);
    let segment = text.split('\r').find(|it| it.starts_with("MSA|")).expect("MSA").to_owned();
    segment.split('|').skip(1).take(2).collect::<Vec<_>>().join(" ")
}

#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    Report(Report),
    Ready(bool),
}

pub struct Heard(Mutex<mpsc::UnboundedSender<Told>>, Arc<Mutex<Vec<String>>>);

impl Reports for Heard {
    fn reported(&self, _sender: u32, reports: &mut Vec<Report>) {
        let sender = self.0.lock().unwrap();
        reports.drain(..).for_each(|report| drop(sender.send(Told::Report(report))));
    }

    fn ready(&self, _sender: u32, ready: bool) {
        let _ = self.0.lock().unwrap().send(Told::Ready(ready));
    }

    fn lost(&self, _sender: u32, why: Loss) {
        if let Loss::NotReached(why) = why {
            self.1.lock().unwrap().push(why);
        }
    }
}

pub struct Ear(mpsc::UnboundedReceiver<Told>, pub Arc<Mutex<Vec<String>>>);

impl Ear {
    pub async fn next(&mut self) -> Told {
        tokio::time::timeout(DEADLINE, self.0.recv()).await.expect("news").expect("open")
    }

    pub async fn report(&mut self) -> Report {
        loop {
            if let Told::Report(report) = self.next().await {
                return report;
            }
        }
    }
}

pub fn reports() -> (Arc<dyn Reports>, Ear) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let unreachable = Arc::<Mutex<Vec<String>>>::default();
    (Arc::new(Heard(Mutex::new(sender), Arc::clone(&unreachable))), Ear(receiver, unreachable))
}
