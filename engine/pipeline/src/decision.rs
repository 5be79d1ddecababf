//! What the rules of an outbound make of an answer, in place of the classes of failures.

use crate::batch::Batch;
use crate::delivery::{After, Outbound};
use crate::event::{Note, What};
use crate::failure::Failure;
use crate::graph::Then;
use crate::ids::{Millis, Now};
use crate::record::Record;
use crate::shared::Shared;

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is tried again first, as often and as long as its outbound says.
    pub retries: bool,
    /// What becomes of it then.
    pub end: End,
    /// Whether its journey says that the answer was no plain success.
    pub warns: bool,
}

/// The end of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is delivered.
    Completed,
    /// It cannot be delivered, and this becomes of it.
    GivenUp(Then),
}

impl Decision {
    /// Whether the delivery is completed by it. What is tried again first has failed.
    pub fn completes(&self) -> bool {
        !self.retries && self.end == End::Completed
    }

    /// What becomes of it when it is not completed.
    pub(crate) fn then(&self) -> Then {
        match self.end {
            End::GivenUp(then) => then,
            // It was refused and tried again: nothing says that the partner has it.
            End::Completed => Then::Hold,
        }
    }
}

/// An answer that was judged.
#[derive(Debug)]
pub(crate) struct Judged {
    pub decision: Decision,
    pub failure: Failure,
    pub milliseconds: Millis,
    pub note: Note,
}

impl Outbound {
    /// Writes down what the rules have made of an answer.
    pub fn decided(
        &mut self,
        at: usize,
        judged: Judged,
        batch: &mut Batch,
        shared: &mut Shared,
        now: Now,
    ) -> After {
        let Judged { decision, failure, milliseconds, note } = judged;
        if decision.warns {
            let what = What::Warned { outbound: self.lane.id, note: note.clone() };
            batch.record(Record::Event(shared.event(self.lane.rows[at].message, now.wall, what)));
        }
        if decision.completes() {
            self.overtakes(at, batch, shared, now);
            self.delivered(at, milliseconds, note, batch, shared, now);
            return After::Done;
        }
        self.failed(at, (failure, Some(decision)), note, batch, shared, now)
    }
}
