//! A disk in memory for SQLite, which keeps every write and every sync, and shows what a power cut
//! may leave.
//!
//! A [`Disk`] is a file system of SQLite's (a VFS) under a name of its own. What the database writes
//! and syncs goes into one log, and so do the acknowledgments that its program gives: [`Disk::mark`].
//! A [`Replay`] walks through such a log; at each point it gives [`Image`]s of the disk as a power
//! cut there may leave it: what was synced is there, each sector that was not may be there or not,
//! whatever the order of the writes, and the same goes for the names of new files. A store that is
//! opened on an image has to hold everything that was acknowledged before that point.
//!
//! ```
//! use mllp_disk::{Disk, Image, Replay, Rng};
//! use rusqlite::{Connection, OpenFlags};
//!
//! let disk = Disk::new();
//! let open = |disk: &Disk| {
//!     Connection::open_with_flags_and_vfs("/t.db", OpenFlags::default(), disk.name()).unwrap()
//! };
//! let store = open(&disk);
//! store.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(n)").unwrap();
//! disk.sync_directory();
//! for n in 0..10u64 {
//!     store.execute("INSERT INTO t VALUES(?1)", (n as i64,)).unwrap();
//!     disk.mark(n);
//! }
//! drop(store);
//!
//! let mut replay = Replay::new(&Image::default());
//! let mut rng = Rng::new(1);
//! let mut acknowledged = None;
//! for step in disk.take_log() {
//!     acknowledged = replay.apply(&step).or(acknowledged);
//!     let Some(n) = acknowledged else { continue };
//!     let crashed = Disk::from_image(&replay.image(&mut rng));
//!     let count: i64 = open(&crashed).query_row("SELECT count(*) FROM t", (), |row| row.get(0)).unwrap();
//!     assert!(count > n as i64, "what was acknowledged is there");
//! }
//! ```

#![deny(missing_docs)]

mod crash;
mod disk;
mod locks;
mod rng;
mod vfs;

pub use crash::{Image, Replay};
pub use disk::{Disk, FileId, Step, Trouble};
pub use rng::Rng;
