//! Where one message stands in the lanes that hold it, for `why`.

use alloc::vec::Vec;

use crate::delivery::{Delivery, State};
use crate::ids::{LaneId, MessageId, Millis, Now, Seq};
use crate::pipeline::Pipeline;
use crate::stage::{Stage, Task};

/// Where a row of a message stands in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The lane.
    pub lane: LaneId,
    /// Rows before it that are not consumed.
    pub before: u64,
    /// What is done with it.
    pub progress: Progress,
}

/// What is done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing yet.
    Rests,
    /// It waits for this row, with which it shares a key; or one of the two has none.
    WaitsFor(Seq),
    /// It has failed, and is not tried again before this, by the steady clock.
    Failed(Millis),
    /// It is with the partner, whose answer has not come.
    Sent,
    /// A router or a handler is called for it.
    Called,
    /// What is made of it does not fit into this lane.
    HasNoRoom(LaneId),
    /// It is done once a commit has written it.
    Ends,
}

/// `full`: the lanes that take nothing more.
fn in_stage<R: Task>(
    stage: &Stage<R>,
    full: &[LaneId],
    is_it: impl Fn(&R) -> bool,
) -> impl Iterator<Item = Standing> {
    let its = stage.lane.rows.iter().enumerate().filter(move |(_, row)| is_it(row));
    its.map(|(at, row)| {
        let has_no_room = || row.goes_to().into_iter().find(|it| full.contains(it));
        let progress = match at {
            _ if at < stage.committing => Progress::Ends,
            _ if at >= stage.called => Progress::Rests,
            _ if at >= stage.ready => Progress::Called,
            // What comes after one that does not fit waits behind it.
            _ if at > stage.committing => Progress::Rests,
            _ => has_no_room().map_or(Progress::Ends, Progress::HasNoRoom),
        };
        Standing { lane: stage.lane.id, before: at as u64, progress }
    })
}

impl Pipeline {
    /// The rows of a message that are in memory and not completed, in the order of its way.
    pub fn standings(&self, message: MessageId) -> Vec<Standing> {
        let full: Vec<_> =
            self.bounded_lanes().filter(|(_, is_full)| *is_full).map(|it| it.0).collect();
        let inbounds = self.inbounds.iter().map(|it| &it.stage);
        let inbounds = inbounds.flat_map(|it| in_stage(it, &full, |row| row.message == message));
        let handlers = self.handlers.iter().map(|it| &it.stage);
        let handlers = handlers.flat_map(|it| in_stage(it, &full, |row| row.message == message));
        let outbounds = self.outbounds.iter().flat_map(|outbound| {
            let is_it =
                |row: &Delivery| row.message == message && !matches!(row.state, State::Done);
            let rows = outbound.lane.rows.iter().enumerate().filter(move |(_, row)| is_it(row));
            rows.map(|(at, row)| {
                let keyed = outbound.keyed.as_ref();
                let waits_for = || keyed.and_then(|it| it.waits_for(outbound.lane.seq(at)));
                let progress = match row.state {
                    State::Rests => waits_for().map_or(Progress::Rests, Progress::WaitsFor),
                    State::InFlight => Progress::Sent,
                    State::Waits(until) => Progress::Failed(until),
                    State::Told(_) | State::Settling(_) | State::Done => Progress::Ends,
                };
                Standing { lane: outbound.lane.id, before: at as u64, progress }
            })
        });
        inbounds.chain(handlers).chain(outbounds).collect()
    }

    /// Since when the open commit has not returned, by the wall clock, if that is longer than this.
    pub fn commits_since(&self, longer: Millis, now: Now) -> Option<u64> {
        self.store.open_since(longer, now)
    }
}
