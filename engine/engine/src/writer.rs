//! The thread that writes: the only one that has the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use mllp_io::Chunk;
use mllp_pipeline::{BodyId, Fact, LaneId, Transaction};
use mllp_store::{BackupError, Store, StoreError};

use crate::backing_up::Copier;
use crate::bodies::{Bodies, Large};
use crate::metrics::Metrics;
use crate::retaining::Retaining;
use crate::traffic::{News, ToCore};

/// A store that could not be read is asked again after this, then after twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often it looks how much room the store has.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the writer is asked.
pub(crate) enum Job {
    Commit(Arc<Transaction>),
    ReadHeads(Vec<LaneId>),
    /// Write a large body in chunks, between the commits.
    Write(Large),
    /// Write a chunk of one that arrives.
    Chunk(Chunk),
    /// Nothing comes to hold these chunks any more, unless something holds them already.
    GiveUp(BodyId),
    /// Copy the store, between the commits.
    BackUp(Box<Copier>),
    /// Somebody says that the clock is right.
    ConfirmClock,
    /// The life ends by a stop, at this time.
    EndLife(u64),
    /// Let go of the store.
    End,
}

/// The writer's thread, which gives the store back.
pub(crate) type Writing = JoinHandle<Box<dyn Store + Send>>;

/// Starts the writer. It ends when it is told so or the senders are dropped, and gives the store back:
/// what is closed last tidies up. `next` is the number of the first body: what is below and held by
/// nothing is swept.
pub(crate) fn start(
    mut store: Box<dyn Store + Send>,
    next: BodyId,
    jobs: Receiver<Job>,
    core: ToCore,
    retaining: Retaining,
    metrics: Arc<Metrics>,
) -> io::Result<Writing> {
    let bodies = Bodies::new(next);
    let (unread, look_at) = (Unread::default(), Instant::now());
    let has_upkeep = false;
    let mut writer =
        Writer { bodies, core, unread, look_at, has_upkeep, retaining, metrics, copier: None };
    let thread = thread::Builder::new().name("engine-writer".into());
    let write = move || {
        if let Err(error) = writer.run(&mut *store, &jobs) {
            writer.core.tell(News::Fatal(error));
        }
        store
    };
    thread.spawn(write)
}

struct Writer {
    bodies: Bodies,
    core: ToCore,
    unread: Unread,
    has_upkeep: bool,
    retaining: Retaining,
    metrics: Arc<Metrics>,
    /// When to look how much room there is.
    look_at: Instant,
    /// Who wants a copy of the store.
    copier: Option<Box<Copier>>,
}

/// Lanes whose rows the store could not tell yet. It is asked again until it can: what is asked
/// follows an outcome that is unknown, and nothing may happen on these lanes before.
#[derive(Default)]
struct Unread {
    lanes: VecDeque<Vec<LaneId>>,
    again: Option<(Instant, Duration)>,
}

impl Writer {
    fn run(&mut self, store: &mut dyn Store, jobs: &Receiver<Job>) -> Result<(), StoreError> {
        while self.turn(store, jobs, false)? {
            if let Some(copier) = self.copier.take()
                && !self.back_up(store, jobs, *copier)?
            {
                break;
            }
        }
        Ok(())
    }

    /// Copies the store, with a job between two slices. Returns whether there may be more jobs.
    fn back_up(
        &mut self,
        store: &mut dyn Store,
        jobs: &Receiver<Job>,
        mut copier: Copier,
    ) -> Result<bool, StoreError> {
        let mut goes_on = true;
        let copied = store.back_up(&copier.to(), &mut |store, copying| {
            goes_on = self.turn(store, jobs, true)?;
            if let Some(second) = self.copier.take() {
                second.refuse();
            }
            Ok(goes_on && copier.goes_on(copying))
        });
        let fatal = match &copied {
            Err(BackupError::Store(error)) => Err(error.clone()),
            _ => Ok(goes_on),
        };
        copier.end(copied);
        fatal
    }

    /// Does a job, and a slice of everything else. Returns whether there may be more. With a copy to be made
    /// it waits for nothing.
    fn turn(
        &mut self,
        store: &mut dyn Store,
        jobs: &Receiver<Job>,
        is_copying: bool,
    ) -> Result<bool, StoreError> {
        match self.next(jobs, is_copying) {
            Some(Some(Job::End)) | None => return Ok(false),
            Some(Some(job)) => self.take(job, store)?,
            Some(None) => {}
        }
        self.read_heads(store)?;
        self.bodies.write(store)?;
        // A slice of upkeep. What is left comes after the next job, or at once if there is none.
        self.has_upkeep = store.tend()?;
        self.retaining.tend(store)?;
        self.look_for_room(store);
        Ok(true)
    }

    fn take(&mut self, job: Job, store: &mut dyn Store) -> Result<(), StoreError> {
        match job {
            Job::Commit(transaction) => {
                let began = Instant::now();
                let outcome = store.commit(&transaction)?;
                self.metrics.count(&transaction, &outcome, began.elapsed());
                // The core uses its memory again.
                drop(transaction);
                // The outcome first: senders wait for it.
                self.core.tell(News::Fact(Fact::Outcome(outcome)));
            }
            Job::ReadHeads(lanes) => self.unread.lanes.push_back(lanes),
            Job::Write(large) => self.bodies.begin(large),
            Job::Chunk(chunk) => self.bodies.add(chunk),
            Job::GiveUp(body) => self.bodies.give_up(body),
            Job::BackUp(copier) => self.copier = Some(copier),
            Job::ConfirmClock => self.retaining.confirm(),
            Job::EndLife(at) => match store.end_life(at) {
                // The next life takes this one for one that has crashed.
                Ok(()) | Err(StoreError::Full | StoreError::Unavailable(_)) => {}
                Err(error) => return Err(error),
            },
            Job::End => {}
        }
        Ok(())
    }

    /// The next job; `None` inside: there is none, and something else is due. `None`: the end.
    fn next(&self, jobs: &Receiver<Job>, at_once: bool) -> Option<Option<Job>> {
        let again = self.unread.again.map(|(at, _)| at);
        let at_once = at_once || self.has_upkeep || self.retaining.has_work();
        let at_once = at_once.then(Instant::now);
        let due = self.bodies.due().into_iter().chain(again).chain(at_once);
        let at = due.fold(self.retaining.due().min(self.look_at), Instant::min);
        match jobs.recv_timeout(at.saturating_duration_since(Instant::now())) {
            Ok(job) => Some(Some(job)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Tells how much room there is, every now and then.
    fn look_for_room(&mut self, store: &mut dyn Store) {
        let now = Instant::now();
        if now < self.look_at {
            return;
        }
        self.look_at = now + LOOK_EVERY;
        if let Some(room) = store.room() {
            self.core.tell(News::Fact(Fact::Room(room)));
        }
    }

    /// Reads the rows of lanes, in the order in which they were asked for.
    fn read_heads(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let now = Instant::now();
        if self.unread.again.is_some_and(|(at, _)| now < at) {
            return Ok(());
        }
        while let Some(lanes) = self.unread.lanes.front() {
            match store.heads(lanes) {
                Ok(heads) => {
                    self.unread.lanes.pop_front();
                    self.unread.again = None;
                    self.core.tell(News::Fact(Fact::Heads(heads)));
                }
                // Room for the index of the log may come back as well.
                Err(StoreError::Unavailable(_) | StoreError::Full) => {
                    let pause = self.unread.again.map_or(FIRST_PAUSE, |(_, pause)| pause * 2);
                    let pause = pause.min(LONGEST_PAUSE);
                    self.unread.again = Some((now + pause, pause));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
