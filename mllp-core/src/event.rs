//! What a decoder reports: frames, and everything in a stream that is not one.

use core::fmt;

/// The unit that a [`Scanner`](crate::Scanner) reports.
///
/// Offsets count bytes from 0 over the whole stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A start block opened a frame.
    FrameStart {
        /// Where the start block is.
        offset: u64,
    },
    /// The next bytes of the open frame's payload. How a payload is cut into spans depends on the
    /// chunks; their concatenation does not.
    Payload {
        /// Where the first of the bytes is.
        offset: u64,
        /// One byte or more.
        bytes: &'a [u8],
    },
    /// The open frame is complete: what was given out since its start is one payload.
    FrameEnd(FrameEnd),
    /// The sender left the grammar after a frame that had already been delivered.
    Warning {
        /// What the sender did.
        deviation: Deviation,
        /// The byte that showed it; the length of the stream if that had ended.
        offset: u64,
    },
    /// The open frame is lost: what was given out since its start must not be used as a message.
    /// A [`Discard`] with the extent of the frame follows.
    Fault {
        /// Why.
        fault: Fault,
        /// The byte that showed it; the length of the stream if that had ended.
        offset: u64,
    },
    /// Bytes that are in no frame.
    Discard(Discard),
}

// Payloads are health data: a debug output shows how many bytes there are, never which.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::FrameStart { offset } => write!(f, "FrameStart {{ offset: {offset} }}"),
            Event::Payload { offset, bytes } => {
                write!(f, "Payload {{ offset: {offset}, len: {} }}", bytes.len())
            }
            Event::FrameEnd(end) => end.fmt(f),
            Event::Warning { deviation, offset } => {
                write!(f, "Warning {{ {}, offset: {offset} }}", deviation.name())
            }
            Event::Fault { fault, offset } => {
                write!(f, "Fault {{ {}, offset: {offset} }}", fault.name())
            }
            Event::Discard(discard) => discard.fmt(f),
        }
    }
}

/// How a frame ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameEnd {
    /// Where the frame's start block is.
    pub offset: u64,
    /// Length of the payload in bytes.
    pub payload_len: u64,
    /// What the payload is.
    pub kind: FrameKind,
    /// Where the sender left the grammar.
    pub deviations: Deviations,
}

/// What a payload is, as far as framing can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A message.
    Content,
    /// No payload at all: some senders' heartbeat.
    Empty,
    /// The commit acknowledgment block `<SB> 06 <EB><CR>` of MLLP release 2.
    CommitAck,
    /// The negative commit acknowledgment block `<SB> 15 <EB><CR>` of MLLP release 2.
    CommitNak,
}

impl FrameKind {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            FrameKind::Content => "content",
            FrameKind::Empty => "empty",
            FrameKind::CommitAck => "commit_ack",
            FrameKind::CommitNak => "commit_nak",
        }
    }
}

/// Something a sender did that the grammar does not allow and that cost no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// An end block inside a payload, taken as data.
    FsInPayload,
    /// A line feed where the trailer belongs.
    LfForCr,
    /// No trailer after the end block.
    MissingCr,
    /// A start block inside a payload, taken as data: perhaps two messages fused.
    SbInPayload,
}

impl Deviation {
    /// Every deviation, in the order in which [`Deviations::iter`] gives them.
    pub const ALL: [Deviation; 4] =
        [Deviation::SbInPayload, Deviation::FsInPayload, Deviation::MissingCr, Deviation::LfForCr];

    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Deviation::FsInPayload => "fs_in_payload",
            Deviation::LfForCr => "lf_for_cr",
            Deviation::MissingCr => "missing_cr",
            Deviation::SbInPayload => "sb_in_payload",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Deviation::FsInPayload => 1,
            Deviation::LfForCr => 2,
            Deviation::MissingCr => 4,
            Deviation::SbInPayload => 8,
        }
    }
}

/// The deviations of one frame, each at most once, and where the first of them is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Deviations {
    set: u8,
    first: u64,
}

impl Deviations {
    pub(crate) const NONE: Deviations = Deviations { set: 0, first: 0 };

    /// True when the deviation was not in the set before.
    pub(crate) fn insert(&mut self, deviation: Deviation, offset: u64) -> bool {
        if self.set == 0 {
            self.first = offset;
        }
        let new = !self.contains(deviation);
        self.set |= deviation.bit();
        new
    }

    /// Whether the frame kept to the grammar, as far as the profile looks.
    pub const fn is_empty(self) -> bool {
        self.set == 0
    }

    /// Whether the frame has this deviation.
    pub const fn contains(self, deviation: Deviation) -> bool {
        self.set & deviation.bit() != 0
    }

    /// Stream offset of the byte that showed the first deviation.
    pub const fn first_offset(self) -> Option<u64> {
        if self.is_empty() { None } else { Some(self.first) }
    }

    /// The deviations, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Deviation> {
        Deviation::ALL.into_iter().filter(move |deviation| self.contains(*deviation))
    }
}

impl fmt::Debug for Deviations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Deviation::name)).finish()
    }
}

/// Why a frame was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Profile `strict`: a payload byte outside `20`..`FF` and carriage return.
    IllegalByte,
    /// Profile `strict`: no trailer after the end block.
    MissingCr,
    /// A start block inside a frame: the sender began again without ending the frame.
    SbInBlock,
    /// The payload is longer than `max_payload_len`.
    TooLarge,
    /// The stream ended inside the frame.
    Truncated,
}

impl Fault {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::IllegalByte => "illegal_byte",
            Fault::MissingCr => "missing_cr",
            Fault::SbInBlock => "sb_in_block",
            Fault::TooLarge => "too_large",
            Fault::Truncated => "truncated",
        }
    }
}

/// A run of bytes that is in no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discard {
    /// Where the run begins.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Why it is in no frame.
    pub why: DiscardReason,
    /// Whether it holds only NUL, tab, line feed, carriage return and space: padding, not data.
    pub blank: bool,
}

/// Why bytes are in no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscardReason {
    /// The bytes of a frame that a [`Fault`] has ended.
    Dropped,
    /// They came between frames, reported once per run, when the run ends.
    Outside,
}

impl DiscardReason {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            DiscardReason::Dropped => "dropped",
            DiscardReason::Outside => "outside",
        }
    }
}
