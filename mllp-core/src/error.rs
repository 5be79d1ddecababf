//! What a caller can do wrong.

use core::fmt;

/// A mistake of the caller. What a peer does wrong is a [`Fault`](crate::Fault), never an `Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The output buffer does not hold the frame; nothing useful was written to it.
    BufferTooSmall,
    /// Two of the framing bytes are equal.
    InvalidFraming,
    /// The payload holds a start block or an end block and cannot be framed (MLLP has no escape).
    ReservedByte {
        /// Position of the first such byte in the payload, from 0.
        index: usize,
    },
}

impl Error {
    /// The stable name, the same in every language: `reserved_byte`, for instance.
    pub const fn name(self) -> &'static str {
        match self {
            Error::BufferTooSmall => "buffer_too_small",
            Error::InvalidFraming => "invalid_framing",
            Error::ReservedByte { .. } => "reserved_byte",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::BufferTooSmall => f.write_str("the output buffer is too small for the frame"),
            Error::InvalidFraming => f.write_str("two framing bytes are equal"),
            Error::ReservedByte { index } => {
                write!(f, "the payload holds a framing byte at position {index}")
            }
        }
    }
}

impl core::error::Error for Error {}
