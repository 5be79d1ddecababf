//! Seeded simulation: senders and receivers on a network that splits, joins, delays, stalls, cuts
//! and swallows, in virtual time. What must hold at every step stands in [`invariant`], each with
//! what it means:
//!
//! 1. every complete frame is answered exactly once and in order;
//! 2. nothing truncated is answered positively;
//! 3. no reply is credited to another message;
//! 4. every message handed to an initiator ends in exactly one verdict;
//! 5. what a verdict says became of its message is true;
//! 6. memory stays within its fixed capacity;
//! 7. a time that has run out acts;
//! 8. after the faults stop, progress resumes.
//!
//! The checks do not believe the code under test: a `reference` reads the stream once more byte by
//! byte, and a `ledger` knows for which message each reply was made.
//!
//! One seed is one life of a link. Variables of the environment choose other lives; see [`lives`].

mod client;
mod connection;
mod hl7;
mod hostile;
mod invariant;
mod ledger;
mod lives;
mod memory;
mod network;
mod outlet;
mod receiving;
mod reference;
mod run;
mod sabotage;
mod scenario;
mod server;
mod variants;
mod world;

use run::run;
use sabotage::Sabotage;

/// Runs a seed and returns what it broke.
fn outcome(seed: u64, sabotage: Sabotage) -> Result<(), String> {
    std::panic::catch_unwind(|| run(seed, sabotage)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or(panic.downcast_ref::<&str>().map(|it| it.to_string())).unwrap_or_default()
    })
}

fn run_seed(seed: u64, sabotage: Sabotage) {
    if let Err(what) = outcome(seed, sabotage) {
        let variant = match sabotage {
            Sabotage::None => String::new(),
            _ => format!(" SIM_VARIANT={sabotage:?}"),
        };
        panic!("{what}\nreplay it with SIM_SEED={seed}{variant}");
    }
}
