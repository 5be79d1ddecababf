//! What becomes of lanes that leave with a new graph, decided before the life that begins does anything else.

use alloc::vec::Vec;

use crate::batch::Batch;
use crate::command::Act;
use crate::event::By;
use crate::fact::{Entry, Start};
use crate::graph::Graph;
use crate::ids::{LaneId, Now, Stamp};
use crate::pipeline::Pipeline;
use crate::record::Transaction;

/// A lane that the graph does not have, and what becomes of all it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaving {
    /// The lane.
    pub lane: LaneId,
    /// Its rows from the cursor to its tail.
    pub entries: Vec<Entry>,
    /// A lane of the same stage that they are appended to; `None`: they end as failed.
    pub to: Option<LaneId>,
}

impl Pipeline {
    /// The one transaction that empties these lanes, in this order. It is for a start: nothing of this
    /// life has been ordered yet, and the pipeline that goes on begins with what the store tells after
    /// it. Returns it with the first stamp that it has not used; `None`: a lane is not an orphan of the
    /// graph, its rows are not all of it, or it would be moved to a lane of another stage.
    pub fn settle(
        graph: Graph,
        start: Start,
        leaving: Vec<Leaving>,
        by: &By,
        now: Now,
    ) -> Option<(Transaction, Stamp)> {
        let mut pipeline = Pipeline::new(graph, start, now);
        let mut batch = Batch::default();
        for Leaving { lane, entries, to } in leaving {
            let tail = pipeline.operating.orphan(lane)?.tail;
            let act = Act::Drain { lane, entries, to };
            let Act::Drain { entries, .. } = &act else { return None };
            if !pipeline.makes_sense(&act) {
                return None;
            }
            pipeline.drain(lane, entries, to, by, &mut batch, now);
            if pipeline.operating.orphan(lane)?.moving_to < tail {
                return None;
            }
        }
        let stamp = pipeline.shared.stamp();
        Some((batch.into_transaction(), stamp))
    }
}
