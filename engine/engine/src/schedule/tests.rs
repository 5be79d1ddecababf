use super::*;

const HOUR: u64 = 60 * 60 * 1_000;

fn schedule(zone: &str, windows: &[(&str, &str, &str)]) -> Schedule {
    let windows = windows.iter().map(|(days, start, end)| Window::parse(days, start, end).unwrap());
    Schedule::new(windows.collect(), zone, false).unwrap()
}

fn at(text: &str) -> u64 {
    milliseconds(text.parse::<Timestamp>().unwrap())
}

/// From when on and until when it is open around an instant in UTC.
fn open(schedule: &Schedule, from: &str, until: &str) {
    let (from, until) = (at(from), at(until));
    for inside in [from, from + 1, (from + until) / 2, until - 1] {
        let hours = schedule.hours(inside);
        assert!(hours.is_open, "{}", timestamp(inside));
        assert_eq!(hours.until, Some(until), "{}", timestamp(inside));
        assert!(hours.known.contains(&inside) && hours.known.end == until);
    }
    let before = schedule.hours(from - 1);
    assert!(!before.is_open, "it is open before {}", timestamp(from));
    assert_eq!(before.until, Some(from));
    assert!(!schedule.hours(until).is_open, "it is open at {}", timestamp(until));
}

#[test]
fn a_window_on_days_of_the_week() {
    let it = schedule("Europe/Berlin", &[("mon-fri", "06:00", "22:00")]);
    open(&it, "2026-01-07T05:00:00Z", "2026-01-07T21:00:00Z");
    open(&it, "2026-07-08T04:00:00Z", "2026-07-08T20:00:00Z");
    let friday_night = it.hours(at("2026-01-09T21:00:00Z"));
    assert_eq!(friday_night.until, Some(at("2026-01-12T05:00:00Z")), "over the weekend");
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let it = schedule("Europe/Berlin", &[("fri", "22:00", "06:00")]);
    open(&it, "2026-01-09T21:00:00Z", "2026-01-10T05:00:00Z");
    let wraps = schedule("UTC", &[("sat-mon", "01:00", "24:00")]);
    open(&wraps, "2026-01-10T01:00:00Z", "2026-01-11T00:00:00Z");
    open(&wraps, "2026-01-12T01:00:00Z", "2026-01-13T00:00:00Z");
}

#[test]
fn windows_that_touch_are_one() {
    let it = schedule("UTC", &[("mon", "20:00", "24:00"), ("tue", "00:00", "02:00")]);
    open(&it, "2026-01-05T20:00:00Z", "2026-01-06T02:00:00Z");
    let always = schedule("Europe/Berlin", &[("", "00:00", "24:00")]);
    let hours = always.hours(at("2026-03-28T12:00:00Z"));
    assert_eq!((hours.is_open, hours.until), (true, None));
}

#[test]
fn berlin_in_spring() {
    // 02:00 to 03:00 is skipped on 29 March 2026: 01:00 UTC shows 03:00.
    let half = schedule("Europe/Berlin", &[("", "02:30", "03:30")]);
    open(&half, "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z");
    let before = schedule("Europe/Berlin", &[("", "01:30", "02:30")]);
    open(&before, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z");
    let skipped = schedule("Europe/Berlin", &[("", "02:15", "02:45")]);
    open(&skipped, "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z");
    let over = schedule("Europe/Berlin", &[("", "22:00", "06:00")]);
    open(&over, "2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z");
}

#[test]
fn berlin_in_autumn() {
    // 02:00 to 03:00 comes twice on 25 October 2026: from 00:00 and from 01:00 UTC.
    let half = schedule("Europe/Berlin", &[("", "02:30", "03:30")]);
    open(&half, "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z");
    let inside = schedule("Europe/Berlin", &[("", "02:15", "02:45")]);
    open(&inside, "2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z");
    let before = schedule("Europe/Berlin", &[("", "01:30", "02:30")]);
    open(&before, "2026-10-24T23:30:00Z", "2026-10-25T01:30:00Z");
    let over = schedule("Europe/Berlin", &[("", "22:00", "06:00")]);
    open(&over, "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z");
}

#[test]
fn new_york_in_spring() {
    // 02:00 to 03:00 is skipped on 8 March 2026: 07:00 UTC shows 03:00.
    let half = schedule("America/New_York", &[("", "02:30", "03:30")]);
    open(&half, "2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z");
    let skipped = schedule("America/New_York", &[("", "02:15", "02:45")]);
    open(&skipped, "2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z");
    let day = schedule("America/New_York", &[("sun", "00:00", "24:00")]);
    open(&day, "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z");
}

#[test]
fn new_york_in_autumn() {
    // 01:00 to 02:00 comes twice on 1 November 2026: from 05:00 and from 06:00 UTC.
    let half = schedule("America/New_York", &[("", "01:30", "02:30")]);
    open(&half, "2026-11-01T05:30:00Z", "2026-11-01T07:30:00Z");
    let inside = schedule("America/New_York", &[("", "01:15", "01:45")]);
    open(&inside, "2026-11-01T05:15:00Z", "2026-11-01T06:45:00Z");
    let day = schedule("America/New_York", &[("sun", "00:00", "24:00")]);
    open(&day, "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z");
}

#[test]
fn inverted_it_is_open_outside() {
    let maintenance = vec![Window::parse("sun", "02:00", "04:00").unwrap()];
    let it = Schedule::new(maintenance, "UTC", true).unwrap();
    open(&it, "2026-01-04T04:00:00Z", "2026-01-11T02:00:00Z");
}

/// What is known of an instant holds for every instant of the same span, and spans leave no gap: so
/// somebody who asks again outside of a span is right wherever a clock has jumped.
#[test]
fn a_span_holds_for_all_of_it() {
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"] {
        let it = schedule(zone, &[("mon-fri", "01:10", "02:40"), ("sun,wed", "23:00", "02:05")]);
        let (mut now, mut changes) = (at("2026-01-01T00:00:00Z"), 0);
        while now < at("2027-01-01T00:00:00Z") {
            let hours = it.hours(now);
            assert!(hours.known.contains(&now));
            for other in [hours.known.start, (now + hours.known.end) / 2, hours.known.end - 1] {
                assert_eq!(it.hours(other).is_open, hours.is_open, "{zone} {}", timestamp(other));
            }
            changes += u32::from(it.hours(hours.known.end).is_open != hours.is_open);
            now = hours.known.end;
        }
        // One in each night before a working day: what begins at 23:00 goes on into the one after it. 2026
        // has 261 working days, and where the year of UTC begins in the evening one more such night.
        assert!((2 * 261..=2 * 262).contains(&changes.next_multiple_of(2)), "{zone}: {changes}");
    }
}

#[test]
fn a_clock_that_tells_nonsense_is_answered() {
    let it = schedule("Europe/Berlin", &[("mon", "06:00", "22:00")]);
    for at in [0, HOUR, u64::MAX / 2, u64::MAX] {
        let hours = it.hours(at);
        assert!(hours.known.start <= hours.known.end);
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (days, start, end, wrong) in [
        ("mon-fry", "06:00", "22:00", "days: \"fry\" is no day such as mon"),
        ("mon", "6:00", "22:00", "start: \"6:00\" is no time such as 06:00"),
        ("mon", "06:00", "24:01", "end: \"24:01\" is no time such as 06:00"),
        ("mon", "06:60", "22:00", "start: \"06:60\" is no time such as 06:00"),
        ("mon", "06:00", "06:00", "end: it is the start"),
        ("mon", "24:00", "06:00", "start: a window begins before 24:00"),
    ] {
        let error = Window::parse(days, start, end).unwrap_err();
        assert!(error.starts_with(wrong), "{error}");
    }
    let window = || vec![Window::parse("", "00:00", "24:00").unwrap()];
    let error = Schedule::new(window(), "Europe/Berln", false).unwrap_err();
    assert_eq!(error, "timezone: \"Europe/Berln\" is not a time zone such as Europe/Berlin");
    assert_eq!(Schedule::new(vec![], "UTC", false).unwrap_err(), "windows: there is none");
    assert_eq!(Schedule::new(window(), "UTC", true).unwrap_err(), "windows: it is never open");
}
