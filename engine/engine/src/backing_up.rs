//! Backups of a running engine: the writer copies between its commits, the thread that asks syncs it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mllp_store::{Backup, BackupError, Copied, Copying, Made, Place, back_up};

use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::writer::Job;

/// How often it is looked whether what is left finds room.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How far a backup has come.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Copying>>);

impl Shared {
    fn get(&self) -> Copying {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, copying: Copying) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = copying;
    }
}

/// What the writer copies for.
pub(crate) struct Copier {
    place: Place,
    shared: Shared,
    outcome: Sender<Result<Copied, BackupError>>,
    look_at: Instant,
    /// Why it does not go on.
    trouble: Option<BackupError>,
}

impl Copier {
    pub(crate) fn to(&self) -> PathBuf {
        self.place.store()
    }

    /// Whether it goes on.
    pub(crate) fn goes_on(&mut self, copying: Copying) -> bool {
        self.shared.set(copying);
        let now = Instant::now();
        if now >= self.look_at {
            self.look_at = now + LOOK_EVERY;
            self.trouble = self.place.goes_on(copying).err();
        }
        self.trouble.is_none()
    }

    pub(crate) fn end(self, copied: Result<Copied, BackupError>) {
        if let Ok(Copied { bytes }) = copied {
            self.shared.set(Copying { copied: bytes, total: bytes });
        }
        let _ = self.outcome.send(self.trouble.map_or(copied, Err));
    }

    /// Another one is being made.
    pub(crate) fn refuse(self) {
        let why = "another backup is being made";
        let _ = self.outcome.send(Err(BackupError::Failed(why.to_owned())));
    }
}

/// A backup that is being made. Dropped, it leaves nothing.
pub struct BackingUp {
    backup: Backup,
    shared: Shared,
    outcome: Receiver<Result<Copied, BackupError>>,
}

impl BackingUp {
    /// Tells how far it has come, from any thread.
    pub fn progress(&self) -> impl Fn() -> Copying + Send + Sync + 'static {
        let shared = self.shared.clone();
        move || shared.get()
    }

    /// Waits until it is whole, durable, and has its name. The engine may be stopped meanwhile, and ends the
    /// backup with it.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`]: nothing is left under its name.
    pub fn finish(self) -> Result<Made, Error> {
        let copied = self.outcome.recv().unwrap_or(Err(BackupError::Stopped));
        copied.and_then(|copied| self.backup.finish(copied)).map_err(Error::Backup)
    }
}

impl Engine {
    /// Begins a backup of the store and of what else is in the data directory, which is to have this name.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`]: the name is taken, the place cannot be used, or there is not enough room.
    /// [`Error::Store`]: the engine has ended.
    pub fn back_up(&self, to: &Path) -> Result<BackingUp, Error> {
        let (data, min_free) = &self.data;
        let backup = begin(data, to, *min_free)?;
        let (shared, (sender, outcome)) = (Shared::default(), channel());
        let copier = Copier {
            place: backup.place().clone(),
            shared: shared.clone(),
            outcome: sender,
            look_at: Instant::now(),
            trouble: None,
        };
        let sent = self.writer.as_ref().map(|it| it.send(Job::BackUp(Box::new(copier))));
        if !matches!(sent, Some(Ok(()))) {
            return Err(ended());
        }
        Ok(BackingUp { backup, shared, outcome })
    }

    /// The same of an engine that is stopped, all of it. Calls `tell` every now and then with how far it has
    /// come; what that returns is whether to go on.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`]: nothing is left under its name.
    pub fn back_up_stopped(
        data: &Path,
        to: &Path,
        tell: &mut dyn FnMut(Copying) -> bool,
    ) -> Result<Made, Error> {
        let backup = begin(data, to, 0)?;
        let place = backup.place().clone();
        let (mut full, mut look_at) = (None, Instant::now());
        let copied = back_up(data, &place.store(), &mut |copying| {
            if Instant::now() < look_at {
                return true;
            }
            look_at = Instant::now() + LOOK_EVERY;
            full = place.goes_on(copying).err();
            full.is_none() && tell(copying)
        });
        let copied = full.map_or(copied, Err);
        copied.and_then(|copied| backup.finish(copied)).map_err(Error::Backup)
    }
}

fn begin(data: &Path, to: &Path, min_free: u64) -> Result<Backup, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // An engine that has stopped for want of room begins again with a quarter more.
    let least = min_free.saturating_add(min_free / 4);
    Backup::begin(data, to, now.as_millis() as u64, least).map_err(Error::Backup)
}
