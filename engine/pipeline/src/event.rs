//! A message's journey: what has happened to it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::failure::Failure;
use crate::ids::{LaneId, MessageId, Millis, Stamp};

/// One line of a message's journey.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The message.
    pub message: MessageId,
    /// Orders the events of the message.
    pub stamp: Stamp,
    /// When, by the wall clock.
    pub at: u64,
    /// What happened.
    pub what: What,
}

/// What happened to a message.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// It was received by this inbound, stored and answered. Not written: a reader takes it from the
    /// message itself.
    Received {
        /// The inbound's lane.
        inbound: LaneId,
        /// Whether the answer took it over.
        accepted: bool,
    },
    /// The router of an inbound chose these handlers.
    Routed {
        /// The lane of the inbound that a handler has sent it to; `None`: of the one that received it.
        inbound: Option<LaneId>,
        /// The handlers' lanes; empty: unrouted.
        handlers: Vec<LaneId>,
    },
    /// A handler ran.
    Transformed {
        /// The handler's lane.
        handler: LaneId,
        /// The lanes of outbounds, handlers and inbounds it sent to, in order; empty: filtered.
        outbounds: Vec<LaneId>,
    },
    /// An attempt to deliver has failed.
    Attempt {
        /// The outbound's lane.
        outbound: LaneId,
        /// Counted from 1.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// What the partner said, such as `AE lab system busy`; empty if nothing.
        note: Note,
    },
    /// After a crash: it had been let go and may have been sent, so the partner may get it twice.
    PossiblySent {
        /// The outbound's lane.
        outbound: LaneId,
    },
    /// It had failed and waited when its partner took a later one of the same lane.
    Overtaken {
        /// The outbound's lane.
        outbound: LaneId,
        /// The message of the later delivery.
        by: MessageId,
    },
    /// The partner took it.
    Delivered {
        /// The outbound's lane.
        outbound: LaneId,
        /// Milliseconds from the first byte out to the answer.
        milliseconds: Millis,
        /// What the partner said, such as `AA`.
        note: Note,
    },
    /// Its partner has answered something that a rule of its outbound warns of.
    Warned {
        /// The outbound's lane.
        outbound: LaneId,
        /// What the partner said, such as `AE lab system busy`.
        note: Note,
    },
    /// It will not be tried again.
    Dead {
        /// The lane in which it died.
        lane: LaneId,
        /// Why.
        failure: Failure,
    },
    /// A router or handler has failed on it.
    Failed {
        /// The lane of the inbound or handler.
        lane: LaneId,
        /// Why.
        failure: Failure,
        /// The type of the error; never its text, which may quote the message.
        note: Note,
    },
    /// Its sender was answered, after the verdict or without one.
    Answered {
        /// Whether the answer took it over.
        accepted: bool,
    },
    /// It has the control ID of this one, and is another message.
    SameControlId {
        /// The last one with it.
        of: MessageId,
    },
    /// It is a duplicate of this one.
    Duplicate {
        /// The first.
        of: MessageId,
    },
    /// It could not be delivered, and the lane has stopped with it first.
    GaveUp {
        /// The outbound's lane.
        outbound: LaneId,
        /// Why.
        failure: Failure,
    },
    /// A delivery has left its lane and waits for an operator.
    Held {
        /// The outbound's lane.
        outbound: LaneId,
        /// Why it was given up; `None`: an operator holds it.
        failure: Option<Failure>,
        /// The operator.
        by: By,
    },
    /// A held delivery was appended to its lane again.
    Released {
        /// The outbound's lane.
        outbound: LaneId,
        /// How many newer messages the lane had had before.
        newer: u64,
        /// Who has done it.
        by: By,
    },
    /// It was appended again: to an outbound, to a handler, or to its inbound for the router.
    Replayed {
        /// The lane it was appended to.
        to: LaneId,
        /// How many newer messages the lane had had before.
        newer: u64,
        /// Who has done it.
        by: By,
    },
    /// An edited copy of it is another message.
    Edited {
        /// The copy.
        copy: MessageId,
        /// Who has done it.
        by: By,
    },
    /// An operator has ended work on it. It counts as failed.
    Cancelled {
        /// The lane in which it was.
        lane: LaneId,
        /// Who has done it.
        by: By,
    },
    /// It was taken from a lane that is no longer configured, and appended to another.
    Moved {
        /// The lane in which it was.
        from: LaneId,
        /// Where it is now.
        to: LaneId,
        /// Who has done it.
        by: By,
    },
}

/// An operator, and why something was done. `Debug` shows the lengths alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct By {
    /// The operator; empty: the engine, by a rule.
    pub who: Note,
    /// The reason that was given.
    pub reason: Note,
}

/// A text of a partner or of a user's function. `Debug` shows the length alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Note(pub String);

impl core::fmt::Debug for Note {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Note({} bytes)", self.0.len())
    }
}
