//! The engine as a process on a small file system, which is filled up and emptied.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use mllp_disk::Rng;

use crate::Plan;
use crate::process::Feed;
use crate::sender::Pace;
use crate::small_disk::{Kind, SmallDisk};
use crate::verdict::Verdict;

/// Room for what a round stores, in MiB.
const SIZE: u64 = 256;
/// For how long a round has load: its messages have to fit.
const ROUND: Duration = Duration::from_secs(12);
/// A disk that is full until somebody is refused has room again after this. The log uses the room that
/// it has already for some seconds.
const LONGEST: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_secs(30);

/// One round after another, on each kind of file system in turn.
pub(super) fn run(plan: &Plan, end: Instant, mut rng: Rng) -> io::Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut kinds = vec![Kind::Tmpfs, Kind::Ext4];
    while Instant::now() < end && !kinds.is_empty() && verdict.is_clean() {
        let kind = kinds.remove(0);
        let folder = plan.folder.join("small");
        fs::create_dir_all(&folder)?;
        match SmallDisk::mount(kind, &folder, SIZE)? {
            Some(disk) => {
                verdict.add(round(plan, &disk, &folder, end, &mut rng)?);
                kinds.push(kind);
            }
            None => println!("skipped: a small {kind:?} cannot be mounted here"),
        }
    }
    Ok(verdict)
}

fn round(
    plan: &Plan,
    disk: &SmallDisk,
    ledgers: &Path,
    end: Instant,
    rng: &mut Rng,
) -> io::Result<Verdict> {
    let mut verdict = Verdict::default();
    let data = disk.path().join("data");
    let mut feed =
        Feed::start(&plan.program, &data, ledgers, Pace::Steady(40), plan.sabotage, rng)?;
    feed.orders.may_refuse.store(true, Ordering::Relaxed);
    let end = end.min(Instant::now() + ROUND);
    while Instant::now() < end && verdict.is_clean() {
        be_full_for_a_while(&mut feed, disk, end, rng, &mut verdict)?;
        thread::sleep(Duration::from_millis(rng.below(500)));
    }
    let mut judged = feed.finish()?;
    // Others count the messages of all plans in their own way.
    judged.counts.retain(|(name, _)| matches!(*name, "acknowledged" | "refused"));
    verdict.add(judged);
    Ok(verdict)
}

fn be_full_for_a_while(
    feed: &mut Feed,
    disk: &SmallDisk,
    end: Instant,
    rng: &mut Rng,
    verdict: &mut Verdict,
) -> io::Result<()> {
    let (_, refused) = feed.files.answers();
    disk.fill(rng.below(4) * rng.below(100_000))?;
    let longest = Instant::now() + LONGEST;
    while feed.files.answers().1 == refused && Instant::now() < longest.min(end) {
        thread::sleep(Duration::from_millis(5));
    }
    let was_full = feed.files.answers().1 > refused;
    verdict.count("times without room on a small disk", u64::from(was_full));
    thread::sleep(Duration::from_millis(rng.below(300)));
    let is_killed = rng.one_in(4);
    if is_killed {
        feed.engine.kill();
        disk.fill(0)?;
        let status = feed.start_in_vain()?;
        if status != Some(4) {
            verdict.found(format!("a start on a full disk ends with {status:?}, not with 4"));
        }
    }
    disk.make_room()?;
    if is_killed {
        feed.start_again()?;
    }
    let (acknowledged, _) = feed.files.answers();
    let longest = Instant::now() + PATIENCE;
    while feed.files.answers().0 == acknowledged {
        if Instant::now() > longest {
            verdict
                .found("there is room on the small disk, and nothing is acknowledged".to_owned());
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
