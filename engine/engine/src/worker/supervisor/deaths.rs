//! Workers that take too long, and workers that are no more.

use mllp_pipeline::{CallFailure, Failure, Note};

use super::{
    Fact, Gone, Made, Marked, Millis, Order, Piece, State, Supervisor, Watch, WorkerId, again,
};

impl<T> Supervisor<T> {
    /// How often a worker that takes long is looked at.
    pub(super) fn glance(&self) -> Millis {
        (self.limits.handler_timeout / 20).clamp(10, 250)
    }

    /// Where a worker is in its batch.
    pub(super) fn marked(&mut self, id: WorkerId, mark: Marked, now: Millis) {
        let (longest, timeout) = (2 * self.glance(), self.limits.handler_timeout);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.killed.is_some() {
            return;
        }
        let State::Running(_, watch) = &mut worker.state else { return };
        let spent = if mark.waits
            || (mark.index, mark.returned) != (watch.mark.index, watch.mark.returned)
        {
            0
        } else {
            watch.spent + now.saturating_sub(watch.looked).min(longest)
        };
        *watch = Watch { mark, spent, looked: now };
        if spent >= timeout {
            worker.killed = Some(mark.index.filter(|_| !mark.returned));
            self.orders.push_back(Order::Kill(id));
        }
    }

    /// A worker is no more.
    pub(super) fn gone(
        &mut self,
        id: WorkerId,
        done: Vec<Made<T>>,
        mark: Marked,
        why: Gone,
        now: Millis,
    ) {
        let Some(worker) = self.workers.remove(&id) else { return };
        if self.candidate.is_some_and(|(candidate, _)| candidate == id) {
            return self.refuse_candidate(why);
        }
        let was_fresh = worker.is_fresh;
        let was_wanted = !worker.is_over && !matches!(worker.state, State::Ending);
        match worker.state {
            State::Running(piece, _) => {
                self.restarts += 1;
                let killed = worker.killed;
                self.bury(piece, done, killed, mark, &why, now);
            }
            State::Probing(piece) => self.suspects.push_front(piece),
            State::Starting | State::Idle | State::Ending => {}
        }
        let was_useless = was_fresh && was_wanted;
        match why {
            Gone::Fault(why) => self.fault = Some((why, now)),
            Gone::Ended(_) if was_useless && worker.killed.is_some() => {
                self.fault = Some(("a worker did not say hello in time".to_owned(), now));
            }
            Gone::Ended(how) if was_useless => {
                self.fault = Some((format!("a worker is of no use: {how}"), now));
            }
            Gone::Ended(_) => {}
        }
        if was_useless {
            self.failures += 1;
            self.no_spawn_before = now + again(self.failures);
        }
        if self.stopping {
            self.give_back();
        }
    }

    fn refuse_candidate(&mut self, why: Gone) {
        let Some((_, program)) = self.candidate.take() else { return };
        let why = match why {
            Gone::Fault(why) => why,
            Gone::Ended(how) => format!("{how} before it said which functions it has"),
        };
        self.orders.push_back(Order::Switched { program, result: Err(why) });
    }

    /// What becomes of the messages that a worker had when it ended.
    fn bury(
        &mut self,
        piece: Piece,
        done: Vec<Made<T>>,
        killed: Option<Option<usize>>,
        mark: Marked,
        why: &Gone,
        now: Millis,
    ) {
        let count = done.len().min(piece.items.len());
        let left = Piece { items: piece.items[count..].to_vec(), ..piece.clone() };
        self.keep(&piece, done);
        if left.items.is_empty() {
            return;
        }
        // A mark before the messages that are done is an old one.
        let marked = mark.index.filter(|at| (count..piece.items.len()).contains(at));
        let suspect = marked.map(|at| piece.items[at]);
        match (killed, suspect) {
            // It has gone on while it was killed: the next message has nothing to do with it.
            (Some(slow), _) if slow.is_none() || slow != marked || mark.returned => {
                let tries = u32::from(slow.is_none());
                self.run_again(left, tries, now);
            }
            (Some(_), Some(item)) => {
                let seconds = self.limits.handler_timeout as f64 / 1000.0;
                self.blame(&left, item, format!("timed out after {seconds} s"));
                self.run_again(without(left, item), 0, now);
            }
            (None, Some(item)) if matches!(why, Gone::Ended(_)) => {
                self.suspect(&piece, item);
                self.run_again(without(left, item), 0, now);
            }
            _ => self.run_again(left, 1, now),
        }
    }

    /// A worker has died on this message.
    fn suspect(&mut self, piece: &Piece, item: usize) {
        let kills = piece.kills + u32::from(piece.items.len() == 1);
        if kills >= 2 {
            return self.blame(piece, item, "killed its worker twice".to_owned());
        }
        let (items, is_suspect) = (vec![item], true);
        let suspect = Piece { call: piece.call, items, is_suspect, kills, tries: 0, not_before: 0 };
        self.suspects.push_back(suspect);
    }

    /// The message ends in ERROR.
    fn blame(&mut self, piece: &Piece, item: usize, note: String) {
        let failure = CallFailure { failure: Failure::Content, note: Note(note) };
        let one = Piece { items: vec![item], ..piece.clone() };
        self.keep(&one, vec![Err(failure)]);
    }

    /// Runs messages again, before what came after them.
    fn run_again(&mut self, piece: Piece, tries: u32, now: Millis) {
        if piece.items.is_empty() {
            return;
        }
        let tries = if tries == 0 { 0 } else { piece.tries + tries };
        let not_before = if tries == 0 { 0 } else { now + again(tries) };
        let piece = Piece { tries, not_before, ..piece };
        let queue = if piece.is_suspect { &mut self.suspects } else { &mut self.line };
        queue.push_front(piece);
    }

    /// The fact of a worker that could not be started.
    pub(crate) fn not_started(worker: WorkerId, why: String) -> Fact<T> {
        Fact::Gone { worker, done: Vec::new(), mark: Marked::default(), why: Gone::Fault(why) }
    }
}

fn without(piece: Piece, item: usize) -> Piece {
    let items = piece.items.iter().copied().filter(|it| *it != item).collect();
    Piece { items, ..piece }
}
