//! What an initiator is told, and what it reports.

use core::fmt;

use hl7_peek::Scan;
use mllp_core::{Deviation, Discard, Fault};

use crate::fate::Fate;
use crate::rules::{Rules, Verdict};
use crate::timer::Millis;

/// How many rules an initiator holds.
pub const MAX_RULES: usize = 16;

/// The settings of an [`Initiator`](crate::Initiator). Times are in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct InitiatorConfig {
    /// How replies are cut into frames, and the longest one.
    pub decoder: mllp_core::Config,
    /// What a reply, or its absence, means.
    pub rules: Rules<MAX_RULES>,
    /// How many messages may be without a reply on the connection at a time. 1 is what the standard
    /// expects; more need a receiver that reads ahead. After CA a message does not count.
    pub window: usize,
    /// How delimiters are found in messages and replies.
    pub scan: Scan,
    /// For writing one message, from its first byte to its last. 0 waits for ever.
    pub send: Millis,
    /// From the last byte of a message to its reply. 0 waits for ever.
    pub reply: Millis,
    /// Behind an end block whose trailer has not come, where the profile `resync` waits for it: a
    /// pause of this length ends the reply. 0 waits as long as for the whole reply.
    pub trailer: Millis,
    /// From the accept acknowledgment to the application acknowledgment, where both are asked for.
    /// Then the message ends as stored. 0 waits for ever.
    pub application: Millis,
    /// How often a message is sent in all before the action `retry` becomes `fail`.
    pub max_attempts: u32,
    /// Before the second attempt; it doubles with each further one.
    pub back_off: Millis,
    /// The longest time before an attempt.
    pub max_back_off: Millis,
}

impl Default for InitiatorConfig {
    /// One message at a time, written within 10 seconds and answered within 10 more, application acknowledgments
    /// within 60; five attempts, one second apart at first and one minute at most.
    fn default() -> Self {
        InitiatorConfig {
            decoder: mllp_core::Config::DEFAULT,
            rules: Rules::default(),
            window: 1,
            scan: Scan::SingleByte,
            send: 10_000,
            reply: 10_000,
            trailer: 250,
            application: 60_000,
            max_attempts: 5,
            back_off: 1000,
            max_back_off: 60_000,
        }
    }
}

/// The name of a message that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(pub(crate) u32);

impl Handle {
    /// The handle as a number, for hosts in another language.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The handle with this number. One that was never given names no message.
    pub const fn from_number(number: u32) -> Handle {
        Handle(number)
    }
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitError {
    /// `WINDOW` messages are without a verdict.
    Full,
    /// MSH-10 is longer than `ID` bytes, or not known whole: its reply could not be told from others.
    IdTooLong,
    /// A message with this MSH-10 has no verdict yet: their replies could not be told apart.
    IdInUse,
    /// The payload holds framing bytes.
    Frame(mllp_core::Error),
}

impl SubmitError {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            SubmitError::Full => "full",
            SubmitError::IdTooLong => "id_too_long",
            SubmitError::IdInUse => "id_in_use",
            SubmitError::Frame(error) => error.name(),
        }
    }
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubmitError::Full => "too many messages have no verdict yet",
            SubmitError::IdTooLong => "the message control ID is too long",
            SubmitError::IdInUse => "a message with this control ID has no verdict yet",
            SubmitError::Frame(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for SubmitError {}

/// Why bytes of a payload that was submitted by its header may not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanError {
    /// The message is not being written, or not in spans.
    NotWriting,
    /// There are more bytes than was said.
    TooLong,
    /// The span holds framing bytes.
    Frame(mllp_core::Error),
}

impl SpanError {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            SpanError::NotWriting => "not_writing",
            SpanError::TooLong => "too_long",
            SpanError::Frame(error) => error.name(),
        }
    }
}

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SpanError::NotWriting => "the message is not being written",
            SpanError::TooLong => "the payload is longer than was said",
            SpanError::Frame(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for SpanError {}

/// What happened on a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InitiatorEvent {
    /// The end of a message: each one that was submitted has exactly one.
    Verdict {
        /// The message.
        handle: Handle,
        /// What it is, and which rule said so. `retry` here means that it is not sent again: the
        /// attempts are used up, or the receiver may have the message and was not asked to say so.
        verdict: Verdict,
        /// What is known of the message, whatever the rules are.
        fate: Fate,
    },
    /// Enhanced mode: the receiver has stored the message (CA, which is the reply at hand); its
    /// application acknowledgment is still to come. It is never sent again.
    Stored {
        /// The message.
        handle: Handle,
    },
    /// A message will be sent again.
    Retry {
        /// The message.
        handle: Handle,
        /// Not before.
        at: Millis,
        /// Why.
        verdict: Verdict,
    },
    /// A reply that belongs to no message in flight. It is never a success of anything.
    Stray(Stray),
    /// The connection must be given up, with whatever is being written to it: a late reply on it
    /// could be taken for another's, or what is left on it could swallow the next one.
    Reconnect,
    /// The peer left the grammar after a reply that had already been delivered.
    Warning {
        /// What it did.
        deviation: Deviation,
        /// Stream offset of the byte that showed it.
        offset: u64,
    },
    /// A reply was lost.
    Fault {
        /// Why.
        fault: Fault,
        /// Stream offset of the byte that showed it.
        offset: u64,
    },
    /// Bytes in no frame: an unframed reply, for instance.
    Discard(Discard),
}

/// What is known of a reply that belongs to no message in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stray {
    /// A commit block of MLLP release 2 on a link of release 1.
    CommitBlock,
    /// A second reply to a message that has its verdict.
    Doubled,
    /// A positive reply to a message that has not been written to its end: nobody can have it.
    Early,
    /// Its MSA-2 is of no message that was sent lately.
    Foreign,
    /// It comes after its message was given up.
    Late,
    /// It has no MSA with a code of table 0008, and no rule takes that for a receipt.
    NoMsa,
    /// It is not HL7.
    NotHl7,
    /// The answer to a message that asked for none: its verdict did not wait for it.
    Unasked,
}

impl Stray {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Stray::CommitBlock => "commit_block",
            Stray::Doubled => "doubled",
            Stray::Early => "early",
            Stray::Foreign => "foreign",
            Stray::Late => "late",
            Stray::NoMsa => "no_msa",
            Stray::NotHl7 => "not_hl7",
            Stray::Unasked => "unasked",
        }
    }
}
