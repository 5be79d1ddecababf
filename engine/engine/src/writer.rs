//! The thread that writes: the only one that has the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use mllp_io::Chunk;
use mllp_pipeline::{BodyId, Fact, LaneId, Transaction};
use mllp_store::{Store, StoreError};

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
    /// Somebody says that the clock is right.
    ConfirmClock,
    /// The life ends by a stop, at this time.
    EndLife(u64),
    /// Let go of the store.
    End,
}

/// The writer's thread, which gives the store back.
pub(crate) type Writing = JoinHandle<Box<dyn Store>>;

/// Starts the writer. It ends when it is told so or the senders are dropped, and gives the store back:
/// what is closed last tidies up. `next` is the number of the first body: what is below and held by
/// nothing is swept.
pub(crate) fn start(
    store: Box<dyn Store>,
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
        Writer { store, bodies, core, unread, look_at, has_upkeep, retaining, metrics };
    let thread = thread::Builder::new().name("engine-writer".into());
    let write = move || {
        if let Err(error) = writer.run(&jobs) {
            writer.core.tell(News::Fatal(error));
        }
        writer.store
    };
    thread.spawn(write)
}

struct Writer {
    store: Box<dyn Store>,
    bodies: Bodies,
    core: ToCore,
    unread: Unread,
    has_upkeep: bool,
    retaining: Retaining,
    metrics: Arc<Metrics>,
    /// When to look how much room there is.
    look_at: Instant,
}

/// Lanes whose rows the store could not tell yet. It is asked again until it can: what is asked
/// follows an outcome that is unknown, and nothing may happen on these lanes before.
#[derive(Default)]
struct Unread {
    lanes: VecDeque<Vec<LaneId>>,
    again: Option<(Instant, Duration)>,
}

impl Writer {
    fn run(&mut self, jobs: &Receiver<Job>) -> Result<(), StoreError> {
        while let Some(job) = self.next(jobs) {
            match job {
                Some(Job::Commit(transaction)) => {
                    let began = Instant::now();
                    let outcome = self.store.commit(&transaction)?;
                    self.metrics.count(&transaction, &outcome, began.elapsed());
                    // The core uses its memory again.
                    drop(transaction);
                    // The outcome first: senders wait for it.
                    self.core.tell(News::Fact(Fact::Outcome(outcome)));
                }
                Some(Job::ReadHeads(lanes)) => self.unread.lanes.push_back(lanes),
                Some(Job::Write(large)) => self.bodies.begin(large),
                Some(Job::Chunk(chunk)) => self.bodies.add(chunk),
                Some(Job::GiveUp(body)) => self.bodies.give_up(body),
                Some(Job::ConfirmClock) => self.retaining.confirm(),
                Some(Job::EndLife(at)) => match self.store.end_life(at) {
                    // The next life takes this one for one that has crashed.
                    Ok(()) | Err(StoreError::Full | StoreError::Unavailable(_)) => {}
                    Err(error) => return Err(error),
                },
                Some(Job::End) => break,
                None => {}
            }
            self.read_heads()?;
            self.bodies.write(&mut *self.store)?;
            // A slice of upkeep. What is left comes after the next job, or at once if there is none.
            self.has_upkeep = self.store.tend()?;
            self.retaining.tend(&mut *self.store)?;
            self.look_for_room();
        }
        Ok(())
    }

    /// The next job; `None` inside: there is none, and something else is due. `None`: the end.
    fn next(&self, jobs: &Receiver<Job>) -> Option<Option<Job>> {
        let again = self.unread.again.map(|(at, _)| at);
        let at_once = (self.has_upkeep || self.retaining.has_work()).then(Instant::now);
        let due = self.bodies.due().into_iter().chain(again).chain(at_once);
        let at = due.fold(self.retaining.due().min(self.look_at), Instant::min);
        match jobs.recv_timeout(at.saturating_duration_since(Instant::now())) {
            Ok(job) => Some(Some(job)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Tells how much room there is, every now and then.
    fn look_for_room(&mut self) {
        let now = Instant::now();
        if now < self.look_at {
            return;
        }
        self.look_at = now + LOOK_EVERY;
        if let Some(room) = self.store.room() {
            self.core.tell(News::Fact(Fact::Room(room)));
        }
    }

    /// Reads the rows of lanes, in the order in which they were asked for.
    fn read_heads(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        if self.unread.again.is_some_and(|(at, _)| now < at) {
            return Ok(());
        }
        while let Some(lanes) = self.unread.lanes.front() {
            match self.store.heads(lanes) {
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
