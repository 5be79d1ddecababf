//! What a caller can do wrong.

use core::fmt;

/// A mistake of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The output buffer does not hold the acknowledgment; what it holds now is of no use.
    BufferTooSmall,
    /// The policy `conformant` accepts no message without MSH-10: its sender could not tell which
    /// one was accepted.
    NoControlId,
    /// The policy `conformant` has nothing to answer: the message has no usable MSH.
    NoHeader,
}

impl Error {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Error::BufferTooSmall => "buffer_too_small",
            Error::NoControlId => "no_control_id",
            Error::NoHeader => "no_header",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::BufferTooSmall => "the output buffer is too small for the acknowledgment",
            Error::NoControlId => "a message without MSH-10 has no positive acknowledgment",
            Error::NoHeader => "the message has no MSH segment to answer",
        })
    }
}

impl core::error::Error for Error {}
