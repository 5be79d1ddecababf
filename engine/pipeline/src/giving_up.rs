//! What becomes of the head of an outbound's lane that cannot be delivered, or that an operator takes
//! out of it.

use alloc::vec::Vec;

use crate::batch::{Batch, Ordered};
use crate::command::{CommandOutcome, Take};
use crate::delivery::{After, Delivery, Outbound, State};
use crate::disposition::ended;
use crate::event::{By, Note, What};
use crate::failure::Failure;
use crate::graph::Then;
use crate::ids::{CommandId, Millis, Now, Seq};
use crate::lane::Hold;
use crate::order::Order;
use crate::record::Record;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Alarm, Place, Shared};
use crate::switch::{Flow, Side, Switch};
use crate::told::Told;

/// How long rows of a lane have been waiting, by a clock that stands still while it should. The first row
/// counts from when it became the first; in a lane by key or unordered each counts from when it was let
/// go.
#[derive(Debug)]
pub(crate) struct Patience {
    /// What the clock shows, up to `since`.
    clock: Millis,
    /// Counted up to here; `None`: the clock stands still.
    since: Option<Millis>,
    /// What it showed when the time of the first row began.
    first: Millis,
    /// The alarm that is set.
    alarm: Option<Millis>,
}

/// What the clock shows at first: later than anything that has been waited for.
const START: Millis = 1 << 40;

impl Default for Patience {
    fn default() -> Patience {
        Patience { clock: START, since: None, first: START, alarm: None }
    }
}

impl Patience {
    pub fn restored(waited: Millis) -> Patience {
        Patience { first: Patience::began(waited), ..Patience::default() }
    }

    /// When the time of a row began that has had so much of it before this life.
    pub fn began(waited: Millis) -> Millis {
        START.saturating_sub(waited)
    }

    /// Starts counting again, for another head.
    pub fn begin(&mut self, now: Millis) {
        (self.first, self.alarm) = (self.shows(now), None);
    }

    /// What the clock shows.
    pub fn shows(&self, now: Millis) -> Millis {
        self.clock + self.since.map_or(0, |since| now.saturating_sub(since))
    }

    pub fn waited(&self, now: Millis) -> Millis {
        self.shows(now) - self.first
    }

    fn run(&mut self, runs: bool, now: Millis) {
        self.clock = self.shows(now);
        self.since = runs.then_some(now);
    }
}

/// An operator wants the head.
#[derive(Clone, Debug)]
pub(crate) struct Taking {
    pub id: CommandId,
    pub how: Take,
    pub by: By,
    pub seq: Seq,
    /// It is in the open commit.
    pub told: bool,
}

impl Outbound {
    /// How long a row has been waiting, as far as it counts.
    pub fn waited(&self, at: usize, now: Millis) -> Millis {
        let began = self.lane.rows.get(at).and_then(|row| row.began);
        let began = began.filter(|_| self.keyed.is_some());
        let own = began.map_or(0, |began| self.patience.shows(now) - began);
        if at == 0 { own.max(self.patience.waited(now)) } else { own }
    }

    /// Whether a row has had its time.
    fn is_out_of_time(&self, at: usize, now: Millis) -> bool {
        self.give_up.after.is_some_and(|after| self.waited(at, now) >= after)
    }

    /// The rows whose time is counted.
    fn counted(&self) -> Vec<usize> {
        let started = self.keyed.iter().flat_map(|it| it.started());
        let started = started.filter_map(|seq| self.lane.index(seq));
        core::iter::once(0).chain(started.filter(|at| *at > 0)).collect()
    }

    /// All of them begin again.
    pub fn begin_again(&mut self, now: Millis) {
        self.patience.begin(now);
        let shows = self.patience.shows(now);
        self.lane.rows.iter_mut().filter_map(|row| row.began.as_mut()).for_each(|it| *it = shows);
    }

    /// Whether nothing is left in it, not even a row that the cursor has passed.
    fn is_at_its_end(&self) -> bool {
        self.lane.depth() == 0 && self.lane.aside() == 0
    }

    /// Counts the time of the head, and takes it out of its rest if that is over or if an operator
    /// wants it.
    pub fn wait(&mut self, now: Millis, shared: &mut Shared) {
        let open = self.flow == Flow::On && self.in_hours && !shared.stopping;
        let open = open && self.lane.hold == Hold::Owned;
        let runs = open && !self.is_at_its_end() && (self.ready || !self.give_up.only_connected);
        self.patience.run(runs, now);
        self.give_back_gone(shared);
        let wanted = self.taking.as_ref().filter(|it| !it.told).map(|it| it.seq);
        // In a lane by key it need not be the first any more.
        if let Some(at) = wanted.and_then(|seq| self.lane.index(seq)) {
            self.take_out(at, Told::Taken, shared);
        }
        if let (true, Some(after)) = (runs, self.give_up.after) {
            self.give_up_late(after, now, shared);
        }
    }

    /// Takes rows that have had their time out of their rest, and has the others looked at in time.
    fn give_up_late(&mut self, after: Millis, now: Millis, shared: &mut Shared) {
        let mut next = None;
        for at in self.counted() {
            match after.saturating_sub(self.waited(at, now)) {
                0 => self.take_out(at, Told::OutOfTime, shared),
                left => next = Some(next.map_or(now + left, |next: Millis| next.min(now + left))),
            }
        }
        let is_news = |at: &Millis| self.patience.alarm.is_none_or(|set| set <= now || *at < set);
        if let Some(at) = next.filter(is_news) {
            self.patience.alarm = Some(at);
            shared.wake(at, Alarm::Lane(Place::Outbound(self.index)));
        }
    }

    /// Takes a row out of its rest.
    fn take_out(&mut self, at: usize, why: Told, shared: &mut Shared) {
        let rests = |row: &Delivery| matches!(row.state, State::Rests | State::Waits(_));
        let may_be = self.lane.hold == Hold::Owned && !self.recovering;
        if !may_be || !self.lane.rows.get(at).is_some_and(rests) {
            return;
        }
        let seq = self.lane.seq(at);
        let row = &mut self.lane.rows[at];
        self.failed += usize::from(matches!(row.state, State::Rests));
        row.state = State::Told(why);
        self.told.push(seq);
        self.list(shared);
    }

    /// Gives back what an operator wanted, if it is not there any more: it was delivered, has died, or
    /// is parked before it was begun.
    pub fn give_back_gone(&mut self, shared: &mut Shared) {
        let gone =
            |it: &Taking| it.seq <= self.lane.loaded_to() && self.lane.index(it.seq).is_none();
        if self.lane.hold == Hold::Owned && self.taking.as_ref().is_some_and(gone) {
            self.give_back(CommandOutcome::Nothing, shared);
            self.taking = None;
        }
    }

    /// An operator wants the head.
    pub fn take(&mut self, id: CommandId, how: Take, by: By) -> Result<(), CommandOutcome> {
        match self.lane.hold {
            Hold::Lost => return Err(CommandOutcome::Fenced),
            _ if self.is_at_its_end() || self.taking.is_some() => {
                return Err(CommandOutcome::Nothing);
            }
            _ => {}
        }
        let seq = self.lane.seq(0);
        self.taking = Some(Taking { id, how, by, seq, told: false });
        Ok(())
    }

    /// The head that an operator wanted was delivered or has died, or the lane is read again.
    pub fn give_back(&mut self, why: CommandOutcome, shared: &mut Shared) {
        if let Some(Taking { id, told: false, .. }) = &self.taking {
            shared.orders.push_back(Order::Told { id: *id, outcome: why });
            self.taking = None;
        }
    }

    /// Writes down that an operator has taken the head out of the lane.
    pub fn taken(&mut self, at: usize, batch: &mut Batch, shared: &mut Shared, now: Now) -> After {
        let Some(taking) = &mut self.taking else { return After::Waits(now.steady) };
        taking.told = true;
        let (id, how, by) = (taking.id, taking.how, taking.by.clone());
        let (lane, seq) = (self.lane.id, self.lane.seq(at));
        self.failed -= 1;
        let (message, sole) = (self.lane.rows[at].message, self.lane.rows[at].sole);
        let at = now.wall;
        match how {
            Take::Hold => {
                let what = What::Held { outbound: lane, failure: None, by };
                batch.record(Record::Event(shared.event(message, at, what)));
                batch.record(Record::Held { lane, seq, message, why: None, at });
            }
            Take::Cancel => {
                let what = What::Cancelled { lane, by };
                batch.record(Record::Event(shared.event(message, at, what)));
                batch.record(ended(message, sole, false, at, shared.stamp()));
            }
        }
        batch.commands.push(Ordered { id, makes: None, lane: Some(lane) });
        After::Done
    }

    /// Whether a failed attempt was the last one.
    pub fn is_spent(&self, at: usize, now: Now) -> bool {
        self.is_out_of_time(at, now.steady)
    }

    /// Writes down that a delivery is given up; `then`: what becomes of it, where that is not as the
    /// outbound has it.
    pub fn give_up(
        &mut self,
        at: usize,
        (failure, then): (Failure, Option<Then>),
        batch: &mut Batch,
        shared: &mut Shared,
        now: Now,
    ) -> After {
        let (lane, seq) = (self.lane.id, self.lane.seq(at));
        let (message, sole) = (self.lane.rows[at].message, self.lane.rows[at].sole);
        let (why, at_wall) = (failure, now.wall);
        match then.unwrap_or(self.give_up.then) {
            Then::Stop => return self.stop_with(at, failure, batch, shared, now),
            Then::Hold => {
                let by = By::default();
                let what = What::Held { outbound: lane, failure: Some(failure), by };
                batch.record(Record::Event(shared.event(message, at_wall, what)));
                #[cfg(feature = "sabotage")]
                if shared.broken(Sabotage::ForgetHeld) {
                    self.failed -= 1;
                    return After::Done;
                }
                batch.record(Record::Held { lane, seq, message, why: Some(why), at: at_wall });
            }
            Then::Dead => {
                let what = What::Dead { lane, failure };
                batch.record(Record::Event(shared.event(message, at_wall, what)));
                batch.record(Record::Dead { lane, seq, message, why, at: at_wall });
                batch.record(ended(message, sole, false, at_wall, shared.stamp()));
            }
        }
        self.failed -= 1;
        After::Done
    }

    /// Writes down that the lane stops, with this delivery first. It is tried again at once when an
    /// operator starts the lane.
    pub fn stop_with(
        &mut self,
        at: usize,
        failure: Failure,
        batch: &mut Batch,
        shared: &mut Shared,
        now: Now,
    ) -> After {
        let lane = self.lane.id;
        let row = &mut self.lane.rows[at];
        row.due = 0;
        let what = What::GaveUp { outbound: lane, failure };
        batch.record(Record::Event(shared.event(row.message, now.wall, what)));
        // From the first record on: nothing leaves while the commit is open.
        self.flow = Flow::Stopped;
        let by = By { who: Note::default(), reason: Note(failure.name().into()) };
        let (side, flow, at) = (Side::Output, Flow::Stopped, now.wall);
        batch.record(Record::Switch(Switch { lane, side, flow, by, at }));
        After::Waits(now.steady)
    }

    /// An operator wants the lane to go on now.
    pub fn retry_now(&mut self, now: Millis) {
        for row in &mut self.lane.rows {
            if let State::Waits(until) = &mut row.state {
                (*until, row.due) = (now, 0);
            }
        }
        self.forget_restored_wait(now);
    }
}
