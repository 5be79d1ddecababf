//! Seeded simulation: senders and receivers on a network that splits, joins, delays, stalls, cuts
//! and swallows, in virtual time. `SIM_SEED=n` replays a run, `SIM_SECONDS=n` runs for that long;
//! `SIM_VARIANT=name` with a seed replays one with a broken variant of [`sabotage`].
//!
//! What must hold at every step stands in [`invariant`], each with what it means:
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

mod client;
mod connection;
mod hl7;
mod hostile;
mod invariant;
mod ledger;
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

use std::time::{Duration, Instant};

use network::Rng;
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

#[test]
fn the_link_survives_the_network() {
    let text = |name| std::env::var(name).ok();
    let number = |name| text(name).and_then(|it| it.parse::<u64>().ok());
    let sabotage = text("SIM_VARIANT").map_or(Sabotage::None, |it| Sabotage::from_name(&it));
    if let Some(seed) = number("SIM_SEED") {
        return run_seed(seed, sabotage);
    }
    if let Some(seconds) = number("SIM_SECONDS") {
        let start = Instant::now();
        let mut rng = Rng(std::process::id().into());
        while start.elapsed() < Duration::from_secs(seconds) {
            run_seed(rng.next(), sabotage);
        }
        return;
    }
    let seeds = if cfg!(debug_assertions) { 500 } else { 20_000 };
    (0..seeds).for_each(|seed| run_seed(seed, sabotage));
}
