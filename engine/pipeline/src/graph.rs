//! The configuration as far as the pipeline needs it: which lanes there are, and their rules.

use alloc::vec::Vec;

use crate::ids::{LaneId, Millis, Stage};

/// Connections and handlers, each with its lane. Names stay with the host.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Where messages come from.
    pub inbounds: Vec<Inbound>,
    /// What filters and transforms them.
    pub handlers: Vec<Handler>,
    /// Where deliveries go.
    pub outbounds: Vec<Outbound>,
    /// Lanes that the store has and that nothing of the above has, and that are not empty.
    pub orphans: Vec<Orphan>,
    /// How much is held in memory and put into one commit.
    pub limits: Limits,
}

/// Bounds of memory and of one commit. What does not fit rests in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows of one lane that are held in memory; the others are loaded when their turn comes.
    pub look_ahead: u32,
    /// The same of a lane that is ordered by key or unordered: how far it looks for a delivery that may
    /// start.
    pub key_look_ahead: u32,
    /// Deliveries of such a lane that are parked, because the cursor had to pass them unfinished. Their
    /// keys stay in memory. Beyond it the lane looks no further ahead.
    pub parked: u32,
    /// Bytes of bodies that all lanes together hold in memory; beyond it the host reads a body from
    /// the store when it is needed.
    pub held_bytes: u64,
    /// Messages that may wait for their commit before [`wants_input`](crate::Pipeline::wants_input)
    /// says no, over all inbounds.
    pub waiting: usize,
    /// Bytes of messages that may wait for their commit.
    pub waiting_bytes: u64,
    /// Records in one commit. A message that needs more goes alone. Long commits favour intake: a
    /// delivery takes two of them.
    pub batch_records: usize,
    /// Bytes of bodies in one commit.
    pub batch_bytes: u64,
    /// Messages in one call of a router or handler.
    pub call: usize,
    /// Identities that are remembered to find duplicates, at most 128 bytes each, in equal shares for
    /// the inbounds that look for them. At least the newest half of each share is there.
    pub identities: usize,
    /// Bytes that are kept free on the disk of the store for deliveries: with less, nothing new is
    /// stored. `None`: one per cent of the disk, 512 MiB at most.
    pub min_free: Option<u64>,
}

impl Limits {
    /// 2,048 rows of a lane, 10,000 of one that is ordered by key and 50,000 parked ones, 64 MiB of bodies, 8,192 messages or 64 MiB that wait, 1,024 records or
    /// 8 MiB in a commit, 256 messages in a call, 1,000,000 identities.
    pub const DEFAULT: Limits = Limits {
        look_ahead: 2_048,
        key_look_ahead: 10_000,
        parked: 50_000,
        held_bytes: 64 << 20,
        waiting: 8_192,
        waiting_bytes: 64 << 20,
        batch_records: 1_024,
        batch_bytes: 8 << 20,
        call: 256,
        identities: 1_000_000,
        min_free: None,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}

/// Where messages come to a router: a connection that receives, or a name that handlers send to.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// Its lane of the stage ingress.
    pub lane: LaneId,
    /// Whether a message that comes again gets the answer of the first and is not routed.
    pub deduplicate: bool,
    /// When a sender is told that its message was taken over.
    pub acknowledge: Acknowledge,
    /// What happens to messages while there is no room for them.
    pub on_full: OnFull,
    /// How much may wait to be routed.
    pub capacity: Capacity,
    /// Whether handlers send to it. Then it receives nothing from outside.
    pub takes_sends: bool,
    /// What happens to messages outside of its schedule.
    pub closed: Closed,
}

impl Inbound {
    /// One that finds duplicates, and refuses what there is no room for.
    pub const fn new(lane: LaneId) -> Inbound {
        let (acknowledge, on_full) = (Acknowledge::Stored, OnFull::Refuse);
        let (capacity, takes_sends, closed) = (Capacity::NONE, false, Closed::Unreachable);
        Inbound { lane, deduplicate: true, acknowledge, on_full, capacity, takes_sends, closed }
    }

    /// One that handlers send to.
    pub const fn pass_through(lane: LaneId) -> Inbound {
        Inbound { deduplicate: false, takes_sends: true, ..Inbound::new(lane) }
    }
}

/// What an inbound does outside of its schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closed {
    /// It does not listen. What had come before is stored.
    #[default]
    Unreachable,
    /// Messages are answered as not stored.
    Answer,
}

/// When a sender is told that its message was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// Once it is stored.
    #[default]
    Stored,
    /// Once it is stored and the last verdict on it is durable: AA if everything was delivered, or there
    /// was nothing to deliver. AE if it ends in ERROR, when the time is over, and at a stop; delivery
    /// then goes on. A retry of the sender waits for the verdict on the first: it is recognised by
    /// MSH-10 and by the bytes after MSH, so this needs [`Inbound::deduplicate`].
    Delivered {
        /// How long the answer may take, from when the message was received.
        within: Millis,
    },
}

/// How much may wait in a lane. What does not fit waits in front of it, in order, and so does everything
/// behind that: a handler that sends to two outbounds stands still while one of them is full. Therefore
/// a lane has no limit unless it is given one. A message that is larger than the lane goes in once the
/// lane is empty. What a handler sends to a handler or to an inbound and what an operator appends is
/// counted, but not held back: it might have to wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Rows.
    pub depth: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

impl Capacity {
    /// No limit.
    pub const NONE: Capacity = Capacity { depth: u64::MAX, bytes: u64::MAX };
}

impl Default for Capacity {
    fn default() -> Self {
        Capacity::NONE
    }
}

/// What happens to messages while there is no room for them: the disk is full, or the lane of the
/// inbound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// They are answered AE or CE, and their senders send them again.
    #[default]
    Refuse,
    /// No more are read; those that have been read wait for room without an answer.
    Wait,
}

/// A function that filters and transforms.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    /// Its lane of the stage routed.
    pub lane: LaneId,
    /// How much may wait for it.
    pub capacity: Capacity,
}

impl Handler {
    /// A handler with this lane.
    pub const fn new(lane: LaneId) -> Handler {
        Handler { lane, capacity: Capacity::NONE }
    }
}

/// A lane whose inbound, handler or outbound is no longer configured. Only an operator consumes it.
#[derive(Clone, Copy, Debug)]
pub struct Orphan {
    /// The lane.
    pub lane: LaneId,
    /// Its stage.
    pub stage: Stage,
}

/// A connection that sends.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Its lane of the stage outbound.
    pub lane: LaneId,
    /// Which deliveries may be with the partner at the same time, and in which order.
    pub ordering: Ordering,
    /// How many deliveries may be without an answer, at least 1. Above 1 the order on the wire is
    /// kept, but a refusal may be followed by successes.
    pub window: u32,
    /// What happens to a delivery that fails for now.
    pub retry: Retry,
    /// When a delivery is given up, and what becomes of it.
    pub give_up: GiveUp,
    /// How much may wait for the partner.
    pub capacity: Capacity,
}

impl Outbound {
    /// First in first out, one delivery at a time.
    pub const fn new(lane: LaneId) -> Outbound {
        let (ordering, retry, give_up) = (Ordering::Fifo, Retry::DEFAULT, GiveUp::DEFAULT);
        Outbound { lane, ordering, window: 1, retry, give_up, capacity: Capacity::NONE }
    }
}

/// Which order the deliveries of an outbound keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ordering {
    /// First in, first out.
    #[default]
    Fifo,
    /// First in, first out among those that share a key; others pass.
    Key,
    /// None: whatever waits may leave.
    Unordered,
}

/// When a delivery that failed for now is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts before the delivery is dead; `None`: it is tried for ever.
    pub max_attempts: Option<u32>,
    /// Wait before the second attempt.
    pub backoff: Millis,
    /// What each further wait is multiplied by.
    pub multiplier: u32,
    /// The longest wait.
    pub max_backoff: Millis,
}

impl Retry {
    /// 100 attempts, 5 s before the second, doubled up to 5 minutes.
    pub const DEFAULT: Retry =
        Retry { max_attempts: Some(100), backoff: 5_000, multiplier: 2, max_backoff: 300_000 };
}

impl Default for Retry {
    fn default() -> Self {
        Retry::DEFAULT
    }
}

/// What becomes of a delivery that cannot be delivered: it was refused for good, its attempts are
/// used up, or its time is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GiveUp {
    /// How long a delivery may be the first of its lane; `None`: for ever. Time in which the lane is
    /// paused or stopped does not count, nor does what has passed since the last attempt before a
    /// restart.
    pub after: Option<Millis>,
    /// Count only the time in which the partner can be reached.
    pub only_connected: bool,
    /// What becomes of it.
    pub then: Then,
}

impl GiveUp {
    /// Never because of its time; then it is dead.
    pub const DEFAULT: GiveUp = GiveUp { after: None, only_connected: false, then: Then::Dead };
}

/// What becomes of a delivery that is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// It is dead, and its message ends in ERROR.
    #[default]
    Dead,
    /// It is held for an operator, and its message stays open.
    Hold,
    /// The lane stops, with the delivery first.
    Stop,
}
