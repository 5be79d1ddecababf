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
use crate::mllp::{Came, Frames, answer, control_id};

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
        let partner = Partner { outbound, rng, well, end: Arc::clone(&end), witness, seq: 0 };
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
        let mut late: Vec<(Instant, Vec<u8>)> = Vec::new();
        let _ = stream.set_nonblocking(false);
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
        while !self.end.load(Ordering::Relaxed) {
            if frames.read(&mut stream) == Came::End {
                return;
            }
            while let Some(message) = frames.next() {
                let control_id = control_id(&message);
                let how = self.choose();
                self.seq += 1;
                self.witness.arrived(Arrival {
                    outbound: self.outbound.to_owned(),
                    seq: self.seq,
                    whole: self.is_whole(&control_id, &message),
                    control_id: control_id.clone(),
                    answer: how,
                });
                let reply = match how {
                    Answer::Aa => answer("AA", &control_id),
                    Answer::Ae => answer("AE", &control_id),
                    Answer::Ar => answer("AR", &control_id),
                    Answer::Foreign => answer("AA", &format!("X{control_id}")),
                    Answer::Nothing => continue,
                    Answer::Late => {
                        late.push((Instant::now() + TIMEOUT * 5 / 4, answer("AA", &control_id)));
                        continue;
                    }
                    Answer::Cut => return,
                };
                if stream.write_all(&reply).is_err() {
                    break;
                }
            }
            let now = Instant::now();
            for (_, reply) in late.extract_if(.., |(due, _)| *due <= now) {
                let _ = stream.write_all(&reply);
            }
        }
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
            _ => Answer::Aa,
        }
    }

    fn is_whole(&self, control_id: &str, message: &[u8]) -> bool {
        let Some(sent) = Sent::parse(control_id) else { return false };
        let ways = sent.ways();
        let mut here = ways.iter().filter(|way| way.outbound == self.outbound);
        here.any(|way| sent.bytes_from(way.handler) == message)
    }
}
