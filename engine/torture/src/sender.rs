//! A sender that does not give up: what was not acknowledged it sends again, with the same bytes and
//! in the same order, once it has a connection again, and what was refused once nothing is open.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mllp_disk::Rng;

use crate::graph::Places;
use crate::ledger::{Ack, Answer, Witness};
use crate::load::{INBOUNDS, Sent};
use crate::mllp::{Came, Frames, field, framed};

/// Messages without an answer at a time, on connections where more than one may be.
const OUTSTANDING: usize = 12;
/// After a refusal nothing is sent for this long.
const REST: Duration = Duration::from_millis(20);
/// Silence for this long is a finding: the engine is alive, or the connection would have ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a message is sent that is stored and not delivered.
const TRIES: u32 = 3;

/// How fast messages are made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as they are answered, up to this many.
    AtOnce(u32),
    /// One after another with a pause of up to so many milliseconds, and bursts, until it is told to
    /// stop.
    Steady(u64),
}

/// What all senders of a run share.
#[derive(Default)]
pub(crate) struct Orders {
    /// Make no new messages, and end when everything is acknowledged.
    pub(crate) finish: AtomicBool,
    /// End now.
    pub(crate) end: AtomicBool,
    /// The engine may answer AE: its store has trouble.
    pub(crate) may_refuse: AtomicBool,
    pub(crate) findings: Mutex<Vec<String>>,
}

impl Orders {
    pub(crate) fn found(&self, finding: String) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }
}

/// What a sender has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Left {
    /// Messages that were never acknowledged.
    pub(crate) unanswered: usize,
    /// The number of the last message.
    pub(crate) last: u32,
}

/// Starts a sender for each connection; the first number of each follows `last`.
pub(crate) fn start(
    connections: u32,
    places: &Places,
    pace: Pace,
    last: u32,
    orders: &Arc<Orders>,
    witness: &Arc<dyn Witness>,
    rng: &mut Rng,
) -> Vec<JoinHandle<Left>> {
    let start = |connection| {
        let inbound = Sent { connection, number: 1 }.inbound();
        let at = INBOUNDS.iter().position(|name| *name == inbound).unwrap_or_default();
        let sender = Sender {
            connection,
            address: places.inbounds[at],
            pace,
            orders: Arc::clone(orders),
            witness: Arc::clone(witness),
            rng: Rng::new(rng.next()),
            last,
            unanswered: BTreeSet::new(),
            open: VecDeque::new(),
            refused: Vec::new(),
            undelivered: HashMap::new(),
            next_at: Instant::now(),
            burst: 0,
        };
        std::thread::spawn(move || sender.run())
    };
    (0..connections).map(start).collect()
}

struct Sender {
    connection: u32,
    address: SocketAddr,
    pace: Pace,
    orders: Arc<Orders>,
    witness: Arc<dyn Witness>,
    rng: Rng,
    /// The number of the last message that was made.
    last: u32,
    unanswered: BTreeSet<u32>,
    /// Those of the connection that were sent, in order.
    open: VecDeque<u32>,
    refused: Vec<u32>,
    /// How often it was said of a message that it is not delivered.
    undelivered: HashMap<u32, u32>,
    next_at: Instant,
    burst: u32,
}

impl Sender {
    /// Sends until it has made and seen acknowledged what it has to.
    fn run(mut self) -> Left {
        while !self.is_done() {
            let timeout = Duration::from_secs(1);
            match TcpStream::connect_timeout(&self.address, timeout) {
                Ok(stream) => {
                    self.converse(stream);
                    self.hung_up();
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        Left { unanswered: self.unanswered.len(), last: self.last }
    }

    fn is_done(&self) -> bool {
        let finishes = match self.pace {
            Pace::AtOnce(count) => count == 0,
            Pace::Steady(_) => self.orders.finish.load(Ordering::Relaxed),
        };
        self.orders.end.load(Ordering::Relaxed) || (finishes && self.unanswered.is_empty())
    }

    fn converse(&mut self, mut stream: TcpStream) {
        let mut again: VecDeque<u32> = self.unanswered.iter().copied().collect();
        let mut frames = Frames::default();
        let mut heard = Instant::now();
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_millis(2)));
        let _ = stream.set_write_timeout(Some(PATIENCE));
        while !self.is_done() {
            if self.open.is_empty() && !self.refused.is_empty() {
                std::thread::sleep(REST);
                again.extend(self.refused.drain(..));
                again.make_contiguous().sort_unstable();
            }
            while self.may_send()
                && let Some(number) = again.pop_front().or_else(|| self.make())
            {
                self.open.push_back(number);
                if stream.write_all(&framed(&self.sent(number).bytes())).is_err() {
                    return;
                }
                // A large one takes its time.
                heard = Instant::now();
            }
            match frames.read(&mut stream) {
                Came::End => return,
                Came::Bytes => heard = Instant::now(),
                Came::Nothing if self.open.is_empty() => heard = Instant::now(),
                Came::Nothing if heard.elapsed() > PATIENCE => {
                    let first = self.sent(self.open[0]).control_id();
                    return self.orders.found(format!("{first}: no answer for half a minute"));
                }
                Came::Nothing => {}
            }
            while let Some(answer) = frames.next() {
                if !self.take(&answer) {
                    return;
                }
            }
        }
    }

    /// The connection has ended, and what became of the open messages is unknown.
    fn hung_up(&mut self) {
        for number in std::mem::take(&mut self.open) {
            self.told(number, Answer::Nothing);
        }
        self.refused.clear();
    }

    fn may_send(&self) -> bool {
        let alone = Sent { connection: self.connection, number: 0 }.is_sent_alone();
        self.refused.is_empty() && self.open.len() < if alone { 1 } else { OUTSTANDING }
    }

    fn sent(&self, number: u32) -> Sent {
        Sent { connection: self.connection, number }
    }

    /// The number of a new message, if one is due now.
    fn make(&mut self) -> Option<u32> {
        match &mut self.pace {
            Pace::AtOnce(0) => return None,
            Pace::AtOnce(count) => *count -= 1,
            Pace::Steady(longest) => {
                let now = Instant::now();
                if self.orders.finish.load(Ordering::Relaxed) || now < self.next_at {
                    return None;
                }
                if self.burst > 0 {
                    self.burst -= 1;
                } else if self.rng.one_in(400) {
                    self.burst = 200;
                } else {
                    self.next_at = now + Duration::from_millis(self.rng.below(*longest));
                }
            }
        }
        self.last += 1;
        self.unanswered.insert(self.last);
        Some(self.last)
    }

    /// Takes an answer; false: it makes no sense to go on with this connection.
    fn take(&mut self, answer: &[u8]) -> bool {
        let (code, of) = (field(answer, "MSA", 1), field(answer, "MSA", 2));
        let Some(number) = self.open.front().copied() else {
            self.orders.found(format!("{of}: answered {code}, and nothing was open"));
            return false;
        };
        let control_id = self.sent(number).control_id();
        if of != control_id {
            self.orders.found(format!("{control_id}: the answer is for {of}"));
            return false;
        }
        match &code[..] {
            "AA" => {
                self.unanswered.remove(&number);
                self.told(number, Answer::Aa);
            }
            "AE" if is_undelivered(answer) && self.sent(number).waits_for_verdict() => {
                self.told(number, Answer::Undelivered);
                let times = self.undelivered.entry(number).or_default();
                *times += 1;
                if *times < TRIES {
                    self.refused.push(number);
                } else {
                    self.unanswered.remove(&number);
                }
            }
            "AE" if self.orders.may_refuse.load(Ordering::Relaxed) => {
                self.refused.push(number);
                self.told(number, Answer::Ae);
            }
            _ => {
                let inbound = self.sent(number).inbound();
                self.orders.found(format!("{control_id}: answered {code} at {inbound}"));
                return false;
            }
        }
        self.open.pop_front();
        true
    }

    fn told(&self, number: u32, answer: Answer) {
        let sent = self.sent(number);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (control_id, inbound) = (sent.control_id(), sent.inbound().to_owned());
        let at = since.as_millis() as u64;
        self.witness.answered(Ack { control_id, inbound, at, answer });
    }
}

/// Whether an AE says that the message is stored.
fn is_undelivered(answer: &[u8]) -> bool {
    const TEXT: &[u8] = b"stored, and not delivered so far";
    answer.windows(TEXT.len()).any(|it| it == TEXT)
}
