//! How many workers there are, and which of them takes what waits.

use std::collections::VecDeque;

use super::{
    BLOCKED, HELLO, IDLE, Millis, Order, PATIENCE, Piece, SPARES, State, Supervisor, Worker,
    WorkerId,
};

impl<T> Supervisor<T> {
    /// Does what is due.
    pub(crate) fn on_time(&mut self, now: Millis) {
        self.watch(now);
        self.hand_out(now);
        self.retire(now);
        self.staff(now);
    }

    /// When [`on_time`](Supervisor::on_time) is due without a fact; `None`: not at all.
    pub(crate) fn next_deadline(&self, now: Millis) -> Option<Millis> {
        let glance = self.glance();
        let of_workers = self.workers.values().filter_map(|it| match &it.state {
            State::Running(_, watch) if it.killed.is_none() => {
                let blocked = it.since + BLOCKED;
                Some(if now < blocked { blocked } else { watch.looked + glance })
            }
            State::Idle => (self.live() > self.limits.processes + 1).then_some(it.since + IDLE),
            State::Starting if it.killed.is_none() => Some(it.since + HELLO),
            State::Probing(_) | State::Ending if it.killed.is_none() => Some(it.since + PATIENCE),
            // It was killed.
            State::Starting | State::Probing(_) | State::Ending | State::Running(..) => None,
        });
        let later = self.line.iter().chain(&self.suspects).map(|it| it.not_before);
        let later = later.chain([self.no_spawn_before]).filter(|at| *at > now);
        of_workers.chain(later).min()
    }

    /// Looks at those that take long.
    fn watch(&mut self, now: Millis) {
        let glance = self.glance();
        for worker in self.workers.values_mut() {
            let since = worker.since;
            match &worker.state {
                State::Running(_, watch) if worker.killed.is_none() => {
                    if now >= since + BLOCKED && now >= watch.looked + glance {
                        self.orders.push_back(Order::Look(worker.id));
                    }
                }
                State::Starting => kill_after(worker, HELLO, now, &mut self.orders),
                State::Probing(_) | State::Ending => {
                    kill_after(worker, PATIENCE, now, &mut self.orders);
                }
                State::Idle | State::Running(..) => {}
            }
        }
    }

    /// Gives what waits to workers that have nothing to do.
    fn hand_out(&mut self, now: Millis) {
        let mut running = self.workers.values().filter(|it| it.runs_in_line(now)).count();
        while running < self.limits.processes {
            let Some(at) = self.line.iter().position(|it| it.not_before <= now) else { break };
            let Some(worker) = self.idle(|_| true) else { break };
            let Some(piece) = self.line.remove(at) else { break };
            running += 1;
            self.run(worker, piece, now);
        }
        while let Some(at) = self.suspects.iter().position(|it| it.not_before <= now) {
            let Some(id) = self.idle(|it| it.is_fresh) else { break };
            let Some(piece) = self.suspects.remove(at) else { break };
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.enter(State::Probing(piece), now);
                self.orders.push_back(Order::Probe(id));
            }
        }
    }

    fn run(&mut self, id: WorkerId, piece: Piece, now: Millis) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let (call, items) = (piece.call, piece.items.clone());
        worker.run(piece, now);
        self.orders.push_back(Order::Run { worker: id, call, items });
    }

    /// A worker that has nothing to do; best one that has run something, so that the spare stays fresh.
    fn idle(&self, is_right: impl Fn(&Worker) -> bool) -> Option<WorkerId> {
        let idle = self.workers.values().filter(|it| it.is_idle() && is_right(it));
        idle.min_by_key(|it| (it.is_fresh, it.id)).map(|it| it.id)
    }

    /// Workers that work or will soon, without the one that tries another program.
    fn live(&self) -> usize {
        let candidate = self.candidate.map(|it| it.0);
        self.workers.values().filter(|it| it.is_live() && Some(it.id) != candidate).count()
    }

    /// How many there should be: those that run, a warm one, and one more for each that is not to be
    /// counted on.
    fn wanted(&self, now: Millis) -> usize {
        let limits = self.limits;
        let blocked = self.workers.values().filter(|it| it.is_live() && it.is_blocked(now)).count();
        let tested =
            self.workers.values().filter(|it| it.is_tested() && !it.is_blocked(now)).count();
        let waits = usize::from(!self.suspects.is_empty());
        (limits.processes + 1 + blocked + tested + waits).min(limits.processes + SPARES)
    }

    /// Lets go who is over, and spares that are not needed.
    fn retire(&mut self, now: Millis) {
        let mut too_many = self.live().saturating_sub(self.limits.processes + 1);
        for worker in self.workers.values_mut().filter(|it| matches!(it.state, State::Idle)) {
            let is_spare = !worker.is_over && too_many > 0 && now >= worker.since + IDLE;
            if worker.is_over || is_spare {
                too_many -= usize::from(is_spare);
                end(worker, now, &mut self.orders);
            }
        }
        // A suspect needs one that has run nothing, and there is no room for one.
        let live = self.live();
        let has_fresh = self.workers.values().any(|it| it.is_live() && it.is_fresh);
        if !self.suspects.is_empty()
            && !has_fresh
            && live >= self.wanted(now)
            && let Some(id) = self.idle(|_| true)
            && let Some(worker) = self.workers.get_mut(&id)
        {
            end(worker, now, &mut self.orders);
        }
    }

    /// Starts workers that are missing.
    fn staff(&mut self, now: Millis) {
        if self.stopping {
            return;
        }
        let wanted = self.wanted(now);
        let mut live = self.live();
        let is_starting = |it: &Worker| it.is_live() && matches!(it.state, State::Starting);
        while live < wanted && now >= self.no_spawn_before {
            // After a fault one at a time.
            if self.failures > 0 && self.workers.values().any(is_starting) {
                break;
            }
            self.spawn(self.program, now);
            live += 1;
        }
    }

    pub(super) fn spawn(&mut self, program: u64, now: Millis) -> WorkerId {
        let worker = WorkerId(self.next_worker);
        self.next_worker += 1;
        self.workers.insert(worker, Worker::new(worker, program, now));
        self.orders.push_back(Order::Spawn { worker, program });
        worker
    }
}

/// Kills a worker that has been in its state for so long.
fn kill_after<T>(
    worker: &mut Worker,
    longest: Millis,
    now: Millis,
    orders: &mut VecDeque<Order<T>>,
) {
    if worker.killed.is_none() && now >= worker.since + longest {
        worker.killed = Some(None);
        orders.push_back(Order::Kill(worker.id));
    }
}

fn end<T>(worker: &mut Worker, now: Millis, orders: &mut VecDeque<Order<T>>) {
    worker.enter(State::Ending, now);
    orders.push_back(Order::End(worker.id));
}
