//! What must hold after every step. Each check names its invariant.

use std::fmt::Display;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// No answer that takes a message over, or that quotes a stored one, leaves before the commit that
    /// holds the message is durable; a message that was refused as not stored is not stored.
    Acknowledged,
    /// A sender that waits for the verdict hears AA only once the commit of a good one is durable, and
    /// AE only for an ERROR, at a stop, or when its time is over.
    Verdict,
    /// Every message that is stored ends in exactly one final disposition, the one that the routers,
    /// the handlers and the partners give it.
    Disposition,
    /// Each handoff consumes and produces in one transaction: a lane's cursor passes only rows whose
    /// work is done, and rows are produced only for a message that is consumed.
    Handoff,
    /// A lane is in order: messages are stored in the order in which they came, handed on and
    /// delivered in the order of their rows, through retries and restarts.
    Order,
    /// Nothing leaves that the durable `sent_to` does not cover, and what may have been sent twice
    /// after a crash is listed first, at most a window for each lane.
    Listed,
    /// In a lane that is ordered by key or unordered at most a window of deliveries is started and not
    /// completed; in one that is ordered by key none leaves, or is taken, before an earlier one that
    /// shares a key with it is completed.
    Started,
    /// What a crash may have interrupted is written down by one commit, before anything leaves, and
    /// counts as an attempt.
    Counted,
    /// Two open deliveries with the same control ID are not with a partner together.
    Apart,
    /// A delivery is completed only when its partner has taken it.
    Taken,
    /// A fault of our own never ends a message.
    Blame,
    /// No wait is longer or shorter than its own delay, whatever the clock says.
    Wait,
    /// The same bytes again, while the first stands, are not processed again, and get its answer.
    Duplicate,
    /// One commit at a time, each answer once, a fact of another life means nothing.
    Protocol,
    /// What is kept free on the disk is for deliveries: no new message is stored from it, and messages
    /// that wait for room are not refused.
    Reserve,
    /// A lane holds no more than its capacity, and its bytes are counted exactly.
    Bounded,
    /// Intake, handoffs and deliveries do not keep each other from making progress.
    Fair,
    /// Memory stays bounded at any backlog.
    Memory,
    /// What an operator has done is durable when it is told, and done once; a lane that is not on lets
    /// nothing go, across restarts; nothing is held for ever.
    Operated,
    /// Nothing leaves outside of the schedule of an outbound, and nothing is taken over outside of that of
    /// an inbound.
    Hours,
    /// When the faults have stopped everything is answered and final, and a stop comes to rest.
    Progress,
}

impl Invariant {
    pub const fn name(self) -> &'static str {
        match self {
            Invariant::Acknowledged => "acknowledged is durable",
            Invariant::Disposition => "one final disposition",
            Invariant::Handoff => "a handoff is one transaction",
            Invariant::Order => "a lane is in order",
            Invariant::Listed => "doubled is listed",
            Invariant::Started => "by key, and at most a window",
            Invariant::Counted => "a crash counts one attempt",
            Invariant::Apart => "one control ID at a time",
            Invariant::Taken => "delivered was taken",
            Invariant::Blame => "our own faults end no message",
            Invariant::Wait => "a wait is its own delay",
            Invariant::Duplicate => "a duplicate is not processed again",
            Invariant::Protocol => "the protocol with the host",
            Invariant::Reserve => "the reserve is for deliveries",
            Invariant::Bounded => "a lane keeps to its capacity",
            Invariant::Verdict => "a verdict is answered for",
            Invariant::Fair => "each makes progress",
            Invariant::Memory => "memory is bounded",
            Invariant::Operated => "an operator is obeyed",
            Invariant::Hours => "a schedule is kept",
            Invariant::Progress => "progress after the faults",
        }
    }

    /// The one assertion of the simulation.
    #[track_caller]
    pub fn check(self, holds: bool, what: impl Display) {
        assert!(holds, "invariant broken: {}: {what}", self.name());
    }
}
