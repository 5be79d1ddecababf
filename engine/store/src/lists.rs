//! What operators look at and work on: deliveries that have left their lanes, and their jobs.

use std::ops::RangeInclusive;

use mllp_pipeline::{Failure, Job, Keys, LaneId, List, MessageId, Position, Seq};

use crate::error::StoreError;

/// The part of a [`Reader`](crate::Reader) that is for operators.
pub trait Lists {
    /// Deliveries that are dead or held, of one lane or of all, that come after a position, in the
    /// order of acceptance, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn listed(
        &mut self,
        list: List,
        lane: Option<LaneId>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError>;

    /// Rows of a lane in the order of acceptance, at most `limit`. It looks through the whole lane.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn deliveries(&mut self, of: &Deliveries, limit: u32) -> Result<Vec<Position>, StoreError>;

    /// Rows of a lane that follow `after`, of messages newer than one, in order, at most `limit`. Those
    /// that are dead or held are left out: they have gone nowhere.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn newer(
        &mut self,
        lane: LaneId,
        than: MessageId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<Newer>, StoreError>;

    /// How far a lane is consumed, and its last row; `None`: there is no such lane.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn extent(&mut self, lane: LaneId) -> Result<Option<(Seq, Seq)>, StoreError>;

    /// How much of a message has failed and was not done again.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn failures(&mut self, id: MessageId) -> Result<u32, StoreError>;

    /// All jobs.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn jobs(&mut self) -> Result<Vec<Job>, StoreError>;
}

/// A delivery that is dead or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its row.
    pub position: Position,
    /// Why; `None`: an operator holds it.
    pub why: Option<Failure>,
    /// When it left its lane, by the wall clock.
    pub at: u64,
}

/// A row of a newer message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The row.
    pub position: Position,
    /// What it is about, in a lane that is ordered by key.
    pub keys: Keys,
}

/// Which rows of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliveries {
    /// The lane.
    pub lane: LaneId,
    /// Of these messages.
    pub messages: RangeInclusive<MessageId>,
    /// No row beyond this.
    pub up_to: Seq,
    /// Those that come after this in the order of acceptance.
    pub after: Position,
}
