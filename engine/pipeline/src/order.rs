//! What the pipeline asks the host to do.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::body::{Body, Piece, after_header};
use crate::command::CommandOutcome;
use crate::ids::{BodyId, CallId, CommandId, LaneId, MessageId, Seq, Ticket};
use crate::record::Transaction;
use crate::switch::Switch;

/// Something to do. Each is given out once.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Commit these records, with a sync; then tell the outcome. There is one at a time. Drop the
    /// `Arc` before telling: the pipeline then uses its memory again.
    Commit(Arc<Transaction>),
    /// Answer a sender.
    Answer {
        /// Its message.
        ticket: Ticket,
        /// How.
        answer: Answer,
        /// As what it was stored; `None`: it was not, or that is unknown.
        stored: Option<Stored>,
    },
    /// Run the router of an inbound on these messages.
    Route {
        /// Names the call.
        call: CallId,
        /// The inbound's lane.
        inbound: LaneId,
        /// The messages, in order.
        work: Vec<Work>,
    },
    /// Run a handler on these messages.
    Transform {
        /// Names the call.
        call: CallId,
        /// The handler's lane.
        handler: LaneId,
        /// The messages, in order.
        work: Vec<Work>,
    },
    /// Send a delivery to the partner, after those of the same lane that were ordered before it.
    Deliver {
        /// The outbound's lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
        /// The message, and the body to send.
        work: Work,
        /// Counted from 1.
        attempt: u32,
    },
    /// Read rows of a lane.
    Load {
        /// The lane.
        lane: LaneId,
        /// The rows that follow this one.
        after: Seq,
        /// At most this many.
        limit: u32,
    },
    /// Read the rows of these lanes, because their content is unknown. Give up the deliveries of
    /// these lanes that are in progress first: no fact about them may follow the heads. Each
    /// order is answered by heads that were read after it, once for each lane, in any pieces.
    ReadHeads(Vec<LaneId>),
    /// Tell an operator what became of a command.
    Told {
        /// The command.
        id: CommandId,
        /// What became of it.
        outcome: CommandOutcome,
    },
    /// A side of a lane is set, durably: open or close what belongs to it. Told of all that are not on
    /// at the start, and after lanes were read.
    Switched(Switch),
    /// Compare a received message with a stored one, byte for byte.
    Compare {
        /// The received one.
        ticket: Ticket,
        /// The bytes of the received one.
        body: Body,
        /// The stored one.
        with: MessageId,
        /// What has to be the same.
        what: Sameness,
    },
    /// Delete a body in chunks that a handler has sent and that is not used, unless something holds
    /// it: the handler is called again.
    GiveUp(BodyId),
}

/// A message that was received and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub message: MessageId,
    /// The message that it is a duplicate of.
    pub duplicate_of: Option<MessageId>,
}

/// How a sender is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// With the acknowledgment that was stored for it.
    Acknowledgment(Piece),
    /// With a refusal for now, AE or CE: nothing was stored, and sending again is right.
    NotStored,
    /// With a refusal for now, AE: it is stored, and was not delivered in time or ended in ERROR.
    NotDelivered,
    /// With nothing: close the connection. It is unknown whether the message was stored.
    Close,
}

/// What makes two messages the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Sameness {
    /// All bytes.
    Bytes,
    /// This MSH-10, and the bytes after the first segment.
    ControlIdAndBody(Piece),
}

impl Sameness {
    /// Whether two messages whose control IDs have been looked at are the same.
    pub fn holds(&self, one: &[u8], other: &[u8]) -> bool {
        match self {
            Sameness::Bytes => one == other,
            Sameness::ControlIdAndBody(_) => after_header(one) == after_header(other),
        }
    }
}

/// A message to work on, and its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The message.
    pub message: MessageId,
    /// The row's own body, if it has one.
    pub body: Source,
    /// How many handlers have sent it on, to a handler or to an inbound.
    pub hops: u8,
}

/// Where the bytes are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// At hand.
    Memory(Body),
    /// In the store, with the message as it was received.
    Message,
    /// In the store, with the row of the lane; where that row has no body, with its message.
    Row(LaneId, Seq),
}
