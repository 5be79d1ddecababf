//! What one commit writes: the records of a transaction, in terms that every store understands.
//!
//! A store keeps an append-only log for each lane and one small row for the lane itself. Nothing a claim
//! reads is changed or deleted row by row. Rows of a lane are numbered inside the transaction, so a
//! record that appends carries no number: the commit's outcome tells it.

use alloc::vec::Vec;

use crate::body::{Body, IdHash, Keys, Piece};
use crate::event::Event;
use crate::failure::Failure;
use crate::ids::{BodyId, Epoch, LaneId, MessageId, Millis, Seq, Stamp};
use crate::job::Job;
use crate::started::Started;
use crate::switch::Switch;

/// Records that are committed together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transaction {
    /// What is inserted, in this order.
    pub records: Vec<Record>,
    /// What changes in the rows of lanes, at most one for each lane, applied after the records. Each is
    /// checked against the epoch of its lane: a lane that somebody else owns fences the transaction.
    pub lanes: Vec<LaneUpdate>,
}

/// One thing to insert.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A message exists from here on. Until there is an outcome it is RECEIVED, and ROUTED once its
    /// journey says that it was routed: no outcome is written for either.
    Message(NewMessage),
    /// A piece of a body above the inline limit, committed before its message.
    Chunk {
        /// The body.
        body: BodyId,
        /// Its number, from 0 on.
        n: u32,
        /// The bytes.
        bytes: Piece,
    },
    /// A row at the tail of a lane. Appends are never fenced: any node may append.
    Append(Append),
    /// A row of an owned lane was completed ahead of the cursor.
    Done {
        /// The lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
    },
    /// A delivery may be with the partner, or has failed there. Replaces what was written of the row
    /// before. The store drops it when the row is done, or the cursor has passed it unparked.
    Started(Started),
    /// The cursor passes a row that is not completed, so that the lane can look further ahead.
    Parked {
        /// The lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
    },
    /// A parked row is completed.
    Unparked {
        /// The lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
    },
    /// Work on a message with several parts was added or finished. See [`Part`].
    Part(Part),
    /// The message's disposition from here on; of those that one life has written, the one with the
    /// highest stamp counts.
    Outcome {
        /// The message.
        message: MessageId,
        /// Orders the outcomes of the message.
        stamp: Stamp,
        /// The disposition.
        disposition: Disposition,
        /// When, by the wall clock, milliseconds since 1970 in UTC.
        at: u64,
    },
    /// A delivery will not be tried again. Its row is consumed by the same transaction.
    Dead {
        /// The outbound's lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
        /// The message.
        message: MessageId,
        /// Why, in the stable name of a failure class.
        why: Failure,
        /// When, by the wall clock.
        at: u64,
    },
    /// A delivery waits for an operator. Its row is consumed by the same transaction, and its part of
    /// the message stays open.
    Held {
        /// The outbound's lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
        /// The message.
        message: MessageId,
        /// Why it was given up; `None`: an operator holds it.
        why: Option<Failure>,
        /// When, by the wall clock.
        at: u64,
    },
    /// A row goes off the list of dead or of held deliveries.
    Unlisted {
        /// Which list.
        list: List,
        /// The outbound's lane.
        lane: LaneId,
        /// The row.
        seq: Seq,
        /// The message.
        message: MessageId,
    },
    /// Work is added to a message that may be final. See [`Reopened`].
    Reopened(Reopened),
    /// Whether messages go in or out of a lane, from here on and across restarts.
    Switch(Switch),
    /// How far a job of an operator has come. The first one of a key makes the job.
    Job(Job),
    /// One line of a message's journey.
    Event(Event),
}

/// A list of deliveries that have left their lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// Will not be tried again.
    Dead,
    /// Wait for an operator.
    Held,
}

/// An operator adds work to a message.
///
/// From here on all open work of the message counts in parts, until these make it final: the
/// outcome that the completion of a [sole](Append::sole) row writes becomes a finished part. The store
/// adds a part for what it knows of the message so far (open: added; final: added and finished, as
/// delivered or failed), takes back failures that are forgiven, and appends the outcome ROUTED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reopened {
    /// The message. Never a DUPLICATE.
    pub message: MessageId,
    /// Of the outcome and of the part.
    pub stamp: Stamp,
    /// How many of its failures count no more, because what has failed is done again.
    pub forgiven: u32,
    /// When, by the wall clock.
    pub at: u64,
}

/// A message as it was received.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Its number.
    pub id: MessageId,
    /// The lane of the inbound that received it.
    pub inbound: LaneId,
    /// When, by the wall clock.
    pub received_at: u64,
    /// Hash of the bytes and of MSH-3, 4, 7 and 10, for finding duplicates; 0 when they are not
    /// looked for, and for a message that cannot be a first: a DUPLICATE, or one that was refused.
    pub identity: u128,
    /// MSH-10, empty if there is none.
    pub control_id: Piece,
    /// MSH-9, such as `ADT^A01`, empty if there is none.
    pub message_type: Piece,
    /// What was received. Empty if it is a DUPLICATE, whose bytes are those of the first.
    pub body: Body,
    /// The acknowledgment that its sender gets once this is committed.
    pub acknowledgment: Piece,
    /// Whether that acknowledgment takes the message over (AA or CA).
    pub accepted: bool,
    /// The same message that came before. This one is a DUPLICATE if its outcome says so, else it is
    /// processed because the first was not.
    pub duplicate_of: Option<MessageId>,
    /// Links all messages that one has led to: the number of the first of them, its own for most.
    pub session: MessageId,
    /// The message of which this one is an edited copy.
    pub original: Option<MessageId>,
    /// Each field that messages of the inbound are searched by, as [`field_hash`](crate::field_hash)
    /// of its path and value.
    pub indexed: Keys,
    /// Where it came from, at most 64 bytes: the address of its sender, or the name of a file. Empty
    /// if that is not known.
    pub origin: Piece,
}

impl NewMessage {
    /// One without a body, to fill in.
    pub fn new(id: MessageId, inbound: LaneId) -> NewMessage {
        NewMessage {
            id,
            inbound,
            received_at: 0,
            identity: 0,
            control_id: Piece::default(),
            message_type: Piece::default(),
            body: Body::Inline(Piece::default().0),
            acknowledgment: Piece::default(),
            accepted: true,
            duplicate_of: None,
            session: id,
            original: None,
            indexed: Keys::NONE,
            origin: Piece::default(),
        }
    }
}

/// A row at the tail of a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// The lane.
    pub lane: LaneId,
    /// The message.
    pub message: MessageId,
    /// What it sends or works on.
    pub body: RowBody,
    /// Whether this is all the open work of the message. The transaction that completes such a row
    /// writes the message's outcome itself; for any other row it writes a [`Part`].
    pub sole: bool,
    /// Of MSH-10 of the body, whichever that is.
    pub id_hash: IdHash,
    /// What the body is about, in a lane that is ordered by key.
    pub keys: Keys,
    /// Handlers that have sent it on, to a handler or to an inbound.
    pub hops: u8,
    /// Length of the body in bytes, whichever that is; added up for each lane.
    pub len: u64,
}

impl Append {
    /// A message as it was received, with all its open work.
    pub fn new(lane: LaneId, message: MessageId) -> Append {
        let (body, id_hash, keys) = (RowBody::Message, IdHash::NONE, Keys::NONE);
        Append { lane, message, body, sole: true, id_hash, keys, hops: 0, len: 0 }
    }
}

/// Which bytes a row is about.
#[derive(Clone, Debug, PartialEq)]
pub enum RowBody {
    /// Those of the message as it was received.
    Message,
    /// Its own.
    Own(Body),
    /// Those that another row of the message is about, which an earlier commit has appended.
    Row(LaneId, Seq),
}

/// Work on a message that was added and finished by one transaction.
///
/// A message is final when as many parts are finished as were added, over all its records; a store
/// finds that out inside the transaction, because the parts may be finished by different owners at
/// the same time, and appends the outcome: ERROR if any part has failed, else PROCESSED if any was
/// delivered, else FILTERED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The message.
    pub message: MessageId,
    /// Orders the records of the message; the stamp of the outcome if this makes it final.
    pub stamp: Stamp,
    /// Parts added.
    pub added: u32,
    /// Parts finished.
    pub finished: u32,
    /// How many of the finished ones were deliveries that their partner took.
    pub delivered: u32,
    /// How many of the finished ones have failed.
    pub failed: u32,
    /// Whether the row that was worked on was [sole](Append::sole). Its own work counts as finished
    /// only if the message was [reopened](Reopened), which had added it.
    pub sole: bool,
    /// When, by the wall clock.
    pub at: u64,
}

impl Part {
    /// Nothing, to fill in.
    pub const fn new(message: MessageId, stamp: Stamp, at: u64) -> Part {
        let (added, finished, delivered, failed, sole) = (0, 0, 0, 0, false);
        Part { message, stamp, added, finished, delivered, failed, sole, at }
    }
}

/// What changes in the row of a lane. Only its owner writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneUpdate {
    /// The lane.
    pub lane: LaneId,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// Everything up to here is consumed.
    pub cursor: Seq,
    /// How far beyond the cursor deliveries may leave; `None` while the lane may not send now. After the
    /// appends of the transaction the store raises `sent_to` to the smaller of tail and `cursor +
    /// window`, because others may append as well. It never lowers it.
    pub window: Option<u32>,
    /// Attempts that the head has had.
    pub attempt: u32,
    /// The head is not tried before this, by the wall clock; 0: at once.
    pub due: u64,
    /// How long the head has been tried, as far as it counts for giving it up.
    pub waited: Millis,
    /// Bytes of all rows that were ever consumed, up to the cursor.
    pub consumed: u64,
}

impl LaneUpdate {
    /// Consumes up to a place, and says nothing of a head.
    pub const fn new(lane: LaneId, epoch: Epoch, cursor: Seq) -> LaneUpdate {
        let (window, attempt, due, waited, consumed) = (None, 0, 0, 0, 0);
        LaneUpdate { lane, epoch, cursor, window, attempt, due, waited, consumed }
    }
}

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Stored. Open.
    Received,
    /// The router chose at least one handler. Open.
    Routed,
    /// It chose none.
    Unrouted,
    /// Every handler ran, nothing was sent.
    Filtered,
    /// Every delivery was delivered.
    Processed,
    /// Refused at intake, or a stage has failed, or a delivery is dead.
    Error,
    /// It came before, and got the answer of the first.
    Duplicate,
}

impl Disposition {
    /// The stable name, the same everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Disposition::Received => "RECEIVED",
            Disposition::Routed => "ROUTED",
            Disposition::Unrouted => "UNROUTED",
            Disposition::Filtered => "FILTERED",
            Disposition::Processed => "PROCESSED",
            Disposition::Error => "ERROR",
            Disposition::Duplicate => "DUPLICATE",
        }
    }

    /// Whether nothing more happens to the message by itself.
    pub const fn is_final(self) -> bool {
        !matches!(self, Disposition::Received | Disposition::Routed)
    }
}
