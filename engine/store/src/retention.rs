//! How long what is stored stays, and when nothing may be deleted because the clock is in doubt.
//!
//! Neither of these deletes anything: they turn days into times, and say whether a pass may go on.

use mllp_pipeline::{LaneId, Now};

const HOUR: u64 = 60 * 60 * 1000;
const DAY: u64 = 24 * HOUR;

/// How long each class stays, in days. `None`: for ever. 0: until it is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// Bodies of messages that are final.
    pub bodies: Option<u32>,
    /// Everything else of a message: its row, its journey, what has become of it.
    pub metadata: Option<u32>,
    /// Messages that ended in ERROR, with their bodies, since they did.
    pub dead: Option<u32>,
}

impl Days {
    /// Bodies 30 days, metadata 400, what ended in ERROR 90.
    pub const DEFAULT: Days = Days { bodies: Some(30), metadata: Some(400), dead: Some(90) };

    fn before(self, wall: u64) -> Before {
        let time =
            |days: Option<u32>| days.map_or(0, |it| wall.saturating_sub(u64::from(it) * DAY));
        Before { bodies: time(self.bodies), metadata: time(self.metadata), dead: time(self.dead) }
    }
}

/// How long what is stored stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Where nothing else is said.
    pub days: Days,
    /// For messages of these inbounds.
    pub of: Vec<(LaneId, Days)>,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { days: Days::DEFAULT, of: Vec::new() }
    }
}

impl Retention {
    /// What expires at a time of the wall clock.
    pub fn at(&self, wall: u64) -> Expiry {
        let of = self.of.iter().map(|(inbound, days)| (*inbound, days.before(wall)));
        let control_ids = ControlIds { before: wall.saturating_sub(KEPT), most: MOST };
        Expiry { at: wall, before: self.days.before(wall), of: of.collect(), control_ids }
    }
}

/// Which times have come to their end: of messages that are final, what was received, or ended in
/// ERROR, before them is deleted. 0: nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// Bodies of messages received before this.
    pub bodies: u64,
    /// Everything of messages received before this.
    pub metadata: u64,
    /// Bodies of messages that ended in ERROR before this.
    pub dead: u64,
}

/// What expires in one pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// When the pass has begun, by the wall clock.
    pub at: u64,
    /// Where nothing else is said.
    pub before: Before,
    /// For messages of these inbounds.
    pub of: Vec<(LaneId, Before)>,
    /// For what is remembered of messages that are gone.
    pub control_ids: ControlIds,
}

/// How long and how many control IDs are remembered of messages that were deleted, as hashes of eight
/// bytes: a question for one is answered with the day it expired, not that it is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlIds {
    /// Those of messages that were deleted before this go.
    pub before: u64,
    /// Of more than these the oldest go.
    pub most: u64,
}

/// As long as everything else of a message by default.
const KEPT: u64 = 400 * DAY;
/// 32 MB, which are read when a control ID is not found.
const MOST: u64 = 4_000_000;

impl Expiry {
    pub(crate) fn before(&self, inbound: LaneId) -> &Before {
        self.of.iter().find(|(it, _)| *it == inbound).map_or(&self.before, |(_, before)| before)
    }

    /// What of a final message has expired. `ended`: when it ended in ERROR, if it did.
    pub(crate) fn of(&self, inbound: LaneId, received_at: u64, ended: Option<u64>) -> Expired {
        let before = self.before(inbound);
        let is_dead_kept = ended.is_some_and(|at| at >= before.dead);
        let is_body_old = ended.is_some() || received_at < before.bodies;
        match (is_dead_kept, received_at < before.metadata) {
            (true, _) => Expired::Nothing,
            (false, true) => Expired::Everything,
            (false, false) if is_body_old => Expired::Body,
            (false, false) => Expired::Nothing,
        }
    }

    /// No inbound keeps metadata that is older than this.
    pub(crate) fn oldest_metadata(&self) -> u64 {
        self.all().map(|it| it.metadata).min().unwrap_or(0)
    }

    /// No message that was received at this time or later is deleted.
    pub(crate) fn newest_metadata(&self) -> u64 {
        self.all().map(|it| it.metadata).max().unwrap_or(0)
    }

    /// Which classes stay for ever: what is kept for ever need not be looked at in the next pass.
    pub(crate) fn kept_for_ever(&self) -> String {
        let of = |lane: u32, it: &Before| {
            let class = |before: u64| if before == 0 { "1" } else { "0" };
            format!("{lane}:{}{} ", class(it.bodies), class(it.dead))
        };
        let each = self.of.iter().map(|(lane, before)| of(lane.0, before));
        of(0, &self.before) + &each.collect::<String>()
    }

    fn all(&self) -> impl Iterator<Item = &Before> {
        self.of.iter().map(|(_, before)| before).chain([&self.before])
    }

    /// Nothing of a message that was received at this time or later has expired.
    pub(crate) fn newest(&self) -> u64 {
        self.all().map(|it| it.bodies.max(it.metadata).max(it.dead)).max().unwrap_or(0)
    }
}

/// What of a message has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Expired {
    Nothing,
    Body,
    Everything,
}

/// Stops retention while the clock is in doubt: a clock that jumps ahead makes everything look old.
///
/// It stops when the wall clock and the steady one disagree by more than an hour since the last pass,
/// and at a start when it is more than seven days later than the newest record or the last pass. It
/// stays stopped, across restarts, until somebody confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockGuard {
    last: Option<Now>,
    stopped: Option<ClockDoubt>,
}

/// Why retention is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockDoubt {
    /// The wall clock and the steady one disagree since the last pass.
    Jumped,
    /// The wall clock is far later at a start than when the store was last written.
    LongAway,
}

/// What a store keeps for the guard from one life to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastPass {
    /// When the last pass began, by the wall clock; 0: there was none.
    pub at: u64,
    /// Whether retention is stopped until somebody confirms.
    pub stopped: Option<ClockDoubt>,
}

/// The difference of the clocks that is put up with.
const JUMP: u64 = HOUR;
/// The time away that is put up with.
const AWAY: u64 = 7 * DAY;

impl ClockGuard {
    /// At a start. `newest`: when the newest record was written, by the wall clock; `None`: there is
    /// none.
    pub fn new(last: LastPass, newest: Option<u64>, now: Now) -> ClockGuard {
        let is_away = |since: u64| now.wall > since.saturating_add(AWAY);
        let long_away = newest.is_some_and(is_away) || (last.at > 0 && is_away(last.at));
        let doubt = long_away.then_some(ClockDoubt::LongAway);
        ClockGuard { last: Some(now), stopped: last.stopped.or(doubt) }
    }

    /// Whether a pass may begin now. What it says is to be kept in the store before anything is
    /// deleted.
    pub fn begin(&mut self, now: Now) -> LastPass {
        if let Some(last) = self.last {
            let wall = i128::from(now.wall) - i128::from(last.wall);
            let steady = i128::from(now.steady) - i128::from(last.steady);
            if (wall - steady).unsigned_abs() > u128::from(JUMP) {
                self.stopped = self.stopped.or(Some(ClockDoubt::Jumped));
            }
        }
        if self.stopped.is_none() {
            self.last = Some(now);
        }
        LastPass { at: self.last.map_or(0, |it| it.wall), stopped: self.stopped }
    }

    /// Why retention is stopped, if it is.
    pub fn doubt(&self) -> Option<ClockDoubt> {
        self.stopped
    }

    /// Somebody has looked at the clock, and it is right.
    pub fn confirm(&mut self, now: Now) {
        (self.last, self.stopped) = (Some(now), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Now = Now { steady: 5_000, wall: 1_796_000_000_000 };

    fn after(steady: u64, wall: u64) -> Now {
        Now { steady: START.steady + steady, wall: START.wall + wall }
    }

    fn guard() -> ClockGuard {
        ClockGuard::new(LastPass::default(), Some(START.wall - DAY), START)
    }

    #[test]
    fn a_clock_that_keeps_time_stops_nothing() {
        let mut guard = guard();
        for hours in 1..100 {
            let drift = hours * 60_000;
            let pass = guard.begin(after(hours * HOUR, hours * HOUR + drift));
            assert_eq!(pass.stopped, None);
        }
    }

    #[test]
    fn a_jump_of_more_than_an_hour_stops_it_until_it_is_confirmed() {
        for (steady, wall, is_stopped) in [
            (HOUR, 2 * HOUR, false),
            (HOUR, 2 * HOUR + 1, true),
            (2 * HOUR, HOUR, false),
            (2 * HOUR + 1, HOUR, true),
            (HOUR, 365 * DAY, true),
        ] {
            let mut guard = guard();
            let now = after(steady, wall);
            assert_eq!(guard.begin(now).stopped.is_some(), is_stopped, "{steady} {wall}");
            if is_stopped {
                // Also when the clock is right again, as far as anybody can tell.
                assert_eq!(
                    guard.begin(after(steady + 1, steady + 1)).stopped,
                    Some(ClockDoubt::Jumped)
                );
                guard.confirm(now);
                assert_eq!(guard.begin(Now { steady: now.steady + 1, ..now }).stopped, None);
            }
        }
    }

    #[test]
    fn a_clock_that_goes_back_at_once_stops_it() {
        let mut guard = guard();
        let back = Now { steady: START.steady + HOUR, wall: START.wall - DAY };
        assert_eq!(guard.begin(back).stopped, Some(ClockDoubt::Jumped));
    }

    #[test]
    fn a_start_long_after_the_newest_record_or_the_last_pass_is_stopped() {
        let start =
            |at, newest| ClockGuard::new(LastPass { at, stopped: None }, newest, START).doubt();
        assert_eq!(start(0, None), None);
        assert_eq!(start(0, Some(START.wall - AWAY)), None);
        assert_eq!(start(0, Some(START.wall - AWAY - 1)), Some(ClockDoubt::LongAway));
        // Messages were received after the jump, before it was noticed.
        assert_eq!(start(START.wall - AWAY - 1, Some(START.wall)), Some(ClockDoubt::LongAway));
        assert_eq!(start(START.wall - AWAY, Some(START.wall + DAY)), None);
    }

    #[test]
    fn it_stays_stopped_across_restarts() {
        let mut guard = guard();
        let pass = guard.begin(after(HOUR, 30 * DAY));
        assert_eq!(pass.at, START.wall, "the time of the last pass that was right");
        let mut again = ClockGuard::new(pass, Some(START.wall), START);
        assert_eq!(again.doubt(), Some(ClockDoubt::Jumped));
        again.confirm(START);
        assert_eq!(again.begin(START), LastPass { at: START.wall, stopped: None });
    }

    #[test]
    fn what_expires_depends_on_the_class() {
        let now = 1_000 * DAY;
        let expiry = Retention::default().at(now);
        let of = |days: u64, ended: Option<u64>| {
            let age = |days: u64| now - days * DAY;
            expiry.of(LaneId(1), age(days), ended.map(age))
        };
        assert_eq!(of(30, None), Expired::Nothing);
        assert_eq!(of(31, None), Expired::Body);
        assert_eq!(of(400, None), Expired::Body);
        assert_eq!(of(401, None), Expired::Everything);
        assert_eq!(of(31, Some(31)), Expired::Nothing);
        assert_eq!(of(91, Some(90)), Expired::Nothing);
        assert_eq!(of(91, Some(91)), Expired::Body);
        assert_eq!(of(401, Some(90)), Expired::Nothing);
        assert_eq!(of(401, Some(91)), Expired::Everything);
    }

    #[test]
    fn no_days_and_for_ever() {
        let (now, forever) = (1_000 * DAY, Days { bodies: None, metadata: None, dead: None });
        let mut retention = Retention { days: forever, of: Vec::new() };
        assert_eq!(retention.at(now).of(LaneId(1), 1, Some(1)), Expired::Nothing);
        assert_eq!(retention.at(now).newest(), 0);
        let none = Days { bodies: Some(0), metadata: Some(0), dead: Some(0) };
        retention.of.push((LaneId(2), none));
        let expiry = retention.at(now);
        assert_eq!(expiry.of(LaneId(1), 1, None), Expired::Nothing);
        assert_eq!(expiry.of(LaneId(2), now - 1, None), Expired::Everything);
        assert_eq!(expiry.of(LaneId(2), now, None), Expired::Nothing);
        // A number of days that reaches back before there was time.
        let always = Retention { days: Days { bodies: Some(u32::MAX), ..none }, of: Vec::new() };
        assert_eq!(always.at(now).before.bodies, 0);
    }
}
