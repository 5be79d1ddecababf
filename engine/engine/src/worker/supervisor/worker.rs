//! One worker, as the supervisor knows it.

use super::{BLOCKED, Marked, Millis, Piece};

/// A worker; no number is ever used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(pub(crate) u64);

#[derive(Debug)]
pub(super) enum State {
    /// Until it says hello.
    Starting,
    Idle,
    /// It is asked whether it lives, before it runs a suspect.
    Probing(Piece),
    Running(Piece, Watch),
    /// It was told to end, or killed.
    Ending,
}

/// How long the message that runs has run. Only time in which somebody looked counts: an engine that was
/// stopped itself blames no message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    pub(super) mark: Marked,
    /// Milliseconds.
    pub(super) spent: Millis,
    pub(super) looked: Millis,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) program: u64,
    pub(super) state: State,
    /// Since when it is in this state.
    pub(super) since: Millis,
    /// It has run nothing yet.
    pub(super) is_fresh: bool,
    /// It ends once it has nothing to do.
    pub(super) is_over: bool,
    /// It was killed, because this message of its batch took too long; `None`: no message is to blame.
    pub(super) killed: Option<Option<usize>>,
}

impl Worker {
    pub(super) fn new(id: WorkerId, program: u64, now: Millis) -> Worker {
        let (state, is_fresh, is_over, killed) = (State::Starting, true, false, None);
        Worker { id, program, state, since: now, is_fresh, is_over, killed }
    }

    pub(super) fn enter(&mut self, state: State, now: Millis) {
        (self.state, self.since) = (state, now);
    }

    pub(super) fn run(&mut self, piece: Piece, now: Millis) {
        let watch = Watch { mark: Marked::default(), spent: 0, looked: now };
        self.is_fresh = false;
        self.enter(State::Running(piece, watch), now);
    }

    /// It has answered the probe: it runs the suspect, which is returned.
    pub(super) fn probed(&mut self, now: Millis) -> Option<Piece> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Probing(piece) => {
                self.run(piece.clone(), now);
                Some(piece)
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Its results are here. Returns what it had run, and whether it was killed meanwhile.
    pub(super) fn finish(&mut self, now: Millis) -> Option<(Piece, bool)> {
        let was_killed = self.killed.is_some();
        let next = if was_killed { State::Ending } else { State::Idle };
        match std::mem::replace(&mut self.state, next) {
            State::Running(piece, _) => {
                self.since = now;
                Some((piece, was_killed))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && !self.is_over
    }

    /// Whether it can be counted on: it works, or will soon.
    pub(super) fn is_live(&self) -> bool {
        !matches!(self.state, State::Ending) && !self.is_over
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, State::Running(..))
    }

    /// What it was given.
    pub(super) fn piece(&self) -> Option<&Piece> {
        match &self.state {
            State::Probing(piece) | State::Running(piece, _) => Some(piece),
            State::Starting | State::Idle | State::Ending => None,
        }
    }

    /// Whether it runs a suspect.
    pub(super) fn is_tested(&self) -> bool {
        self.piece().is_some_and(|it| it.is_suspect)
    }

    /// Whether it is one of those that run what stands in line.
    pub(super) fn runs_in_line(&self, now: Millis) -> bool {
        self.is_busy() && !self.is_tested() && !self.is_blocked(now)
    }

    pub(super) fn is_blocked(&self, now: Millis) -> bool {
        self.is_busy() && now >= self.since + BLOCKED
    }
}
