//! What SQLite calls for one open file. Why this is sound stands in the module above.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::atomic::{Ordering, fence};

use rusqlite::ffi;

use super::{Handle, Open};
use crate::disk::{Trouble, lock};
use crate::locks::Level;

/// The handle of an open file.
///
/// # Safety
///
/// `file` was filled in by `open` and is not closed.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: by the contract; one thread at a time uses a file.
    unsafe { &mut *(*file.cast::<Open>()).handle }
}

pub(super) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(take_lock),
    xUnlock: Some(lower_lock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(memory_map),
    xShmLock: Some(memory_lock),
    xShmBarrier: Some(memory_barrier),
    xShmUnmap: Some(memory_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the handle was made by `Box::into_raw`; SQLite closes a file once.
    let handle = unsafe { Box::from_raw((*file.cast::<Open>()).handle) };
    let mut disk = lock(&handle.state);
    if let Some(known) = disk.files.get_mut(&handle.file) {
        known.locks.forget(handle.holder);
        known.memory.forget(handle.holder);
    }
    if let Some(path) = &handle.delete {
        disk.delete(path);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    len: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: called by SQLite with an open file and `len` bytes at `out`, which may not be
    // initialised: they are zeroed before they become a slice.
    let (handle, out) = unsafe {
        ptr::write_bytes(out.cast::<u8>(), 0, len as usize);
        (handle(file), std::slice::from_raw_parts_mut(out.cast::<u8>(), len as usize))
    };
    match lock(&handle.state).read(handle.file, at as usize, out) {
        whole if whole == out.len() => ffi::SQLITE_OK,
        _ => ffi::SQLITE_IOERR_SHORT_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: called by SQLite with an open file and `len` bytes.
    let (handle, bytes) =
        unsafe { (handle(file), std::slice::from_raw_parts(bytes.cast::<u8>(), len as usize)) };
    match lock(&handle.state).write(handle.file, at as usize, bytes) {
        None => ffi::SQLITE_OK,
        Some(Trouble::WriteFails) => ffi::SQLITE_IOERR_WRITE,
        Some(_) => ffi::SQLITE_FULL,
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    // SAFETY: called by SQLite with an open file.
    let handle = unsafe { handle(file) };
    lock(&handle.state).truncate(handle.file, len as usize);
    ffi::SQLITE_OK
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: called by SQLite with an open file.
    let handle = unsafe { handle(file) };
    let name_too = mem::take(&mut handle.is_new_journal);
    match lock(&handle.state).sync(handle.file, name_too) {
        true => ffi::SQLITE_OK,
        false => ffi::SQLITE_IOERR_FSYNC,
    }
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: called by SQLite with an open file and where to write.
    unsafe {
        let handle = handle(file);
        let disk = lock(&handle.state);
        *out = disk.files.get(&handle.file).map_or(0, |it| it.bytes.len()) as i64;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn take_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: called by SQLite with an open file.
    let handle = unsafe { handle(file) };
    let mut disk = lock(&handle.state);
    let locks = &mut disk.files.entry(handle.file).or_default().locks;
    match locks.take(handle.holder, Level::from_number(level)) {
        true => ffi::SQLITE_OK,
        false => ffi::SQLITE_BUSY,
    }
}

unsafe extern "C" fn lower_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: called by SQLite with an open file.
    let handle = unsafe { handle(file) };
    let mut disk = lock(&handle.state);
    let locks = &mut disk.files.entry(handle.file).or_default().locks;
    locks.lower(handle.holder, Level::from_number(level));
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: called by SQLite with an open file and where to write.
    unsafe {
        let handle = handle(file);
        let disk = lock(&handle.state);
        *out = disk.files.get(&handle.file).is_some_and(|it| it.locks.is_reserved()).into();
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut ffi::sqlite3_file,
    _operation: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    // As SQLite's own file system for Unix says: a write changes no byte beside its own.
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn memory_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    let (region, words) = (region as usize, (size as usize).div_ceil(8));
    // SAFETY: called by SQLite with an open file and where to write. Regions are never freed before
    // their file, which lives as long as the disk.
    unsafe {
        let handle = handle(file);
        let mut disk = lock(&handle.state);
        let memory = &mut disk.files.entry(handle.file).or_default().memory;
        while extend != 0 && memory.regions.len() <= region {
            memory.regions.push(vec![0; words].into_boxed_slice());
        }
        *out = memory.regions.get_mut(region).map_or(ptr::null_mut(), |it| it.as_mut_ptr().cast());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn memory_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: called by SQLite with an open file.
    let handle = unsafe { handle(file) };
    let mut disk = lock(&handle.state);
    let memory = &mut disk.files.entry(handle.file).or_default().memory;
    let slots = offset as usize..(offset + count) as usize;
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        memory.give_back(handle.holder, slots);
        return ffi::SQLITE_OK;
    }
    match memory.take(handle.holder, slots, flags & ffi::SQLITE_SHM_EXCLUSIVE != 0) {
        true => ffi::SQLITE_OK,
        false => ffi::SQLITE_BUSY,
    }
}

unsafe extern "C" fn memory_barrier(_file: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn memory_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: called by SQLite with an open file.
    let handle = unsafe { handle(file) };
    if let Some(known) = lock(&handle.state).files.get_mut(&handle.file) {
        known.memory.forget(handle.holder);
    }
    ffi::SQLITE_OK
}
