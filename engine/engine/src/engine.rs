//! A running engine: how it starts, and how it stops.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mllp_pipeline::{Fact, LaneId, MessageId, Pipeline, Stage, Start};
use mllp_store::{Identity, Numbers, Reader, Retention, Store, StoreError};
use tokio::runtime::Runtime;

use crate::bodies::BodyIds;
use crate::builder::Builder;
use crate::calling::ReadingEnds;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::connector::Connectors;
use crate::core::{Core, Outlets};
use crate::error::Error;
use crate::graph::{Stored, graph};
use crate::listeners::Listeners;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::opening::{Opened, Opening, doors};
use crate::operator::Operator;
use crate::outlet::Outlet;
use crate::reload::{self, Beginning};
use crate::retaining::{Doubt, Retaining};
use crate::seats::Seats;
use crate::settling::Settled;
use crate::stalls::Stalls;
use crate::status::Status;
use crate::traffic::{News, ToCore};
use crate::worker::ToWorkers;
use crate::workers::ToChunks;
use crate::writer::Job;
use crate::{notices, writer};

/// Identities of earlier messages that are known before the first one is received: a sender that had
/// no answer before a crash sends again what came last. Fewer, where they cannot be read so fast.
const KNOWN: usize = 500_000;
const KNOWN_WITHIN: Duration = Duration::from_millis(300);
/// After the deadline of a stop, what is in the midst of a write gets this long.
const GRACE: Duration = Duration::from_secs(1);
/// Without a deadline it gets this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// A router or handler that runs at the end gets this long.
const FUNCTIONS: Duration = Duration::from_millis(100);
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A running engine. Dropped, it ends as after a power cut: nothing is lost, and what was in progress
/// is done again at the next start.
pub struct Engine {
    pub(crate) core: ToCore,
    deciding: Option<JoinHandle<Result<(), StoreError>>>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) writing: Option<writer::Writing>,
    runtime: Option<Runtime>,
    pub(crate) listeners: Listeners,
    connectors: Connectors,
    pub(crate) senders: Vec<(LaneId, Arc<Outlet>)>,
    pub(crate) reader: Mutex<Option<Box<dyn Reader>>>,
    pub(crate) operator: Arc<Mutex<Operator>>,
    pub(crate) names: Arc<Names>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) doubt: Doubt,
    pub(crate) writer: Option<Sender<Job>>,
    /// As it was started, for a reload that fails. A mutex because a builder is one thread's.
    pub(crate) graph: Mutex<Option<Builder>>,
    /// Lanes that held something at the start and are not configured.
    pub(crate) orphaned: Vec<(Stage, String)>,
    settled: Settled,
    /// The data directory, and how much is kept free beside the store.
    pub(crate) data: (PathBuf, u64),
    pub(crate) workers: Option<ToWorkers>,
    /// What the threads that run functions are at.
    pub(crate) seats: Seats,
}

impl Engine {
    /// A graph for an engine whose store is in this directory, which is made if it is not there.
    pub fn builder(data: impl Into<PathBuf>) -> Builder {
        Builder::new(data.into())
    }

    /// Where an inbound listens.
    pub fn address(&self, inbound: &str) -> Option<SocketAddr> {
        self.listeners.address(inbound)
    }

    /// Reads the TLS files of an inbound again, for connections from now on; those that are open go
    /// on. Outbounds read theirs each time they connect.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`]: there is no such inbound, or a file cannot be used. Nothing has changed then.
    pub fn reload_tls(&self, inbound: &str) -> Result<(), Error> {
        let refused = |why: String| Error::Graph(vec![format!("inbound {inbound}: {why}")]);
        match self.listeners.reload_tls(inbound) {
            Some(reloaded) => reloaded.map_err(|error| refused(format!("tls: {error}"))),
            None => Err(refused("there is none".to_owned())),
        }
    }

    /// What became of the lanes that left with the [reload](Engine::reload) it has begun with.
    pub fn settled(&self) -> Settled {
        self.settled
    }

    /// How everything stands now.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the engine has ended.
    pub fn status(&self) -> Result<Status, Error> {
        self.status_with(None)
    }

    /// How everything stands, and where a message does.
    pub(crate) fn status_with(&self, message: Option<MessageId>) -> Result<Status, Error> {
        let (asked, answer) = channel();
        self.core.tell(News::Status(message, asked));
        let mut status = answer.recv().map_err(|_| ended())?;
        for lane in &mut status.lanes {
            lane.ended_in_error = self.metrics.ended_in_error(lane.id);
            if lane.stage == Stage::Ingress.name() && lane.lost.is_none() {
                lane.lost = self.listeners.trouble(&lane.name);
            }
        }
        Ok(status)
    }

    /// Whether the store has come to its end, and the engine with it. The program should end as well:
    /// [`stop`](Engine::stop) tells why.
    pub fn has_ended(&self) -> bool {
        self.deciding.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Stops: accepts nothing new, answers what was received, waits for answers that are due, and
    /// closes the store.
    ///
    /// # Errors
    ///
    /// [`Error::Unfinished`]: the deadline came first. Nothing is lost. A store that does not return
    /// from a commit is left with its thread, and in use until the process ends.
    /// [`Error::Store`]: the store has come to its end.
    pub fn stop(mut self, deadline: Duration) -> Result<(), Error> {
        let end = Instant::now() + deadline;
        let left = || end.saturating_duration_since(Instant::now());
        let (asked, at_rest) = channel();
        self.core.tell(News::Stop(asked));
        self.connectors.close_inbounds();
        self.listeners.stop(end);
        self.end_life();
        let finished = at_rest.recv_timeout(left()).is_ok();
        if let Some(runtime) = &self.runtime {
            self.connectors.stop(runtime.handle(), end);
        }
        let result = match self.end(left().max(GRACE)) {
            Ok(()) if finished => Ok(()),
            Ok(()) => Err(Error::Unfinished),
            Err(error) => Err(Error::Store(error)),
        };
        notices::stopped(&result);
        result
    }

    pub(crate) fn start(
        builder: Builder,
        mut store: Box<dyn Store + Send>,
        Beginning { kept, may_orphan, graph: again, settling }: Beginning,
    ) -> Result<Engine, Error> {
        let (mut numbers, stored) = (store.numbers()?, Stored::own(&mut *store, &builder)?);
        reload::may_start(&stored, may_orphan)?;
        let (inbounds, outbounds) = builder.lanes(&stored.names);
        let switches: Vec<_> = stored.heads.iter().flat_map(|it| it.switches.clone()).collect();
        let (clock, (core, news)) = (Clock::new(Arc::clone(&builder.wall)), ToCore::new());
        let stalls = Stalls::new(builder.stalled_after);
        let retaining = Retaining::new(&mut *store, retention(&builder, &inbounds), clock.clone())?;
        let operator = Operator::new(store.reader()?, core.clone(), retaining.appending());
        let (mut for_core, for_engine) = (store.reader()?, store.reader()?);
        let readers = ReadingEnds::of(&*store, &builder)?;
        know(&mut *for_core, clock.now().wall, &core)?;
        let runtime = runtime().map_err(Error::System)?;
        let ((writer, jobs), bodies) = (channel(), Arc::new(BodyIds::new(numbers.body)));
        let doors = doors(&builder, &core, &writer, &bodies, &outbounds);
        let to = Opening { builder: &builder, doors: &doors, switches: &switches, core: &core };
        let listening = to.listen(runtime.handle(), &inbounds, kept)?;
        let listeners = listening.listeners.clone();
        // What can be wrong has been tried: what is written from here on is of this life.
        let (stored, settled) =
            settling.begin_life(&mut *store, &builder, &mut numbers, stored, &clock)?;
        let Opened { gates, senders, connectors, timetable } =
            to.open(runtime.handle(), &outbounds, listening);
        let senders: Vec<_> = outbounds.into_iter().zip(senders).collect();
        let orphaned = stored.orphaned();
        let (pipeline, names) = pipeline(&builder, stored, numbers, &clock);
        let mut engine = Engine {
            core: core.clone(),
            deciding: None,
            threads: Vec::new(),
            writing: None,
            runtime: Some(runtime),
            listeners: listeners.clone(),
            connectors: connectors.clone(),
            senders: senders.clone(),
            reader: Mutex::new(Some(for_engine)),
            operator: Arc::new(Mutex::new(operator)),
            metrics: Arc::new(Metrics::new(&names)),
            names: Arc::clone(&names),
            doubt: retaining.doubt(),
            writer: Some(writer.clone()),
            graph: Mutex::new(again),
            orphaned,
            settled,
            data: (builder.data.clone(), builder.limits.min_free.unwrap_or(0)),
            workers: None,
            seats: Seats::default(),
        };
        let reader = engine.begin_to_read(for_core)?;
        engine.begin_to_write(store, numbers.body, jobs, retaining)?;
        let chunks = ToChunks { writer: writer.clone(), bodies };
        let (workers, arrivals) = engine.prepare_calls(builder, readers, chunks, &clock)?;
        let outlets = Outlets { writer, reader, workers, arrivals, senders };
        let connections = Connections::new(inbounds, gates, listeners, connectors, timetable);
        engine.decide(Core::new(pipeline, news, clock, names, outlets, connections, stalls))
    }

    /// Starts the threads that decide: the core, and an operator's unfinished job.
    fn decide(mut self, core: Core) -> Result<Engine, Error> {
        let thread = thread::Builder::new().name("engine-core".into());
        self.deciding = Some(thread.spawn(|| core.run()).map_err(Error::System)?);
        // What an operator had begun is done to its end.
        let operator = Arc::clone(&self.operator);
        let resume = move || drop(operator.lock().unwrap_or_else(PoisonError::into_inner).resume());
        let thread = thread::Builder::new().name("engine-operator".into());
        self.threads.push(thread.spawn(resume).map_err(Error::System)?);
        Ok(self)
    }

    /// Ends every thread. What is not done is done at the next start.
    fn end(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.core.tell(News::End);
        let deciding = self.deciding.take().map(JoinHandle::join);
        self.senders.clear();
        if let Some(workers) = self.workers.take() {
            workers.end();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
        let end = Instant::now() + patience;
        for thread in self.threads.drain(..) {
            // A function of the program that never returns holds its thread, and not the end.
            let is_worker = thread.thread().name() == Some("engine-worker");
            join(thread, if is_worker { end.min(Instant::now() + FUNCTIONS) } else { end });
        }
        // The store is the last to be closed, so that it can leave its file without a log.
        self.reader.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // A job that is still running holds the lock; the end does not wait for it.
        if let Ok(mut operator) = self.operator.try_lock() {
            operator.close();
        }
        drop(self.writing.take().and_then(|thread| join(thread, end)));
        match deciding {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(StoreError::Unavailable("the core has failed".to_owned())),
            None => Ok(()),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.deciding.is_some() {
            let _ = self.end(PATIENCE);
        }
    }
}

fn runtime() -> std::io::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("engine-io").enable_all().build()
}

#[cfg_attr(not(feature = "sabotage"), expect(unused_mut))]
fn pipeline(
    builder: &Builder,
    Stored { heads, names, orphans }: Stored,
    numbers: Numbers,
    clock: &Clock,
) -> (Pipeline, Arc<Names>) {
    let graph = graph(builder, orphans, &names);
    let start = Start { heads, next_message: numbers.message, next_stamp: numbers.stamp };
    let mut pipeline = Pipeline::new(graph, start, clock.now());
    #[cfg(feature = "sabotage")]
    if let Some(how) = builder.sabotage {
        pipeline.sabotage(how);
    }
    (pipeline, Arc::new(names))
}

/// How long the messages of each inbound are kept.
fn retention(builder: &Builder, lanes: &[LaneId]) -> Retention {
    let kept = builder.inbounds.iter().zip(lanes);
    let of = kept.filter_map(|(it, lane)| it.keep.map(|days| (*lane, days))).collect();
    Retention { days: builder.retention, of }
}

/// Waits for a thread as long as it may take.
fn join<T>(thread: JoinHandle<T>, end: Instant) -> Option<T> {
    while !thread.is_finished() && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    thread.is_finished().then(|| thread.join().ok()).flatten()
}

pub(crate) fn ended() -> Error {
    Error::Store(StoreError::Unavailable("the engine has ended".to_owned()))
}

/// Tells the core by what messages of the last day are recognised.
fn know(reader: &mut dyn Reader, now: u64, core: &ToCore) -> Result<(), StoreError> {
    let mut known: BTreeMap<LaneId, Vec<(u128, MessageId)>> = BTreeMap::new();
    let (mut newest, mut before) = (Vec::new(), MessageId(u64::MAX));
    let begun = Instant::now();
    let is_young = |it: &Identity| it.received_at.saturating_add(DAY) > now;
    while newest.len() < KNOWN && begun.elapsed() < KNOWN_WITHIN {
        let part = reader.identities(before, 50_000)?;
        let Some(last) = part.last().filter(|_| part.iter().any(is_young)) else { break };
        before = last.message;
        newest.extend(part);
    }
    // None is older than one that was received before it, whatever the clock has said.
    let young = newest.iter().rposition(is_young);
    newest.truncate(young.map_or(0, |oldest| oldest + 1));
    for it in newest.into_iter().rev() {
        known.entry(it.inbound).or_default().push((it.identity, it.message));
    }
    for (inbound, identities) in known {
        core.tell(News::Fact(Fact::Known { inbound, identities }));
    }
    Ok(())
}
