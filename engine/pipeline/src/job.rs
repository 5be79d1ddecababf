//! Work of an operator that takes more than one transaction. Each of them says how far it has come, so
//! a crash neither repeats nor forgets a part of it.

use crate::body::Piece;
use crate::event::{By, Note};
use crate::ids::{LaneId, MessageId, Seq};

/// A job, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Names it. The same key again is the same job.
    pub key: Note,
    /// What it does to which deliveries, in the words of the host.
    pub what: Piece,
    /// Who has asked for it.
    pub by: By,
    /// When, by the wall clock.
    pub at: u64,
    /// How many deliveries or messages it is about.
    pub total: u64,
    /// How many of them are done.
    pub done: u64,
    /// How many of these were appended after a newer message.
    pub newer: u64,
    /// The last one that is done.
    pub after: Position,
    /// Nothing is left to do.
    pub has_ended: bool,
}

/// A row in the order of acceptance: by its message, then by its lane and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The message.
    pub message: MessageId,
    /// The lane.
    pub lane: LaneId,
    /// The row.
    pub seq: Seq,
}

impl Position {
    /// Before every row.
    pub const START: Position = Position { message: MessageId(0), lane: LaneId(0), seq: Seq(0) };
}
