//! A small file system of its own, which can be filled up. Only root may mount one, and not in every
//! container.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Which file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In memory.
    Tmpfs,
    /// In a file.
    Ext4,
}

/// Mounted while this lives.
pub(crate) struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many MiB in a folder; `None`: it may not be mounted here.
    pub(crate) fn mount(
        kind: Kind,
        folder: &Path,
        mebibytes: u64,
    ) -> io::Result<Option<SmallDisk>> {
        let at = folder.join("disk");
        fs::create_dir_all(&at)?;
        let mut mount = Command::new("mount");
        match kind {
            Kind::Tmpfs => {
                mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]);
            }
            Kind::Ext4 => {
                let file = folder.join("ext4");
                File::create(&file)?.set_len(mebibytes << 20)?;
                let mut make = Command::new("mkfs.ext4");
                if !went_well(make.args(["-q", "-F", "-m", "0"]).arg(&file).output()) {
                    return Ok(None);
                }
                mount.args(["-o", "loop"]).arg(file);
            }
        }
        Ok(went_well(mount.arg(&at).output()).then_some(SmallDisk { at }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.at
    }

    /// Leaves so many bytes of room. The engine takes some meanwhile, so it goes in small steps.
    pub(crate) fn fill(&self, room: u64) -> io::Result<()> {
        const STEP: u64 = 4 << 20;
        let mut file = File::create(self.filling())?;
        let mut end = 0;
        while self.free()? > room + 2 * STEP
            && fallocate(&file, FallocateFlags::empty(), end, STEP).is_ok()
        {
            end += STEP;
        }
        file.seek(SeekFrom::Start(end))?;
        // The engine may take what is left first.
        while self.free()? > room && file.write_all(&[0; 16 * 1024]).is_ok() {}
        Ok(())
    }

    fn free(&self) -> io::Result<u64> {
        let system = statvfs(&self.at)?;
        Ok(system.f_bavail * system.f_frsize)
    }

    /// Takes the filling away again.
    pub(crate) fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.filling())
    }

    fn filling(&self) -> PathBuf {
        self.at.join("filling")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}

fn went_well(output: io::Result<Output>) -> bool {
    output.is_ok_and(|it| it.status.success())
}
