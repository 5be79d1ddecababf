//! The plan `power-cut`: what a power cut may leave at any moment, opened and compared.
//!
//! In each round an engine runs on a disk in memory, under load, until everything is delivered. Its
//! store is verified; then the log of the disk is walked, and at random points, above all just after
//! an acknowledgment, an image is made and checked. The next round begins with one of the images, or
//! with an empty disk, so that the making of the store is cut short as well.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mllp_disk::{Disk, Image, Replay, Rng, Step};
use mllp_engine::Engine;
use mllp_store::SqliteStore;

use crate::graph::{self, Places};
use crate::ledger::Witness;
use crate::load::{INBOUNDS, Sent};
use crate::marks::{Marks, Seen, parted};
use crate::partners::Partners;
use crate::sabotage::Sabotage;
use crate::sender::{Orders, Pace, Sender};
use crate::slow::Slow;
use crate::verdict::Verdict;
use crate::{image, verify};

const CONNECTIONS: u32 = 4;
/// Messages of each connection in a round.
const MESSAGES: u32 = 50;
/// Images of a round: just after an acknowledgment or an arrival, and elsewhere.
const IMAGES: [u64; 2] = [50, 50];
/// Rounds that follow from one another.
const GENERATIONS: u32 = 3;
/// A round that takes longer has come to a halt.
const PATIENCE: Duration = Duration::from_secs(30);
/// With this many findings there is nothing more to learn.
const ENOUGH: usize = 100;
/// The least that half an hour has to do.
const LEAST_IMAGES: u64 = 10_000;
const HALF_AN_HOUR: u64 = 1800;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// For how long.
    pub seconds: u64,
    /// Chooses everything that is left to chance here; what the machine does is not in it.
    pub seed: u64,
    /// A planted fault.
    pub sabotage: Option<Sabotage>,
    /// An empty folder, for the lock of the store alone.
    pub folder: PathBuf,
}

/// Where a round begins.
#[derive(Default)]
struct Start {
    image: Image,
    /// What was seen before the power cut that has left it.
    seen: Vec<Seen>,
    /// The last number of each connection.
    last: u32,
    generation: u32,
}

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
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    while Instant::now() < end && verdict.findings.len() < ENOUGH {
        verdict.count("rounds", 1);
        let (log, seen) = live(plan, &start, &mut rng, &mut verdict)?;
        let next = walk(plan, &start, &log, &seen, &mut rng, &mut verdict);
        start = match next {
            Some((image, count)) if start.generation < GENERATIONS => Start {
                image,
                seen: seen[..count].to_vec(),
                last: start.last + MESSAGES,
                generation: start.generation + 1,
            },
            _ => Start::default(),
        };
    }
    if verdict.is_clean() {
        verdict.at_least("images", LEAST_IMAGES * plan.seconds / HALF_AN_HOUR);
    }
    Ok(verdict)
}

/// Handlers fail on purpose, and need not say so.
fn hush() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().name() != Some("engine-worker") {
            others(panic);
        }
    }));
}

/// Runs an engine until everything is delivered; returns what its disk was told, and what was seen.
fn live(
    plan: &Plan,
    start: &Start,
    rng: &mut Rng,
    verdict: &mut Verdict,
) -> io::Result<(Vec<Step>, Vec<Seen>)> {
    let disk = Disk::from_image(&start.image);
    if plan.sabotage == Some(Sabotage::NoSync) {
        disk.lie_about_syncs();
    }
    let marks = Arc::new(Marks::new(&disk, &start.seen));
    let witness: Arc<dyn Witness> = Arc::<Marks>::clone(&marks);
    let partners = Partners::start(rng, &witness)?;
    let anywhere = vec![([127, 0, 0, 1], 0).into(); INBOUNDS.len()];
    let places = Places { inbounds: anywhere, outbounds: partners.addresses() };
    let open = || SqliteStore::open_with_vfs(&plan.folder, Some(disk.name()));
    let store = open().map_err(io::Error::other)?;
    // As the store does in a directory of the system.
    disk.sync_directory();
    let engine = graph::builder(&plan.folder, &places, plan.sabotage)
        .store(Box::new(Slow::new(store, Rng::new(rng.next()))))
        .start()
        .map_err(|error| io::Error::other(error.to_string()))?;

    let orders = Arc::new(Orders::default());
    let senders = start_senders(&engine, start.last, &orders, &witness, rng);
    if !wait_for(|| senders.iter().all(JoinHandle::is_finished)) {
        verdict.found("not everything was acknowledged within half a minute".to_owned());
    }
    orders.end.store(true, Ordering::Relaxed);
    senders.into_iter().for_each(|sender| drop(sender.join()));
    partners.get_well();
    if !wait_for(|| engine.status().is_ok_and(|status| status.is_idle)) {
        verdict.found("not idle half a minute after the partners were well".to_owned());
    }
    if let Err(error) = engine.stop(PATIENCE) {
        verdict.found(format!("the engine does not stop: {error}"));
    }
    drop(partners);
    verdict.findings.append(&mut orders.findings.lock().unwrap_or_else(PoisonError::into_inner));
    let (log, seen) = (disk.take_log(), marks.seen());
    let (acks, arrivals) = parted(&seen);
    let mut store = open().map_err(io::Error::other)?;
    let verified = verify::check(&mut store, &acks, &arrivals)?;
    verdict.count("acknowledged", (acks.len() - parted(&start.seen).0.len()) as u64);
    verdict.findings.extend(verified.findings);
    Ok((log, seen))
}

fn wait_for(is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if is_so() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

fn start_senders(
    engine: &Engine,
    last: u32,
    orders: &Arc<Orders>,
    witness: &Arc<dyn Witness>,
    rng: &mut Rng,
) -> Vec<JoinHandle<usize>> {
    let start = |connection| {
        let inbound = Sent { connection, number: 1 }.inbound();
        let address = engine.address(inbound).unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        let (pace, rng) = (Pace::AtOnce(MESSAGES), Rng::new(rng.next()));
        let mut sender = Sender::new(connection, address, pace, orders, witness, rng);
        sender.last = last;
        thread::spawn(move || sender.run())
    };
    (0..CONNECTIONS).map(start).collect()
}

/// Cuts the power at random points; returns one of the images, and how much was seen before it.
fn walk(
    plan: &Plan,
    start: &Start,
    log: &[Step],
    seen: &[Seen],
    rng: &mut Rng,
    verdict: &mut Verdict,
) -> Option<(Image, usize)> {
    let marks = log.iter().filter(|step| matches!(step, Step::Mark(_))).count() as u64;
    let others = log.len() as u64 - marks;
    let mut replay = Replay::new(&start.image);
    let mut count = start.seen.len();
    let (mut chosen, mut images) = (None, 0);
    let mut is_new = start.generation == 0;
    for step in log {
        let marked = replay.apply(step);
        count = marked.map_or(count, |number| number as usize);
        is_new &= marked.is_none();
        let of = match marked {
            Some(_) => marks / IMAGES[0],
            // The store is being made.
            None if is_new => 4,
            None => others / IMAGES[1],
        };
        if !rng.one_in(of.max(1)) || verdict.findings.len() >= ENOUGH {
            continue;
        }
        let image = replay.image(rng);
        image::check(&plan.folder, &image, &seen[..count], verdict);
        verdict.count("images", 1);
        verdict.count("images of a store that is being made", u64::from(is_new));
        images += 1;
        if rng.one_in(images) {
            chosen = Some((image, count));
        }
    }
    chosen
}
