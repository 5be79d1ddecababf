//! What a link is told once.

/// A point in time or a length of time, in milliseconds of a clock that never goes back. Which clock
/// is the caller's business; nothing here reads one.
pub type Millis = u64;

/// How long things may take, in milliseconds. 0 turns a time off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Sender: for the answer to ENQ.
    pub enq_reply: Millis,
    /// Sender: for the answer to a frame.
    pub frame_reply: Millis,
    /// Sender: before it asks again after NAK.
    pub busy: Millis,
    /// Sender: before it asks again after both have asked at once. An instrument waits 1 s, a computer
    /// 20 s; two computers on one line need different times.
    pub contention: Millis,
    /// Sender: for the peer that has interrupted it to ask for the line.
    pub hold: Millis,
    /// Receiver: between its reply and the next frame.
    pub next_frame: Millis,
    /// Without a byte, after which a frame whose check sum has begun is complete, and noise in place of
    /// a reply is a refusal. Converters pack for 100 ms and more.
    pub quiet: Millis,
    /// Without a byte inside a frame, or after an ENQ in a session: the sender has broken off.
    pub broken_off: Millis,
    /// Receiver: for the host, before a frame that completes a message is refused for now.
    pub handler: Millis,
}

impl Times {
    /// Those of the standard for a computer; 250 ms, 5 s and 10 s for the last three.
    pub const COMPUTER: Times = Times {
        enq_reply: 15_000,
        frame_reply: 15_000,
        busy: 10_000,
        contention: 20_000,
        hold: 15_000,
        next_frame: 30_000,
        quiet: 250,
        broken_off: 5_000,
        handler: 10_000,
    };
    /// Those of the standard for an instrument, which asks again one second after a contention.
    pub const INSTRUMENT: Times = Times { contention: 1_000, ..Times::COMPUTER };
}

/// Which end of the line this is. In contention the instrument has priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// The laboratory's computer: it yields.
    #[default]
    Computer,
    /// The analyzer.
    Instrument,
}

impl Role {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Computer => "computer",
            Role::Instrument => "instrument",
        }
    }

    /// The times of this role.
    pub const fn times(self) -> Times {
        match self {
            Role::Computer => Times::COMPUTER,
            Role::Instrument => Times::INSTRUMENT,
        }
    }
}

/// How a receiver judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Takes what devices really send, and reports each deviation.
    #[default]
    Default,
    /// E1381 and nothing else: for conformance tests.
    Strict,
}

/// Which check sums are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// Upper-case digits only.
    ExactCase,
    /// Upper or lower case. A frame without a sum is taken while no frame of the connection had one.
    #[default]
    AnyCase,
    /// As `AnyCase`, and frames without a sum are always taken.
    Absent,
}

/// Whether frame numbers are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FrameNumbers {
    /// They count, and a frame that comes twice is taken once.
    #[default]
    Checked,
    /// For devices that number every frame alike: each good frame is new, and one that comes twice
    /// because its acknowledgment was lost is taken twice.
    Ignored,
}

/// What a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Content {
    /// From a header record to the terminator record. What EOT cuts off is incomplete.
    #[default]
    Records,
    /// As `Records`, and EOT after an accepted ETX frame also ends a message: for devices that send no
    /// terminator. All its frames are acknowledged by then.
    RecordsToEot,
    /// Texts are not looked at; EOT ends a message. A session that noise cuts in two gives two.
    Opaque,
}

/// What a host that needs longer than [`Times::handler`] does to the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SlowHandler {
    /// The frame is refused, so that it comes again: up to six times.
    #[default]
    Nak,
    /// The peer waits without a byte, for as long as it likes.
    Hold,
}

/// How a message is cut into frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Packing {
    /// Each record begins a frame, and its last frame ends with ETX.
    #[default]
    Records,
    /// Frames are as long as may be, and only the last of the message ends with ETX.
    Message,
}

/// The settings of a [`Receiver`](crate::Receiver).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// How frames are judged.
    pub profile: Profile,
    /// Which check sums are accepted.
    pub checksum: Checksum,
    /// Whether frame numbers are looked at.
    pub frame_numbers: FrameNumbers,
    /// What a message is.
    pub content: Content,
    /// What a slow host does to the peer.
    pub slow: SlowHandler,
    /// The longest text of a frame.
    pub max_text: usize,
    /// The longest message; the storage may hold less.
    pub max_message: usize,
    /// How long things may take.
    pub times: Times,
}

impl ReceiverConfig {
    /// The defaults of all parts; texts and messages of up to 10 MB.
    pub const DEFAULT: ReceiverConfig = ReceiverConfig {
        profile: Profile::Default,
        checksum: Checksum::AnyCase,
        frame_numbers: FrameNumbers::Checked,
        content: Content::Records,
        slow: SlowHandler::Nak,
        max_text: 10_000_000,
        max_message: 10_000_000,
        times: Times::COMPUTER,
    };
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        ReceiverConfig::DEFAULT
    }
}

/// The settings of a [`Sender`](crate::Sender).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderConfig {
    /// Which end of the line this is.
    pub role: Role,
    /// The longest text of a frame.
    pub max_text: usize,
    /// How a message is cut into frames.
    pub packing: Packing,
    /// How long things may take.
    pub times: Times,
}

impl SenderConfig {
    /// A computer that sends each record in frames of up to 240 bytes.
    pub const DEFAULT: SenderConfig = SenderConfig {
        role: Role::Computer,
        max_text: crate::MAX_TEXT_E1381,
        packing: Packing::Records,
        times: Times::COMPUTER,
    };
}

impl Default for SenderConfig {
    fn default() -> Self {
        SenderConfig::DEFAULT
    }
}
