//! A life of an engine on a disk in memory, with its senders and partners, and the images of what a
//! power cut may leave of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mllp_disk::{Disk, Image, Replay, Rng, Step, Trouble};
use mllp_engine::{Engine, Error, MessageId, StoreError};
use mllp_store::SqliteStore;
use mllp_store::conformance::Guarded;

use crate::graph::{self, Places};
use crate::ledger::Witness;
use crate::load::INBOUNDS;
use crate::marks::{Marks, Seen, parted};
use crate::partners::Partners;
use crate::sabotage::Sabotage;
use crate::sender::{self, Left, Orders, Pace};
use crate::slow::Slow;
use crate::verdict::Verdict;
use crate::{image, verify};

const CONNECTIONS: u32 = 4;
/// A life that takes longer over something has come to a halt.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// With this many findings there is nothing more to learn.
pub(crate) const ENOUGH: usize = 100;

/// Where a life begins.
#[derive(Default)]
pub(crate) struct Start {
    pub(crate) image: Image,
    /// What was seen before the power cut that has left it.
    pub(crate) seen: Vec<Seen>,
    /// The last number of each connection.
    pub(crate) last: u32,
    /// How many lives there were before.
    pub(crate) generation: u32,
}

/// What a life is begun with.
pub(crate) struct Conditions<'a> {
    /// Empty, for the lock of the store alone.
    pub(crate) folder: &'a Path,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) pace: Pace,
    /// What the disk does at first; a start that is refused for it is tried again without.
    pub(crate) trouble: Option<(Trouble, u64)>,
}

/// An engine that lives.
pub(crate) struct Life {
    pub(crate) disk: Disk,
    pub(crate) marks: Arc<Marks>,
    pub(crate) orders: Arc<Orders>,
    pub(crate) engine: Engine,
    folder: PathBuf,
    partners: Partners,
    senders: Vec<JoinHandle<Left>>,
}

/// A life that has ended.
pub(crate) struct Lived {
    pub(crate) disk: Disk,
    /// What the disk was told, with the marks of what was seen.
    pub(crate) log: Vec<Step>,
    pub(crate) seen: Vec<Seen>,
    /// The last number of each connection.
    pub(crate) last: u32,
    /// How the engine has stopped.
    pub(crate) stopped: Result<(), Error>,
}

impl Life {
    /// Starts an engine, and senders and partners for it.
    pub(crate) fn begin(
        conditions: &Conditions<'_>,
        start: &Start,
        rng: &mut Rng,
        verdict: &mut Verdict,
    ) -> io::Result<Life> {
        let disk = Disk::from_image(&start.image);
        if conditions.sabotage == Some(Sabotage::NoSync) {
            disk.lie_about_syncs();
        }
        let marks = Arc::new(Marks::new(&disk, &start.seen));
        let witness: Arc<dyn Witness> = Arc::<Marks>::clone(&marks);
        let partners = Partners::start(rng, &witness)?;
        let engine = started(conditions, &disk, &partners, rng, verdict)?;
        let orders = Arc::new(Orders::default());
        let inbounds = INBOUNDS.iter().filter_map(|name| engine.address(name)).collect();
        let senders = sender::start(
            CONNECTIONS,
            &Places { inbounds, outbounds: Vec::new() },
            conditions.pace,
            start.last,
            &orders,
            &witness,
            rng,
        );
        let folder = conditions.folder.to_owned();
        Ok(Life { disk, marks, orders, engine, folder, partners, senders })
    }

    /// Waits until everything is acknowledged and delivered.
    pub(crate) fn come_to_rest(&self, verdict: &mut Verdict) {
        self.orders.finish.store(true, Ordering::Relaxed);
        if !wait_for(|| self.senders.iter().all(JoinHandle::is_finished)) {
            verdict.found("not everything was acknowledged within half a minute".to_owned());
        }
        self.partners.get_well();
        if !wait_for(|| self.engine.status().is_ok_and(|status| status.is_idle)) {
            verdict.found("not idle half a minute after the partners were well".to_owned());
            self.tell_what_waits(verdict);
        }
    }

    /// Where it has come to a halt.
    fn tell_what_waits(&self, verdict: &mut Verdict) {
        let status = match self.engine.status() {
            Ok(status) => status,
            Err(error) => return verdict.found(format!("no status: {error}")),
        };
        verdict.found(format!("waiting: {}, store {:?}", status.waiting, status.store));
        let lanes = status.lanes.iter().filter(|lane| lane.depth > 0);
        lanes.for_each(|lane| verdict.found(format!("{lane:?}")));
        let heads = status.lanes.iter().filter_map(|lane| lane.head);
        for head in heads.collect::<std::collections::BTreeSet<_>>() {
            let why = self.engine.why(MessageId(head));
            verdict.found(format!("{head}: {why:?}"));
        }
    }

    /// Stops the engine, and everything around it.
    pub(crate) fn stop(self, deadline: Duration, verdict: &mut Verdict) -> Lived {
        let stopped = self.engine.stop(deadline);
        // What has not ended by the deadline ends soon after.
        let probe = Disk::new();
        let probed = || SqliteStore::open_with_vfs(&self.folder, Some(probe.name())).map(drop);
        if !wait_for(|| probed() != Err(StoreError::InUse)) {
            verdict.found("the engine has stopped, and does not let go of its store".to_owned());
        }
        self.orders.end.store(true, Ordering::Relaxed);
        let left = self.senders.into_iter().filter_map(|sender| sender.join().ok());
        let last = left.map(|it| it.last).max().unwrap_or_default();
        drop(self.partners);
        let mut findings = self.orders.findings.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.findings.append(&mut findings);
        let (log, seen) = (self.disk.take_log(), self.marks.seen());
        Lived { disk: self.disk, log, seen, last, stopped }
    }
}

fn started(
    conditions: &Conditions<'_>,
    disk: &Disk,
    partners: &Partners,
    rng: &mut Rng,
    verdict: &mut Verdict,
) -> io::Result<Engine> {
    let mut start = || {
        let store = opened(conditions.folder, disk)?;
        // As the store does in a directory of the system.
        disk.sync_directory();
        let inbounds = vec![([127, 0, 0, 1], 0).into(); INBOUNDS.len()];
        let places = Places { inbounds, outbounds: partners.addresses() };
        graph::builder(conditions.folder, &places, conditions.sabotage)
            .store(Box::new(Guarded::new(store, Slow(Rng::new(rng.next())))))
            .start()
    };
    if let Some(trouble) = conditions.trouble {
        disk.trouble(Some(trouble), true);
        let refused = start();
        disk.trouble(None, false);
        match refused {
            Ok(engine) => return Ok(engine),
            Err(Error::Store(StoreError::Full)) => verdict.count("starts without room", 1),
            Err(error) => verdict.found(format!("a start without room is refused: {error}")),
        }
    }
    start().map_err(|error| io::Error::other(error.to_string()))
}

impl Lived {
    /// Verifies what an engine has left that has come to rest.
    pub(crate) fn verify(&self, folder: &Path, verdict: &mut Verdict) -> io::Result<()> {
        if let Err(error) = &self.stopped {
            verdict.found(format!("the engine does not stop: {error}"));
        }
        let (acks, arrivals) = parted(&self.seen);
        let mut store = opened(folder, &self.disk).map_err(io::Error::other)?;
        verdict.findings.extend(verify::check(&mut store, &acks, &arrivals)?.findings);
        Ok(())
    }

    /// How many messages were acknowledged since the start.
    pub(crate) fn acknowledged(&self, start: &Start) -> u64 {
        let positive = |seen: &[Seen]| parted(seen).0.iter().filter(|it| it.is_positive()).count();
        (positive(&self.seen) - positive(&start.seen)) as u64
    }

    /// What a power cut at the end may leave.
    pub(crate) fn last_image(&self, start: &Start, rng: &mut Rng) -> Image {
        let mut replay = Replay::new(&start.image);
        for step in &self.log {
            replay.apply(step);
        }
        replay.image(rng)
    }

    /// Cuts the power at random points, at so many just after something was seen, and so many
    /// elsewhere; returns one of the images, and how much was seen before it.
    pub(crate) fn walk(
        &self,
        folder: &Path,
        start: &Start,
        images: [u64; 2],
        rng: &mut Rng,
        verdict: &mut Verdict,
    ) -> Option<(Image, usize)> {
        let marks = self.log.iter().filter(|step| matches!(step, Step::Mark(_))).count() as u64;
        let others = self.log.len() as u64 - marks;
        let mut replay = Replay::new(&start.image);
        let mut count = start.seen.len();
        let (mut chosen, mut made) = (None, 0);
        let mut is_new = start.generation == 0;
        for step in &self.log {
            let marked = replay.apply(step);
            count = marked.map_or(count, |number| number as usize);
            is_new &= marked.is_none();
            let of = match marked {
                Some(_) => marks / images[0],
                // The store is being made.
                None if is_new => 4,
                None => others / images[1],
            };
            if !rng.one_in(of.max(1)) || verdict.findings.len() >= ENOUGH {
                continue;
            }
            let image = replay.image(rng);
            image::check(folder, &image, &self.seen[..count], verdict);
            verdict.count("images", 1);
            verdict.count("images of a store that is being made", u64::from(is_new));
            made += 1;
            if rng.one_in(made) {
                chosen = Some((image, count));
            }
        }
        chosen
    }
}

/// Opens a store on a disk in memory. A process that another thread starts has a copy of every lock until
/// it runs its own program, so one that was let go may be held for a moment longer.
pub(crate) fn opened(folder: &Path, disk: &Disk) -> Result<SqliteStore, StoreError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match SqliteStore::open_with_vfs(folder, Some(disk.name())) {
            Err(StoreError::InUse) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

/// Waits until it is so; false: it takes too long.
pub(crate) fn wait_for(is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if is_so() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Handlers fail on purpose, and need not say so.
pub(crate) fn hush() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().name() != Some("engine-worker") {
            others(panic);
        }
    }));
}
