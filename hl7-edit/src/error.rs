//! Why a message cannot be changed as asked.

use core::fmt;

/// Why a call changed nothing.
///
/// A plain code: it holds no byte of the message. [`name`](Error::name) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The segment beside which to insert is not there.
    Absent,
    /// The path does not name what this call changes: a segment where a field is needed, say, or a
    /// component where a repetition is.
    BadPath,
    /// The bytes are not a segment: they do not begin with a segment ID that a path can name.
    BadSegment,
    /// The payload holds more than one message, or starts with FHS or BHS: a path names one message.
    Batch,
    /// A segment or repetition before the addressed one is missing too. Both are lists and grow by one.
    Gap,
    /// MSH-1, MSH-2, or MSH, FHS or BHS as a whole: these give the message its structure. See
    /// [`reencode`](crate::MessageBuf::reencode).
    Header,
    /// MSH-2 defines no such separator, or no escape character where one is needed.
    NoDelimiter,
    /// A text ends inside a character of more than one byte, or, in ISO-2022-JP, outside ASCII: the
    /// delimiter after it would be read as part of it.
    OpenCharacter,
    /// More than 9,999 fields, components or subcomponents would have to be created.
    TooFar,
    /// The payload, or the new separators, cannot be read.
    Unreadable(hl7_peek::Error),
}

impl Error {
    /// The stable code of this error, in snake case: `gap`, `too_far`, ...; that of `hl7_peek` where the
    /// error is one of reading.
    pub const fn name(self) -> &'static str {
        match self {
            Error::Absent => "absent",
            Error::BadPath => "bad_path",
            Error::BadSegment => "bad_segment",
            Error::Batch => "batch",
            Error::Gap => "gap",
            Error::Header => "header",
            Error::NoDelimiter => "no_delimiter",
            Error::OpenCharacter => "open_character",
            Error::TooFar => "too_far",
            Error::Unreadable(error) => error.name(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Absent => "segment to insert beside is not there",
            Error::BadPath => "path does not name what this call changes",
            Error::BadSegment => "bytes do not begin with a segment ID",
            Error::Batch => "payload is a batch, not one message",
            Error::Gap => "a segment or repetition before the addressed one is missing",
            Error::Header => "MSH-1, MSH-2 and header segments cannot be set, added or deleted",
            Error::NoDelimiter => "MSH-2 does not define the delimiter that is needed",
            Error::OpenCharacter => "text ends inside a character of more than one byte",
            Error::TooFar => "more than 9999 fields or components would be created",
            Error::Unreadable(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for Error {}

impl From<hl7_peek::Error> for Error {
    fn from(error: hl7_peek::Error) -> Error {
        Error::Unreadable(error)
    }
}
