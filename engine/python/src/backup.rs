//! Backups, as Python makes and proves them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mllp_engine::{About, BackingUp, Copying, Made};
use pyo3::prelude::*;

use crate::error::{raised, refused};
use crate::job::Verified;

/// A backup that is being made.
#[pyclass(frozen, module = "fastmllp_engine._native")]
pub(crate) struct Backup {
    /// Taken by `finish`.
    backing_up: Mutex<Option<BackingUp>>,
    progress: Box<dyn Fn() -> Copying + Send + Sync>,
}

impl From<BackingUp> for Backup {
    fn from(backing_up: BackingUp) -> Backup {
        let progress = Box::new(backing_up.progress());
        Backup { backing_up: Mutex::new(Some(backing_up)), progress }
    }
}

#[pymethods]
impl Backup {
    fn progress(&self) -> (u64, u64) {
        let Copying { copied, total } = (self.progress)();
        (copied, total)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<BackupMade> {
        py.detach(|| {
            let taken = self.backing_up.lock().unwrap_or_else(PoisonError::into_inner).take();
            let backing_up = taken.ok_or_else(|| refused("this backup was finished"))?;
            backing_up.finish().map(BackupMade::from).map_err(raised)
        })
    }
}

/// A backup that is there.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct BackupMade {
    at: String,
    made_at: u64,
    bytes: u64,
    sha256: String,
}

impl BackupMade {
    fn new(at: &Path, about: &About) -> BackupMade {
        let sha256 = mllp_engine::hexadecimal(&about.sha256);
        let at = at.to_string_lossy().into_owned();
        BackupMade { at, made_at: about.made_at, bytes: about.bytes, sha256 }
    }
}

impl From<Made> for BackupMade {
    fn from(made: Made) -> BackupMade {
        BackupMade::new(&made.at, &made.about)
    }
}

/// Makes a backup of an engine that is stopped.
#[pyfunction]
pub(crate) fn back_up(py: Python<'_>, data: PathBuf, to: PathBuf) -> PyResult<BackupMade> {
    let made = py.detach(|| {
        // Every now and then Python may want to end it.
        let mut tell = |_| Python::attach(|py| py.check_signals().is_ok());
        mllp_engine::Engine::back_up_stopped(&data, &to, &mut tell)
    });
    made.map(BackupMade::from).map_err(raised)
}

/// Proves from the files of a backup that a store can be made of it.
#[pyfunction]
pub(crate) fn restore_check(py: Python<'_>, backup: PathBuf) -> PyResult<(BackupMade, Verified)> {
    let mut findings = Vec::new();
    let tell = &mut findings;
    let checked =
        py.detach(|| mllp_engine::restore_check(&backup, &mut |it| tell.push(it.to_string())));
    let (about, verified) = checked.map_err(|error| raised(mllp_engine::Error::Backup(error)))?;
    Ok((BackupMade::new(&backup, &about), Verified::new(verified, findings)))
}
