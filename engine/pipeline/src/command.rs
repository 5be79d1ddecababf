//! What an operator can have done, and what became of it.

use alloc::vec::Vec;

use crate::body::{Body, IdHash, Keys, Piece};
use crate::event::By;
use crate::fact::{Entry, Refusal};
use crate::ids::{LaneId, MessageId, Seq};
use crate::job::Job;
use crate::switch::{Flow, Side};

/// Something that an operator wants. All of it is written by one transaction, or nothing is.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Who wants it, and why.
    pub by: By,
    /// What.
    pub act: Act,
    /// The job it belongs to, as far as that will have come; written by the same transaction.
    pub job: Option<Job>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Lets messages pass a side of a lane, or makes them wait.
    Switch {
        /// The lane.
        lane: LaneId,
        /// Its side.
        side: Side,
        /// What holds from now on.
        flow: Flow,
    },
    /// Forgets the wait of the head of a lane. Not written.
    Retry {
        /// The lane.
        lane: LaneId,
    },
    /// Takes the head out of the lane of an outbound; one that is with the partner only if its
    /// attempt fails.
    Take {
        /// The lane.
        lane: LaneId,
        /// What becomes of it.
        how: Take,
    },
    /// Appends held deliveries to their lanes again.
    Release(Vec<Parked>),
    /// Ends held deliveries as failed.
    Cancel(Vec<Parked>),
    /// Appends deliveries or messages again.
    Replay(Vec<Replay>),
    /// Stores an edited copy of a message, and appends it.
    Edit(Edit),
    /// Consumes the first rows of a lane that the graph does not have.
    Drain {
        /// The lane.
        lane: LaneId,
        /// Its rows from the cursor on, without a gap.
        entries: Vec<Entry>,
        /// A lane of the same stage that they are appended to; `None`: they end as failed.
        to: Option<LaneId>,
    },
}

/// What becomes of a head that is taken out of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// It waits for an operator.
    Hold,
    /// It ends as failed.
    Cancel,
}

/// A delivery that is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    /// The outbound's lane.
    pub lane: LaneId,
    /// Its row there.
    pub entry: Entry,
    /// How many newer messages the lane has had, for the journey.
    pub newer: u64,
}

/// A delivery or a message that is appended again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// What is appended; its place means nothing.
    pub entry: Entry,
    /// To the lane of an outbound, of a handler, or of the inbound for its router.
    pub to: LaneId,
    /// Dead deliveries of the message that this makes up for: they go off the list.
    pub dead: Vec<(LaneId, Seq)>,
    /// Failures of the message that count no more, those of the dead deliveries among them.
    pub forgiven: u32,
    /// How many newer messages that lane has had, for the journey.
    pub newer: u64,
}

/// An edited copy of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The message it is a copy of.
    pub original: MessageId,
    /// Of the session of the original.
    pub session: MessageId,
    /// The lane of the inbound that received the original.
    pub inbound: LaneId,
    /// Where it goes: that inbound's lane for its router, or the lane of an outbound.
    pub to: LaneId,
    /// The bytes.
    pub body: Body,
    /// MSH-10 of the bytes.
    pub control_id: Piece,
    /// MSH-9 of the bytes.
    pub message_type: Piece,
    /// Of the control ID.
    pub id_hash: IdHash,
    /// What the bytes are about, where the outbound is ordered by key.
    pub keys: Keys,
    /// How many messages newer than the original that lane has had, for the journey.
    pub newer: u64,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It is durable; the number of the message that was made, if one was.
    Done(Option<MessageId>),
    /// There is nothing to do it with: no such lane, an empty one, or the head was delivered.
    Nothing,
    /// Nothing was written, because the store cannot write.
    Refused(Refusal),
    /// Nothing was written, because the lane is somebody else's.
    Fenced,
    /// It is unknown whether it was written: the store knows.
    Unknown,
}
