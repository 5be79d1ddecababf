//! MSH-7 from a count of seconds, without a clock.

/// A time as HL7 writes it, `YYYYMMDDHHMMSS` with or without `+ZZZZ` (2.A.22, DTM).
///
/// ```
/// use ack_gen::Timestamp;
///
/// assert_eq!(Timestamp::utc(1_767_323_045).as_bytes(), b"20260102030405");
/// assert_eq!(Timestamp::with_offset(1_767_323_045, -330).as_bytes(), b"20260101213405-0530");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    digits: [u8; 19],
    len: usize,
}

const SECONDS_PER_DAY: i64 = 86_400;
/// Years that four digits can write.
const FIRST: i64 = -62_167_219_200; // 0000-01-01T00:00:00Z
const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z

impl Timestamp {
    /// Universal time in fourteen digits: `seconds` since 1970-01-01T00:00:00Z, without leap seconds.
    /// Times before the year 0 or after 9999 become the first or last that four digits of year can
    /// write.
    ///
    /// This is the form of the policy `always`. Chapter 2 takes a time without an offset for the
    /// sender's local time (2.A.22): for the policy `conformant` write `with_offset(seconds, 0)`.
    pub fn utc(seconds: i64) -> Timestamp {
        let mut digits = [b'0'; 19];
        let seconds = seconds.clamp(FIRST, LAST);
        let (days, second) =
            (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        let (year, month, day) = civil(days);
        let parts = [
            (year, 4),
            (month, 2),
            (day, 2),
            (second / 3600, 2),
            (second / 60 % 60, 2),
            (second % 60, 2),
        ];
        let mut room = digits.as_mut_slice();
        for (number, width) in parts {
            let (part, rest) = room.split_at_mut_checked(width).unwrap_or_default();
            decimal(number, part);
            room = rest;
        }
        Timestamp { digits, len: 14 }
    }

    /// Local time with its offset from universal time, in minutes east of Greenwich. Offsets beyond
    /// 14 hours are taken as 14 hours.
    pub fn with_offset(seconds: i64, offset_minutes: i16) -> Timestamp {
        let minutes = i64::from(offset_minutes).clamp(-840, 840);
        let local = seconds.clamp(FIRST, LAST).saturating_add(minutes * 60);
        let mut timestamp = Timestamp::utc(local);
        let magnitude = minutes.abs();
        let [.., sign, h1, h2, m1, m2] = &mut timestamp.digits;
        *sign = if minutes < 0 { b'-' } else { b'+' };
        (*h1, *h2) = (digit(magnitude / 600), digit(magnitude / 60));
        (*m1, *m2) = (digit(magnitude % 60 / 10), digit(magnitude % 60));
        timestamp.len = 19;
        timestamp
    }

    /// 14 or 19 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }
}

impl core::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(core::str::from_utf8(self.as_bytes()).unwrap_or_default())
    }
}

fn digit(number: i64) -> u8 {
    // number % 10 is one digit.
    b'0' + (number.unsigned_abs() % 10) as u8
}

fn decimal(number: i64, out: &mut [u8]) {
    let mut rest = number;
    for place in out.iter_mut().rev() {
        *place = digit(rest);
        rest /= 10;
    }
}

/// Year, month and day of a day count from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of a year; 400 years have 146,097
/// days, and the months from March have lengths that `(153 * month + 2) / 5` adds up.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}
