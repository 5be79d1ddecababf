//! When retention runs: a pass an hour, in slices between the commits, unless the clock is in doubt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mllp_pipeline::MessageId;
use mllp_store::{
    ClockDoubt, ClockGuard, Expiry, Finding, Query, Retention, Store, StoreError, Verified,
};

use crate::clock::Clock;
use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::writer::Job;

/// From one pass to the next.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Why retention has stopped, shared with the engine.
#[derive(Clone, Default)]
pub(crate) struct Doubt(Arc<Mutex<Option<ClockDoubt>>>);

impl Doubt {
    pub(crate) fn get(&self) -> Option<ClockDoubt> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, doubt: Option<ClockDoubt>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = doubt;
    }
}

/// Whether an operator is appending rows about messages that he has looked at: their bodies must not
/// expire before that is committed. Locked while a slice of a pass runs.
pub(crate) type Appending = Arc<Mutex<bool>>;

/// Retention, as the writer drives it.
pub(crate) struct Retaining {
    appending: Appending,
    retention: Retention,
    guard: ClockGuard,
    clock: Clock,
    doubt: Doubt,
    /// When the next pass begins.
    next: Instant,
    /// The pass that is in progress.
    pass: Option<Expiry>,
}

impl Retaining {
    /// The first pass begins soon.
    pub(crate) fn new(
        store: &mut dyn Store,
        retention: Retention,
        clock: Clock,
    ) -> Result<Retaining, StoreError> {
        let last = store.last_pass()?;
        let newest = store.reader()?.search(&Query::default(), MessageId(u64::MAX), 1)?.messages;
        let newest = newest.first().map(|it| it.message.received_at.max(it.since));
        let guard = ClockGuard::new(last, newest, clock.now());
        let (doubt, appending) = (Doubt::default(), Appending::default());
        doubt.set(guard.doubt());
        let next = Instant::now();
        Ok(Retaining { appending, retention, guard, clock, doubt, next, pass: None })
    }

    pub(crate) fn appending(&self) -> Appending {
        Arc::clone(&self.appending)
    }

    pub(crate) fn doubt(&self) -> Doubt {
        self.doubt.clone()
    }

    /// Whether a pass is in progress.
    pub(crate) fn has_work(&self) -> bool {
        self.pass.is_some()
    }

    /// When the next one begins.
    pub(crate) fn due(&self) -> Instant {
        self.next
    }

    /// Somebody says that the clock is right: a pass may begin.
    pub(crate) fn confirm(&mut self) {
        self.guard.confirm(self.clock.now());
        self.doubt.set(None);
        self.next = Instant::now();
    }

    /// Does a slice of a pass, or begins one that is due.
    pub(crate) fn tend(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        if let Some(expiry) = &self.pass {
            let Ok(appending) = self.appending.try_lock() else { return Ok(()) };
            if *appending {
                return Ok(());
            }
            if !store.expire(expiry)? {
                self.pass = None;
            }
            return Ok(());
        }
        let now = Instant::now();
        if now < self.next {
            return Ok(());
        }
        self.next = now + EVERY;
        let pass = self.guard.begin(self.clock.now());
        self.doubt.set(pass.stopped);
        // Where it cannot be kept, nothing is deleted: the next life has to know of a doubt.
        match store.keep_pass(&pass) {
            Ok(()) if pass.stopped.is_none() => self.pass = Some(self.retention.at(pass.at)),
            Ok(()) | Err(StoreError::Full | StoreError::Unavailable(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Engine {
    /// Why nothing is deleted any more though it has expired, if that is so.
    pub fn retention_doubt(&self) -> Option<ClockDoubt> {
        self.doubt.get()
    }

    /// Says that the clock is right: what has expired is deleted again.
    pub fn confirm_retention(&self) {
        if let Some(writer) = &self.writer {
            let _ = writer.send(Job::ConfirmClock);
        }
    }

    /// Proves from the store that nothing is lost, while the engine runs, and tells what is wrong.
    /// `None`: the store is a database that has its own means.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn verify(&self, tell: &mut dyn FnMut(Finding)) -> Result<Option<Verified>, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(reader.as_mut().ok_or_else(ended)?.verify(tell)?)
    }
}
