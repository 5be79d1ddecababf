//! MSH-12, as far as the shape of an acknowledgment depends on it.

/// Major and minor version, 16 bits each. `None` stands for a field that is not a version: such a message is
/// answered in the newest shape.
#[derive(Clone, Copy)]
pub(crate) struct Version(Option<u32>);

impl Version {
    /// Reads the first component of MSH-12: `2.5.1`.
    pub(crate) fn parse(bytes: &[u8]) -> Version {
        Version(packed_numbers(bytes.trim_ascii()))
    }

    /// Whether this is a known version before `2.minor`.
    pub(crate) fn is_before(self, minor: u16) -> bool {
        self.0.is_some_and(|version| version < packed(2, minor))
    }

    /// Whether this is a known version from `2.minor` on.
    pub(crate) fn is_from(self, minor: u16) -> bool {
        self.0.is_some_and(|version| version >= packed(2, minor))
    }
}

fn packed(major: u16, minor: u16) -> u32 {
    u32::from(major) << 16 | u32::from(minor)
}

/// The first two of numbers with points between them.
fn packed_numbers(text: &[u8]) -> Option<u32> {
    let (mut major, mut minor) = (0, 0);
    let (mut points, mut number) = (0u8, None);
    for byte in text {
        if *byte == b'.' {
            number.take()?;
            points = points.saturating_add(1);
            continue;
        }
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        let value = number.unwrap_or(0u16).checked_mul(10)?.checked_add(u16::from(digit))?;
        match points {
            0 => major = value,
            1 => minor = value,
            _ => {}
        }
        number = Some(value);
    }
    number.map(|_| packed(major, minor))
}
