//! Until when certificates are valid: of a certificate the one thing that an operator has to know early.

use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::CertificateDer;

/// Until when what is shown on the connections of a listener or a sender is valid, in milliseconds since
/// 1970. Of a chain it is the certificate that ends first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    /// What it shows itself; `None`: it shows none, or has not read it yet.
    pub own: Option<u64>,
    /// What the partner of a sender has shown last; `None`: nothing yet.
    pub partner: Option<u64>,
}

impl Certificates {
    /// For each the one that ends first.
    pub(crate) fn earliest(self, other: Certificates) -> Certificates {
        let first = |one: Option<u64>, other| one.into_iter().chain(other).min();
        Certificates {
            own: first(self.own, other.own),
            partner: first(self.partner, other.partner),
        }
    }
}

/// What a sender has last read and been shown. 0: nothing.
#[derive(Default)]
pub(crate) struct Seen {
    own: AtomicU64,
    partner: AtomicU64,
}

impl Seen {
    pub(crate) fn read(&self, own: Option<u64>) {
        self.own.store(own.unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn shown(&self, partner: Option<u64>) {
        self.partner.store(partner.unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn certificates(&self) -> Certificates {
        let told = |it: &AtomicU64| Some(it.load(Ordering::Relaxed)).filter(|until| *until > 0);
        Certificates { own: told(&self.own), partner: told(&self.partner) }
    }
}

/// Until when all certificates of a chain are valid; `None`: there is none, or none says it in a way that is
/// allowed.
pub(crate) fn valid_until(chain: &[CertificateDer<'_>]) -> Option<u64> {
    chain.iter().filter_map(|it| not_after(it)).min()
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// `notAfter` of a certificate: RFC 5280, 4.1.
fn not_after(certificate: &[u8]) -> Option<u64> {
    let (signed, _) = take(certificate, SEQUENCE)?;
    let (fields, _) = take(signed, SEQUENCE)?;
    // The first version of X.509 does not say which it is.
    let fields = take(fields, VERSION).map_or(fields, |(_, rest)| rest);
    let (_, fields) = take(fields, INTEGER)?;
    let (_, fields) = take(fields, SEQUENCE)?;
    let (_, fields) = take(fields, SEQUENCE)?;
    let (validity, _) = take(fields, SEQUENCE)?;
    let (_, _, end) = next(validity)?;
    let (kind, text, _) = next(end)?;
    moment(kind, text)
}

/// The contents of a value with this tag, and what is behind it.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    next(der).filter(|it| it.0 == tag).map(|(_, contents, rest)| (contents, rest))
}

/// The tag and the contents of the next value, and what is behind it.
fn next(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match usize::from(*first) {
        len @ 0..=0x7f => (len, rest),
        long @ 0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(long - 0x80)?;
            (len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(len)?;
    Some((*tag, contents, rest))
}

/// A time such as `490101000000Z` or `20500101000000Z`. One before 1970 is 1970.
fn moment(kind: u8, text: &[u8]) -> Option<u64> {
    let digits = text.strip_suffix(b"Z")?;
    let (year, rest) = digits.split_at_checked(if kind == UTC_TIME { 2 } else { 4 })?;
    let year = match (kind, number(year)?) {
        (UTC_TIME, year @ 0..50) => 2000 + year,
        (UTC_TIME, year) => 1900 + year,
        (GENERALIZED_TIME, year) => year,
        _ => return None,
    };
    let [month, day, hour, minute, second] =
        rest.chunks(2).map(number).collect::<Option<Vec<u64>>>()?.try_into().ok()?;
    let is_one = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_one || rest.len() != 10 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let Some(since) = days(year, month, day).checked_sub(days(1970, 1, 1)) else { return Some(0) };
    Some((((since * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// Days from the first of March of a year long ago. With March as its first month a year ends with its leap
/// day.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32, month: u8, day: u8) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, month, day);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn the_end_of_a_certificate_is_read() {
        for (date, seconds) in [
            ((1970, 1, 2), 86_400),
            ((1999, 12, 31), 946_598_400),
            ((2000, 2, 29), 951_782_400),
            ((2000, 3, 1), 951_868_800),
            ((2026, 12, 1), 1_796_083_200),
            ((2049, 12, 31), 2_524_521_600),
            // From 2050 on it is another type.
            ((2050, 1, 1), 2_524_608_000),
            ((2100, 3, 1), 4_107_542_400),
            ((9999, 12, 31), 253_402_214_400),
        ] {
            let (year, month, day) = date;
            let der = certificate(year, month, day);
            assert_eq!(valid_until(&[der]), Some(seconds * 1000), "{date:?}");
        }
        let last = moment(GENERALIZED_TIME, b"99991231235959Z");
        assert_eq!(last, Some(253_402_300_799_000), "what never ends");
        assert_eq!(moment(UTC_TIME, b"500101000000Z"), Some(0), "1950");
    }

    #[test]
    fn of_a_chain_the_first_end_counts() {
        let chain = [certificate(2040, 1, 1), certificate(2030, 1, 1), certificate(2050, 1, 1)];
        assert_eq!(valid_until(&chain), not_after(&chain[1]));
        assert_eq!(valid_until(&[]), None);
    }

    #[test]
    fn what_is_damaged_has_no_end() {
        let der = certificate(2030, 1, 1);
        for len in 0..der.len() {
            assert_eq!(not_after(&der[..len]), None, "cut after {len}");
        }
        for at in 0..der.len() {
            for byte in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut damaged = der.to_vec();
                damaged[at] = byte;
                // Whatever it says, it says something.
                let _ = not_after(&damaged);
            }
        }
        for text in ["", "Z", "300101000000", "301301000000Z", "300100000000Z", "3001010000Z"] {
            assert_eq!(moment(UTC_TIME, text.as_bytes()), None, "{text}");
        }
        assert_eq!(moment(UTC_TIME, b"3001010000000Z"), None, "half a number");
        assert_eq!(moment(INTEGER, b"20300101000000Z"), None);
    }
}
