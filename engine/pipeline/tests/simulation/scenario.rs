//! What a seed chooses before the run.

use mllp_pipeline::{
    Acknowledge, Capacity, Closed, GiveUp, Graph, Handler, Inbound, LaneId, Limits, OnFull,
    Ordering, Outbound, Retry, Then,
};

use crate::functions::Targets;
use crate::rng::Rng;

/// How often things go wrong, one in so many; 0 is never.
pub struct Faults {
    /// A crash at the boundary of a commit.
    pub crash_at_commit: u64,
    /// A crash at any step.
    pub crash: u64,
    pub refused: u64,
    pub unknown: u64,
    pub fenced: u64,
    /// A worker dies during a call.
    pub worker: u64,
    /// A call takes longer than it may.
    pub slow_call: u64,
    /// A partner refuses for now.
    pub refusal: u64,
    /// A partner takes a message and does not answer.
    pub silence: u64,
    /// A partner answers for another message.
    pub lie: u64,
    /// The connection is not there.
    pub transport: u64,
    /// The wall clock jumps.
    pub clock: u64,
    /// Another node appends.
    pub other_node: u64,
    /// Rows cannot be read.
    pub unreadable: u64,
    /// The host cannot send, through no fault of the partner.
    pub ours: u64,
    /// An operator stops and starts the engine.
    pub operator: u64,
    /// Somebody fills the disk, or makes room on it.
    pub disk: u64,
    /// An operator gives a command.
    pub commands: u64,
    /// A partner does not let us in.
    pub credential: u64,
    /// A schedule closes a connection.
    pub hours: u64,
}

/// Bytes of the disk that are kept free.
pub const MIN_FREE: u64 = 1_000;

pub struct Scenario {
    pub graph: Graph,
    /// How many inbounds receive. The others come after them: handlers alone send to these.
    pub receiving: usize,
    pub messages: usize,
    /// Messages of one sender without an answer.
    pub outstanding: usize,
    /// How long a commit takes at most, in milliseconds.
    pub commit: u64,
    pub faults_end: u64,
    pub faults: Faults,
    /// Identities are so short that different bytes share one.
    pub weak_hash: bool,
    /// One message in so many stands in chunks.
    pub chunked: u64,
    /// One message in so many is sent twice.
    pub doubled: u64,
    /// A restart chooses other windows.
    pub resized: bool,
    /// The outbounds have rules for answers.
    pub decides: bool,
}

impl Scenario {
    pub fn new(rng: &mut Rng) -> Scenario {
        // Lane numbers with gaps, and in no order of the stages.
        let mut lane = 0;
        let mut next = |rng: &mut Rng| {
            lane += 1 + rng.below(3) as u32;
            LaneId(lane)
        };
        let outbounds = (0..1 + rng.below(3)).map(|_| outbound(next(rng), rng)).collect();
        let receiving = 1 + rng.below(2) as usize;
        let mut inbounds: Vec<Inbound> = (0..receiving)
            .map(|_| {
                let acknowledge = acknowledge(rng);
                let waits = acknowledge != Acknowledge::Stored;
                Inbound {
                    deduplicate: waits || !rng.one_in(4),
                    acknowledge,
                    on_full: rng.pick(&[OnFull::Refuse, OnFull::Wait]),
                    capacity: capacity(rng),
                    closed: rng.pick(&[Closed::Unreachable, Closed::Answer]),
                    ..Inbound::new(next(rng))
                }
            })
            .collect();
        let handlers = (0..1 + rng.below(3))
            .map(|_| Handler { capacity: capacity(rng), ..Handler::new(next(rng)) })
            .collect();
        let passes = rng.pick(&[0, 0, 1, 2]);
        inbounds.extend(
            (0..passes)
                .map(|_| Inbound { capacity: capacity(rng), ..Inbound::pass_through(next(rng)) }),
        );
        let limits = limits(rng);
        let mut graph = Graph { inbounds, handlers, outbounds, orphans: Vec::new(), limits };
        let (messages, outstanding) = (1 + rng.below(24) as usize, 1 + rng.below(6) as usize);
        let (commit, faults_end) = (rng.pick(&[0, 2, 20, 300]), 500 + rng.below(8_000));
        let mut faults = faults(rng);
        match faults.commands {
            // The lane would never be started again.
            0 => faults.credential = 0,
            _ => graph.outbounds.iter_mut().for_each(|it| it.give_up = give_up(rng)),
        }
        Scenario {
            graph,
            receiving,
            messages,
            outstanding,
            commit,
            faults_end,
            faults,
            weak_hash: rng.one_in(8),
            chunked: rng.pick(&[0, 0, 4]),
            doubled: rng.pick(&[0, 3, 10]),
            resized: rng.one_in(3),
            decides: rng.one_in(4),
        }
    }
}

impl Scenario {
    /// The inbounds that receive.
    pub fn receiving(&self) -> &[Inbound] {
        &self.graph.inbounds[..self.receiving]
    }

    pub fn targets(&self) -> Targets {
        let Graph { handlers, outbounds, inbounds, .. } = &self.graph;
        Targets {
            handlers: handlers.len(),
            outbounds: outbounds.len(),
            inbounds: self.receiving..inbounds.len(),
        }
    }
}

fn acknowledge(rng: &mut Rng) -> Acknowledge {
    let within = rng.pick(&[0, 0, 0, 50, 1_000, 30_000]);
    if within == 0 { Acknowledge::Stored } else { Acknowledge::Delivered { within } }
}

fn capacity(rng: &mut Rng) -> Capacity {
    let none = u64::MAX;
    Capacity {
        depth: rng.pick(&[none, none, none, 1, 2, 5]),
        bytes: rng.pick(&[none, none, none, 30, 200]),
    }
}

fn outbound(lane: LaneId, rng: &mut Rng) -> Outbound {
    let retry = Retry {
        max_attempts: rng.pick(&[None, None, Some(1), Some(3), Some(10)]),
        backoff: rng.pick(&[1, 30, 500]),
        multiplier: rng.pick(&[1, 2, 3]),
        max_backoff: rng.pick(&[500, 3_000]),
    };
    let ordering = rng.pick(&[Ordering::Fifo, Ordering::Fifo, Ordering::Key, Ordering::Unordered]);
    let window = match ordering {
        Ordering::Fifo => rng.pick(&[1, 1, 1, 2, 4]),
        Ordering::Key | Ordering::Unordered => rng.pick(&[1, 2, 3, 5]),
    };
    let capacity = capacity(rng);
    Outbound { ordering, window, retry, capacity, ..Outbound::new(lane) }
}

fn give_up(rng: &mut Rng) -> GiveUp {
    GiveUp {
        after: rng.pick(&[None, None, Some(200), Some(2_000)]),
        only_connected: rng.one_in(2),
        then: rng.pick(&[Then::Dead, Then::Dead, Then::Hold, Then::Stop]),
    }
}

fn limits(rng: &mut Rng) -> Limits {
    Limits {
        look_ahead: rng.pick(&[1, 2, 5, 100]),
        key_look_ahead: rng.pick(&[2, 3, 5, 100]),
        parked: rng.pick(&[0, 2, 100, 100]),
        held_bytes: rng.pick(&[0, 100, 1_000_000]),
        waiting: rng.pick(&[1, 4, 100]),
        waiting_bytes: rng.pick(&[50, 100_000]),
        batch_records: rng.pick(&[1, 8, 30, 4_096]),
        batch_bytes: rng.pick(&[30, 1_000_000]),
        call: rng.pick(&[1, 3, 100]),
        identities: 10_000,
        min_free: Some(MIN_FREE),
    }
}

fn faults(rng: &mut Rng) -> Faults {
    // Some lives know only some of the faults, so that rare ones are not drowned by others.
    let mut rate = |usual: u64| {
        let often = 3 + rng.below(usual);
        rng.pick(&[0, often, usual])
    };
    Faults {
        crash_at_commit: rate(20),
        crash: rate(200),
        refused: rate(10),
        unknown: rate(15),
        fenced: rate(15),
        worker: rate(10),
        slow_call: rate(8),
        refusal: rate(6),
        silence: rate(8),
        lie: rate(8),
        transport: rate(6),
        clock: rate(40),
        other_node: rate(60),
        unreadable: rate(6),
        ours: rate(10),
        operator: rate(250),
        disk: rate(80),
        commands: rate(12),
        credential: rate(40),
        hours: rng.pick(&[0, 0, 60]),
    }
}
