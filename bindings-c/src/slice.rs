//! Bytes that C lends, and bytes lent to C.

use core::mem::MaybeUninit;
use core::{ptr, slice};

use mllp_core::Storage;

use crate::status::{
    Failure, MLLP_ERR_INVALID_ARGUMENT, MLLP_ERR_NULL, MLLP_NOT_FOUND, MLLP_OK, mllp_status_t,
};

/// Bytes lent to the caller. `data` may be NULL when `len` is 0.
///
/// They belong to the buffer or the state that was passed in, and are gone when that is changed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_slice_t {
    /// The first byte.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

impl mllp_slice_t {
    /// No bytes, and none that could be meant.
    pub(crate) const NONE: mllp_slice_t = mllp_slice_t { data: ptr::null(), len: 0 };

    pub(crate) const fn lend(bytes: &[u8]) -> mllp_slice_t {
        mllp_slice_t { data: bytes.as_ptr(), len: bytes.len() }
    }

    /// What a call found: none where it failed.
    pub(crate) fn found(bytes: Result<&[u8], Failure>) -> mllp_slice_t {
        bytes.map_or(mllp_slice_t::NONE, mllp_slice_t::lend)
    }

    /// Gives out what a call found.
    pub(crate) fn give(out: &mut MaybeUninit<mllp_slice_t>, bytes: Option<&[u8]>) -> mllp_status_t {
        out.write(bytes.map_or(mllp_slice_t::NONE, mllp_slice_t::lend));
        if bytes.is_some() { MLLP_OK } else { MLLP_NOT_FOUND }
    }

    /// # Safety
    ///
    /// As for [`bytes`].
    pub(crate) unsafe fn borrow<'a>(self) -> Result<&'a [u8], Failure> {
        // SAFETY: the caller's promise is the same.
        unsafe { bytes(self.data, self.len) }
    }

    /// As [`borrow`](mllp_slice_t::borrow), `None` without data.
    ///
    /// # Safety
    ///
    /// As for [`bytes`].
    pub(crate) unsafe fn borrow_some<'a>(self) -> Result<Option<&'a [u8]>, Failure> {
        if self.data.is_null() && self.len == 0 {
            return Ok(None);
        }
        // SAFETY: the caller's promise is the same.
        unsafe { bytes(self.data, self.len) }.map(Some)
    }
}

/// Room that the caller may write to: see the call that lends it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_room_t {
    /// The first byte.
    pub data: *mut u8,
    /// How many bytes.
    pub len: usize,
}

impl mllp_room_t {
    pub(crate) fn lend(room: &mut [u8]) -> mllp_room_t {
        mllp_room_t { data: room.as_mut_ptr(), len: room.len() }
    }
}

/// The bytes at `data`.
///
/// # Safety
///
/// Rule 6: `len` readable bytes are at `data`, and nobody writes to them while they are borrowed.
#[inline(always)]
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    check(data, len)?;
    // SAFETY: not NULL, no longer than a slice may be, and the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// The room at `data`.
///
/// # Safety
///
/// Rule 6: `len` writable bytes are at `data`, and nobody else uses them while they are borrowed.
#[inline(always)]
pub(crate) unsafe fn room<'a>(data: *mut u8, len: usize) -> Result<&'a mut [u8], Failure> {
    if len == 0 {
        return Ok(&mut []);
    }
    check(data, len)?;
    // SAFETY: not NULL, no longer than a slice may be, and the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts_mut(data, len) })
}

fn check(data: *const u8, len: usize) -> Result<(), Failure> {
    if data.is_null() {
        return Err(Failure(MLLP_ERR_NULL));
    }
    if len > isize::MAX as usize {
        return Err(Failure(MLLP_ERR_INVALID_ARGUMENT));
    }
    Ok(())
}

/// `count` values at `data`.
///
/// # Safety
///
/// As for [`bytes`], with values of `T`, aligned as C aligns them.
pub(crate) unsafe fn values<'a, T>(data: *const T, count: usize) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    check(data.cast(), count.saturating_mul(size_of::<T>()))?;
    // SAFETY: not NULL, no longer than a slice may be, and the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, count) })
}

/// The value at `value`, which C may have filled in.
///
/// # Safety
///
/// `value` is NULL or points to a `T`, any of whose bytes may have any value.
#[inline(always)]
pub(crate) unsafe fn value<'a, T>(value: *const T) -> Result<&'a T, Failure> {
    // SAFETY: the caller's promise.
    unsafe { value.as_ref() }.ok_or(Failure(MLLP_ERR_NULL))
}

/// Where an output goes. Nothing is read from there.
///
/// # Safety
///
/// `out` is NULL or points to room for a `T`.
#[inline(always)]
pub(crate) unsafe fn place<'a, T>(out: *mut T) -> Result<&'a mut MaybeUninit<T>, Failure> {
    // SAFETY: the caller's promise; `MaybeUninit` asks nothing of what is there.
    unsafe { out.cast::<MaybeUninit<T>>().as_mut() }.ok_or(Failure(MLLP_ERR_NULL))
}

/// Memory that a state keeps between calls: rule 3 says for how long it must stay.
pub(crate) struct Memory {
    data: *mut u8,
    len: usize,
}

impl Memory {
    /// # Safety
    ///
    /// As for [`room`], for as long as the state is used.
    pub(crate) unsafe fn new(data: *mut u8, len: usize) -> Result<Memory, Failure> {
        // SAFETY: the caller's promise is the same. An empty slice has a pointer that is never read.
        let room = unsafe { room(data, len) }?;
        Ok(Memory { data: room.as_mut_ptr(), len })
    }
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `new` has checked the pointer, and rule 3 keeps the memory for this state alone.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }
}

impl AsMut<[u8]> for Memory {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_ref`; the state is borrowed mutably, so this is the only view.
        unsafe { slice::from_raw_parts_mut(self.data, self.len) }
    }
}

impl Storage for Memory {}
