//! How attempts to deliver went, as a commit writes it down.

use crate::batch::Batch;
use crate::decision::Decision;
use crate::delivery::{After, Delivery, Outbound, State};
use crate::disposition::ended;
use crate::event::{Note, What};
use crate::failure::Failure;
use crate::ids::{Millis, Now, Seq};
use crate::record::Record;
use crate::retry::{Verdict, delay, verdict};
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::Shared;
use crate::told::Told;

impl Outbound {
    /// Writes down what may have been sent before the crash, and counts an attempt for it.
    pub fn recover(&mut self, batch: &mut Batch, shared: &mut Shared, now: Now) {
        let outbound = self.lane.id;
        for at in 0..self.lane.rows.len() {
            let seq = self.lane.seq(at);
            let cursor = self.lane.cursor;
            let row = &mut self.lane.rows[at];
            // One that is parked may not have started.
            let let_go = row.started || seq > cursor && seq <= self.sent_to;
            if !let_go || matches!(row.state, State::Done) {
                continue;
            }
            row.attempts += 1;
            #[cfg(feature = "sabotage")]
            if shared.broken(Sabotage::UncountedCrash) {
                row.attempts -= 1;
            }
            (row.possibly_sent, row.started) = (true, true);
            let what = What::PossiblySent { outbound };
            batch.record(Record::Event(shared.event(row.message, now.wall, what)));
            if self.is_kept_apart(seq, self.lane.cursor) {
                self.write_started(seq, batch, now.steady);
            }
        }
        self.recovered = true;
    }

    /// Whether the attempts of the row do not stand in the row of its lane.
    fn is_kept_apart(&self, seq: Seq, cursor: Seq) -> bool {
        let is_started = |at: usize| self.lane.rows[at].started;
        match self.keyed {
            Some(_) => self.lane.index(seq).is_some_and(is_started),
            None => seq != cursor.next(),
        }
    }

    /// Writes down the attempts that have ended.
    pub fn complete(&mut self, batch: &mut Batch, shared: &mut Shared, now: Now) {
        let told = core::mem::take(&mut self.told);
        for seq in &told {
            let Some(at) = self.lane.index(*seq) else { continue };
            let settling = State::Settling(After::Done);
            let after = match core::mem::replace(&mut self.lane.rows[at].state, settling) {
                State::Told(Told::Delivered { milliseconds, note }) => {
                    self.overtakes(at, batch, shared, now);
                    self.delivered(at, milliseconds, note, batch, shared, now);
                    After::Done
                }
                State::Told(Told::Failed { failure, note }) => {
                    self.failed(at, (failure, None), note, batch, shared, now)
                }
                State::Told(Told::Decided(judged)) => self.decided(at, judged, batch, shared, now),
                State::Told(Told::OutOfTime) => {
                    self.give_up(at, (Failure::Transport, None), batch, shared, now)
                }
                State::Told(Told::Taken) => self.taken(at, batch, shared, now),
                other => {
                    self.lane.rows[at].state = other;
                    continue;
                }
            };
            self.lane.rows[at].state = State::Settling(after);
            self.settling.push((*seq, after));
            self.keyed.iter_mut().for_each(|it| it.settle(*seq, after));
        }
        self.start(batch, shared, now);
        self.mark_rows(batch, now.steady);
        // The list keeps its memory.
        self.told = told;
        self.told.clear();
    }

    pub fn delivered(
        &mut self,
        at: usize,
        milliseconds: Millis,
        note: Note,
        batch: &mut Batch,
        shared: &mut Shared,
        now: Now,
    ) {
        let Delivery { message, sole, .. } = self.lane.rows[at];
        let what = What::Delivered { outbound: self.lane.id, milliseconds, note };
        batch.record(Record::Event(shared.event(message, now.wall, what)));
        batch.record(ended(message, sole, true, now.wall, shared.stamp()));
    }

    pub fn failed(
        &mut self,
        at: usize,
        (failure, decision): (Failure, Option<Decision>),
        note: Note,
        batch: &mut Batch,
        shared: &mut Shared,
        now: Now,
    ) -> After {
        let (outbound, seq) = (self.lane.id, self.lane.seq(at));
        let row = &mut self.lane.rows[at];
        row.attempts += 1;
        let attempt = row.attempts;
        let what = What::Attempt { outbound, attempt, failure, note };
        batch.record(Record::Event(shared.event(row.message, now.wall, what)));
        let verdict = verdict(&self.retry, failure, decision, attempt);
        let then = decision.map(|it| it.then());
        #[cfg(feature = "sabotage")]
        if verdict == Verdict::Again && shared.broken(Sabotage::SkipHead) {
            self.failed -= 1;
            return After::Done;
        }
        let wanted = self.taking.as_ref().is_some_and(|it| it.seq == seq && !it.told);
        match verdict {
            _ if wanted => self.taken(at, batch, shared, now),
            Verdict::Stops => self.stop_with(at, failure, batch, shared, now),
            Verdict::Dead => self.give_up(at, (failure, then), batch, shared, now),
            _ if self.is_spent(at, now) => self.give_up(at, (failure, then), batch, shared, now),
            Verdict::Again | Verdict::Ours => {
                let wait = delay(&self.retry, outbound, seq, attempt);
                self.lane.rows[at].due = now.wall + wait;
                After::Waits(now.steady + wait)
            }
        }
    }

    /// Rows that are completed while an earlier one is not, and attempts of rows that are not the head.
    fn mark_rows(&self, batch: &mut Batch, now: Millis) {
        let cursor = Seq(self.lane.cursor.0 + self.completed() as u64);
        let lane = self.lane.id;
        for &(seq, after) in &self.settling {
            match after {
                After::Done if seq <= self.lane.cursor => {
                    batch.record(Record::Unparked { lane, seq });
                }
                After::Done if seq > cursor => batch.record(Record::Done { lane, seq }),
                After::Waits(_) if self.is_kept_apart(seq, cursor) => {
                    self.write_started(seq, batch, now);
                }
                After::Done | After::Waits(_) => {}
            }
        }
    }

    /// Deliveries of a lane that is first in, first out have failed and wait while a later one is taken.
    pub fn overtakes(&mut self, at: usize, batch: &mut Batch, shared: &mut Shared, now: Now) {
        if self.failed == 0 || self.keyed.is_some() {
            return;
        }
        let (outbound, by) = (self.lane.id, self.lane.rows[at].message);
        for row in self.lane.rows.range_mut(..at) {
            let waits = matches!(row.state, State::Waits(_) | State::Settling(After::Waits(_)));
            if waits && !core::mem::replace(&mut row.overtaken, true) {
                let what = What::Overtaken { outbound, by };
                batch.record(Record::Event(shared.event(row.message, now.wall, what)));
            }
        }
    }
}
