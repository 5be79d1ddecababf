//! Faults that are planted on purpose, to show that the tests find them. Built only with the feature
//! `sabotage`, which no release has.

/// One planted fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A sender is answered before its message is committed.
    AckEarly,
    /// At the start a lane is taken for empty.
    ForgetLane,
    /// Messages that wait are ordered by the wall clock.
    OrderByTime,
    /// A delivery that failed for now is passed over.
    SkipHead,
    /// A handler is run with the router though its lane is not empty.
    FuseAlways,
    /// A delivery leaves though no durable `sent_to` covers it.
    DropSentTo,
    /// A delivery leaves though one with the same control ID is with the partner.
    SameControlId,
    /// New messages are stored from the room that is kept free for deliveries.
    UseReserve,
    /// A message that does not fit into the lane of its inbound is answered and dropped.
    DropAtFull,
    /// Lanes are filled beyond their capacity.
    Overfill,
    /// A sender that waits for the verdict is answered before it.
    AckBeforeVerdict,
    /// A sender that waits for the verdict is answered AA for an ERROR.
    AckError,
    /// A ticket that waits for the verdict is forgotten.
    ForgetTicket,
    /// What comes first in a commit may take all of it.
    Starve,
    /// An attempt that a crash has interrupted does not count.
    UncountedCrash,
    /// Of the keys of a delivery only one counts.
    SharedKey,
    /// A delivery without a key waits for none.
    PassBarrier,
    /// After a start a parked delivery is not thought of.
    ForgetParked,
    /// One delivery more than the window is let go.
    AboveWindow,
    /// A delivery that is held is not put on the list.
    ForgetHeld,
    /// Work is added to a message as if it were open.
    NotReopened,
    /// A sender that waits for the verdict waits for a delivery that is held.
    WaitForHeld,
    /// Of a message that its sender sends again dead deliveries stay dead.
    NotRenewed,
    /// A message that has failed is processed as a whole again.
    AnewAsAWhole,
    /// What a sender has sent again already is sent again.
    RenewTwice,
    /// A sender gets the verdict on what had failed before it was done again.
    OldVerdict,
    /// What a handler sends to an inbound is not counted.
    ForgetHops,
    /// Every message is routed by the first router.
    FirstRouter,
    /// At the start the lane of an inbound is taken for empty.
    ForgetArrived,
    /// Deliveries leave outside of the schedule.
    IgnoreHours,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Sabotage; 30] = [
        Sabotage::AckEarly,
        Sabotage::ForgetLane,
        Sabotage::OrderByTime,
        Sabotage::SkipHead,
        Sabotage::FuseAlways,
        Sabotage::DropSentTo,
        Sabotage::SameControlId,
        Sabotage::UncountedCrash,
        Sabotage::SharedKey,
        Sabotage::PassBarrier,
        Sabotage::ForgetParked,
        Sabotage::AboveWindow,
        Sabotage::UseReserve,
        Sabotage::DropAtFull,
        Sabotage::Overfill,
        Sabotage::AckBeforeVerdict,
        Sabotage::AckError,
        Sabotage::ForgetTicket,
        Sabotage::Starve,
        Sabotage::ForgetHeld,
        Sabotage::NotReopened,
        Sabotage::WaitForHeld,
        Sabotage::NotRenewed,
        Sabotage::AnewAsAWhole,
        Sabotage::RenewTwice,
        Sabotage::OldVerdict,
        Sabotage::ForgetHops,
        Sabotage::FirstRouter,
        Sabotage::ForgetArrived,
        Sabotage::IgnoreHours,
    ];

    /// The name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Sabotage::AckEarly => "ack-early",
            Sabotage::ForgetLane => "forget-lane",
            Sabotage::OrderByTime => "order-by-time",
            Sabotage::SkipHead => "skip-head",
            Sabotage::FuseAlways => "fuse-always",
            Sabotage::DropSentTo => "drop-sent-to",
            Sabotage::SameControlId => "same-control-id",
            Sabotage::DropAtFull => "drop-at-full",
            Sabotage::Overfill => "overfill",
            Sabotage::AckBeforeVerdict => "ack-before-verdict",
            Sabotage::AckError => "ack-error",
            Sabotage::ForgetTicket => "forget-ticket",
            Sabotage::Starve => "starve",
            Sabotage::UseReserve => "use-reserve",
            Sabotage::UncountedCrash => "uncounted-crash",
            Sabotage::SharedKey => "shared-key",
            Sabotage::PassBarrier => "pass-barrier",
            Sabotage::ForgetParked => "forget-parked",
            Sabotage::AboveWindow => "above-window",
            Sabotage::ForgetHeld => "forget-held",
            Sabotage::NotReopened => "not-reopened",
            Sabotage::WaitForHeld => "wait-for-held",
            Sabotage::NotRenewed => "not-renewed",
            Sabotage::AnewAsAWhole => "anew-as-a-whole",
            Sabotage::RenewTwice => "renew-twice",
            Sabotage::OldVerdict => "old-verdict",
            Sabotage::ForgetHops => "forget-hops",
            Sabotage::FirstRouter => "first-router",
            Sabotage::ForgetArrived => "forget-arrived",
            Sabotage::IgnoreHours => "ignore-hours",
        }
    }
}
