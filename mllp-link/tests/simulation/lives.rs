//! Which lives are lived.
//!
//! * `SIM_SEED=n` replays one and tells what happens in it; `SIM_VARIANT=name` with it replays one
//!   with a broken variant of [`Sabotage`].
//! * `SIM_LIVES=n` lives so many, `SIM_SECONDS=n` as many as that time takes; without either, 20,000,
//!   or 500 in a debug build.
//! * `SIM_BASE=text` is what their seeds are made from. The same text gives the same lives, so CI
//!   gives the name of its commit. Without it every run has the same lives, but one of a given
//!   number or time has its own.
//!
//! A run says at its end how many lives there were and from which base.

use std::env;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::network::Rng;
use crate::run_seed;
use crate::sabotage::Sabotage;

/// Seeds that have failed, each with its cause. The lives that they stand for are different ones
/// whenever the simulation changes: what a fault of the link was is a test of its own as well.
const FAILED: [u64; 7] = [
    // The simulation: noise after the beginning of a message put it over the limit. It was refused,
    // as it must be, and the invariant expected a payload that somebody had sent.
    10617109272388214881,
    2351761216305951288,
    // The simulation: in the calm, the simulated application took longer than the sender waits.
    2147756978434988864,
    11096112821891071077,
    10441530162079275827,
    // The link: a message without a name took a reply that named another one, which was still to
    // be sent.
    4192067590845691237,
    // The link: a rule took a reply without a name for a receipt while two messages were in flight,
    // one of which asked for no answer.
    4118077861741546463,
];

#[test]
fn what_has_failed_once_holds() {
    FAILED.into_iter().for_each(|seed| run_seed(seed, Sabotage::None));
}

#[test]
fn the_link_survives_the_network() {
    let sabotage = text("SIM_VARIANT").map_or(Sabotage::None, |it| Sabotage::from_name(&it));
    if let Some(seed) = number("SIM_SEED") {
        return run_seed(seed, sabotage);
    }
    let (seconds, lives) = (number("SIM_SECONDS"), number("SIM_LIVES"));
    let base = text("SIM_BASE").unwrap_or_else(|| match (seconds, lives) {
        (None, None) => "0".into(),
        _ => std::process::id().to_string(),
    });
    let count = lives.unwrap_or(if cfg!(debug_assertions) { 500 } else { 20_000 });
    let (start, mut rng, mut lived) = (Instant::now(), Rng(hash(&base)), 0);
    let over = |lived| match seconds {
        Some(seconds) => start.elapsed() >= Duration::from_secs(seconds),
        None => lived >= count,
    };
    while !over(lived) {
        run_seed(rng.next(), sabotage);
        lived += 1;
    }
    // Not with `println`, which a test that succeeds swallows.
    let _ = writeln!(std::io::stderr(), "simulation: {lived} lives, SIM_BASE={base}");
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

fn number(name: &str) -> Option<u64> {
    let text = text(name)?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
