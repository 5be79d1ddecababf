//! What the host tells the pipeline.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::body::{Body, IdHash, Keys, Piece};
use crate::command::Command;
use crate::decision::Decision;
use crate::event::Note;
use crate::failure::Failure;
use crate::ids::{CallId, CommandId, Epoch, LaneId, MessageId, Millis, Seq, Stamp, Ticket};
use crate::order::Source;
use crate::record::Disposition;
use crate::room::Room;
use crate::started::Started;
use crate::switch::Switch;

/// Something has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A message is here, whole, and its sender waits for an answer.
    Received(Received),
    /// What became of the one transaction that was ordered and not answered yet.
    Outcome(CommitOutcome),
    /// Another node has appended to a lane: its tail is here now.
    Appended {
        /// The lane.
        lane: LaneId,
        /// Its tail.
        up_to: Seq,
    },
    /// The rows of lanes, as [`Order::ReadHeads`](crate::Order::ReadHeads) asked.
    Heads(Vec<Head>),
    /// Rows of a lane, as [`Order::Load`](crate::Order::Load) asked, in order and without a gap;
    /// empty when the store could not be read, which is then asked again.
    Loaded {
        /// The lane.
        lane: LaneId,
        /// The rows.
        entries: Vec<Entry>,
    },
    /// What [`Order::Compare`](crate::Order::Compare) asked; `None`: the bytes differ, or the first
    /// is no longer there.
    Compared {
        /// The message that may be a duplicate.
        ticket: Ticket,
        /// The first, if it holds the same bytes.
        first: Option<First>,
    },
    /// A router has run: for each message of the call, in order, the handlers it chose.
    Routed {
        /// The call.
        call: CallId,
        /// Lanes of handlers, each once; empty: unrouted.
        results: Vec<Result<Vec<LaneId>, CallFailure>>,
    },
    /// A handler has run: for each message of the call, in order, what it sends.
    Transformed {
        /// The call.
        call: CallId,
        /// What it sends, in order; empty: filtered.
        results: Vec<Result<Vec<Sent>, CallFailure>>,
    },
    /// The partner took a delivery. Only an answer of its own says so; a foreign or late one is no
    /// fact.
    Delivered {
        /// The outbound's lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
        /// Milliseconds from the first byte out to the answer.
        milliseconds: Millis,
        /// What the partner said.
        note: Note,
    },
    /// An attempt to deliver has failed.
    Failed {
        /// The outbound's lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
        /// Why.
        failure: Failure,
        /// What the partner said, or the type of the error.
        note: Note,
    },
    /// The partner has answered, or has not, and the rules of its outbound say what becomes of that in
    /// place of the classes of failures. An answer to another message completes nothing.
    Decided {
        /// The outbound's lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
        /// What becomes of the delivery.
        decision: Decision,
        /// What a failure would have been.
        failure: Failure,
        /// Milliseconds from the first byte out to the answer.
        milliseconds: Millis,
        /// What the partner said.
        note: Note,
    },
    /// Identities of messages that were stored in an earlier life and are less than 24 hours old, in
    /// the order of their numbers. Told in pieces of any size, best before the first message of
    /// that inbound is received: a duplicate is found only among what is known.
    Known {
        /// The inbound's lane.
        inbound: LaneId,
        /// Each with its message.
        identities: Vec<(u128, MessageId)>,
    },
    /// How much room the store has. Told every now and then, and soon after it has changed.
    Room(Room),
    /// Whether an outbound can send now: it is connected and not stopped. Deliveries that are in
    /// progress still get their own fact.
    Ready {
        /// The outbound's lane.
        lane: LaneId,
        /// Whether it can.
        ready: bool,
    },
    /// The schedule of a connection opens or closes it. Until this is told it is open.
    Hours {
        /// The lane of the inbound or outbound.
        lane: LaneId,
        /// Whether it works from now on.
        open: bool,
    },
    /// An operator wants something. [`Order::Told`](crate::Order::Told) says what became of it.
    Command {
        /// Names the command.
        id: CommandId,
        /// What is wanted.
        command: Box<Command>,
    },
}

/// A message that was received.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// Names it in the answer.
    pub ticket: Ticket,
    /// The lane of the inbound that received it.
    pub inbound: LaneId,
    /// Hash of the bytes, or of MSH-10 and the bytes after MSH where the inbound acknowledges after
    /// delivery; 0 when there is nothing to tell it by.
    pub identity: u128,
    /// MSH-10, empty if there is none.
    pub control_id: Piece,
    /// Hash of MSH-3, 4 and 10, by which another message with the same control ID is found;
    /// [`IdHash::NONE`] without MSH-10.
    pub name: IdHash,
    /// MSH-9, empty if there is none.
    pub message_type: Piece,
    /// As in [`NewMessage`](crate::NewMessage).
    pub indexed: Keys,
    /// What was received.
    pub body: Body,
    /// The acknowledgment, which is stored with it and sent after the commit.
    pub acknowledgment: Piece,
    /// Whether that acknowledgment takes the message over. One that does not (AR or AE: it cannot
    /// be decoded, it is too large) is stored as ERROR and not routed.
    pub accepted: bool,
    /// As in [`NewMessage`](crate::NewMessage).
    pub origin: Piece,
    /// The session that it continues; `None`: it begins one of its own.
    pub session: Option<MessageId>,
}

impl Received {
    /// A message that is taken over and that nothing is known of but its bytes.
    pub fn new(ticket: Ticket, inbound: LaneId, body: Body, acknowledgment: Piece) -> Received {
        Received {
            ticket,
            inbound,
            identity: 0,
            control_id: Piece::default(),
            name: IdHash::NONE,
            message_type: Piece::default(),
            indexed: Keys::NONE,
            body,
            acknowledgment,
            accepted: true,
            origin: Piece::default(),
            session: None,
        }
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum CommitOutcome {
    /// It is durable.
    Committed(Committed),
    /// It is certain that nothing of it was written.
    Refused(Refusal),
    /// It is unknown whether it was written.
    Unknown,
    /// Nothing was written, because somebody else owns these lanes by now.
    Fenced(Vec<LaneId>),
}

/// What a store tells of a transaction that is durable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// Each lane that was appended to or updated, as it is now. The rows that the transaction has
    /// appended to a lane are the last ones up to its tail.
    pub lanes: Vec<LaneMark>,
    /// Messages that its parts have made final.
    pub finals: Vec<(MessageId, Disposition)>,
    /// Messages that were [reopened](crate::Reopened) and are open after it, of those that it has an
    /// outcome or a part of. No outcome in it is their end.
    pub open: Vec<MessageId>,
}

/// How far a lane has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneMark {
    /// The lane.
    pub lane: LaneId,
    /// Its last row.
    pub tail: Seq,
    /// Nothing above this may have been sent; equal to the cursor for lanes that send nothing.
    pub sent_to: Seq,
    /// Bytes of all rows that were ever appended.
    pub appended: u64,
}

/// Why nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no room on the disk.
    Full,
    /// The store cannot write for now: locked, or the database is not reachable.
    Unavailable,
}

/// The row of a lane, and what is completed ahead of its cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The lane.
    pub lane: LaneId,
    /// This owner's epoch.
    pub epoch: Epoch,
    /// The last row.
    pub tail: Seq,
    /// Everything up to here is consumed.
    pub cursor: Seq,
    /// Nothing above this may have been sent.
    pub sent_to: Seq,
    /// Rows above the cursor that are completed, in order.
    pub done: Vec<Seq>,
    /// Attempts that the head has had.
    pub attempt: u32,
    /// The head is not tried before this, by the wall clock.
    pub due: u64,
    /// As in [`LaneUpdate`](crate::LaneUpdate).
    pub waited: Millis,
    /// What was set last for each side of the lane; none: on.
    pub switches: Vec<Switch>,
    /// Deliveries that may be with the partner or have failed there, in order.
    pub started: Vec<Started>,
    /// Rows that the cursor has passed and that are not completed, in order.
    pub parked: Vec<Entry>,
    /// Bytes of all rows that were ever appended.
    pub appended: u64,
    /// As in [`LaneUpdate`](crate::LaneUpdate).
    pub consumed: u64,
}

impl Head {
    /// An empty lane.
    pub const fn new(lane: LaneId, epoch: Epoch) -> Head {
        let (tail, cursor, sent_to) = (Seq(0), Seq(0), Seq(0));
        Head {
            lane,
            epoch,
            tail,
            cursor,
            sent_to,
            done: Vec::new(),
            attempt: 0,
            due: 0,
            waited: 0,
            switches: Vec::new(),
            started: Vec::new(),
            parked: Vec::new(),
            appended: 0,
            consumed: 0,
        }
    }
}

/// A row of a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// The message.
    pub message: MessageId,
    /// Where the bytes are.
    pub body: Source,
    /// As in [`Append`](crate::Append).
    pub sole: bool,
    /// As in [`Append`](crate::Append).
    pub id_hash: IdHash,
    /// As in [`Append`](crate::Append).
    pub keys: Keys,
    /// As in [`Append`](crate::Append).
    pub hops: u8,
    /// As in [`Append`](crate::Append).
    pub len: u64,
}

/// The first of two messages with the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct First {
    /// Its number.
    pub message: MessageId,
    /// What has become of it.
    pub disposition: Disposition,
    /// The answer that its sender got.
    pub acknowledgment: Piece,
    /// Its deliveries that are held.
    pub held: Vec<(LaneId, Seq)>,
    /// Its deliveries that are dead, each with the lane of its outbound, if it has ended in ERROR.
    pub dead: Vec<(LaneId, Entry)>,
    /// Whether a delivery of it was ever begun. What its partner has taken is not sent again.
    pub was_sent: bool,
}

/// What a handler sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The lane of an outbound, of a handler that goes on with it, or of an inbound whose router does.
    pub to: LaneId,
    /// The body, where it is not the one that the handler was given.
    pub body: Option<Body>,
    /// Of MSH-10 of that body. Without one it is not looked at: that of what the handler was given
    /// counts.
    pub id_hash: IdHash,
    /// What the body is about, where the outbound is ordered by key.
    pub keys: Keys,
}

impl Sent {
    /// What the handler was given, unchanged.
    pub const fn to(to: LaneId) -> Sent {
        Sent { to, body: None, id_hash: IdHash::NONE, keys: Keys::NONE }
    }
}

/// A router or a handler has not done its work on one message.
#[derive(Clone, Debug, PartialEq)]
pub struct CallFailure {
    /// Content or refused for good: the message ends in ERROR. Any other: it is called again.
    pub failure: Failure,
    /// The type of the error; never its text.
    pub note: Note,
}

impl CallFailure {
    /// Whether the call is made again, instead of the message ending in ERROR.
    pub fn is_tried_again(&self) -> bool {
        !matches!(self.failure, Failure::Content | Failure::RefusedForGood)
    }
}

/// What a pipeline begins with: the store's rows, and unused numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The rows of every lane of the graph.
    pub heads: Vec<Head>,
    /// The number of the next message.
    pub next_message: MessageId,
    /// A stamp above all that are stored, with room for those of this life.
    pub next_stamp: Stamp,
}
