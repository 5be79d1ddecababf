//! Why a call was refused.

use core::fmt;

/// What is wrong with the arguments of a call. What a peer does wrong is an event, never an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The text is no path.
    BadPath,
    /// The buffer is too small; what is in it is not to be used.
    BufferTooSmall,
    /// Fields are written in the order of their numbers, each once.
    FieldOrder,
    /// The text holds a byte that cannot stand in a frame or in a record.
    IllegalByte,
    /// The message does not begin with a header record, `H` and a delimiter.
    NoHeader,
    /// Records do not come in this order: the header first, and nothing after the terminator.
    RecordOrder,
}

impl Error {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Error::BadPath => "bad_path",
            Error::BufferTooSmall => "buffer_too_small",
            Error::FieldOrder => "field_order",
            Error::IllegalByte => "illegal_byte",
            Error::NoHeader => "no_header",
            Error::RecordOrder => "record_order",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::BadPath => "not a path",
            Error::BufferTooSmall => "the buffer is too small",
            Error::FieldOrder => "fields are written in order, each once",
            Error::IllegalByte => "a byte that cannot stand in a frame",
            Error::NoHeader => "the message does not begin with a header record",
            Error::RecordOrder => {
                "a message has one header, first, and nothing after its terminator"
            }
        })
    }
}

impl core::error::Error for Error {}
