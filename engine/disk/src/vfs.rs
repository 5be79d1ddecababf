//! SQLite's view of a disk: the table of C functions that it calls for every file.
//!
//! # Why `unsafe` is sound here
//!
//! SQLite calls these functions with pointers that it got from this module: the `sqlite3_vfs` of a
//! [`Registration`], whose `pAppData` points to the disk's state, and `sqlite3_file`s that `open` has
//! filled in, each of `szOsFile` bytes. A `Registration` is unregistered when it is dropped, and every
//! open file keeps the state alive by a count of its own. SQLite calls the functions of one file from
//! one thread at a time; what several files share is behind the state's mutex. No function unwinds
//! into C: none of them panics, short of memory running out, which aborts.

#![allow(unsafe_code, reason = "SQLite's file systems are tables of C functions")]

mod file;

use std::ffi::{CStr, CString, c_char, c_int};
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rusqlite::ffi;

use crate::disk::{FileId, SharedState, lock};
use crate::locks::Holder;
use file::METHODS;

/// Numbers of file systems and of open files.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A VFS under a name of its own, while this lives.
pub(crate) struct Registration {
    state: SharedState,
    name: CString,
    vfs: *mut ffi::sqlite3_vfs,
}

// SAFETY: the pointer is used by SQLite, which locks its list of file systems, and by `drop`.
unsafe impl Send for Registration {}
// SAFETY: as above; nothing is changed through a shared reference.
unsafe impl Sync for Registration {}

/// What SQLite allocates for each open file.
#[repr(C)]
struct Open {
    base: ffi::sqlite3_file,
    /// Made by `Box::into_raw` in `open`, taken back in `close`.
    handle: *mut Handle,
}

struct Handle {
    state: SharedState,
    file: FileId,
    holder: Holder,
    /// A journal that was made by this handle: its first sync makes its name durable, as SQLite's own
    /// file system for Unix does.
    is_new_journal: bool,
    /// The name to remove when the file is closed.
    delete: Option<String>,
}

impl Registration {
    pub(crate) fn new(state: SharedState) -> Registration {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("disk-{number}")).unwrap_or_default();
        let vfs = ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: mem::size_of::<Open>() as c_int,
            mxPathname: 1024,
            pNext: ptr::null_mut(),
            zName: name.as_ptr(),
            pAppData: Arc::as_ptr(&state).cast_mut().cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: None,
            xGetLastError: None,
            xCurrentTimeInt64: Some(current_time),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        };
        let vfs = Box::into_raw(Box::new(vfs));
        // SAFETY: the table lives until it is unregistered in `drop`, its name as long.
        unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        Registration { state, name, vfs }
    }

    pub(crate) fn name(&self) -> &str {
        self.name.to_str().unwrap_or_default()
    }

    pub(crate) const fn state(&self) -> &SharedState {
        &self.state
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: `vfs` was made by `Box::into_raw` and registered; it is freed after it is
        // unregistered. A database that is still open would use it: whoever drops the last handle of
        // a disk has closed its databases.
        unsafe {
            ffi::sqlite3_vfs_unregister(self.vfs);
            drop(Box::from_raw(self.vfs));
        }
    }
}

/// A further count of the state of a VFS.
///
/// # Safety
///
/// `vfs` is the table of a living `Registration`.
unsafe fn state_of(vfs: *mut ffi::sqlite3_vfs) -> SharedState {
    // SAFETY: `pAppData` is `Arc::as_ptr` of a state that the registration holds a count of.
    unsafe {
        let state = (*vfs).pAppData.cast_const().cast();
        Arc::increment_strong_count(state);
        Arc::from_raw(state)
    }
}

/// # Safety
///
/// `path` is a string of C's.
unsafe fn text(path: *const c_char) -> String {
    // SAFETY: by the contract.
    unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned()
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
    // SAFETY: called by SQLite with its own VFS, a path or NULL, and room for an `Open`.
    unsafe {
        // Without methods SQLite does not close what could not be opened.
        (*file).pMethods = ptr::null();
        let state = state_of(vfs);
        let holder = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = if path.is_null() { format!("\0{holder}") } else { text(path) };
        let mut disk = lock(&state);
        let known = disk.names.get(&path).copied();
        let id = match known {
            Some(id) => id,
            None if flags & ffi::SQLITE_OPEN_CREATE != 0 => disk.create(&path),
            None => return ffi::SQLITE_CANTOPEN,
        };
        drop(disk);
        let handle = Handle {
            state,
            file: id,
            holder,
            is_new_journal: known.is_none() && flags & journals != 0,
            delete: (flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0).then_some(path),
        };
        (*file.cast::<Open>()).handle = Box::into_raw(Box::new(handle));
        (*file).pMethods = &raw const METHODS;
        if !flags_out.is_null() {
            *flags_out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_directory: c_int,
) -> c_int {
    // SAFETY: called by SQLite with its own VFS and a path.
    let (state, path) = unsafe { (state_of(vfs), text(path)) };
    let mut disk = lock(&state);
    if !disk.delete(&path) {
        return ffi::SQLITE_IOERR_DELETE_NOENT;
    }
    if sync_directory != 0 {
        disk.log.push(crate::disk::Step::SyncDirectory);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: called by SQLite with its own VFS, a path, and where to write.
    unsafe {
        let state = state_of(vfs);
        *out = lock(&state).names.contains_key(&text(path)).into();
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: called by SQLite with a path and `room` bytes at `out`.
    unsafe {
        let len = CStr::from_ptr(path).count_bytes() + 1;
        if len > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(path, out, len);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(
    _vfs: *mut ffi::sqlite3_vfs,
    len: c_int,
    out: *mut c_char,
) -> c_int {
    let hasher = RandomState::new();
    for at in 0..len as usize {
        let byte = hasher.hash_one(at) as u8;
        // SAFETY: called by SQLite with `len` bytes at `out`.
        unsafe { out.add(at).write(byte as c_char) };
    }
    len
}

unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::sleep(Duration::from_micros(microseconds.unsigned_abs().into()));
    microseconds
}

unsafe extern "C" fn current_time(
    _vfs: *mut ffi::sqlite3_vfs,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // Milliseconds of the Julian day; 1970 began at this one.
    const UNIX: i64 = 210_866_760_000_000;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // SAFETY: called by SQLite with where to write.
    unsafe { *out = UNIX + since.as_millis() as i64 };
    ffi::SQLITE_OK
}
