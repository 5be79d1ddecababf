//! Numbers that name things. None of them is ever used for another thing of its kind.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($kind:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $kind);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// One ordered queue of a stage: an inbound's messages, a handler's work, an outbound's
    /// deliveries. The store gives each stage and name its number once and for ever.
    LaneId(u32)
}
id! {
    /// The place of a row in its lane, from 1 on without a gap. A cursor of 0 has consumed nothing.
    Seq(u64)
}
id! {
    /// A message, or a duplicate of one, that was received. Later messages have higher numbers.
    MessageId(u64)
}
id! {
    /// Counts who has owned a lane. A commit that names another epoch than the store's is fenced.
    Epoch(u64)
}
id! {
    /// A received message whose sender waits for its answer. Given by the host.
    Ticket(u64)
}
id! {
    /// One call of a router or of a handler, for one or more messages.
    CallId(u64)
}
id! {
    /// A command of an operator. Given by the host.
    CommandId(u64)
}
id! {
    /// A body that stands in the store in chunks.
    BodyId(u64)
}
id! {
    /// Orders the events and the outcomes of a message, across restarts and whatever the clock says.
    Stamp(u64)
}

impl Seq {
    /// The next place.
    pub const fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

/// A queue's place on the way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Received, not routed yet. One lane for each inbound.
    Ingress,
    /// Waiting for a handler. One lane for each handler.
    Routed,
    /// Waiting for a partner. One lane for each outbound.
    Outbound,
}

impl Stage {
    /// The stable name, the same in the store, in logs and in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Ingress => "ingress",
            Stage::Routed => "routed",
            Stage::Outbound => "outbound",
        }
    }
}

/// Milliseconds of a clock that never goes back, from any beginning.
pub type Millis = u64;

/// The time at which a fact is told or an order asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Decides every wait.
    pub steady: Millis,
    /// Milliseconds since 1970 in UTC. Written into records and never waited for: it may jump.
    pub wall: u64,
}
