//! Whether messages go in and out of a lane, as operators and rules have set it.

use crate::event::By;
use crate::ids::LaneId;

/// One side of a lane, set to something. The last one for a lane and side counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The lane.
    pub lane: LaneId,
    /// Which side of it.
    pub side: Side,
    /// What holds from now on.
    pub flow: Flow,
    /// Who has set it. Of a rule of the engine the reason is a failure class.
    pub by: By,
    /// When, by the wall clock.
    pub at: u64,
}

/// A side of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// What an inbound receives.
    Input,
    /// What is done with the rows of the lane: an inbound routes, a handler is called, an outbound
    /// delivers.
    Output,
}

/// Whether messages pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// They do.
    #[default]
    On,
    /// They wait, and connections stay open.
    Paused,
    /// They wait. What is in progress comes to its end, and connections are closed.
    Stopped,
}

impl Flow {
    /// The stable name, the same everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Flow::On => "on",
            Flow::Paused => "paused",
            Flow::Stopped => "stopped",
        }
    }
}
