//! Two links on a line that flips, loses, doubles, inserts, swaps, delays and breaks, in virtual time.
//!
//! Every message is delivered once and in order, or reported to its sender; and what its sender counts as
//! delivered is stored. A life is a seed: `SIM_LIVES=10000 SIM_BASE=17` lives that many from there.

#[path = "../support/mod.rs"]
mod support;

mod contention;
mod end;
mod invariant;
mod line;
mod random;
mod sabotage;
mod world;

use invariant::Findings;
use sabotage::Sabotage;
use world::{Scenario, World};

/// Lives one life.
fn live(seed: u64, sabotage: Sabotage) -> Findings {
    let mut world = World::new(Scenario::random(seed), sabotage);
    world.run();
    invariant::check(&world)
}

fn number(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    // A commit is a base as good as a number.
    text.parse().unwrap_or_else(|_| {
        text.bytes()
            .fold(7, |hash: u64, byte| hash.wrapping_mul(0x100_0000_01B3).wrapping_add(byte.into()))
    })
}

#[test]
fn no_acknowledged_message_is_lost() {
    let (lives, base) = (number("SIM_LIVES", 1_500), number("SIM_BASE", 0));
    let mut total = Findings::default();
    for life in 0..lives {
        let seed = base.wrapping_add(life);
        let found = live(seed, Sabotage::None);
        assert!(found.violations.is_empty(), "seed {seed}: {:?}", found.violations);
        total.add(&found);
    }
    println!("{lives} lives: {total:?}");
    // A simulation in which nothing happens proves nothing.
    for (what, count) in total.counts() {
        assert!(count > 0 || lives < 1_000, "{what} never happened");
    }
}

/// Each rule that is turned off is missed.
#[test]
fn every_rule_is_needed() {
    for sabotage in Sabotage::ALL {
        let found = (0..6_000).find(|&seed| !live(seed, sabotage).violations.is_empty());
        println!("{sabotage:?}: seed {found:?}");
        assert!(found.is_some(), "{sabotage:?} is not found");
    }
}

/// Seeds that found something once.
#[test]
fn kept_seeds() {
    for seed in KEPT {
        let found = live(*seed, Sabotage::None);
        assert!(found.violations.is_empty(), "seed {seed}: {:?}", found.violations);
    }
}

const KEPT: &[u64] = &[
    // An STX between ETX and the sum: a frame without a sum, whose text noise had changed.
    1_020_942,
    // The end of the last frame became ENQ, and silence followed: an ACK to it was taken for the frame's.
    1_116_443,
];
