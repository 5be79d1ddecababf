//! States in the caller's memory.
//!
//! C cannot size a Rust type, so a state is an array of words in the header and a [`Marked`] value
//! here. The mark is different for every type: memory that was never initialised, or holds another
//! state, is recognised. The words are `MaybeUninit`, because the value has padding and pointers: an
//! integer may be neither uninitialised nor keep what a pointer may point to when it is moved.

use core::mem::MaybeUninit;

use crate::status::{
    Failure, MLLP_ERR_NOT_INITIALISED, MLLP_ERR_NULL, MLLP_NOT_FOUND, MLLP_OK, mllp_status_t,
};

/// A state as C sees it.
pub(crate) trait State: Sized {
    /// The state as Rust sees it. It is moved when C copies the bytes and never dropped.
    type Inner;
    /// Tells an initialised state of this type: four letters and a version of its layout.
    const MARK: u64;
    /// Fails to compile where the words of the header are too few.
    const FITS: () = {
        assert!(size_of::<Marked<Self::Inner>>() <= size_of::<Self>());
        assert!(align_of::<Marked<Self::Inner>>() <= align_of::<Self>());
        assert!(!core::mem::needs_drop::<Self::Inner>());
    };
}

#[repr(C)]
struct Marked<T> {
    mark: u64,
    inner: T,
}

/// Puts a state into the caller's memory.
///
/// # Safety
///
/// `state` is NULL or points to room for an `S`.
#[inline(always)]
pub(crate) unsafe fn init<S: State>(state: *mut S, inner: S::Inner) -> Result<(), Failure> {
    const { S::FITS };
    if state.is_null() {
        return Err(Failure(MLLP_ERR_NULL));
    }
    // SAFETY: not NULL; size and alignment are checked by `FITS`; nothing is read or dropped.
    unsafe { state.cast::<Marked<S::Inner>>().write(Marked { mark: S::MARK, inner }) };
    Ok(())
}

/// As [`init`], for a state that a small machine has no room for on its stack: `fill` puts it together
/// where it is to stand.
///
/// # Safety
///
/// As for [`init`], and `fill` leaves nothing of the state out.
#[inline(always)]
pub(crate) unsafe fn init_in_place<S: State>(
    state: *mut S,
    fill: impl FnOnce(&mut MaybeUninit<S::Inner>),
) -> Result<(), Failure> {
    const { S::FITS };
    if state.is_null() {
        return Err(Failure(MLLP_ERR_NULL));
    }
    let marked = state.cast::<Marked<S::Inner>>();
    // SAFETY: not NULL; size and alignment are checked by `FITS`; nothing is read or dropped.
    unsafe {
        fill(&mut *(&raw mut (*marked).inner).cast::<MaybeUninit<S::Inner>>());
        (&raw mut (*marked).mark).write(S::MARK);
    }
    Ok(())
}

/// Takes a state back that turned out to be of no use.
///
/// # Safety
///
/// [`init`] has just written it.
#[inline(always)]
pub(crate) unsafe fn clear<S: State>(state: *mut S) {
    // SAFETY: the caller's promise; a state begins with a word, which is no mark when it is 0.
    unsafe { state.cast::<u64>().write(0) };
}

/// Gives a state out that a call has made. Where there is none, what the caller's memory held is
/// taken from it, so that nobody takes it for the answer.
#[inline(always)]
pub(crate) fn give<S: State>(out: &mut MaybeUninit<S>, inner: Option<S::Inner>) -> mllp_status_t {
    const { S::FITS };
    let out = out.as_mut_ptr();
    match inner {
        Some(inner) => {
            // SAFETY: room for an `S`; size and alignment are checked by `FITS`.
            unsafe { out.cast::<Marked<S::Inner>>().write(Marked { mark: S::MARK, inner }) };
            MLLP_OK
        }
        None => {
            // SAFETY: room for an `S`, which begins with a word that is no mark when it is 0.
            unsafe { out.cast::<u64>().write(0) };
            MLLP_NOT_FOUND
        }
    }
}

/// The state in the caller's memory.
///
/// # Safety
///
/// `state` is NULL or points to an `S`, which nobody changes meanwhile; one that carries the mark
/// was put there by [`init`] (rule 2).
#[inline(always)]
pub(crate) unsafe fn state<'a, S: State>(state: *const S) -> Result<&'a S::Inner, Failure> {
    // SAFETY: the caller's promise.
    unsafe { check(state) }?;
    // SAFETY: the mark says that `init` wrote an inner state behind it.
    Ok(unsafe { &(*state.cast::<Marked<S::Inner>>()).inner })
}

/// As [`state`], for a call that changes it.
///
/// # Safety
///
/// As for [`state`], and nobody else looks at it meanwhile.
#[inline(always)]
pub(crate) unsafe fn state_mut<'a, S: State>(state: *mut S) -> Result<&'a mut S::Inner, Failure> {
    // SAFETY: the caller's promise.
    unsafe { check(state.cast_const()) }?;
    // SAFETY: the mark says that `init` wrote an inner state behind it.
    Ok(unsafe { &mut (*state.cast::<Marked<S::Inner>>()).inner })
}

/// # Safety
///
/// As for [`state`].
#[inline(always)]
unsafe fn check<S: State>(state: *const S) -> Result<(), Failure> {
    const { S::FITS };
    if state.is_null() {
        return Err(Failure(MLLP_ERR_NULL));
    }
    // SAFETY: not NULL, and every state begins with a word that may have any value.
    if unsafe { state.cast::<u64>().read() } != S::MARK {
        return Err(Failure(MLLP_ERR_NOT_INITIALISED));
    }
    Ok(())
}
