//! The plan `disk-full`: a disk without room, at one write after another, and room again.
//!
//! Some engines live on disks in memory, which refuse the N-th write from now, whole or short, once or
//! until there is room; each N comes in turn. A life ends at rest, or with a stop while the disk is
//! full, or with a write or a sync that fails for good; what a power cut then leaves is where the next
//! begins. Beside them a process lives on small file systems that are filled up and emptied. Whatever
//! happens, nothing is answered AA that is not stored, and the engine goes on by itself.

mod small;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mllp_disk::{Rng, Trouble};
use mllp_engine::Error;

use crate::live::{Conditions, ENOUGH, Life, PATIENCE, Start, hush, wait_for};
use crate::operator;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::sabotage::Sabotage;
use crate::sender::Pace;
use crate::verdict::Verdict;

/// Engines at a time: after a refusal one of them waits for a second.
const LIVES: u64 = 4;
/// How often the disk of a life is full at most.
const TIMES: u64 = 5;
/// Each write from the next to this one is refused in turn.
const WRITES: u64 = 64;
/// A full disk has room again after this.
const LONGEST: Duration = Duration::from_millis(1200);
/// Lives that follow from one another.
const GENERATIONS: u32 = 3;
/// A stop does not wait longer for a disk that is full.
const STOP: Duration = Duration::from_millis(300);
/// Images of a life: just after an acknowledgment or an arrival, and elsewhere.
const IMAGES: [u64; 2] = [10, 10];
/// The least that half an hour has to do.
const LEAST_FULL: u64 = 2_000;
const LEAST_ACKNOWLEDGED: u64 = 100_000;
const HALF_AN_HOUR: u64 = 1800;
const FULL: &str = "times without room";

/// Runs the plan.
///
/// # Errors
///
/// The system refuses a file, a socket or a process: the run says nothing about the engine.
pub fn run(plan: &Plan) -> io::Result<Verdict> {
    hush();
    let mut rng = Rng::new(plan.seed);
    let times = AtomicU64::new(rng.below(WRITES));
    let progress = Progress::begin(plan.seconds);
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let mut verdict = Verdict::default();
    thread::scope(|scope| -> io::Result<()> {
        let mut running = Vec::new();
        for number in 0..LIVES {
            let (rng, times, progress) = (Rng::new(rng.next()), &times, &progress);
            let folder = plan.folder.join(format!("memory-{number}"));
            running.push(scope.spawn(move || in_memory(plan, &folder, times, progress, end, rng)));
        }
        let rng = Rng::new(rng.next());
        running.push(scope.spawn(move || small::run(plan, end, rng)));
        for thread in running {
            let failed = |_| io::Error::other("a part of the plan has failed");
            verdict.add(thread.join().map_err(failed)??);
        }
        Ok(())
    })?;
    if verdict.is_clean() {
        verdict.at_least(FULL, LEAST_FULL * plan.seconds / HALF_AN_HOUR);
        verdict.at_least("acknowledged", LEAST_ACKNOWLEDGED * plan.seconds / HALF_AN_HOUR);
    }
    Ok(verdict)
}

/// One life after another on a disk in memory.
fn in_memory(
    plan: &Plan,
    folder: &Path,
    times: &AtomicU64,
    progress: &Progress,
    end: Instant,
    mut rng: Rng,
) -> io::Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut start = Start::default();
    while Instant::now() < end && verdict.findings.len() < ENOUGH {
        verdict.count("lives", 1);
        start = live(plan.sabotage, folder, &start, times, &mut rng, &mut verdict)?;
        progress.tell(|| format!("one of {LIVES} disks in memory: {}", verdict.so_far()));
    }
    Ok(verdict)
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    AtRest,
    /// A stop, while the disk is full.
    WithoutRoom,
    /// By itself.
    By(Trouble),
}

/// Lives once; returns where the next life begins.
fn live(
    sabotage: Option<Sabotage>,
    folder: &Path,
    start: &Start,
    times: &AtomicU64,
    rng: &mut Rng,
    verdict: &mut Verdict,
) -> io::Result<Start> {
    let trouble = rng.one_in(2).then(|| (Trouble::Full, rng.below(12)));
    let conditions = Conditions { folder, sabotage, pace: Pace::Steady(60), trouble };
    let life = Life::begin(&conditions, start, rng, verdict)?;
    life.orders.may_refuse.store(true, Ordering::Relaxed);
    for _ in 0..1 + rng.below(TIMES) {
        be_full_for_a_while(&life, times, rng, verdict);
        operator::work(&life.engine, rng);
    }
    let end = match rng.below(4) {
        _ if start.generation == GENERATIONS => End::AtRest,
        0 => End::WithoutRoom,
        1 => End::By(Trouble::SyncFails),
        2 => End::By(Trouble::WriteFails),
        _ => End::AtRest,
    };
    let deadline = come_to(end, &life, rng, verdict);
    let lived = life.stop(deadline, verdict);
    lived.disk.trouble(None, false);
    verdict.count("acknowledged", lived.acknowledged(start));
    match (end, &lived.stopped) {
        (End::AtRest, _) => lived.verify(folder, verdict)?,
        (End::WithoutRoom, Ok(()) | Err(Error::Unfinished)) => {
            verdict.count("stops without room", 1)
        }
        (End::By(_), Err(error)) if error.exit_status() == 5 => verdict.count("ends by itself", 1),
        (_, stopped) => verdict.found(format!("{end:?}: stopped with {stopped:?}")),
    }
    lived.walk(folder, start, IMAGES, rng, verdict);
    let image = lived.last_image(start, rng);
    crate::image::check(folder, &image, &lived.seen, verdict);
    Ok(match start.generation < GENERATIONS {
        true => {
            Start { image, last: lived.last, seen: lived.seen, generation: start.generation + 1 }
        }
        false => Start::default(),
    })
}

/// Brings the end about; returns how long the stop may take.
fn come_to(end: End, life: &Life, rng: &mut Rng, verdict: &mut Verdict) -> Duration {
    match end {
        End::AtRest => {
            life.come_to_rest(verdict);
            PATIENCE
        }
        End::WithoutRoom => {
            strike(life, Trouble::Full, rng.below(WRITES), true, verdict);
            STOP
        }
        End::By(trouble) => {
            strike(life, trouble, rng.below(WRITES), false, verdict);
            if !wait_for(|| life.engine.has_ended()) {
                verdict.found(format!("{trouble:?}: the engine goes on"));
            }
            PATIENCE
        }
    }
}

/// The disk is full at the write whose turn it is, until there is room; then the engine goes on.
fn be_full_for_a_while(life: &Life, times: &AtomicU64, rng: &mut Rng, verdict: &mut Verdict) {
    let turn = times.fetch_add(1, Ordering::Relaxed);
    let trouble = [Trouble::Full, Trouble::FullHalfway][(turn / WRITES % 2) as usize];
    let lasts = !rng.one_in(3);
    let refused = life.disk.failed() + rng.below(4);
    if !strike(life, trouble, turn % WRITES, lasts, verdict) {
        return;
    }
    verdict.count(FULL, 1);
    let end = Instant::now() + LONGEST;
    while life.disk.failed() < refused && Instant::now() < end {
        thread::sleep(Duration::from_millis(2));
    }
    life.disk.trouble(None, false);
    let acknowledged = life.marks.acknowledged();
    if !wait_for(|| life.marks.acknowledged() > acknowledged) {
        verdict.found("there is room, and nothing is acknowledged for half a minute".to_owned());
    }
}

/// Makes trouble at the `after`-th write from now, or at a sync, and waits for it.
fn strike(life: &Life, trouble: Trouble, after: u64, lasts: bool, verdict: &mut Verdict) -> bool {
    let failed = life.disk.failed();
    let after = if trouble == Trouble::SyncFails { after / 16 } else { after };
    life.disk.trouble(Some((trouble, after)), lasts);
    let has_struck = wait_for(|| life.disk.failed() > failed);
    if !has_struck {
        verdict.found("nothing is written for half a minute".to_owned());
    }
    has_struck
}
