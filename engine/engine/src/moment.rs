//! Times of the wall clock in words, in UTC.

/// The day, in UTC.
pub(crate) fn date(at: u64) -> String {
    // Days since the first of March of the year 0, as Howard Hinnant's calendar counts them.
    let days = at / 86_400_000 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + next)
}

/// A time of the wall clock, milliseconds since 1970, as a day and a time of day in UTC.
pub fn moment(at: u64) -> String {
    format!("{} {}Z", date(at), time(at))
}

/// The time of day, in UTC.
pub(crate) fn time(at: u64) -> String {
    let (seconds, milliseconds) = (at / 1000 % 86_400, at % 1000);
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    format!("{hour:02}:{minute:02}:{:02}.{milliseconds:03}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_dates() {
        let day = 86_400_000;
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(59 * day), "1970-03-01");
        assert_eq!(date(11_016 * day), "2000-02-29");
        assert_eq!(date(11_017 * day - 1), "2000-02-29");
        assert_eq!(date(1_796_000_000_000), "2026-11-30");
        assert_eq!(date(47_540 * day), "2100-02-28");
        assert_eq!(date(47_541 * day), "2100-03-01");
    }
}
