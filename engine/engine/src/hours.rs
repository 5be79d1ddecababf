//! The schedules of connections while an engine runs.
//!
//! The wall clock is looked at again and again, at least once a second, so that one that jumps leaves
//! nothing open or closed for longer than that.

use std::ops::Range;
use std::time::Duration;

use mllp_pipeline::{Closed, LaneId};

use crate::builder::Builder;
use crate::schedule::{Hours, Schedule};

/// Where there are schedules, the clock is looked at this often.
const LOOK: Duration = Duration::from_secs(1);

/// What the schedules of an engine say.
pub(crate) struct Timetable {
    all: Vec<(LaneId, Schedule, Option<Hours>)>,
    /// For which times all of it is known.
    known: Range<u64>,
}

impl Timetable {
    /// The schedules of a graph whose connections have these lanes.
    pub(crate) fn new(builder: &Builder, inbounds: &[LaneId], outbounds: &[LaneId]) -> Timetable {
        let of_inbounds = builder.inbounds.iter().map(|it| &it.schedule).zip(inbounds);
        let of_outbounds = builder.outbounds.iter().map(|it| &it.schedule).zip(outbounds);
        let all = of_inbounds.chain(of_outbounds);
        let all = all.filter_map(|(schedule, lane)| Some((*lane, schedule.clone()?, None)));
        Timetable { all: all.collect(), known: 0..0 }
    }

    /// The connections that have opened or closed by this time since it was looked last; at first all.
    pub(crate) fn look(&mut self, wall: u64) -> Vec<(LaneId, Hours)> {
        if self.known.contains(&wall) || self.all.is_empty() {
            return Vec::new();
        }
        let mut changed = Vec::new();
        self.known = 0..u64::MAX;
        for (lane, schedule, last) in &mut self.all {
            let hours = match last {
                Some(last) if last.known.contains(&wall) => last.clone(),
                _ => schedule.hours(wall),
            };
            if last.as_ref().is_none_or(|last| last.is_open != hours.is_open) {
                changed.push((*lane, hours.clone()));
            }
            let known = hours.known.clone();
            self.known = self.known.start.max(known.start)..self.known.end.min(known.end);
            *last = Some(hours);
        }
        changed
    }

    /// How long nothing has to be looked at.
    pub(crate) fn wait(&self, wall: u64) -> Option<Duration> {
        let change = Duration::from_millis(self.known.end.saturating_sub(wall));
        (!self.all.is_empty()).then_some(change.min(LOOK))
    }

    /// What was found last for a connection; `None`: it has no schedule.
    pub(crate) fn of(&self, lane: LaneId) -> Option<&Hours> {
        self.all.iter().find(|it| it.0 == lane)?.2.as_ref()
    }
}

impl Builder {
    /// When the inbound or outbound of this name works. Outside of it an outbound keeps what is sent to
    /// it, and an inbound does not listen, unless it [answers](Builder::closed). Without this always.
    #[must_use]
    pub fn schedule(mut self, name: &str, schedule: Schedule) -> Self {
        let inbound = self.inbounds.iter_mut().find(|it| it.name == name);
        let outbound = self.outbounds.iter_mut().find(|it| it.name == name);
        match (inbound, outbound) {
            (Some(inbound), None) if inbound.receives() => inbound.schedule = Some(schedule),
            (None, Some(outbound)) => outbound.schedule = Some(schedule),
            (Some(_), None) => {
                let why = format!("schedule: {name} takes what handlers send, whenever they do");
                self.misplaced.push(why);
            }
            (Some(_), Some(_)) => {
                let why = format!("schedule: {name} is an inbound and an outbound");
                self.misplaced.push(why);
            }
            (None, None) => {
                let why = format!("schedule of \"{name}\", which is not declared before");
                self.misplaced.push(why);
            }
        }
        self
    }

    /// What the last inbound does outside of its schedule. Without this it does not listen.
    #[must_use]
    pub fn closed(self, closed: Closed) -> Self {
        self.last_inbound_that("closed", |inbound| {
            inbound.closed = closed;
            Ok(())
        })
    }
}
