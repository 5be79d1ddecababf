//! Health means progress: a lane that has work and gets nothing done is stalled, whatever the reason.
//!
//! The time is the steady clock's, so a clock that is set stalls nothing. A lane that an operator has
//! stopped or paused is not stalled, and neither is any lane while the store does not write: both are told
//! of by themselves.

use std::collections::HashMap;
use std::time::Duration;

use mllp_pipeline::{Flow, LaneId, LaneStatus, Millis, Stage};

/// Lanes are looked at this often, in milliseconds: looking costs something for each of them.
const OFTEN: Millis = 1_000;

/// What is known of how the lanes go on of an engine.
pub(crate) struct Stalls {
    /// A lane that had work for longer and got nothing done is stalled.
    stalled_after: Millis,
    lanes: HashMap<LaneId, Stretch>,
    /// Deliveries of each outbound: by key, one that is done may leave the first of its lane behind.
    delivered: HashMap<LaneId, u64>,
    looked: Option<Millis>,
    /// Whether something may have changed since.
    is_stale: bool,
}

/// A time in which a lane has got nothing done.
struct Stretch {
    done: u64,
    /// `None`: it has nothing to do, or may not.
    since: Option<Millis>,
}

impl Stalls {
    pub(crate) fn new(stalled_after: Duration) -> Stalls {
        Stalls {
            stalled_after: stalled_after.as_millis() as u64,
            lanes: HashMap::new(),
            delivered: HashMap::new(),
            looked: None,
            is_stale: true,
        }
    }

    /// Something has happened.
    pub(crate) fn happened(&mut self) {
        self.is_stale = true;
    }

    /// A partner has taken a delivery.
    pub(crate) fn delivered(&mut self, outbound: LaneId) {
        *self.delivered.entry(outbound).or_default() += 1;
    }

    /// How long until it is time to look; `None`: nothing has happened since.
    pub(crate) fn next(&self, now: Millis) -> Option<Millis> {
        let due = self.looked.map_or(now, |at| at.saturating_add(OFTEN));
        self.is_stale.then(|| due.saturating_sub(now))
    }

    /// Looks at all lanes. While the store does not write none of them can go on.
    pub(crate) fn look(
        &mut self,
        lanes: impl Iterator<Item = LaneStatus>,
        writes: bool,
        now: Millis,
    ) {
        self.looked = Some(now);
        self.is_stale = false;
        for lane in lanes {
            let delivered = self.delivered.get(&lane.lane).copied().unwrap_or_default();
            let done = lane.done.saturating_add(delivered);
            let is_off = lane.output.as_ref().is_some_and(|it| it.flow != Flow::On);
            // Outside of its hours an outbound keeps its queue; an inbound goes on with what it has.
            let is_closed = lane.stage == Stage::Outbound && !lane.in_hours;
            let may_rest = lane.depth == 0 || lane.is_orphan || is_off || is_closed || !writes;
            let before = self.lanes.get(&lane.lane).filter(|it| it.done == done);
            let since = before.and_then(|it| it.since).unwrap_or(now);
            let stretch = Stretch { done, since: (!may_rest).then_some(since) };
            self.lanes.insert(lane.lane, stretch);
        }
    }

    /// For how long a lane is stalled, in milliseconds since it last got something done; 0: it is not.
    pub(crate) fn stalled_for(&self, lane: LaneId, now: Millis) -> Millis {
        let since = self.lanes.get(&lane).and_then(|it| it.since);
        let idle = since.map_or(0, |it| now.saturating_sub(it));
        if idle >= self.stalled_after { idle } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use mllp_pipeline::{By, Note, Seq, Side, Switch};

    use super::*;

    const LANE: LaneId = LaneId(1);

    /// A lane with so many rows, of which so many were consumed before.
    fn lane(depth: u64, done: u64) -> LaneStatus {
        LaneStatus {
            lane: LANE,
            stage: Stage::Outbound,
            depth,
            done,
            bytes: 0,
            is_full: false,
            head: (depth > 0).then_some(Seq(done + 1)),
            message: None,
            attempt: 0,
            due: None,
            ready: true,
            in_hours: true,
            in_flight: 0,
            keeps_order: true,
            possibly_sent: 0,
            input: None,
            output: None,
            is_orphan: false,
            delivering: None,
        }
    }

    fn stopped(flow: Flow) -> LaneStatus {
        let by = By { who: Note::default(), reason: Note::default() };
        let output = Some(Switch { lane: LANE, side: Side::Output, flow, by, at: 0 });
        LaneStatus { output, ..lane(1, 0) }
    }

    fn stalls() -> Stalls {
        Stalls::new(Duration::from_secs(10))
    }

    #[test]
    fn a_lane_with_work_is_stalled_once_nothing_was_done_for_so_long() {
        let mut stalls = stalls();
        stalls.look([lane(0, 0)].into_iter(), true, 0);
        assert_eq!(stalls.stalled_for(LANE, 1_000_000), 0);
        stalls.look([lane(3, 0)].into_iter(), true, 60_000);
        stalls.look([lane(4, 0)].into_iter(), true, 69_000);
        assert_eq!(stalls.stalled_for(LANE, 69_999), 0);
        assert_eq!(stalls.stalled_for(LANE, 70_000), 10_000);
        // One is done, and then nothing again.
        stalls.look([lane(3, 1)].into_iter(), true, 70_500);
        assert_eq!(stalls.stalled_for(LANE, 80_499), 0);
        assert_eq!(stalls.stalled_for(LANE, 80_500), 10_000);
    }

    #[test]
    fn what_is_delivered_ahead_of_the_first_is_progress() {
        let mut stalls = stalls();
        for second in 0..60 {
            stalls.look([lane(9, 0)].into_iter(), true, second * 1_000);
            stalls.delivered(LANE);
        }
        assert_eq!(stalls.stalled_for(LANE, 60_000), 0);
    }

    #[test]
    fn a_lane_that_may_rest_is_not_stalled() {
        let resting = [
            lane(0, 5),
            LaneStatus { is_orphan: true, ..lane(1, 0) },
            LaneStatus { in_hours: false, ..lane(1, 0) },
            stopped(Flow::Stopped),
            stopped(Flow::Paused),
        ];
        for status in resting {
            let mut stalls = stalls();
            for second in 0..60 {
                stalls.look([status.clone()].into_iter(), true, second * 1_000);
            }
            assert_eq!(stalls.stalled_for(LANE, 59_000), 0, "{status:?}");
        }
        let mut stalls = stalls();
        for second in 0..60 {
            stalls.look([stopped(Flow::On)].into_iter(), second >= 55, second * 1_000);
        }
        assert_eq!(stalls.stalled_for(LANE, 59_000), 0, "the store did not write");
        assert_eq!(stalls.stalled_for(LANE, 65_000), 10_000);
    }

    #[test]
    fn it_looks_once_a_second_and_only_if_something_has_happened() {
        let mut stalls = stalls();
        assert_eq!(stalls.next(500), Some(0));
        stalls.look(std::iter::empty(), true, 500);
        assert_eq!(stalls.next(9_000), None);
        stalls.happened();
        assert_eq!((stalls.next(700), stalls.next(1_500)), (Some(800), Some(0)));
    }
}
