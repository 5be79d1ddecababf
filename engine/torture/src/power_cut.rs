//! The plan `power-cut`: what a power cut may leave at any moment, opened and compared.
//!
//! In each round an engine runs on a disk in memory, under load and with an operator, until everything
//! is delivered. Its store is verified; then the log of the disk is walked, and at random points, above
//! all just after an acknowledgment, an image is made and checked. The next round begins with one of the
//! images, or with an empty disk, so that the making of the store is cut short as well.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use mllp_disk::Rng;

use crate::live::{Conditions, ENOUGH, Life, PATIENCE, Start, hush};
use crate::operator;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::sender::Pace;
use crate::verdict::Verdict;

/// Messages of each connection in a round.
const MESSAGES: u32 = 50;
/// What an operator does in a round, at most.
const OPERATED: u64 = 24;
/// Images of a round: just after an acknowledgment or an arrival, and elsewhere.
const IMAGES: [u64; 2] = [50, 50];
/// Rounds that follow from one another.
const GENERATIONS: u32 = 3;
/// The least that half an hour has to do.
const LEAST_IMAGES: u64 = 10_000;
const LEAST_ACKNOWLEDGED: u64 = 50_000;
const HALF_AN_HOUR: u64 = 1800;

/// Runs the plan.
///
/// # Errors
///
/// The system refuses a file or a socket: the run says nothing about the engine.
pub fn run(plan: &Plan) -> io::Result<Verdict> {
    hush();
    let mut rng = Rng::new(plan.seed);
    let mut verdict = Verdict::default();
    let mut start = Start::default();
    let progress = Progress::begin(plan.seconds);
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    while Instant::now() < end && verdict.findings.len() < ENOUGH {
        verdict.count("rounds", 1);
        start = round(plan, &start, &mut rng, &mut verdict)?;
        progress.tell(|| verdict.so_far());
    }
    if verdict.is_clean() {
        verdict.at_least("images", LEAST_IMAGES * plan.seconds / HALF_AN_HOUR);
        verdict.at_least("acknowledged", LEAST_ACKNOWLEDGED * plan.seconds / HALF_AN_HOUR);
    }
    Ok(verdict)
}

/// Runs an engine until everything is delivered, and cuts its power; returns where the next begins.
fn round(plan: &Plan, start: &Start, rng: &mut Rng, verdict: &mut Verdict) -> io::Result<Start> {
    let (folder, sabotage) = (&plan.folder, plan.sabotage);
    let pace = Pace::AtOnce(MESSAGES);
    let conditions = Conditions { folder, sabotage, pace, trouble: None };
    let life = Life::begin(&conditions, start, rng, verdict)?;
    for _ in 0..rng.below(OPERATED) {
        thread::sleep(Duration::from_millis(rng.below(50)));
        operator::work(&life.engine, rng);
    }
    life.come_to_rest(verdict);
    let lived = life.stop(PATIENCE, verdict);
    verdict.count("acknowledged", lived.acknowledged(start));
    lived.verify(folder, verdict)?;
    Ok(match lived.walk(folder, start, IMAGES, rng, verdict) {
        Some((image, count)) if start.generation < GENERATIONS => Start {
            image,
            seen: lived.seen[..count].to_vec(),
            last: lived.last,
            generation: start.generation + 1,
        },
        _ => Start::default(),
    })
}
