//! Frames on the socket between the engine and a process that it has started.
//!
//! A frame: the length of what follows (four bytes), its kind (one byte), its fields. Numbers are little
//! endian; a text or a run of bytes has its length in front (four bytes).

use std::io::{self, Read};

/// The longest frame that is taken.
const LONGEST: usize = 1 << 30;
/// The buffer of a connection grows by this much at most before the bytes are there.
const STEP: usize = 256 << 10;

/// Bytes of a message.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Payload<'a>(pub(crate) &'a [u8]);

// They are health data.
impl std::fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Frames that are to be written.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) bytes: Vec<u8>,
}

impl Outgoing {
    /// Adds a frame.
    pub(crate) fn frame(&mut self, kind: u8, fields: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0, 0, 0, 0, kind]);
        fields(&mut self.bytes);
        let len = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&len.to_le_bytes());
    }
}

/// Adds a run of bytes.
pub(crate) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Adds texts.
pub(crate) fn put_all(out: &mut Vec<u8>, texts: &[&str]) {
    out.extend_from_slice(&(texts.len() as u32).to_le_bytes());
    texts.iter().for_each(|it| put(out, it.as_bytes()));
}

/// The fields of a frame that are not read yet.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// Whether all of them were read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(len)?;
        self.0 = left;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.take(len as usize)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Each has four bytes at least, so a count that is wrong makes nothing large.
    pub(crate) fn texts(&mut self) -> Option<Vec<&'a str>> {
        let count = self.u32()?;
        (0..count).map(|_| self.text()).collect()
    }
}

/// Frames that arrive.
pub(crate) struct Incoming<R> {
    from: R,
    buffer: Vec<u8>,
    /// What is read and not given out.
    held: std::ops::Range<usize>,
}

impl<R: Read> Incoming<R> {
    pub(crate) const fn new(from: R) -> Self {
        Incoming { from, buffer: Vec::new(), held: 0..0 }
    }

    /// Where they come from.
    pub(crate) const fn from(&self) -> &R {
        &self.from
    }

    /// Reads until [`next`](Incoming::next) has nothing more to read. What was read before an error
    /// stays: where it is read without waiting, this is called again.
    pub(crate) fn wait_for_frame(&mut self) -> io::Result<()> {
        if self.hold(4)? {
            let start = self.held.start;
            let len = self.buffer[start..start + 4].try_into().map_or(0, u32::from_le_bytes);
            if (1..=LONGEST).contains(&(len as usize)) {
                self.hold(4 + len as usize)?;
            }
        }
        Ok(())
    }

    /// The kind and the fields of the next frame; `None`: the other end is closed.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u8, &[u8])>> {
        if !self.hold(4)? {
            return Ok(None);
        }
        let start = self.held.start;
        let len = self.buffer[start..start + 4].try_into().map_or(0, u32::from_le_bytes) as usize;
        if !(1..=LONGEST).contains(&len) {
            return Err(broken());
        }
        if !self.hold(4 + len)? {
            return Ok(None);
        }
        let frame = self.held.start + 4..self.held.start + 4 + len;
        self.held.start = frame.end;
        Ok(Some((self.buffer[frame.start], &self.buffer[frame.start + 1..frame.end])))
    }

    /// Reads until so many bytes are here; whether they are.
    fn hold(&mut self, len: usize) -> io::Result<bool> {
        while self.held.len() < len {
            if self.held.is_empty() && self.buffer.len() > 4 * STEP {
                // A large frame has passed.
                (self.buffer, self.held) = (Vec::new(), 0..0);
            }
            if self.held.start > 0 {
                self.buffer.copy_within(self.held.clone(), 0);
                self.held = 0..self.held.len();
            }
            if self.buffer.len() - self.held.end < STEP / 4 {
                self.buffer.resize(self.held.end + STEP, 0);
            }
            match self.from.read(&mut self.buffer[self.held.end..]) {
                Ok(0) => return Ok(false),
                Ok(read) => self.held.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// The error of a frame that is none, or that has no place here.
pub(crate) fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the protocol between engine and process is broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_no_frame_has_is_refused_before_memory_is_taken_for_it() {
        for len in [0, u32::MAX] {
            let bytes = len.to_le_bytes();
            let mut incoming = Incoming::new(&bytes[..]);
            assert_eq!(incoming.next().unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        let bytes = (LONGEST as u32).to_le_bytes();
        let mut incoming = Incoming::new(&bytes[..]);
        assert!(incoming.next().unwrap().is_none());
        assert!(incoming.buffer.len() <= STEP);
    }

    #[test]
    fn the_memory_of_a_large_frame_is_given_back() {
        let mut out = Outgoing::default();
        let large = vec![7; 20 * STEP];
        out.frame(3, |fields| fields.extend_from_slice(&large));
        out.frame(5, |_| ());
        let mut incoming = Incoming::new(&out.bytes[..]);
        assert_eq!(incoming.next().unwrap(), Some((3, &large[..])));
        while incoming.next().unwrap().is_some() {}
        assert!(incoming.buffer.len() <= STEP);
    }
}
