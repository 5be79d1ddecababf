//! A partner: writes down everything it receives, and answers as partners do.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use mllp_disk::Rng;

use crate::ledger::{Answer, Arrival, Bytes, Witness};
use crate::load::{Sent, TIMEOUT, added, connections};
use crate::mllp::{Came, Frames, answer, control_id, framed};

/// Between the two pieces of an answer.
const PIECES: Duration = Duration::from_millis(30);

/// A partner that runs, however often the engine dies.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Begins to listen. Once `well` is true it takes everything at once.
    pub(crate) fn start(
        outbound: &'static str,
        rng: Rng,
        well: &Arc<AtomicBool>,
        witness: &Arc<dyn Witness>,
    ) -> io::Result<Sink> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let end = Arc::new(AtomicBool::new(false));
        let (well, witness) = (Arc::clone(well), Arc::clone(witness));
        let seen = Mutex::new(Seen { rng, seq: 0, taken: None });
        let partner = Partner { outbound, well, end: Arc::clone(&end), witness, seen };
        let thread = thread::Builder::new().name(outbound.to_owned());
        let thread = thread.spawn(move || partner.run(&listener))?;
        Ok(Sink { address, end, thread: Some(thread) })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Partner {
    outbound: &'static str,
    well: Arc<AtomicBool>,
    end: Arc<AtomicBool>,
    witness: Arc<dyn Witness>,
    seen: Mutex<Seen>,
}

/// What all connections of a partner share. What is written down under its lock has one order.
struct Seen {
    rng: Rng,
    seq: u64,
    /// The message that was answered AA last.
    taken: Option<String>,
}

impl Partner {
    /// As many connections at a time as the outbound has. If that is one, each is read to its end before
    /// the next: what came on an earlier one was sent earlier, so the order of arrivals is the order on
    /// the wire. With more of them what follows its key's last message arrives after that was answered.
    fn run(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            while !self.end.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) if connections(self.outbound) == 1 => self.converse(stream),
                    Ok((stream, _)) => drop(scope.spawn(|| self.converse(stream))),
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
    }

    fn converse(&self, mut stream: TcpStream) {
        let mut frames = Frames::default();
        let mut later: Vec<(Instant, Vec<u8>)> = Vec::new();
        let _ = stream.set_nonblocking(false);
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
        while !self.end.load(Ordering::Relaxed) {
            if frames.read(&mut stream) == Came::End {
                return;
            }
            while let Some(message) = frames.next() {
                let (how, control_id, before) = self.arrive(&message);
                let taken = answer("AA", &control_id);
                let reply = match how {
                    Answer::Aa => taken,
                    Answer::Ae => answer("AE", &control_id),
                    Answer::Ar => answer("AR", &control_id),
                    Answer::Foreign => answer("AA", &format!("X{control_id}")),
                    Answer::Another => answer("AA", before.as_deref().unwrap_or("X")),
                    Answer::Garbage => garbage(&mut self.seen().rng),
                    Answer::Late => {
                        later.push((Instant::now() + TIMEOUT * 5 / 4, taken));
                        continue;
                    }
                    Answer::Pieces => {
                        let (first, second) = taken.split_at(taken.len() / 2);
                        let _ = stream.write_all(first);
                        thread::sleep(PIECES);
                        second.to_owned()
                    }
                    Answer::Half => {
                        let _ = stream.write_all(&taken[..taken.len() / 2]);
                        return;
                    }
                    Answer::Nothing | Answer::Undelivered => continue,
                    Answer::Cut => return,
                };
                if stream.write_all(&reply).is_err() {
                    break;
                }
            }
            let now = Instant::now();
            for (_, reply) in later.extract_if(.., |(due, _)| *due <= now) {
                let _ = stream.write_all(&reply);
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a message down; returns how it is answered, its control ID, and which one was answered AA
    /// last before it.
    fn arrive(&self, message: &[u8]) -> (Answer, String, Option<String>) {
        let control_id = control_id(message);
        let bytes = self.which(&control_id, message);
        let mut seen = self.seen();
        let how = match self.well.load(Ordering::Relaxed) {
            true => Answer::Aa,
            false => choose(&mut seen.rng),
        };
        seen.seq += 1;
        self.witness.arrived(Arrival {
            outbound: self.outbound.to_owned(),
            seq: seen.seq,
            control_id: control_id.clone(),
            answer: how,
            bytes,
        });
        let before = seen.taken.clone();
        if how == Answer::Aa {
            seen.taken = Some(control_id.clone());
        }
        (how, control_id, before)
    }

    fn which(&self, control_id: &str, message: &[u8]) -> Bytes {
        let Some(sent) = Sent::parse(control_id) else { return Bytes::Other };
        let Some(rest) = message.strip_prefix(&sent.bytes()[..]) else { return Bytes::Other };
        let ways = sent.ways();
        let mut from = ways.iter().filter(|way| added(way.handler).concat() == rest).peekable();
        let is_known = rest.is_empty() || from.peek().is_some();
        match from.any(|way| way.outbound == self.outbound) {
            true => Bytes::Own,
            false if is_known => Bytes::Elsewhere,
            false => Bytes::Other,
        }
    }
}

fn choose(rng: &mut Rng) -> Answer {
    match rng.below(10_000) {
        0..150 => Answer::Ae,
        150..180 => Answer::Ar,
        180..190 => Answer::Late,
        190..205 => Answer::Foreign,
        205..215 => Answer::Nothing,
        215..250 => Answer::Cut,
        250..265 => Answer::Another,
        265..280 => Answer::Garbage,
        280..290 => Answer::Half,
        290..310 => Answer::Pieces,
        _ => Answer::Aa,
    }
}

/// Bytes that are framed or not, and are not an answer.
fn garbage(rng: &mut Rng) -> Vec<u8> {
    match rng.below(5) {
        0 => framed(b"thank you"),
        1 => framed(b"MSH|^~\\&|HIS|H|LAB|L|20260101||ACK|R1|P|2.5\r"),
        2 => framed(b""),
        3 => b"\x15\x0b\x0b\x1c\x1c\r\r".to_vec(),
        _ => (0..1 + rng.below(300)).map(|_| rng.next() as u8).collect(),
    }
}
