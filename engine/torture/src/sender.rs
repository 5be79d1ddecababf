//! A sender that does not give up: what was not acknowledged it sends again, with the same bytes and
//! in the same order, once it has a connection again.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mllp_disk::Rng;

use crate::ledger::{Ack, Witness};
use crate::load::Sent;
use crate::mllp::{Came, Frames, field, framed};

/// Messages without an answer at a time.
const OUTSTANDING: usize = 12;
/// Silence for this long is a finding: the engine is alive, or the connection would have ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// How fast messages are made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as they are answered, up to this many.
    AtOnce(u32),
    /// Some tens a second, with bursts, until it is told to stop.
    Steady,
}

/// What all senders of a run share.
#[derive(Default)]
pub(crate) struct Orders {
    /// Make no new messages, and end when everything is acknowledged.
    pub(crate) finish: AtomicBool,
    /// End now.
    pub(crate) end: AtomicBool,
    pub(crate) findings: Mutex<Vec<String>>,
}

impl Orders {
    pub(crate) fn found(&self, finding: String) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }
}

pub(crate) struct Sender {
    pub(crate) connection: u32,
    pub(crate) address: SocketAddr,
    pub(crate) pace: Pace,
    pub(crate) orders: Arc<Orders>,
    pub(crate) witness: Arc<dyn Witness>,
    pub(crate) rng: Rng,
    /// The number of the last message that was made.
    pub(crate) last: u32,
    unanswered: BTreeSet<u32>,
    next_at: Instant,
    burst: u32,
}

impl Sender {
    pub(crate) fn new(
        connection: u32,
        address: SocketAddr,
        pace: Pace,
        orders: &Arc<Orders>,
        witness: &Arc<dyn Witness>,
        rng: Rng,
    ) -> Sender {
        let (orders, witness) = (Arc::clone(orders), Arc::clone(witness));
        let (unanswered, next_at) = (BTreeSet::new(), Instant::now());
        Sender {
            connection,
            address,
            pace,
            orders,
            witness,
            rng,
            last: 0,
            unanswered,
            next_at,
            burst: 0,
        }
    }

    /// Sends until it has made and seen acknowledged what it has to; returns how many were not.
    pub(crate) fn run(mut self) -> usize {
        while !self.is_done() {
            let timeout = Duration::from_secs(1);
            match TcpStream::connect_timeout(&self.address, timeout) {
                Ok(stream) => self.converse(stream),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        self.unanswered.len()
    }

    fn is_done(&self) -> bool {
        let made = match self.pace {
            Pace::AtOnce(count) => count == 0,
            Pace::Steady => false,
        };
        let finishes = made || self.orders.finish.load(Ordering::Relaxed);
        self.orders.end.load(Ordering::Relaxed) || (finishes && self.unanswered.is_empty())
    }

    fn converse(&mut self, mut stream: TcpStream) {
        let mut again: VecDeque<u32> = self.unanswered.iter().copied().collect();
        let mut open: VecDeque<u32> = VecDeque::new();
        let mut frames = Frames::default();
        let mut heard = Instant::now();
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_millis(2)));
        let _ = stream.set_write_timeout(Some(PATIENCE));
        while !self.is_done() {
            while open.len() < OUTSTANDING
                && let Some(number) = again.pop_front().or_else(|| self.make())
            {
                open.push_back(number);
                if stream.write_all(&framed(&self.sent(number).bytes())).is_err() {
                    return;
                }
            }
            match frames.read(&mut stream) {
                Came::End => return,
                Came::Bytes => heard = Instant::now(),
                Came::Nothing if open.is_empty() => heard = Instant::now(),
                Came::Nothing if heard.elapsed() > PATIENCE => {
                    let first = self.sent(open[0]).control_id();
                    return self.orders.found(format!("{first}: no answer for half a minute"));
                }
                Came::Nothing => {}
            }
            while let Some(answer) = frames.next() {
                if !self.take(&answer, &mut open) {
                    return;
                }
            }
        }
    }

    fn sent(&self, number: u32) -> Sent {
        Sent { connection: self.connection, number }
    }

    /// The number of a new message, if one is due now.
    fn make(&mut self) -> Option<u32> {
        match &mut self.pace {
            Pace::AtOnce(0) => return None,
            Pace::AtOnce(count) => *count -= 1,
            Pace::Steady => {
                let now = Instant::now();
                if self.orders.finish.load(Ordering::Relaxed) || now < self.next_at {
                    return None;
                }
                if self.burst > 0 {
                    self.burst -= 1;
                } else if self.rng.one_in(400) {
                    self.burst = 200;
                } else {
                    self.next_at = now + Duration::from_millis(self.rng.below(60));
                }
            }
        }
        self.last += 1;
        self.unanswered.insert(self.last);
        Some(self.last)
    }

    /// Takes an answer; false: it makes no sense to go on with this connection.
    fn take(&mut self, answer: &[u8], open: &mut VecDeque<u32>) -> bool {
        let (code, of) = (field(answer, "MSA", 1), field(answer, "MSA", 2));
        let Some(number) = open.pop_front() else {
            self.orders.found(format!("{of}: answered {code}, and nothing was open"));
            return false;
        };
        let sent = self.sent(number);
        let control_id = sent.control_id();
        if of != control_id {
            self.orders.found(format!("{control_id}: the answer is for {of}"));
            return false;
        }
        if code != "AA" {
            self.orders.found(format!("{control_id}: answered {code} at {}", sent.inbound()));
            return false;
        }
        self.unanswered.remove(&number);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (inbound, at) = (sent.inbound().to_owned(), since.as_millis() as u64);
        self.witness.acknowledged(Ack { control_id, inbound, at });
        true
    }
}
