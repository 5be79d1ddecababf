//! MSH-12, as far as the shape of an acknowledgment depends on it.

/// Major and minor version. `None` stands for a field that is not a version: such a message is
/// answered in the newest shape.
#[derive(Clone, Copy)]
pub(crate) struct Version(Option<(u16, u16)>);

impl Version {
    pub(crate) const UNKNOWN: Version = Version(None);

    /// Reads the first component of MSH-12: `2.5.1`.
    pub(crate) fn parse(bytes: &[u8]) -> Version {
        let mut numbers = bytes.trim_ascii().split(|byte| *byte == b'.').map(number);
        let (major, minor) = (numbers.next().flatten(), numbers.next().unwrap_or(Some(0)));
        let rest_is_numbers = numbers.all(|number| number.is_some());
        Version(if rest_is_numbers { major.zip(minor) } else { None })
    }

    /// Whether this is a known version before `2.minor`.
    pub(crate) fn is_before(self, minor: u16) -> bool {
        self.0.is_some_and(|version| version < (2, minor))
    }

    /// Whether this is a known version from `2.minor` on.
    pub(crate) fn is_from(self, minor: u16) -> bool {
        self.0.is_some_and(|version| version >= (2, minor))
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u16, |number, digit| {
        let value = digit.checked_sub(b'0').filter(|value| *value < 10)?;
        number.checked_mul(10)?.checked_add(u16::from(value))
    })
}
