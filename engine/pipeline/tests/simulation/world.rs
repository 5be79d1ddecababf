//! What everybody in a run shares.

use mllp_pipeline::{Now, Sabotage};

use crate::hours;
use crate::operator::Operator;
use crate::partner::Partner;
use crate::renewing::Renewing;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::store::{Lane, Store};

/// What is planted: a fault of the pipeline, or one of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    Nothing,
    Pipeline(Sabotage),
    /// The host says that a delivery was taken when an answer to another message comes.
    ForeignReply,
    /// The host does a job again after a crash, though the store knows that it is done.
    ReplayTwice,
    /// The host does not tell the pipeline what was switched off in an earlier life.
    LoseSwitch,
}

impl Planted {
    pub fn from_name(name: &str) -> Planted {
        match Sabotage::ALL.into_iter().find(|it| it.name() == name) {
            Some(sabotage) => Planted::Pipeline(sabotage),
            None if name == "foreign-reply" => Planted::ForeignReply,
            None if name == "replay-twice" => Planted::ReplayTwice,
            None if name == "lose-switch" => Planted::LoseSwitch,
            None => panic!("SIM_VARIANT names no planted fault"),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Planted::Nothing => "nothing",
            Planted::Pipeline(sabotage) => sabotage.name(),
            Planted::ForeignReply => "foreign-reply",
            Planted::ReplayTwice => "replay-twice",
            Planted::LoseSwitch => "lose-switch",
        }
    }
}

/// A disk with room for everything.
pub const ROOMY: u64 = 1 << 20;

pub struct World {
    pub now: u64,
    /// The wall clock; it jumps.
    pub wall: u64,
    /// The faults have stopped.
    pub calm: bool,
    pub rng: Rng,
    pub scenario: Scenario,
    pub planted: Planted,
    pub store: Store,
    pub partners: Vec<Partner>,
    pub operator: Operator,
    pub hours: hours::Known,
    pub renewing: Renewing,
    pub last_ticket: u64,
    /// Bytes that are free on the disk.
    pub free: u64,
    traced: bool,
}

impl World {
    pub fn new(seed: u64, planted: Planted) -> World {
        let mut rng = Rng(seed);
        let scenario = Scenario::new(&mut rng);
        let mut store = Store::default();
        let graph = &scenario.graph;
        let inbounds = graph.inbounds.iter().map(|it| (it.lane, it.capacity));
        let handlers = graph.handlers.iter().map(|it| (it.lane, it.capacity));
        for (id, capacity) in inbounds.chain(handlers) {
            store.lanes.insert(id, Lane { capacity, ..Lane::default() });
        }
        for outbound in &graph.outbounds {
            let lane = store.lanes.entry(outbound.lane).or_default();
            (lane.widest, lane.ordering) = (outbound.window.into(), outbound.ordering);
            lane.capacity = outbound.capacity;
        }
        let partner = |it: &mllp_pipeline::Outbound| Partner::new(it.lane, it.retry, it.give_up);
        let partners = graph.outbounds.iter().map(partner).collect();
        let traced = std::env::var_os("SIM_SEED").is_some();
        let wall = 1_700_000_000_000;
        World {
            now: 0,
            wall,
            calm: false,
            rng,
            scenario,
            planted,
            store,
            partners,
            operator: Operator::default(),
            hours: hours::Known::default(),
            renewing: Renewing::default(),
            last_ticket: 0,
            free: ROOMY,
            traced,
        }
    }

    pub fn clock(&self) -> Now {
        Now { steady: self.now, wall: self.wall }
    }

    pub fn pass(&mut self, milliseconds: u64) {
        self.now += milliseconds;
        self.wall += milliseconds;
    }

    /// Whether a fault strikes now that strikes once in `rate` times.
    pub fn strikes(&mut self, rate: u64) -> bool {
        !self.calm && self.rng.one_in(rate)
    }

    /// Half of the time that a commit takes.
    pub fn commit_time(&mut self) -> u64 {
        let longest = if self.calm { self.scenario.commit.min(20) } else { self.scenario.commit };
        self.rng.below(longest + 1)
    }

    pub fn partner(&mut self, lane: mllp_pipeline::LaneId) -> &mut Partner {
        self.partners.iter_mut().find(|it| it.lane == lane).expect("partner")
    }

    /// What has happened, for whoever replays a run.
    pub fn tell(&self, what: impl std::fmt::Display) {
        if self.traced {
            println!("{:6} {what}", self.now);
        }
    }
}
