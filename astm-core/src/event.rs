//! What a receiver reports: messages, frames, and everything in a stream that is neither.

use core::fmt;

use crate::frame::{FrameEnding, FrameNumber};

/// The place of a frame that waits for the host's answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub(crate) u32);

/// What happened on the receiving side.
#[derive(Debug, PartialEq, Eq)]
pub enum ReceiverEvent {
    /// A session has begun.
    SessionStart {
        /// It began with a frame, without the ENQ before it: the deviation `no_enq`.
        without_enq: bool,
    },
    /// A good, new frame that completes no message. The host accepts it at once; its text is
    /// [`text`](crate::Receiver::text).
    Frame(Ticket, FrameInfo),
    /// A good, new frame that completes a message, which is [`message`](crate::Receiver::message). The
    /// host accepts it once the message is stored.
    Message(Ticket, Completed),
    /// EOT has ended a message that no terminator record ended. Nothing can be answered any more.
    MessageAtEot(Completed),
    /// A frame came again; it was acknowledged again.
    Repeat {
        /// Its number.
        number: Option<FrameNumber>,
    },
    /// A frame was refused, or lost.
    Refused {
        /// Why.
        fault: Fault,
        /// Its number, where it could be read.
        number: Option<FrameNumber>,
    },
    /// Six refusals in a row: the session is over, and the host closes the connection, so that the
    /// sender's alarm is about us.
    RefusedForGood {
        /// Why the last one was refused.
        fault: Fault,
    },
    /// A message that its session has left incomplete. Its bytes are
    /// [`message`](crate::Receiver::message) until the next frame begins.
    Incomplete {
        /// What ended it.
        reason: EndReason,
        /// How many bytes there are of it.
        len: usize,
    },
    /// A session is over.
    SessionEnd {
        /// What ended it.
        reason: EndReason,
        /// Frames that were accepted.
        frames: u32,
        /// Messages that were accepted.
        messages: u32,
    },
    /// Ten sessions in a row began without a byte between them: the peer does not hear us.
    EnqStorm,
    /// After our ACK came text that is in no frame: the peer speaks another protocol.
    ForeignBody,
    /// Bytes that are in no frame.
    Discard(Discard),
}

/// A good frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// Its number.
    pub number: Option<FrameNumber>,
    /// How it ended.
    pub ending: FrameEnding,
    /// The length of its text.
    pub text_len: usize,
    /// Where its sender left the standard.
    pub deviations: Deviations,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Its length.
    pub len: usize,
    /// Of how many frames it is made.
    pub frames: u32,
    /// The frame that completed it.
    pub last: FrameInfo,
    /// The same bytes were received before, among the last messages of this link: its last
    /// acknowledgment may have been lost. An operator may also have sent it again.
    pub repeated: bool,
}

/// Something a sender did that the standard does not know and that cost no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Deviation {
    /// The first frame of the session has another number than 1.
    FirstFrameNumber = 1,
    /// The number of the frame before, with another text.
    SameNumberNewText = 2,
    /// No frame number.
    NoFrameNumber = 4,
    /// No check sum.
    NoChecksum = 8,
    /// A check sum in lower case.
    LowercaseChecksum = 16,
    /// CR alone after the sum.
    TailCr = 32,
    /// LF alone after the sum.
    TailLf = 64,
    /// Nothing after the sum.
    TailNone = 128,
    /// A byte that the standard forbids in a text.
    RestrictedChar = 256,
    /// NUL in the text, the second time in the same place.
    NulInText = 512,
    /// A record ends with CR LF.
    LfAfterCr = 1024,
}

impl Deviation {
    /// Every deviation, in the order in which [`Deviations::iter`] gives them.
    pub const ALL: [Deviation; 11] = [
        Deviation::FirstFrameNumber,
        Deviation::SameNumberNewText,
        Deviation::NoFrameNumber,
        Deviation::NoChecksum,
        Deviation::LowercaseChecksum,
        Deviation::TailCr,
        Deviation::TailLf,
        Deviation::TailNone,
        Deviation::RestrictedChar,
        Deviation::NulInText,
        Deviation::LfAfterCr,
    ];

    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Deviation::FirstFrameNumber => "first_frame_number",
            Deviation::SameNumberNewText => "same_number_new_text",
            Deviation::NoFrameNumber => "no_frame_number",
            Deviation::NoChecksum => "no_checksum",
            Deviation::LowercaseChecksum => "lowercase_checksum",
            Deviation::TailCr => "tail_cr",
            Deviation::TailLf => "tail_lf",
            Deviation::TailNone => "tail_none",
            Deviation::RestrictedChar => "restricted_char",
            Deviation::NulInText => "nul_in_text",
            Deviation::LfAfterCr => "lf_after_cr",
        }
    }
}

/// The deviations of one frame, each at most once.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Deviations(u16);

impl Deviations {
    pub(crate) const NONE: Deviations = Deviations(0);

    pub(crate) fn insert(&mut self, deviation: Deviation) {
        self.0 |= deviation as u16;
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the frame has this deviation.
    pub const fn contains(self, deviation: Deviation) -> bool {
        self.0 & deviation as u16 != 0
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

/// Why a frame was refused or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The sum is wrong.
    BadChecksum,
    /// No digit from 0 to 7, and no record either.
    BadFrameNumber,
    /// ENQ or EOT inside it.
    DamagedFrame,
    /// ENQ in a session, and silence after it: a frame that became ENQ, or a sender that was restarted and
    /// will ask again.
    EnqInTransfer,
    /// The message would be longer than the limit or the storage.
    MessageTooLong,
    /// No sum, although frames of this connection had one.
    NoChecksum,
    /// A message that does not begin with a header record.
    NoHeader,
    /// NUL in the text, which the sum does not see.
    NulInText,
    /// The host refused it, or has not answered yet.
    RefusedByHost,
    /// Profile `strict`: a byte that may not stand in a text.
    RestrictedChar,
    /// The number is neither the next one nor the last one.
    Sequence,
    /// STX inside it: another frame begins.
    StxInFrame,
    /// The text is longer than the limit.
    TooLong,
    /// The line fell silent inside it.
    TruncatedFrame,
}

impl Fault {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::BadChecksum => "bad_checksum",
            Fault::BadFrameNumber => "bad_frame_number",
            Fault::DamagedFrame => "damaged_frame",
            Fault::EnqInTransfer => "enq_in_transfer",
            Fault::MessageTooLong => "message_too_long",
            Fault::NoChecksum => "no_checksum",
            Fault::NoHeader => "no_header",
            Fault::NulInText => "nul_in_text",
            Fault::RefusedByHost => "refused_by_host",
            Fault::RestrictedChar => "restricted_char",
            Fault::Sequence => "sequence",
            Fault::StxInFrame => "stx_in_frame",
            Fault::TooLong => "too_long",
            Fault::TruncatedFrame => "truncated_frame",
        }
    }
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// EOT, as it should.
    Eot,
    /// EOT inside a frame, and silence after it.
    EotInFrame,
    /// ENQ, twice: the sender began again.
    EnqInTransfer,
    /// No frame came in time.
    FrameTimeout,
    /// The line was lost.
    EndOfStream,
    /// Six refusals in a row.
    RefusedForGood,
}

impl EndReason {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            EndReason::Eot => "eot",
            EndReason::EotInFrame => "eot_in_frame",
            EndReason::EnqInTransfer => "enq_in_transfer",
            EndReason::FrameTimeout => "frame_timeout",
            EndReason::EndOfStream => "end_of_stream",
            EndReason::RefusedForGood => "refused_for_good",
        }
    }

    /// What a message is called that it leaves without an end.
    pub const fn of_message(self) -> &'static str {
        match self {
            EndReason::Eot => "incomplete_message",
            other => other.name(),
        }
    }
}

/// A run of bytes that is in no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discard {
    /// Where in the stream it begins.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}
