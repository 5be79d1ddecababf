//! A message that its sender sends again because it has ended in ERROR: its dead deliveries are appended to
//! their lanes again, and the sender waits for the verdict on these.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::batch::Batch;
use crate::command::{Act, Replay};
use crate::delivery::Outbound;
use crate::event::{By, Note};
use crate::fact::{Entry, First};
use crate::ids::{LaneId, MessageId, Millis, Now, Seq};
use crate::intake::{Standing, Waiting};
use crate::lane::Hold;
use crate::pipeline::Pipeline;
use crate::record::{List, Record, Transaction};
use crate::shared::{Place, Shared};

/// What an operator has read may be this old when the command comes.
const REMEMBERED: Millis = 60_000;
/// Records that one of them takes.
pub(crate) const RECORDS: usize = 5;

/// A delivery that is dead.
pub(crate) type Dead = (LaneId, Entry);

/// Dead deliveries that senders have had sent again of late: an operator may still believe that they are
/// dead.
#[derive(Debug, Default)]
pub(crate) struct Renewed {
    young: BTreeSet<(LaneId, Seq)>,
    old: BTreeSet<(LaneId, Seq)>,
    /// When the younger ones began.
    since: Millis,
}

impl Renewed {
    fn age(&mut self, now: Millis) {
        if now.saturating_sub(self.since) > REMEMBERED {
            let is_over = now.saturating_sub(self.since) > 2 * REMEMBERED;
            let young = core::mem::take(&mut self.young);
            self.old = if is_over { BTreeSet::new() } else { young };
            self.since = now;
        }
    }

    fn add(&mut self, row: (LaneId, Seq), now: Millis) {
        self.age(now);
        self.young.insert(row);
    }

    fn has(&mut self, row: (LaneId, Seq), now: Millis) -> bool {
        self.age(now);
        self.young.contains(&row) || self.old.contains(&row)
    }

    fn remove(&mut self, row: (LaneId, Seq)) {
        self.young.remove(&row);
        self.old.remove(&row);
    }
}

impl Waiting {
    /// The host has found its first: it waits for the verdict on that, or gets the one that is there. What
    /// has failed is done again.
    pub fn comes_again(&mut self, first: First, shared: &mut Shared) -> Standing {
        shared.verdicts.found(&first);
        let First { message, acknowledgment, dead, was_sent, .. } = first;
        let has_failed = shared.verdicts.has_failed(message);
        #[cfg(feature = "sabotage")]
        let was_sent = was_sent && !shared.broken(crate::Sabotage::AnewAsAWhole);
        #[cfg(feature = "sabotage")]
        let has_failed = has_failed && !shared.broken(crate::Sabotage::NotRenewed);
        if has_failed && !was_sent {
            self.unwatch(shared);
            return Standing::Anew(message);
        }
        self.renews = if has_failed { dead } else { Vec::new() };
        self.received.acknowledgment = acknowledgment;
        Standing::Duplicate(message)
    }

    /// Whether the lanes of what it renews are known.
    pub fn can_renew(&self, outbounds: &[Outbound], shared: &Shared) -> bool {
        let is_known = |(lane, _): &Dead| match shared.place(*lane) {
            Some(Place::Outbound(at)) => outbounds[at].lane.hold != Hold::Unread,
            _ => true,
        };
        self.renews.iter().all(is_known)
    }

    /// What it renews.
    pub fn renewal(&self) -> Option<(MessageId, Vec<Dead>)> {
        match self.standing {
            Standing::Duplicate(first) if !self.renews.is_empty() => {
                Some((first, self.renews.clone()))
            }
            _ => None,
        }
    }
}

impl Pipeline {
    /// Appends dead deliveries again, unless something has become of their messages since these were
    /// looked at.
    pub(crate) fn renew(&mut self, all: Vec<(MessageId, Vec<Dead>)>, batch: &mut Batch, now: Now) {
        for (message, mut dead) in all {
            dead.retain(|(lane, _)| matches!(self.shared.place(*lane), Some(Place::Outbound(_))));
            let takes = self.shared.verdicts.takes_failed(message);
            #[cfg(feature = "sabotage")]
            let takes = takes || self.shared.broken(crate::Sabotage::RenewTwice);
            if !takes {
                continue;
            }
            for (lane, entry) in dead {
                let row = (lane, entry.seq);
                self.renewed.add(row, now.steady);
                let (dead, forgiven, newer) = ([row].into(), 1, 0);
                let replay = Replay { entry, to: lane, dead, forgiven, newer };
                let reason = Note("the sender has sent it again".into());
                let by = By { who: Note::default(), reason };
                self.replay(&replay, &by, batch, now);
            }
        }
    }

    /// Whether a sender has been quicker than the operator who wants this.
    pub(crate) fn is_renewed(&mut self, act: &Act, now: Now) -> bool {
        #[cfg(feature = "sabotage")]
        if self.shared.broken(crate::Sabotage::RenewTwice) {
            return false;
        }
        let Act::Replay(all) = act else { return false };
        let mut rows = all.iter().flat_map(|it| &it.dead);
        rows.any(|row| self.renewed.has(*row, now.steady))
    }

    /// Nothing of this was written.
    pub(crate) fn not_renewed(&mut self, transaction: &Transaction) {
        for record in &transaction.records {
            match *record {
                Record::Unlisted { list: List::Dead, lane, seq, .. } => {
                    self.renewed.remove((lane, seq));
                }
                Record::Reopened(reopened) => {
                    self.shared.verdicts.takes_nothing(reopened.message);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_senders_had_sent_again_is_remembered_for_a_minute_and_not_for_ever() {
        let row = |seq| (LaneId(1), Seq(seq));
        let mut renewed = Renewed::default();
        renewed.add(row(1), 1_000_000);
        renewed.add(row(2), 1_000_000 + REMEMBERED);
        assert!(renewed.has(row(1), 1_000_000 + REMEMBERED));
        assert!(renewed.has(row(2), 1_000_000 + 2 * REMEMBERED));
        assert!(!renewed.has(row(3), 1_000_000 + 2 * REMEMBERED));
        renewed.remove(row(2));
        assert!(!renewed.has(row(2), 1_000_000 + 2 * REMEMBERED));
        renewed.add(row(4), 2_000_000);
        assert!(!renewed.has(row(4), 9_000_000), "nothing came since");
        assert!(renewed.young.is_empty() && renewed.old.is_empty());
    }
}
