//! What everybody in a run shares.

use ack_gen::AckCode;

use crate::ledger::Ledger;
use crate::network::Rng;
use crate::sabotage::Sabotage;
use crate::sabotage::receiving::Line;
use crate::scenario::Scenario;

/// An application acknowledgment of the enhanced mode that is still to be sent.
pub struct Application {
    pub due: u64,
    pub message: usize,
    pub code: AckCode,
}

pub struct World {
    pub now: u64,
    /// The faults have stopped.
    pub calm: bool,
    pub rng: Rng,
    pub scenario: Scenario,
    pub sabotage: Sabotage,
    pub line: Line,
    pub ledger: Ledger,
    pub applications: Vec<Application>,
    /// A replay tells what happens.
    traced: bool,
}

impl World {
    pub fn new(seed: u64, sabotage: Sabotage) -> World {
        let mut rng = Rng(seed);
        let scenario = Scenario::new(&mut rng);
        World {
            now: 0,
            calm: false,
            rng,
            scenario,
            sabotage,
            line: Line::default(),
            ledger: Ledger::default(),
            applications: Vec::new(),
            traced: std::env::var_os("SIM_SEED").is_some(),
        }
    }

    /// What has happened, for whoever replays a run.
    pub fn tell(&self, what: impl std::fmt::Display) {
        if self.traced {
            println!("{:6} {what}", self.now);
        }
    }

    /// When a byte that is written now arrives.
    pub fn arrival(&mut self) -> u64 {
        self.now + self.rng.below(if self.calm { 3 } else { 30 })
    }

    /// How much of `len` bytes is taken at once.
    pub fn part(&mut self, len: usize) -> usize {
        match !self.calm && len > 1 && self.rng.one_in(2) {
            true => 1 + self.rng.below(len as u64) as usize,
            false => len,
        }
    }
}
