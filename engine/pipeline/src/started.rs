//! Deliveries that may be with the partner, as they stand in the store.

use crate::ids::{LaneId, Millis, Seq};

/// A delivery that may have been sent and is not completed, or that has failed and waits.
///
/// In a keyed or unordered lane the commit that lets a delivery start writes it, so it says what may have
/// been sent before a crash. In any lane it keeps the attempts of a delivery that is not the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The outbound's lane.
    pub lane: LaneId,
    /// The row.
    pub seq: Seq,
    /// Attempts that have failed, or that a crash has interrupted.
    pub attempt: u32,
    /// It is not tried before this, by the wall clock; 0: at once.
    pub due: u64,
    /// As in [`LaneUpdate`](crate::LaneUpdate).
    pub waited: Millis,
}
