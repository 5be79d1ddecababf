//! Faults on purpose, to show that the plans find them.

#[cfg(feature = "sabotage")]
use mllp_pipeline::Sabotage as Planted;

/// A planted fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The disk says that it has synced and has not.
    NoSync,
    /// A sender is answered before its message is committed.
    AckEarly,
    /// A delivery that failed for now is passed over.
    SkipHead,
    /// At the start a lane is taken for empty.
    ForgetLane,
    /// An answer to another message completes a delivery.
    ForeignReply,
    /// A handler is run with the router though its lane is not empty.
    FuseAlways,
    /// A sender that waits for the verdict is answered before it.
    AckBeforeVerdict,
    /// A delivery without a key waits for none.
    PassBarrier,
    /// A delivery that is held is not put on the list.
    ForgetHeld,
    /// A message that is sent again is not opened again.
    NotReopened,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Sabotage; 10] = [
        Sabotage::NoSync,
        Sabotage::AckEarly,
        Sabotage::SkipHead,
        Sabotage::ForgetLane,
        Sabotage::ForeignReply,
        Sabotage::FuseAlways,
        Sabotage::AckBeforeVerdict,
        Sabotage::PassBarrier,
        Sabotage::ForgetHeld,
        Sabotage::NotReopened,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Sabotage::NoSync => "no-sync",
            Sabotage::AckEarly => "ack-early",
            Sabotage::SkipHead => "skip-head",
            Sabotage::ForgetLane => "forget-lane",
            Sabotage::ForeignReply => "foreign-reply",
            Sabotage::FuseAlways => "fuse-always",
            Sabotage::AckBeforeVerdict => "ack-before-verdict",
            Sabotage::PassBarrier => "pass-barrier",
            Sabotage::ForgetHeld => "forget-held",
            Sabotage::NotReopened => "not-reopened",
        }
    }

    /// The fault of that name; `None` also for every name where none can be planted.
    pub fn parse(name: &str) -> Option<Sabotage> {
        let known = Sabotage::ALL.into_iter().find(|it| it.name() == name);
        known.filter(|_| cfg!(feature = "sabotage"))
    }

    /// The name of the plan that finds it.
    pub const fn plan(self) -> &'static str {
        match self {
            Sabotage::NoSync
            | Sabotage::AckEarly
            | Sabotage::AckBeforeVerdict
            | Sabotage::NotReopened => "power-cut",
            _ => "kill",
        }
    }

    #[cfg(feature = "sabotage")]
    pub(crate) fn plant(self, builder: mllp_engine::Builder) -> mllp_engine::Builder {
        match self {
            Sabotage::NoSync => builder,
            Sabotage::AckEarly => builder.sabotage(Planted::AckEarly),
            Sabotage::SkipHead => builder.sabotage(Planted::SkipHead),
            Sabotage::ForgetLane => builder.sabotage(Planted::ForgetLane),
            Sabotage::FuseAlways => builder.sabotage(Planted::FuseAlways),
            Sabotage::AckBeforeVerdict => builder.sabotage(Planted::AckBeforeVerdict),
            Sabotage::PassBarrier => builder.sabotage(Planted::PassBarrier),
            Sabotage::ForgetHeld => builder.sabotage(Planted::ForgetHeld),
            Sabotage::NotReopened => builder.sabotage(Planted::NotReopened),
            Sabotage::ForeignReply => builder.complete_on_foreign_replies(),
        }
    }

    #[cfg(not(feature = "sabotage"))]
    pub(crate) fn plant(self, builder: mllp_engine::Builder) -> mllp_engine::Builder {
        builder
    }
}
