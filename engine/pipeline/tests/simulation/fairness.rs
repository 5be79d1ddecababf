//! Intake, handoffs and deliveries share the commits: while one of them waits, at most two commits in a
//! row leave it out.

use mllp_pipeline::{CommitOutcome, Fact, Now, Pipeline, Record, Transaction};

use crate::census;
use crate::invariant::Invariant::Fair;
use crate::world::World;

/// Commits in a row without anything of a kind that waits.
const AT_MOST: u32 = 2;

#[derive(Default)]
pub struct Fairness {
    /// For how many commits each kind has had nothing: deliveries, handoffs, intakes.
    left_out: [u32; 3],
    /// The next commit is tried again: what it has was chosen before.
    again: bool,
}

impl Fairness {
    /// A commit is ordered: what waits still was left out of it.
    pub fn check_commit(
        &mut self,
        transaction: &Transaction,
        pipeline: &Pipeline,
        now: Now,
        world: &World,
    ) {
        let again = std::mem::take(&mut self.again);
        let is_outbound = |lane| world.partners.iter().any(|it| it.lane == lane);
        let has = |outbound| transaction.lanes.iter().any(|it| is_outbound(it.lane) == outbound);
        let stores = transaction.records.iter().any(|it| {
            // An edited copy is none that came in.
            matches!(it, Record::Message(new) if new.original.is_none())
        });
        let waiting = pipeline.waiting_kinds(now);
        for (kind, has) in [has(true), has(false), stores].into_iter().enumerate() {
            let count = &mut self.left_out[kind];
            let more = u32::from(!again);
            *count = if has || !waiting[kind] { 0 } else { *count + more };
            Fair.check(
                *count <= AT_MOST,
                format_args!("kind {kind} has waited for {count} commits"),
            );
            if *count > 0 {
                census::count("left out of a commit");
            }
        }
    }

    pub fn note(&mut self, fact: &Fact) {
        if let Fact::Outcome(outcome) = fact {
            self.again = matches!(outcome, CommitOutcome::Refused(_) | CommitOutcome::Fenced(_));
        }
    }
}
