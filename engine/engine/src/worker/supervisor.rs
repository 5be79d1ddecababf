//! Which worker runs what, and what becomes of it: facts in, orders out. Without a clock, a socket or a
//! process, so that a simulation can live its bad days.
//!
//! Calls wait in one line. Of the workers as many run as are wanted; one more is warm, and where a call
//! takes longer than [`BLOCKED`] another takes its place. When a worker dies, the message that was
//! marked is the suspect: it runs alone in a worker that has run nothing else, and everything else runs
//! again without it. Only a message that has killed two alone is blamed.

mod deaths;
mod staff;
mod standing;
mod worker;

use std::collections::{BTreeMap, VecDeque};

use mllp_pipeline::{CallFailure, CallId, Failure, LaneId, Note};

pub(crate) use worker::WorkerId;
use worker::{State, Watch, Worker};

/// Milliseconds.
pub(crate) type Millis = u64;

/// A call that takes longer is no longer counted as running: another worker takes what waits.
pub(crate) const BLOCKED: Millis = 200;
/// How many workers there may be above those that are wanted.
pub(crate) const SPARES: usize = 4;
/// A spare that has had nothing to do for so long goes, except for one.
const IDLE: Millis = 60_000;
/// How long a worker may take to load its program.
const HELLO: Millis = 60_000;
/// How long it may take to answer a probe, and to end when it is told to.
const PATIENCE: Millis = 10_000;
/// Waits after faults of our own: the first, and the longest.
const AGAIN: (Millis, Millis) = (100, 30_000);

/// How many workers run, and within which bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerLimits {
    /// How many run at the same time, not counting those that are blocked.
    pub processes: usize,
    /// How long a function may take for one message, in milliseconds. Then its worker is killed, and the
    /// message ends in ERROR.
    pub handler_timeout: Millis,
    /// A worker that holds more memory than so many bytes after a batch is replaced. Read where there is
    /// a `/proc`.
    pub max_memory: u64,
}

impl WorkerLimits {
    /// One process, 10 s, 1 GiB.
    pub const DEFAULT: WorkerLimits =
        WorkerLimits { processes: 1, handler_timeout: 10_000, max_memory: 1 << 30 };
}

impl Default for WorkerLimits {
    fn default() -> Self {
        WorkerLimits::DEFAULT
    }
}

/// What a function has made of one message.
pub(crate) type Made<T> = Result<T, CallFailure>;

/// Something has happened.
#[derive(Debug)]
pub(crate) enum Fact<T> {
    /// A function is to be run on so many messages.
    Call { call: CallId, lane: LaneId, count: usize },
    /// A worker has every function that is needed.
    Hello(WorkerId),
    /// It has answered the probe.
    Alive(WorkerId),
    /// The results of its batch, and how many bytes of memory it holds.
    Results { worker: WorkerId, results: Vec<Made<T>>, memory: u64 },
    /// What an [`Order::Look`] has found.
    Mark { worker: WorkerId, mark: Marked },
    /// It is no more. `done`: the results that it gave for the first messages of its batch.
    Gone { worker: WorkerId, done: Vec<Made<T>>, mark: Marked, why: Gone },
    /// The program with this number is to take the place of the one before.
    Program(u64),
    /// Nothing more is begun: what waits is given back.
    Stop,
}

/// Where a worker is in its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marked {
    /// The message it has begun last; `None`: none.
    pub(crate) index: Option<usize>,
    /// Whether the function has returned from it.
    pub(crate) returned: bool,
    /// Whether it waits for us: for the rest of a large message, or until a large one is written.
    pub(crate) waits: bool,
}

/// Why a worker is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It has ended, by itself or killed, in these words.
    Ended(String),
    /// Through our own fault: it could not be started, it refused, it lacks functions, or what it said
    /// is no part of the protocol.
    Fault(String),
}

/// Something to do.
#[derive(Debug)]
pub(crate) enum Order<T> {
    Spawn {
        worker: WorkerId,
        program: u64,
    },
    /// Ask it whether it lives.
    Probe(WorkerId),
    /// Have it run these messages of a call.
    Run {
        worker: WorkerId,
        call: CallId,
        items: Vec<usize>,
    },
    /// Read its mark, and tell it at once.
    Look(WorkerId),
    /// Let it end.
    End(WorkerId),
    Kill(WorkerId),
    /// All results of a call are here.
    Finish {
        call: CallId,
        lane: LaneId,
        results: Vec<Made<T>>,
    },
    /// The program that was given last runs from now on, or is refused and forgotten.
    Switched {
        program: u64,
        result: Result<(), String>,
    },
}

/// Messages of one call that run together.
#[derive(Clone, Debug)]
struct Piece {
    call: CallId,
    /// Places in the call.
    items: Vec<usize>,
    /// One message, on which a worker has died.
    is_suspect: bool,
    /// How many workers it has killed alone.
    kills: u32,
    /// How often it was run in vain through our own fault.
    tries: u32,
    not_before: Millis,
}

/// A call that is open.
#[derive(Debug)]
struct Open<T> {
    lane: LaneId,
    results: Vec<Option<Made<T>>>,
    missing: usize,
}

/// The state machine. `T`: what a function makes of a message.
pub(crate) struct Supervisor<T> {
    limits: WorkerLimits,
    workers: BTreeMap<WorkerId, Worker>,
    next_worker: u64,
    calls: BTreeMap<CallId, Open<T>>,
    /// What waits for a worker.
    line: VecDeque<Piece>,
    /// Single messages that wait for a worker that has run nothing.
    suspects: VecDeque<Piece>,
    program: u64,
    /// The worker that tries the program that is to take its place.
    candidate: Option<(WorkerId, u64)>,
    /// Workers in a row that ended before they were of any use.
    failures: u32,
    no_spawn_before: Millis,
    restarts: u64,
    /// The last fault of our own, and when.
    fault: Option<(String, Millis)>,
    stopping: bool,
    orders: VecDeque<Order<T>>,
}

impl<T> Supervisor<T> {
    /// With the first program, whose number is 0.
    pub(crate) fn new(limits: WorkerLimits) -> Self {
        let limits = WorkerLimits { processes: limits.processes.max(1), ..limits };
        Supervisor {
            limits,
            workers: BTreeMap::new(),
            next_worker: 0,
            calls: BTreeMap::new(),
            line: VecDeque::new(),
            suspects: VecDeque::new(),
            program: 0,
            candidate: None,
            failures: 0,
            no_spawn_before: 0,
            restarts: 0,
            fault: None,
            stopping: false,
            orders: VecDeque::new(),
        }
    }

    pub(crate) fn next_order(&mut self) -> Option<Order<T>> {
        self.orders.pop_front()
    }

    /// Takes a fact. [`on_time`](Supervisor::on_time) follows it.
    pub(crate) fn tell(&mut self, fact: Fact<T>, now: Millis) {
        match fact {
            Fact::Call { call, lane, count } => self.call(call, lane, count),
            Fact::Hello(id) => self.hello(id, now),
            Fact::Alive(id) => self.alive(id, now),
            Fact::Results { worker, results, memory } => self.results(worker, results, memory, now),
            Fact::Mark { worker, mark } => self.marked(worker, mark, now),
            Fact::Gone { worker, done, mark, why } => self.gone(worker, done, mark, why, now),
            Fact::Program(program) => self.try_program(program, now),
            Fact::Stop => self.stop(),
        }
    }

    fn call(&mut self, call: CallId, lane: LaneId, count: usize) {
        let results = (0..count).map(|_| None).collect();
        self.calls.insert(call, Open { lane, results, missing: count });
        let (items, is_suspect) = ((0..count).collect(), false);
        self.line.push_back(Piece { call, items, is_suspect, kills: 0, tries: 0, not_before: 0 });
        if self.stopping {
            self.give_back();
        }
        self.finish(call);
    }

    fn hello(&mut self, id: WorkerId, now: Millis) {
        if let Some((candidate, program)) = self.candidate
            && candidate == id
        {
            self.candidate = None;
            self.program = program;
            (self.failures, self.no_spawn_before) = (0, 0);
            self.orders.push_back(Order::Switched { program, result: Ok(()) });
            for worker in self.workers.values_mut().filter(|it| it.program != program) {
                worker.is_over = true;
                if matches!(worker.state, State::Starting) {
                    worker.enter(State::Ending, now);
                    self.orders.push_back(Order::Kill(worker.id));
                }
            }
        }
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if matches!(worker.state, State::Starting) {
            worker.enter(State::Idle, now);
        }
    }

    fn alive(&mut self, id: WorkerId, now: Millis) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if let Some(piece) = worker.probed(now) {
            self.failures = 0;
            self.orders.push_back(Order::Run { worker: id, call: piece.call, items: piece.items });
        }
    }

    fn results(&mut self, id: WorkerId, results: Vec<Made<T>>, memory: u64, now: Millis) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some((piece, was_killed)) = worker.finish(now) else { return };
        if !was_killed && memory > self.limits.max_memory {
            worker.is_over = true;
        }
        self.failures = 0;
        self.keep(&piece, results);
    }

    /// Keeps results of the first messages of a piece; returns how many.
    fn keep(&mut self, piece: &Piece, results: Vec<Made<T>>) {
        let Some(open) = self.calls.get_mut(&piece.call) else { return };
        for (item, result) in piece.items.iter().zip(results) {
            open.missing -= usize::from(open.results[*item].is_none());
            open.results[*item] = Some(result);
        }
        self.finish(piece.call);
    }

    fn finish(&mut self, call: CallId) {
        if self.calls.get(&call).is_some_and(|open| open.missing == 0)
            && let Some(Open { lane, results, .. }) = self.calls.remove(&call)
        {
            let results = results.into_iter().flatten().collect();
            self.orders.push_back(Order::Finish { call, lane, results });
        }
    }

    fn try_program(&mut self, program: u64, now: Millis) {
        if let Some((id, earlier)) = self.candidate.take() {
            let result = Err("another program was given".to_owned());
            self.orders.push_back(Order::Switched { program: earlier, result });
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.enter(State::Ending, now);
                self.orders.push_back(Order::Kill(id));
            }
        }
        let id = self.spawn(program, now);
        self.candidate = Some((id, program));
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.give_back();
    }

    /// Gives back what has not begun: it is done at the next start.
    fn give_back(&mut self) {
        let waiting: Vec<_> = self.line.drain(..).chain(self.suspects.drain(..)).collect();
        for piece in waiting {
            let failed = piece.items.iter().map(|_| Err(ours("stopped"))).collect();
            self.keep(&piece, failed);
        }
    }
}

/// A failure that is not the message's.
fn ours(note: &str) -> CallFailure {
    CallFailure { failure: Failure::Infrastructure, note: Note(note.to_owned()) }
}

/// The wait after so many faults of our own in a row.
fn again(failures: u32) -> Millis {
    (AGAIN.0 << failures.saturating_sub(1).min(16)).min(AGAIN.1)
}

#[cfg(test)]
mod simulation;
