//! What is known of a backup: a text file of a few lines beside the store.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::BackupError;
use crate::digest::{Digest, hexadecimal};

pub(super) const FILE: &str = "backup.txt";

/// What was known of a backup when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// When it was begun, by the wall clock: milliseconds since 1970 in UTC.
    pub made_at: u64,
    /// Bytes of the store.
    pub bytes: u64,
    /// SHA-256 of the store.
    pub sha256: [u8; 32],
}

impl About {
    pub(super) fn text(&self) -> String {
        let About { made_at, bytes, sha256 } = self;
        format!("made_at {made_at}\nbytes {bytes}\nsha256 {}\n", hexadecimal(sha256))
    }

    /// Reads what is known of a backup.
    pub(super) fn read(backup: &Path) -> Result<About, BackupError> {
        let none = || {
            let place = backup.display();
            BackupError::Place(format!(
                "{place}: there is no backup, or it is not whole: no {FILE}"
            ))
        };
        let text = std::fs::read_to_string(backup.join(FILE)).map_err(|_| none())?;
        Self::parse(&text).ok_or_else(none)
    }

    fn parse(text: &str) -> Option<About> {
        let value =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let digits = value("sha256")?;
        let mut sha256 = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (byte, at) in sha256.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        let number = |name| value(name)?.parse().ok();
        Some(About { made_at: number("made_at")?, bytes: number("bytes")?, sha256 })
    }
}

/// SHA-256 of a file.
pub(super) fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut digest) = (File::open(path)?, Digest::default());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.end()),
            len => digest.add(&buffer[..len]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let about = About { made_at: 1_796_000_000_000, bytes: 8192, sha256: [0xA7; 32] };
        assert_eq!(About::parse(&about.text()), Some(about.clone()));
        for cut in 0..about.text().len() - 1 {
            assert_eq!(About::parse(&about.text()[..cut]), None, "{cut}");
        }
    }
}
