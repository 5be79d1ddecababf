//! Whether the process of a connection runs, and what becomes of its deliveries: facts in, orders out.
//! Without a clock, a socket or a process, so that a simulation can live its bad days.
//!
//! ```text
//!            Spawn              Hello               End            Gone
//!   no process ───► starting ─────────► running ─────────► ending ─────► no process
//!        ▲              └───────────────────┴── Kill ──► killed ─────────────┘
//!        └── after a wait that doubles, if nobody wanted the end
//! ```
//!
//! A delivery that was given to a process which ends without an answer may have been sent: it has got
//! no reply. One that was not given has certainly not been sent.

use std::collections::VecDeque;

use mllp_io::Outcome;

/// Milliseconds.
pub(super) type Millis = u64;

/// How long a process may take to say hello.
const HELLO: Millis = 60_000;
/// Waits before a process is started again: the first, and the longest.
const AGAIN: (Millis, Millis) = (100, 30_000);

/// How patient the engine is with one process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a delivery, or for the next part of a message.
    pub(super) timeout: Millis,
    /// For its end.
    pub(super) stop: Millis,
    /// Deliveries that it has at a time.
    pub(super) window: usize,
}

/// Something has happened. `D`: what is delivered.
#[derive(Debug)]
pub(super) enum Fact<D> {
    /// The process works.
    Hello,
    /// It cannot work, for this reason.
    Refused(String),
    /// It can reach its partner.
    Ready,
    /// It cannot, for this reason.
    NotReady(String),
    /// Whether it is in the middle of a message, and the engine waits for more of it.
    Midway(bool),
    /// It has done something of use.
    Useful,
    /// It reads further in a delivery.
    Reads,
    /// What became of the delivery that was given with this number.
    Done { token: u64, outcome: Outcome, note: String },
    /// It is no more, for this reason. The last fact of each process.
    Gone(String),
    /// A delivery of this generation, with its number in its lane.
    Deliver { generation: u64, number: u64, delivery: D },
    /// Deliveries of earlier generations are forgotten.
    Abandon(u64),
    /// The connection is to work.
    Open,
    /// It is not to.
    Close,
    /// Somebody does not want to wait until it is started again.
    Hurry,
}

/// Something to do.
#[derive(Debug, PartialEq)]
pub(super) enum Order<D> {
    Spawn,
    /// Tell it to end.
    End,
    Kill,
    /// Have it carry out this delivery.
    Give {
        token: u64,
        delivery: D,
    },
    /// What became of a delivery.
    Report(Ended),
    /// Whether deliveries are taken.
    Ready(bool),
    /// The connection does not work, for this reason; after so long the process is started again.
    Lost {
        why: String,
        again: Option<Millis>,
    },
    /// The process runs.
    Runs,
}

/// A delivery has ended.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) generation: u64,
    pub(super) number: u64,
    pub(super) milliseconds: Millis,
    pub(super) outcome: Outcome,
    pub(super) note: String,
}

/// Times are those of the last change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    None,
    Starting(Millis),
    Running(Millis),
    Ending(Millis),
    Killed,
}

/// A delivery that the process has.
#[derive(Debug)]
struct Given {
    token: u64,
    generation: u64,
    number: u64,
    at: Millis,
    /// Nobody wants to hear of it any more. The process has it all the same.
    forgotten: bool,
}

/// The state machine.
pub(super) struct Supervisor<D> {
    limits: Limits,
    state: State,
    wanted: bool,
    /// No process is started before this.
    not_before: Millis,
    /// Processes in a row that were of no use.
    failures: u32,
    /// Why it refused or was killed.
    why: Option<String>,
    is_ready: bool,
    given: VecDeque<Given>,
    /// Deliveries that it has no room for.
    waiting: VecDeque<(u64, u64, D)>,
    generation: u64,
    last_token: u64,
    /// Since when an answer is due.
    due_since: Millis,
    midway_since: Option<Millis>,
    orders: VecDeque<Order<D>>,
}

impl<D> Supervisor<D> {
    pub(super) fn new(limits: Limits, wanted: bool) -> Self {
        Supervisor {
            limits: Limits { window: limits.window.max(1), ..limits },
            state: State::None,
            wanted,
            not_before: 0,
            failures: 0,
            why: None,
            is_ready: false,
            given: VecDeque::new(),
            waiting: VecDeque::new(),
            generation: 0,
            last_token: 0,
            due_since: 0,
            midway_since: None,
            orders: VecDeque::new(),
        }
    }

    pub(super) fn next_order(&mut self) -> Option<Order<D>> {
        self.orders.pop_front()
    }

    /// Whether no process is wanted, and none is there.
    pub(super) fn has_ended(&self) -> bool {
        !self.wanted && self.state == State::None
    }

    /// Processes in a row that were of no use.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes a fact. [`on_time`](Supervisor::on_time) follows it.
    pub(super) fn tell(&mut self, fact: Fact<D>, now: Millis) {
        match fact {
            Fact::Hello => {
                if let State::Starting(_) = self.state {
                    self.state = State::Running(now);
                    self.orders.push_back(Order::Runs);
                }
            }
            Fact::Refused(why) => self.why = Some(why),
            Fact::Ready => self.ready(now),
            Fact::NotReady(why) => self.not_ready(why),
            Fact::Midway(midway) => self.midway_since = midway.then_some(now),
            Fact::Useful => self.failures = 0,
            Fact::Reads => self.due_since = now,
            Fact::Done { token, outcome, note } => self.done(token, outcome, note, now),
            Fact::Gone(how) => self.gone(how, now),
            Fact::Deliver { generation, number, delivery } => {
                self.deliver(generation, number, delivery, now);
            }
            Fact::Abandon(generation) => self.abandon(generation),
            Fact::Open => self.open(),
            Fact::Close => self.close(now),
            Fact::Hurry => self.not_before = 0,
        }
    }

    fn ready(&mut self, now: Millis) {
        let takes = matches!(self.state, State::Running(_));
        if takes && !std::mem::replace(&mut self.is_ready, true) {
            self.orders.push_back(Order::Ready(true));
        }
        self.give(now);
    }

    fn not_ready(&mut self, why: String) {
        if !matches!(self.state, State::Running(_)) {
            return;
        }
        self.refuse_waiting();
        self.orders.push_back(Order::Lost { why, again: None });
        self.unready();
    }

    fn unready(&mut self) {
        if std::mem::replace(&mut self.is_ready, false) {
            self.orders.push_back(Order::Ready(false));
        }
    }

    fn deliver(&mut self, generation: u64, number: u64, delivery: D, now: Millis) {
        if generation < self.generation {
            return;
        }
        self.waiting.push_back((generation, number, delivery));
        if self.is_ready { self.give(now) } else { self.refuse_waiting() }
    }

    /// Gives the process what it has room for, in order.
    fn give(&mut self, now: Millis) {
        while self.is_ready && self.given.len() < self.limits.window {
            let Some((generation, number, delivery)) = self.waiting.pop_front() else { break };
            if self.given.is_empty() {
                self.due_since = now;
            }
            self.last_token += 1;
            let token = self.last_token;
            self.given.push_back(Given { token, generation, number, at: now, forgotten: false });
            self.orders.push_back(Order::Give { token, delivery });
        }
    }

    /// What was not given has not been sent.
    fn refuse_waiting(&mut self) {
        for (generation, number, _) in std::mem::take(&mut self.waiting) {
            self.report(generation, number, 0, Outcome::Transport, String::new());
        }
    }

    fn report(
        &mut self,
        generation: u64,
        number: u64,
        milliseconds: Millis,
        outcome: Outcome,
        note: String,
    ) {
        let ended = Ended { generation, number, milliseconds, outcome, note };
        self.orders.push_back(Order::Report(ended));
    }

    fn done(&mut self, token: u64, outcome: Outcome, note: String, now: Millis) {
        let Some(at) = self.given.iter().position(|it| it.token == token) else { return };
        let Some(given) = self.given.remove(at) else { return };
        (self.failures, self.due_since) = (0, now);
        if !given.forgotten {
            let milliseconds = now.saturating_sub(given.at);
            self.report(given.generation, given.number, milliseconds, outcome, note);
        }
        self.give(now);
    }

    fn abandon(&mut self, generation: u64) {
        self.generation = generation;
        self.waiting.clear();
        self.given.iter_mut().for_each(|it| it.forgotten = true);
    }

    fn open(&mut self) {
        self.wanted = true;
        (self.not_before, self.failures) = (0, 0);
    }

    fn close(&mut self, now: Millis) {
        self.wanted = false;
        if matches!(self.state, State::Starting(_) | State::Running(_)) {
            self.state = State::Ending(now);
            self.orders.push_back(Order::End);
        }
        self.refuse_waiting();
        self.unready();
    }

    fn gone(&mut self, how: String, now: Millis) {
        let was_wanted = matches!(self.state, State::Starting(_) | State::Running(_))
            || self.state == State::Killed && self.wanted;
        if matches!(self.state, State::Running(since) if since + AGAIN.1 <= now) {
            self.failures = 0;
        }
        self.state = State::None;
        self.midway_since = None;
        let why = self.why.take().unwrap_or(how);
        for given in std::mem::take(&mut self.given) {
            if !given.forgotten {
                let milliseconds = now.saturating_sub(given.at);
                let (generation, number) = (given.generation, given.number);
                self.report(generation, number, milliseconds, Outcome::NoReply, why.clone());
            }
        }
        self.refuse_waiting();
        if was_wanted {
            self.failures += 1;
            let wait = again(self.failures);
            self.not_before = now + wait;
            self.orders.push_back(Order::Lost { why, again: Some(wait) });
        }
        self.unready();
    }

    /// When there is something to do without a fact.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        match self.state {
            State::None => self.wanted.then_some(self.not_before),
            State::Starting(since) => Some(since + HELLO),
            State::Running(_) => {
                let delivery = (!self.given.is_empty()).then_some(self.due_since);
                let since = delivery.into_iter().chain(self.midway_since).min();
                since.map(|since| since.saturating_add(self.limits.timeout))
            }
            State::Ending(since) => Some(since.saturating_add(self.limits.stop)),
            State::Killed => None,
        }
    }

    /// Does what is due.
    pub(super) fn on_time(&mut self, now: Millis) {
        if self.next_deadline().is_none_or(|at| at > now) {
            return;
        }
        let why = match self.state {
            State::None => {
                self.state = State::Starting(now);
                return self.orders.push_back(Order::Spawn);
            }
            State::Starting(_) => "it did not say hello in time",
            State::Running(_) => "it did not go on in time",
            State::Ending(_) => "it did not end in time",
            State::Killed => return,
        };
        self.why.get_or_insert_with(|| why.to_owned());
        self.state = State::Killed;
        self.orders.push_back(Order::Kill);
        self.refuse_waiting();
        self.unready();
    }
}

/// The wait after so many processes of no use.
fn again(failures: u32) -> Millis {
    (AGAIN.0 << failures.saturating_sub(1).min(16)).min(AGAIN.1)
}

#[cfg(test)]
mod simulation;
