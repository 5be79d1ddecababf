//! A partner: writes down everything it receives, and answers as partners do.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use mllp_disk::Rng;

use crate::graph::TIMEOUT;
use crate::ledger::{Answer, Arrival, Witness};
use crate::load::Sent;
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
        let partner =
            Partner { outbound, rng, well, end: Arc::clone(&end), witness, seq: 0, taken: None };
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
    rng: Rng,
    well: Arc<AtomicBool>,
    end: Arc<AtomicBool>,
    witness: Arc<dyn Witness>,
    seq: u64,
    /// A message that was taken before.
    taken: Option<String>,
}

impl Partner {
    /// One connection at a time, each to its end: what came on an earlier one was sent earlier, so
    /// the order of arrivals is the order on the wire.
    fn run(mut self, listener: &TcpListener) {
        while !self.end.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((stream, _)) => self.converse(stream),
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn converse(&mut self, mut stream: TcpStream) {
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
                let (how, control_id) = self.arrive(&message);
                let taken = answer("AA", &control_id);
                let reply = match how {
                    Answer::Aa => taken,
                    Answer::Ae => answer("AE", &control_id),
                    Answer::Ar => answer("AR", &control_id),
                    Answer::Foreign => answer("AA", &format!("X{control_id}")),
                    Answer::Another => answer("AA", self.taken.as_deref().unwrap_or("X")),
                    Answer::Garbage => self.garbage(),
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
                    Answer::Nothing => continue,
                    Answer::Cut => return,
                };
                if how == Answer::Aa {
                    self.taken = Some(control_id);
                }
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

    /// Writes a message down; returns how it is answered, and its control ID.
    fn arrive(&mut self, message: &[u8]) -> (Answer, String) {
        let control_id = control_id(message);
        let how = self.choose();
        self.seq += 1;
        self.witness.arrived(Arrival {
            outbound: self.outbound.to_owned(),
            seq: self.seq,
            whole: self.is_whole(&control_id, message),
            control_id: control_id.clone(),
            answer: how,
        });
        (how, control_id)
    }

    fn choose(&mut self) -> Answer {
        if self.well.load(Ordering::Relaxed) {
            return Answer::Aa;
        }
        match self.rng.below(10_000) {
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
    fn garbage(&mut self) -> Vec<u8> {
        match self.rng.below(5) {
            0 => framed(b"thank you"),
            1 => framed(b"MSH|^~\\&|HIS|H|LAB|L|20260101||ACK|R1|P|2.5\r"),
            2 => framed(b""),
            3 => b"\x15\x0b\x0b\x1c\x1c\r\r".to_vec(),
            _ => (0..1 + self.rng.below(300)).map(|_| self.rng.next() as u8).collect(),
        }
    }

    fn is_whole(&self, control_id: &str, message: &[u8]) -> bool {
        let Some(sent) = Sent::parse(control_id) else { return false };
        let ways = sent.ways();
        let mut here = ways.iter().filter(|way| way.outbound == self.outbound);
        here.any(|way| sent.bytes_from(way.handler) == message)
    }
}
