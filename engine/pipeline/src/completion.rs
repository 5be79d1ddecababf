//! How attempts to deliver went, as a commit writes it down.

use crate::batch::Batch;
use crate::delivery::{After, Delivery, Outbound, State, Told};
use crate::disposition::ended;
use crate::event::{Note, What};
use crate::ids::{Millis, Now, Seq};
use crate::record::{Failure, Record};
use crate::retry::{Verdict, delay, verdict};
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::Shared;

impl Outbound {
    /// Writes down what may have been sent before the crash, and counts an attempt for it.
    pub fn recover(&mut self, batch: &mut Batch, shared: &mut Shared, now: Now) {
        let let_go = (self.sent_to.0 - self.lane.cursor.0) as usize;
        let outbound = self.lane.id;
        for row in self.lane.rows.range_mut(..let_go) {
            if !matches!(row.state, State::Done) {
                row.attempts += 1;
                #[cfg(feature = "sabotage")]
                if shared.broken(Sabotage::UncountedCrash) {
                    row.attempts -= 1;
                }
                row.possibly_sent = true;
                let what = What::PossiblySent { outbound };
                batch.record(Record::Event(shared.event(row.message, now.wall, what)));
            }
        }
        self.recovered = true;
    }

    /// Writes down the attempts that have ended.
    pub fn complete(&mut self, batch: &mut Batch, shared: &mut Shared, now: Now) {
        let told = core::mem::take(&mut self.told);
        for seq in &told {
            let Some(at) = self.lane.index(*seq) else { continue };
            let settling = State::Settling(After::Done);
            let after = match core::mem::replace(&mut self.lane.rows[at].state, settling) {
                State::Told(Told::Delivered { milliseconds, note }) => {
                    self.delivered(at, milliseconds, note, batch, shared, now);
                    After::Done
                }
                State::Told(Told::Failed { failure, note }) => {
                    self.failed(at, failure, note, batch, shared, now)
                }
                State::Told(Told::OutOfTime) => {
                    self.give_up(at, Failure::Transport, batch, shared, now)
                }
                State::Told(Told::Taken) => self.taken(at, batch, shared, now),
                other => {
                    self.lane.rows[at].state = other;
                    continue;
                }
            };
            self.lane.rows[at].state = State::Settling(after);
            self.settling.push((*seq, after));
        }
        self.mark_done(batch);
        // The list keeps its memory.
        self.told = told;
        self.told.clear();
    }

    fn delivered(
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

    fn failed(
        &mut self,
        at: usize,
        failure: Failure,
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
        let verdict = verdict(&self.retry, failure, attempt);
        #[cfg(feature = "sabotage")]
        if verdict == Verdict::Again && shared.broken(Sabotage::SkipHead) {
            self.failed -= 1;
            return After::Done;
        }
        let wanted = self.taking.as_ref().is_some_and(|it| it.seq == seq && !it.told);
        match verdict {
            _ if wanted => self.taken(at, batch, shared, now),
            Verdict::Stops => self.stop_with(at, failure, batch, shared, now),
            Verdict::Dead => self.give_up(at, failure, batch, shared, now),
            _ if self.is_spent(at, now) => self.give_up(at, failure, batch, shared, now),
            Verdict::Again | Verdict::Ours => {
                let wait = delay(&self.retry, outbound, seq, attempt);
                self.lane.rows[at].due = now.wall + wait;
                After::Waits(now.steady + wait)
            }
        }
    }

    /// Rows that are completed while an earlier one is not.
    fn mark_done(&self, batch: &mut Batch) {
        let cursor = Seq(self.lane.cursor.0 + self.completed() as u64);
        let lane = self.lane.id;
        for (seq, after) in &self.settling {
            if *after == After::Done && *seq > cursor {
                batch.record(Record::Done { lane, seq: *seq });
            }
        }
    }
}
