//! A window of a schedule, and how it is written.

use jiff::civil::Weekday;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: u32 = 24 * 60 * 60;

/// A time of the day on some days of the week. One that ends at or before its start ends the next day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whether it begins on each day, from Monday on.
    days: [bool; 7],
    /// Seconds after midnight, as the clocks show it.
    pub(super) start: u32,
    /// The same; 24 hours: at midnight.
    end: u32,
}

impl Window {
    /// Reads `mon-fri`, `sat,sun` or an empty text for all days, and times such as `06:00`, `22:30:15`
    /// and, as an end, `24:00`.
    ///
    /// # Errors
    ///
    /// What is wrong, with the name of the part.
    pub fn parse(days: &str, start: &str, end: &str) -> Result<Window, String> {
        let wrong = |what, why| format!("{what}: {why}");
        let days = parse_days(days).map_err(|why| wrong("days", why))?;
        let start = parse_time(start).map_err(|why| wrong("start", why))?;
        let end = parse_time(end).map_err(|why| wrong("end", why))?;
        if start == DAY {
            return Err(wrong("start", "a window begins before 24:00".to_owned()));
        }
        if start == end {
            let why = "it is the start; a whole day is 00:00 to 24:00".to_owned();
            return Err(wrong("end", why));
        }
        Ok(Window { days, start, end })
    }

    pub(super) fn is_on(&self, day: Weekday) -> bool {
        self.days[day.to_monday_zero_offset() as usize]
    }

    /// How many midnights it passes, the one that it ends at among them.
    pub(super) fn ends_after(&self) -> u8 {
        u8::from(self.end == DAY || self.end < self.start)
    }

    /// Its end, on the day on which it ends.
    pub(super) fn end_of_day(&self) -> u32 {
        self.end % DAY
    }

    /// How long it is where the clocks do not change.
    pub(super) fn milliseconds(&self) -> u64 {
        let day = if self.end < self.start { DAY } else { 0 };
        u64::from(self.end + day - self.start) * 1_000
    }
}

fn parse_days(text: &str) -> Result<[bool; 7], String> {
    let mut days = [text.trim().is_empty(); 7];
    for part in text.split(',').filter(|_| !text.trim().is_empty()) {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (parse_day(first)?, parse_day(last)?),
            None => (parse_day(part)?, parse_day(part)?),
        };
        let mut day = first;
        days[day] = true;
        while day != last {
            day = (day + 1) % 7;
            days[day] = true;
        }
    }
    Ok(days)
}

fn parse_day(text: &str) -> Result<usize, String> {
    let name = text.trim().to_ascii_lowercase();
    DAYS.iter().position(|it| *it == name).ok_or_else(|| {
        format!("\"{}\" is no day such as mon, and no days such as mon-fri", text.escape_debug())
    })
}

fn parse_time(text: &str) -> Result<u32, String> {
    let wrong = || format!("\"{}\" is no time such as 06:00", text.escape_debug());
    let mut seconds = 0;
    let parts: Vec<_> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(wrong());
    }
    for (part, (scale, most)) in parts.into_iter().zip([(3600, 24), (60, 59), (1, 59)]) {
        let is_number = part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit());
        let value: u32 = part.parse().map_err(|_| wrong())?;
        if !is_number || value > most {
            return Err(wrong());
        }
        seconds += value * scale;
    }
    (seconds <= DAY).then_some(seconds).ok_or_else(wrong)
}
