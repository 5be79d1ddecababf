//! When a connection works: windows of a week, in a time zone.
//!
//! Pure: an instant goes in, and whether the connection works then comes out, with the span of time in
//! which that stays so. Where the clocks change:
//!
//! * A window begins at the first instant that shows its start, and ends at the last one that shows its
//!   end. In autumn, when an hour comes twice, it is open once.
//! * A time that is skipped in spring stands for the instant of the change. A window that would be
//!   skipped as a whole begins at that instant and is as long as ever.

mod window;

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

pub use window::Window;

/// Days that are looked at before and after the one of an instant: a week, and what reaches into it.
const BEFORE: i64 = 2;
const AFTER: i64 = 9;

/// When a connection works.
#[derive(Clone, Debug)]
pub struct Schedule {
    windows: Vec<Window>,
    zone: TimeZone,
    invert: bool,
}

/// Whether a connection works at an instant, by the wall clock, milliseconds since 1970 in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Whether it does.
    pub is_open: bool,
    /// When that changes; `None`: not within a week, and so never.
    pub until: Option<u64>,
    /// The time for which this has been worked out. Outside of it, wherever the clock has gone, it has to
    /// be asked for again.
    pub(crate) known: Range<u64>,
}

impl Schedule {
    /// Open in these windows; `invert`: outside of them. The zone is a name such as `Europe/Berlin`: the
    /// rules are those of the operating system, or where it has none those that were built in.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(windows: Vec<Window>, zone: &str, invert: bool) -> Result<Schedule, String> {
        if windows.is_empty() {
            return Err("windows: there is none".to_owned());
        }
        let unknown = |_| format!("timezone: \"{zone}\" is not a time zone such as Europe/Berlin");
        let zone = TimeZone::get(zone).map_err(unknown)?;
        let schedule = Schedule { windows, zone, invert };
        // The middle of a year without a change of the clocks near it.
        let sample = schedule.hours(1_765_000_000_000);
        match sample.until.is_none() && !sample.is_open {
            true => Err("windows: it is never open".to_owned()),
            false => Ok(schedule),
        }
    }

    /// Whether the connection works at this instant.
    pub fn hours(&self, at: u64) -> Hours {
        let at = at.min(LATEST);
        let windows = self.around(at);
        // Outside of what was looked at nothing is known.
        let horizon = self.horizon(at);
        let inside = windows.iter().find(|it| it.contains(&at));
        let span = inside.cloned().unwrap_or_else(|| {
            let before = windows.iter().map(|it| it.end).filter(|end| *end <= at).max();
            let after = windows.iter().map(|it| it.start).filter(|start| *start > at).min();
            before.unwrap_or(horizon.start)..after.unwrap_or(horizon.end)
        });
        let known = span.start.max(horizon.start)..span.end.min(horizon.end);
        let until = (span.end < horizon.end).then_some(span.end);
        Hours { is_open: inside.is_some() != self.invert, until, known }
    }

    /// The windows around an instant, in order and apart from each other.
    fn around(&self, at: u64) -> Vec<Range<u64>> {
        let today = timestamp(at).to_zoned(self.zone.clone()).date();
        let days = (-BEFORE..=AFTER).filter_map(|days| today.checked_add(days.days()).ok());
        let mut all: Vec<_> = days
            .flat_map(|day| self.windows.iter().filter_map(move |it| self.on(day, it)))
            .collect();
        all.sort_unstable_by_key(|it| (it.start, it.end));
        let mut apart: Vec<Range<u64>> = Vec::with_capacity(all.len());
        for one in all {
            match apart.last_mut() {
                Some(last) if one.start <= last.end => last.end = last.end.max(one.end),
                _ => apart.push(one),
            }
        }
        apart
    }

    /// The window that begins on this day, if one does.
    fn on(&self, day: Date, window: &Window) -> Option<Range<u64>> {
        if !window.is_on(day.weekday()) {
            return None;
        }
        let (start, first) = self.instant(day, window.start, Shown::First)?;
        let last_day = day.checked_add(i64::from(window.ends_after()).days()).ok()?;
        let (end, last) = self.instant(last_day, window.end_of_day(), Shown::Last)?;
        let is_skipped = first && last && start >= end;
        let end = if is_skipped { start + window.milliseconds() } else { end };
        (start < end).then_some(start..end)
    }

    /// When the clocks show this time of a day, and whether it is skipped on that day.
    fn instant(&self, day: Date, seconds: u32, shown: Shown) -> Option<(u64, bool)> {
        let time = day.at(0, 0, 0, 0).checked_add(i64::from(seconds).seconds()).ok()?;
        let (offset, is_skipped) = match self.zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, false),
            AmbiguousOffset::Fold { before, after } => match shown {
                Shown::First => (before, false),
                Shown::Last => (after, false),
            },
            AmbiguousOffset::Gap { before, .. } => (before, true),
        };
        let instant = offset.to_timestamp(time).ok()?;
        if !is_skipped {
            return Some((milliseconds(instant), false));
        }
        // As the clocks went before, it is this long after the change.
        let next = instant.checked_add(1.nanosecond()).ok()?;
        let change = self.zone.preceding(next).next()?;
        Some((milliseconds(change.timestamp()), true))
    }

    /// What is looked at for an instant, less the days whose windows may reach beyond it.
    fn horizon(&self, at: u64) -> Range<u64> {
        const DAY: u64 = 24 * 60 * 60 * 1_000;
        at.saturating_sub(DAY / 2)..at.saturating_add((AFTER as u64 - 1) * DAY)
    }
}

/// Which of two instants that show the same time.
#[derive(Clone, Copy)]
enum Shown {
    First,
    Last,
}

/// The year 9990: a clock that says more is not believed.
const LATEST: u64 = 253_086_768_000_000;

fn timestamp(at: u64) -> Timestamp {
    Timestamp::from_millisecond(at as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn milliseconds(instant: Timestamp) -> u64 {
    u64::try_from(instant.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
