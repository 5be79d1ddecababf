//! The task of a connection, which follows the supervisor's orders.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hl7_peek::MessageHeader;
use mllp_io::{Content, Feed, FeedOptions, Gate, Intake, Loss, Note, Report, Source};
use mllp_pipeline::{Fact as Told, LaneId, MessageId};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use super::ConnectorProgram;
use super::protocol::{DeliveryFrame, FromEngine, VERSION};
use super::reading::Reading;
use super::supervisor::{Ended, Fact, Limits, Order, Supervisor};
use super::writing::Out;
use crate::notices;
use crate::program::{Payload, Running};
use crate::traffic::{News, ToCore};

/// A connection by a program.
pub(crate) struct Connection {
    pub(crate) name: Arc<str>,
    pub(crate) lane: LaneId,
    pub(crate) program: ConnectorProgram,
    pub(crate) side: Side,
    /// An operator has stopped it.
    pub(crate) stopped: bool,
}

/// Which side of the engine it is on.
pub(crate) enum Side {
    Inbound {
        options: FeedOptions,
        intake: Arc<dyn Intake>,
        gate: Gate,
    },
    /// With the number of its sender, and how many deliveries may be open.
    Outbound {
        number: u32,
        window: usize,
    },
}

/// What is delivered.
pub(crate) struct Given {
    pub(crate) message: MessageId,
    pub(crate) attempt: u32,
    pub(crate) content: Content,
}

// The payload is health data.
impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Given(message {}, attempt {})", self.message.0, self.attempt)
    }
}

/// What the task is told.
pub(super) enum ToHost {
    Fact(Fact<Given>),
    /// The process wants a piece of a delivery.
    More {
        token: u64,
        n: u32,
    },
}

/// The way to a connection. Never blocks.
#[derive(Clone)]
pub(crate) struct ToConnector {
    lane: LaneId,
    is_inbound: bool,
    host: UnboundedSender<ToHost>,
    settled: watch::Receiver<bool>,
}

impl ToConnector {
    fn tell(&self, fact: Fact<Given>) {
        let _ = self.host.send(ToHost::Fact(fact));
    }

    /// See [`mllp_io::Senders::deliver`].
    pub(crate) fn deliver(&self, generation: u64, number: u64, delivery: Given) {
        self.tell(Fact::Deliver { generation, number, delivery });
    }

    /// Forgets what was given with an earlier generation.
    pub(crate) fn abandon(&self, generation: u64) {
        self.tell(Fact::Abandon(generation));
    }

    /// Has the process end once it has done what it is at.
    pub(crate) fn close(&self) {
        self.tell(Fact::Close);
    }

    /// Has a process run.
    pub(crate) fn open(&self) {
        self.tell(Fact::Open);
    }

    /// Starts a process now, if one is waited for.
    pub(crate) fn hurry(&self) {
        self.tell(Fact::Hurry);
    }
}

/// The connections by programs of an engine. Clones belong together.
#[derive(Clone, Default)]
pub(crate) struct Connectors(Arc<Vec<ToConnector>>);

impl Connectors {
    pub(crate) fn new(all: Vec<ToConnector>) -> Connectors {
        Connectors(Arc::new(all))
    }

    /// Opens or closes the connection with this lane, if there is one. Returns at once.
    pub(crate) fn set(&self, lane: LaneId, open: bool) {
        for it in self.0.iter().filter(|it| it.lane == lane) {
            if open { it.open() } else { it.close() }
        }
    }

    /// Has those of the inbounds end.
    pub(crate) fn close_inbounds(&self) {
        self.0.iter().filter(|it| it.is_inbound).for_each(ToConnector::close);
    }

    /// Has all of them end, and waits for that until a deadline.
    pub(crate) fn stop(&self, runtime: &Handle, end: Instant) {
        self.0.iter().for_each(ToConnector::close);
        let ended = async {
            for it in self.0.iter() {
                // A task that is gone has no process.
                let _ = it.settled.clone().wait_for(|settled| *settled).await;
            }
        };
        let _ = runtime.block_on(async { tokio::time::timeout_at(end.into(), ended).await });
    }
}

/// The process of a connection.
struct Process {
    running: Arc<Running>,
    outgoing: UnboundedSender<Out>,
    ending: watch::Sender<bool>,
}

impl Process {
    fn say(&self, said: &FromEngine<'_>) {
        let _ = self.outgoing.send(Out::Frame(said.bytes()));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.running.kill();
    }
}

struct Host {
    connection: Connection,
    core: ToCore,
    supervisor: Supervisor<Given>,
    facts: UnboundedReceiver<ToHost>,
    to_host: UnboundedSender<ToHost>,
    process: Option<Process>,
    /// Of deliveries that are given in pieces.
    sources: HashMap<u64, Arc<dyn Source>>,
    settled: watch::Sender<bool>,
    began: Instant,
}

/// Starts the task of a connection.
pub(crate) fn start(runtime: &Handle, connection: Connection, core: ToCore) -> ToConnector {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (is_inbound, window) = match connection.side {
        Side::Inbound { .. } => (true, 1),
        Side::Outbound { window, .. } => (false, window),
    };
    let ConnectorProgram { timeout, stop, .. } = connection.program;
    let limits = Limits { timeout: millis(timeout), stop: millis(stop), window };
    let (to_host, facts) = unbounded_channel();
    let (settled, is_settled) = watch::channel(false);
    let lane = connection.lane;
    let host = Host {
        supervisor: Supervisor::new(limits, !connection.stopped),
        connection,
        core,
        facts,
        to_host: to_host.clone(),
        process: None,
        sources: HashMap::new(),
        settled,
        began: Instant::now(),
    };
    runtime.spawn(host.run());
    ToConnector { lane, is_inbound, host: to_host, settled: is_settled }
}

impl Host {
    async fn run(mut self) {
        let mut gate = match &self.connection.side {
            Side::Inbound { gate, .. } => Some(gate.watch()),
            Side::Outbound { .. } => None,
        };
        loop {
            self.supervisor.on_time(self.now());
            self.carry_out();
            self.settled.send_replace(self.supervisor.has_ended());
            let deadline = self.supervisor.next_deadline();
            let due = async {
                match deadline.and_then(|at| self.began.checked_add(Duration::from_millis(at))) {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let changed = async {
                let changes = match &mut gate {
                    Some(gate) => gate.changed().await.is_ok(),
                    None => false,
                };
                if !changes {
                    std::future::pending::<()>().await;
                }
            };
            let mut is_changed = false;
            let told = tokio::select! {
                told = self.facts.recv() => told,
                () = changed => {
                    is_changed = true;
                    None
                }
                () = due => None,
            };
            if let (true, Some(process), Some(gate)) = (is_changed, &self.process, &mut gate) {
                process.say(&FromEngine::Paused(!*gate.borrow_and_update()));
            }
            self.take(told);
        }
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn take(&mut self, told: Option<ToHost>) {
        let now = self.now();
        match told {
            Some(ToHost::Fact(fact)) => {
                match &fact {
                    Fact::Gone(_) => {
                        self.process = None;
                        self.sources.clear();
                    }
                    Fact::Done { token, .. } => drop(self.sources.remove(token)),
                    _ => {}
                }
                self.supervisor.tell(fact, now);
            }
            Some(ToHost::More { token, n }) => {
                self.supervisor.tell(Fact::Reads, now);
                let Some(process) = &self.process else { return };
                match self.sources.get(&token).cloned() {
                    Some(source) => {
                        let _ = process.outgoing.send(Out::Piece { token, n, source });
                    }
                    None => process.say(&FromEngine::Unreadable(token)),
                }
            }
            None => {}
        }
    }

    fn carry_out(&mut self) {
        while let Some(order) = self.supervisor.next_order() {
            match order {
                Order::Spawn => self.spawn(),
                Order::End => {
                    if let Some(process) = &self.process {
                        process.ending.send_replace(true);
                        process.say(&FromEngine::End);
                    }
                }
                Order::Kill => {
                    if let Some(process) = &self.process {
                        process.running.kill();
                    }
                }
                Order::Give { token, delivery } => self.give(token, delivery),
                Order::Report(ended) => self.report(ended),
                Order::Ready(ready) => {
                    let lane = self.connection.lane;
                    if ready {
                        self.core.tell(News::Connected(lane));
                    }
                    self.core.tell(News::Fact(Told::Ready { lane, ready }));
                }
                Order::Lost { why, again } => self.lost(why, again),
                Order::Runs => {
                    if let Side::Inbound { .. } = self.connection.side {
                        self.core.tell(News::Connected(self.connection.lane));
                        notices::connector_runs(&self.connection.name);
                    }
                }
            }
        }
    }

    fn lost(&self, why: String, again: Option<u64>) {
        let Connection { name, lane, side, .. } = &self.connection;
        if let Side::Inbound { .. } = side {
            notices::connector_lost(name, &why, self.supervisor.failures());
        }
        self.core.tell(News::Lost(*lane, Loss::NotReady(why)));
        if let Some(wait) = again {
            self.core.tell(News::Dials(*lane, Duration::from_millis(wait)));
        }
    }

    fn spawn(&mut self) {
        let (outgoing, to_write) = unbounded_channel();
        let (ending, is_ending) = watch::channel(false);
        let running = Arc::new(Running::default());
        let process = Process { running: Arc::clone(&running), outgoing: outgoing.clone(), ending };
        let Connection { name, side, program, .. } = &self.connection;
        let is_inbound = matches!(side, Side::Inbound { .. });
        process.say(&FromEngine::Welcome { version: VERSION, is_inbound, connection: name });
        let feed = match side {
            Side::Inbound { options, intake, gate } => {
                let feed = Feed::new(options.clone(), Arc::clone(intake), gate.clone());
                if !feed.is_open() {
                    process.say(&FromEngine::Paused(true));
                }
                Some(feed)
            }
            Side::Outbound { .. } => None,
        };
        let reading = Reading {
            connection: Arc::clone(name),
            running,
            host: self.to_host.clone(),
            to_process: outgoing,
            feed,
            ending: is_ending,
        };
        tokio::spawn(reading.run(program.program.clone(), to_write));
        self.process = Some(process);
    }

    fn give(&mut self, token: u64, delivery: Given) {
        let Some(process) = &self.process else { return };
        let Given { message, attempt, content } = delivery;
        let (beginning, len, source) = match content {
            Content::Whole(payload) => (Arc::clone(&payload), payload.len() as u64, None),
            Content::Pieces { beginning, len, source } => (beginning, len, Some(source)),
        };
        let header = MessageHeader::parse_lenient(&beginning);
        let control_id = header.as_ref().map_or(&[][..], |it| it.message_control_id());
        let payload = Payload(if source.is_some() { &[] } else { &beginning });
        let message = message.0;
        let frame = DeliveryFrame { number: token, message, attempt, control_id, len, payload };
        process.say(&FromEngine::Deliver(frame));
        if let Some(source) = source {
            self.sources.insert(token, source);
        }
    }

    fn report(&self, ended: Ended) {
        let Side::Outbound { number: sender, .. } = self.connection.side else { return };
        let Ended { generation, number, milliseconds, outcome, note } = ended;
        let note = Note(note);
        let report = Report { number, generation, milliseconds, outcome, note, action: None };
        self.core.tell(News::Reports(sender, vec![report]));
    }
}
