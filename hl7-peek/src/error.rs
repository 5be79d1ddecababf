//! What can be wrong with a header, a path or a buffer.

use core::fmt;

/// Why a call had no answer.
///
/// A plain code: it holds no byte of the payload. [`name`](Error::name) is stable and is the same
/// in every language that reads this crate's test vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// A character of MSH-2 is not a printable, non-alphanumeric ASCII character.
    BadEncodingCharacter,
    /// MSH-1 is not a printable, non-alphanumeric ASCII character.
    BadFieldSeparator,
    /// The text is not a path such as `PID-3[2].4.1`; see [`Path`](crate::Path).
    BadPath,
    /// The output does not fit into the caller's buffer.
    BufferTooSmall,
    /// Two of MSH-1 and the first five characters of MSH-2 are the same.
    DuplicateDelimiter,
    /// MSH-2 is empty.
    NoEncodingCharacters,
    /// The payload does not start with `MSH`, `FHS` or `BHS`.
    NoHeader,
    /// The payload ends before MSH-1.
    ShortHeader,
}

impl Error {
    /// The stable code of this error, in snake case: `no_header`, `bad_path`, ...
    pub const fn name(self) -> &'static str {
        match self {
            Error::BadEncodingCharacter => "bad_encoding_character",
            Error::BadFieldSeparator => "bad_field_separator",
            Error::BadPath => "bad_path",
            Error::BufferTooSmall => "buffer_too_small",
            Error::DuplicateDelimiter => "duplicate_delimiter",
            Error::NoEncodingCharacters => "no_encoding_characters",
            Error::NoHeader => "no_header",
            Error::ShortHeader => "short_header",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::BadEncodingCharacter => "encoding character is alphanumeric or not printable",
            Error::BadFieldSeparator => "field separator is alphanumeric or not printable",
            Error::BadPath => "path is not of the form PID[1]-3[1].1.1",
            Error::BufferTooSmall => "output does not fit into the buffer",
            Error::DuplicateDelimiter => "two delimiters are the same character",
            Error::NoEncodingCharacters => "encoding characters are missing",
            Error::NoHeader => "payload does not start with MSH, FHS or BHS",
            Error::ShortHeader => "payload ends before the field separator",
        })
    }
}

impl core::error::Error for Error {}
