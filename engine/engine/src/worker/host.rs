//! The thread that follows the supervisor's orders.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mllp_pipeline::{CallId, Fact as Told, LaneId};

use super::Kind;
use super::batch::Product;
use super::conversation::{Ask, Conversation};
use super::desk::{Desk, OpenCall};
use super::started::Started;
use super::status::{Workers, status};
use super::supervisor::{Fact, Made, Order, Supervisor, WorkerId, WorkerLimits};
use super::traces::Traces;
use crate::clock::Clock;
use crate::program::Program;
use crate::traffic::{News, ToCore};
use crate::workers::Call;

/// Facts that are taken before something is done about them.
const TURN: usize = 256;
/// At the end workers get this long to end by themselves, and again to be killed.
const GRACE: Duration = Duration::from_millis(300);

/// Where it is told whether another program runs, or why not.
type Switched = Sender<Result<(), String>>;

/// What the host is told.
pub(crate) enum ToHost {
    Call(Call),
    Fact(Fact<Product>),
    /// Another program is to run; who asked hears what became of it.
    Program(Program, Switched),
    Ask(Sender<Workers>),
    Stop,
    End,
}

/// The way to the workers. Never blocks.
#[derive(Clone)]
pub(crate) struct ToWorkers {
    host: Sender<ToHost>,
    /// Whose functions they run.
    lanes: Arc<BTreeSet<LaneId>>,
    pub(crate) traces: Arc<Traces>,
}

impl ToWorkers {
    /// Whether the functions of this lane run in workers.
    pub(crate) fn run_lane(&self, lane: LaneId) -> bool {
        self.lanes.contains(&lane)
    }

    pub(crate) fn call(&self, call: Call) {
        let _ = self.host.send(ToHost::Call(call));
    }

    /// Nothing more is begun.
    pub(crate) fn stop(&self) {
        let _ = self.host.send(ToHost::Stop);
    }

    pub(crate) fn end(&self) {
        let _ = self.host.send(ToHost::End);
    }

    /// How they stand; `None`: they have ended.
    pub(crate) fn status(&self) -> Option<Workers> {
        let (asked, answer) = channel();
        self.host.send(ToHost::Ask(asked)).ok()?;
        answer.recv().ok()
    }

    /// Takes another program, and waits until it runs or is refused.
    pub(crate) fn run(&self, program: Program) -> Result<(), String> {
        let (asked, answer) = channel();
        let ended = |_| "the engine has ended".to_owned();
        self.host.send(ToHost::Program(program, asked)).map_err(|_| ended(()))?;
        answer.recv().map_err(|_| ended(()))?
    }
}

/// A worker that lives, or is about to.
pub(super) struct Line {
    pub(super) started: Arc<Started>,
    asks: Sender<Ask>,
}

pub(super) struct Host {
    pub(super) supervisor: Supervisor<Product>,
    news: Receiver<ToHost>,
    to_host: Sender<ToHost>,
    core: ToCore,
    pub(super) clock: Clock,
    pub(super) desk: Arc<Desk>,
    pub(super) lines: BTreeMap<WorkerId, Line>,
    pub(super) calls: HashMap<CallId, Arc<OpenCall>>,
    programs: BTreeMap<u64, (Program, Option<Switched>)>,
    /// What was reported of them.
    was_failing: bool,
}

/// Starts the workers, which end after [`ToWorkers::end`].
pub(crate) fn start(
    program: Program,
    limits: WorkerLimits,
    desk: Desk,
    clock: Clock,
    core: ToCore,
) -> io::Result<(ToWorkers, JoinHandle<()>)> {
    let (to_host, news) = channel();
    let lanes = Arc::new(desk.in_workers.keys().copied().collect());
    let traces = Arc::clone(&desk.traces);
    let host = Host {
        supervisor: Supervisor::new(limits),
        news,
        to_host: to_host.clone(),
        core,
        clock,
        desk: Arc::new(desk),
        lines: BTreeMap::new(),
        calls: HashMap::new(),
        programs: BTreeMap::from([(0, (program, None))]),
        was_failing: false,
    };
    let thread = thread::Builder::new().name("engine-supervisor".into());
    let thread = thread.spawn(move || host.run())?;
    Ok((ToWorkers { host: to_host, lanes, traces }, thread))
}

impl Host {
    fn run(mut self) {
        loop {
            let now = self.clock.now().steady;
            self.supervisor.on_time(now);
            self.carry_out();
            self.report();
            let now = self.clock.now().steady;
            let deadline = self.supervisor.next_deadline(now);
            let wait = deadline.map(|at| Duration::from_millis(at.saturating_sub(now)));
            // A minute without a deadline is as good as for ever.
            let wait = wait.unwrap_or(Duration::from_secs(60));
            let first = match self.news.recv_timeout(wait) {
                Ok(news) => news,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            };
            let mut next = Some(first);
            for _ in 0..TURN {
                let Some(news) = next.take() else { break };
                if self.take(news) {
                    return self.end();
                }
                next = self.news.try_recv().ok();
            }
            if next.is_some_and(|news| self.take(news)) {
                return self.end();
            }
        }
    }

    /// Takes news; true: the end.
    fn take(&mut self, news: ToHost) -> bool {
        let now = self.clock.now().steady;
        match news {
            ToHost::Call(Call { call, lane, work }) => {
                let count = work.len();
                self.calls.insert(call, Arc::new(OpenCall { lane, work }));
                self.supervisor.tell(Fact::Call { call, lane, count }, now);
            }
            ToHost::Fact(fact) => {
                if let Fact::Gone { worker, .. } = &fact {
                    self.lines.remove(worker);
                }
                self.supervisor.tell(fact, now);
            }
            ToHost::Program(program, asked) => {
                let number = self.programs.keys().last().map_or(0, |last| last + 1);
                self.programs.insert(number, (program, Some(asked)));
                self.supervisor.tell(Fact::Program(number), now);
            }
            ToHost::Ask(asked) => {
                for worker in self.lines.keys().copied().collect::<Vec<_>>() {
                    self.look(worker);
                }
                let _ = asked.send(status(self));
            }
            ToHost::Stop => self.supervisor.tell(Fact::Stop, now),
            ToHost::End => return true,
        }
        false
    }

    fn carry_out(&mut self) {
        while let Some(order) = self.supervisor.next_order() {
            match order {
                Order::Spawn { worker, program } => self.spawn(worker, program),
                Order::Probe(worker) => self.ask(worker, Ask::Probe),
                Order::Run { worker, call, items } => {
                    if let Some(call) = self.calls.get(&call) {
                        self.ask(worker, Ask::Run(Arc::clone(call), items));
                    }
                }
                Order::Look(worker) => self.look(worker),
                Order::End(worker) => self.ask(worker, Ask::End),
                Order::Kill(worker) => {
                    if let Some(line) = self.lines.get(&worker) {
                        line.started.kill();
                    }
                }
                Order::Finish { call, lane, results } => self.finish(call, lane, results),
                Order::Switched { program, result } => self.switched(program, result),
            }
        }
    }

    fn ask(&self, worker: WorkerId, ask: Ask) {
        if let Some(line) = self.lines.get(&worker) {
            let _ = line.asks.send(ask);
        }
    }

    fn look(&mut self, worker: WorkerId) {
        let Some(line) = self.lines.get(&worker) else { return };
        let mark = line.started.mark();
        self.supervisor.tell(Fact::Mark { worker, mark }, self.clock.now().steady);
    }

    fn spawn(&mut self, worker: WorkerId, program: u64) {
        let Some((program, _)) = self.programs.get(&program) else { return };
        let (asks, asked) = channel();
        let started = Arc::new(Started::default());
        let conversation = Conversation {
            worker,
            started: Arc::clone(&started),
            desk: Arc::clone(&self.desk),
            asked,
            host: self.to_host.clone(),
        };
        let (program, to_itself) = (program.clone(), asks.clone());
        let thread = thread::Builder::new().name("engine-talk".into());
        match thread.spawn(move || conversation.hold(&program, to_itself)) {
            Ok(_) => drop(self.lines.insert(worker, Line { started, asks })),
            Err(error) => {
                let why = format!("a worker cannot be started: {}", error.kind());
                let fact = Supervisor::not_started(worker, why);
                self.supervisor.tell(fact, self.clock.now().steady);
            }
        }
    }

    fn finish(&mut self, call: CallId, lane: LaneId, results: Vec<Made<Product>>) {
        self.calls.remove(&call);
        let fact = match self.desk.function(lane) {
            Some((Kind::Router, _)) => {
                let handlers = |made| match made {
                    Product::Handlers(lanes) => lanes,
                    Product::Sends(_) => Vec::new(),
                };
                let results = results.into_iter().map(|it| it.map(handlers)).collect();
                Told::Routed { call, results }
            }
            _ => {
                let sends = |made| match made {
                    Product::Sends(sends) => sends,
                    Product::Handlers(_) => Vec::new(),
                };
                let results = results.into_iter().map(|it| it.map(sends)).collect();
                Told::Transformed { call, results }
            }
        };
        self.core.tell(News::Called(lane, fact));
    }

    fn switched(&mut self, program: u64, result: Result<(), String>) {
        if result.is_ok() {
            self.programs.retain(|number, _| *number >= program);
        }
        let asked = match &result {
            Ok(()) => self.programs.get_mut(&program).and_then(|it| it.1.take()),
            Err(_) => self.programs.remove(&program).and_then(|it| it.1),
        };
        if let Some(asked) = asked {
            let _ = asked.send(result);
        }
    }

    /// Reports that no worker is of use, and that one is again.
    fn report(&mut self) {
        let is_failing = self.supervisor.is_failing();
        if std::mem::replace(&mut self.was_failing, is_failing) == is_failing {
            return;
        }
        match self.supervisor.fault() {
            Some((why, _)) if is_failing => log::error!(reason = why; "workers do not start"),
            _ => log::info!("workers run again"),
        }
    }

    /// Ends all workers, those that run something at once.
    fn end(mut self) {
        self.lines.values().for_each(|it| drop(it.asks.send(Ask::End)));
        self.wait_for_ends();
        self.lines.values().for_each(|it| it.started.kill());
        self.wait_for_ends();
    }

    fn wait_for_ends(&mut self) {
        let end = Instant::now() + GRACE;
        while !self.lines.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok(ToHost::Fact(Fact::Gone { worker, .. })) => drop(self.lines.remove(&worker)),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}
