//! The plan `kill`: SIGKILL at random moments under load, and between two of them now and then SIGSTOP
//! and SIGCONT, a clock that jumps, or an operator who pauses, holds, cancels, releases and sends
//! again.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use mllp_disk::Rng;

use crate::plan::Plan;
use crate::process::Feed;
use crate::progress::Progress;
use crate::sender::Pace;
use crate::verdict::Verdict;

/// The least that half an hour has to do, so that the run proves something.
const KILLS: u64 = 300;
const ACKNOWLEDGED: u64 = 100_000;
const HALF_AN_HOUR: u64 = 1800;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// What an operator does in a row.
const OPERATED: u32 = 8;
/// How far the clock of the engine jumps: back, ahead, and to the right time again.
const JUMPS: [i64; 4] = [-DAY, 365 * DAY, 90_000, 0];

/// Runs the plan.
///
/// # Errors
///
/// The system refuses a file, a socket or a process: the run says nothing about the engine.
pub fn run(plan: &Plan) -> io::Result<Verdict> {
    let mut rng = Rng::new(plan.seed);
    let mut verdict = Verdict::default();
    let data = plan.folder.join("data");
    let mut feed =
        Feed::start(&plan.program, &data, &plan.folder, Pace::Steady(60), plan.sabotage, &mut rng)?;
    let progress = Progress::begin(plan.seconds);
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let until_then = pause(&mut rng).min(left);
        bad_time(&mut feed, until_then, &mut rng, &mut verdict)?;
        feed.engine.kill();
        verdict.count("kills", 1);
        feed.start_again()?;
        let acknowledged = feed.files.answers().0;
        progress.tell(|| format!("{acknowledged} acknowledged, {}", verdict.so_far()));
    }
    verdict.add(feed.finish()?);
    verdict.at_least("kills", KILLS * plan.seconds / HALF_AN_HOUR);
    verdict.at_least("acknowledged", ACKNOWLEDGED * plan.seconds / HALF_AN_HOUR);
    Ok(verdict)
}

/// Until the next kill: up to four seconds, and sometimes while the engine is still starting.
fn pause(rng: &mut Rng) -> Duration {
    match rng.one_in(8) {
        true => Duration::from_millis(rng.below(300)),
        false => Duration::from_millis(1_000 + rng.below(3_000)),
    }
}

/// What the engine lives through before it is killed.
fn bad_time(
    feed: &mut Feed,
    length: Duration,
    rng: &mut Rng,
    verdict: &mut Verdict,
) -> io::Result<()> {
    let half = length / 2;
    thread::sleep(half / 2);
    // What was paused before the kill is paused no longer.
    feed.engine.operate(None)?;
    thread::sleep(half / 2);
    match rng.below(6) {
        0 => {
            feed.engine.freeze(true)?;
            verdict.count("stopped by SIGSTOP", 1);
            thread::sleep(half.mul_f64(0.1 * rng.below(8) as f64));
            // Half of them are killed before they go on.
            if rng.one_in(2) {
                feed.engine.freeze(false)?;
                thread::sleep(half / 4);
            }
        }
        1 => {
            let jump = JUMPS[rng.below(JUMPS.len() as u64) as usize];
            feed.engine.set_clock(jump)?;
            verdict.count("jumps of the clock", 1);
            thread::sleep(half);
        }
        2 | 3 => {
            for _ in 0..OPERATED {
                thread::sleep(half / OPERATED);
                feed.engine.operate(Some(rng.next()))?;
            }
            verdict.count("acts of an operator", OPERATED.into());
        }
        _ => thread::sleep(half),
    }
    Ok(())
}
