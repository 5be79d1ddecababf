//! Seeded simulation: whole lives of an engine in virtual time, on a store in memory that survives
//! them. It crashes at every boundary of a commit; commits are refused, fenced, or have an unknown
//! outcome; workers die and dawdle; partners are down, slow, lying or late; clocks jump; operators stop
//! and start it; another node appends to its lanes.
//!
//! `SIM_SEED=n` replays a life and tells what happens, `SIM_VARIANT=name` with one planted fault;
//! `SIM_LIVES=n` runs so many lives, `SIM_SECONDS=n` for that long, `SIM_BASE=n` from that seed on.
//!
//! What must hold stands in [`invariant`]. The checks do not believe the code under test: the `store`
//! is naive and checks what it is given, and a `reference` computes from the bytes of each message what
//! must have become of it.

mod answers;
mod calls;
mod census;
mod check;
mod deciding;
mod delivering;
mod disk;
mod fairness;
mod filling;
mod functions;
mod giving_up;
mod host;
mod hours;
mod invariant;
mod life;
mod message;
mod operated;
mod operator;
mod partner;
mod recovering;
mod reference;
mod renewing;
mod rng;
mod scenario;
mod sender;
mod store;
mod world;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use mllp_pipeline::Sabotage;

use life::run;
use world::Planted;

/// Lives within which each planted fault must be found.
const FOUND_WITHIN: u64 = 300;

/// The tests run one after the other, because one of them silences panics.
static ALONE: Mutex<()> = Mutex::new(());

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|it| it.parse().ok())
}

/// Runs a seed and returns what it broke.
fn outcome(seed: u64, planted: Planted) -> Result<(), String> {
    std::panic::catch_unwind(|| run(seed, planted)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or(panic.downcast_ref::<&str>().map(|it| it.to_string())).unwrap_or_default()
    })
}

fn run_seed(seed: u64, planted: Planted) {
    if let Err(what) = outcome(seed, planted) {
        let variant = match planted {
            Planted::Nothing => String::new(),
            _ => format!(" SIM_VARIANT={}", planted.name()),
        };
        panic!("{what}\nreplay it with SIM_SEED={seed}{variant}");
    }
}

#[test]
fn whole_lives_keep_the_invariants() {
    let _alone = ALONE.lock();
    let variant = std::env::var("SIM_VARIANT").ok();
    let planted = variant.map_or(Planted::Nothing, |name| Planted::from_name(&name));
    if let Some(seed) = number("SIM_SEED") {
        return run_seed(seed, planted);
    }
    let base = number("SIM_BASE").unwrap_or(0);
    if let Some(seconds) = number("SIM_SECONDS") {
        let start = Instant::now();
        let mut lives = 0;
        while start.elapsed() < Duration::from_secs(seconds) {
            run_seed(base + lives, planted);
            lives += 1;
        }
        println!("{lives} lives from {base} on");
        return census::check(lives);
    }
    let lives = number("SIM_LIVES").unwrap_or(if cfg!(debug_assertions) { 500 } else { 20_000 });
    (base..base + lives).for_each(|seed| run_seed(seed, planted));
    println!("{lives} lives from {base} on");
    if planted == Planted::Nothing {
        census::check(lives);
    }
}

#[test]
fn planted_faults_are_found() {
    let _alone = ALONE.lock();
    if number("SIM_SEED").is_some() {
        return;
    }
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let all = Sabotage::ALL.into_iter().map(Planted::Pipeline).chain([
        Planted::ForeignReply,
        Planted::ReplayTwice,
        Planted::LoseSwitch,
    ]);
    let found: Vec<_> = all
        .map(|planted| {
            (
                planted,
                (0..FOUND_WITHIN)
                    .find_map(|seed| outcome(seed, planted).err().map(|what| (seed, what))),
            )
        })
        .collect();
    std::panic::set_hook(hook);
    for (planted, found) in found {
        let (seed, what) = found.unwrap_or_else(|| panic!("{} is not found", planted.name()));
        println!("{}: in life {seed}: {what}", planted.name());
    }
}
