//! The searches for delimiters and terminators.

#[cfg(not(target_os = "none"))]
pub(crate) use memchr::{memchr, memchr2};

// A microcontroller has less flash than time, and headers are short: plain loops.

#[cfg(target_os = "none")]
pub(crate) fn memchr(byte: u8, text: &[u8]) -> Option<usize> {
    memchr2(byte, byte, text)
}

#[cfg(target_os = "none")]
#[inline(never)]
pub(crate) fn memchr2(one: u8, other: u8, text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == one || *byte == other)
}
