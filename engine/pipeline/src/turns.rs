//! Whose turn it is: how one commit is shared between what comes in, what is handed on, and what goes
//! out, so that none of them keeps another from making progress.

use crate::batch::Batch;
use crate::ids::Now;
use crate::pipeline::Pipeline;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;

/// A kind of work that a commit writes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Deliveries,
    Handoffs,
    Intakes,
}

impl Kind {
    /// What has begun goes on before something new begins.
    const ALL: [Kind; 3] = [Kind::Deliveries, Kind::Handoffs, Kind::Intakes];

    /// Those before it leave one part in this many of a commit to it.
    const fn share(self) -> u64 {
        match self {
            Kind::Deliveries | Kind::Handoffs => 8,
            // A backlog does not shut senders out.
            Kind::Intakes => 4,
        }
    }
}

impl Pipeline {
    fn waits(&self, kind: Kind, now: Now) -> bool {
        match kind {
            Kind::Deliveries => !self.shared.deliveries.is_empty(),
            Kind::Handoffs => !self.shared.handoffs.is_empty(),
            Kind::Intakes => !self.shared.intakes.is_empty() && self.takes_messages(now),
        }
    }

    /// Adds what waits. Each kind leaves the others their share, and the one that has had nothing for
    /// the most commits comes first: with one record in a commit there is nothing to share.
    pub(crate) fn take_turns(&mut self, batch: &mut Batch, now: Now) {
        let mut order = Kind::ALL;
        order.sort_by_key(|kind| core::cmp::Reverse(self.left_out[*kind as usize]));
        let (records, bytes) = (self.shared.limits.batch_records, self.shared.limits.batch_bytes);
        for (at, kind) in order.into_iter().enumerate() {
            if !self.waits(kind, now) {
                continue;
            }
            let later = order[at + 1..].iter().filter(|it| self.waits(**it, now));
            let left = |all: u64| all - later.clone().map(|it| all / it.share()).sum::<u64>();
            #[cfg(feature = "sabotage")]
            let left = |all| if self.shared.broken(Sabotage::Starve) { all } else { left(all) };
            let (records, bytes) = (left(records as u64) as usize, left(bytes));
            batch.allow(bytes);
            let before = batch.units.len();
            match kind {
                Kind::Deliveries => self.add_deliveries(batch, records, now),
                Kind::Handoffs => self.add_handoffs(batch, records, now),
                Kind::Intakes => {
                    let room = batch.mark().0 + self.room_for_intake();
                    self.add_intakes(batch, records.min(room), now);
                }
            }
            let nothing = batch.units.len() == before && self.waits(kind, now);
            #[cfg(feature = "sabotage")]
            let nothing = nothing && !self.shared.broken(Sabotage::Starve);
            let left_out = &mut self.left_out[kind as usize];
            *left_out = if nothing { *left_out + 1 } else { 0 };
        }
    }

    /// Whether something waits for the commit after this one: deliveries, handoffs, intakes. For tests
    /// of fairness.
    #[cfg(feature = "sabotage")]
    pub fn waiting_kinds(&self, now: Now) -> [bool; 3] {
        Kind::ALL.map(|kind| self.waits(kind, now))
    }
}
