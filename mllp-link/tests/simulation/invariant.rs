//! What must hold at every step. Each check names its invariant.

use std::fmt::Display;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// Every complete frame is delivered and answered exactly once, in the order of arrival, with
    /// what the handler gave for it; a silent message with nothing.
    Answered,
    /// Nothing truncated is answered positively: what a handler gets, and what a verdict credits,
    /// was written whole by somebody, end block included, byte for byte.
    Truncated,
    /// No reply is credited to another message. The ledger knows for which message each reply was
    /// made, by a number in its MSH-10.
    Credited,
    /// Every message handed to an initiator ends in exactly one verdict, the one of its rules.
    Verdict,
    /// The fate of a message is true: what is `not_sent` has not left, what is `unasked` asked for
    /// no receipt, and what is `stored` had CA, and is never sent again.
    Fate,
    /// Memory stays within its fixed capacity: windows, storage, and bytes that were taken and not
    /// looked at.
    Memory,
    /// A time that has run out acts at once, and `on_time` leaves no deadline in the past.
    Deadline,
    /// When the faults have stopped every message gets its verdict, every connection ends, and
    /// fresh messages are accepted.
    Progress,
}

impl Invariant {
    pub const fn name(self) -> &'static str {
        match self {
            Invariant::Answered => "answered once and in order",
            Invariant::Truncated => "nothing truncated is positive",
            Invariant::Credited => "credited to its own message",
            Invariant::Verdict => "exactly one verdict",
            Invariant::Fate => "a true fate",
            Invariant::Memory => "memory within its capacity",
            Invariant::Deadline => "a deadline acts",
            Invariant::Progress => "progress after the faults",
        }
    }

    /// The one assertion of the simulation.
    #[track_caller]
    pub fn check(self, holds: bool, what: impl Display) {
        assert!(holds, "invariant broken: {}: {what}", self.name());
    }
}
