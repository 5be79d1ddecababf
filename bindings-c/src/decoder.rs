//! Whole frames, borrowed from the caller's buffer.

use core::mem::MaybeUninit;

use mllp_core::{Decoded, Decoder};

use crate::config::mllp_config_t;
use crate::event::mllp_event_t;
use crate::scanner::mllp_counters_t;
use crate::slice::{bytes, place, value};
use crate::state::{State, init, state, state_mut};
use crate::status::{Failure, MLLP_OK, MLLP_PARTIAL, mllp_status_t, status};

/// Finds whole frames in a buffer of the caller's: show everything unread, drop `consumed` bytes
/// from its front after each call. A frame that arrives byte by byte costs one pass over its bytes.
#[repr(C)]
pub struct mllp_decoder_t {
    _state: [MaybeUninit<u64>; 24],
}

impl State for mllp_decoder_t {
    type Inner = Decoder;
    const MARK: u64 = u64::from_le_bytes(*b"mllpDEC1");
}

/// One step of a decoder.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_decoded_t {
    /// How many bytes at the front are done with, whatever the event.
    pub consumed: usize,
    /// What happened.
    pub event: mllp_event_t,
}

impl mllp_decoded_t {
    /// The step, and whether something happened in it.
    pub(crate) fn of(decoded: Decoded<'_>) -> (mllp_decoded_t, mllp_status_t) {
        let (event, status) = match decoded.event {
            Some(received) => (mllp_event_t::received(received), MLLP_OK),
            None => (mllp_event_t::NONE, MLLP_PARTIAL),
        };
        (mllp_decoded_t { consumed: decoded.consumed, event }, status)
    }
}

/// Prepares a decoder for the beginning of a stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_decoder_init(
    decoder: *mut mllp_decoder_t,
    config: *const mllp_config_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        unsafe { init(decoder, Decoder::new(value(config)?.read()?)) }?;
        Ok(MLLP_OK)
    })
}

/// Looks at everything unread, up to the next event.
///
/// `MLLP_OK`: an event. `MLLP_PARTIAL`: more bytes are needed behind those that `consumed` leaves. It
/// writes `out` too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_decoder_decode(
    decoder: *mut mllp_decoder_t,
    unread: *const u8,
    unread_len: usize,
    out: *mut mllp_decoded_t,
) -> mllp_status_t {
    // SAFETY: rules 2, 6 and 7.
    unsafe { step(decoder, unread, unread_len, out, Decoder::decode) }
}

/// The line has been idle for as long as the caller waits for a trailer (profile `resync`): what is
/// undecided behind an end block is decided. `unread` is what the last call left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_decoder_idle(
    decoder: *mut mllp_decoder_t,
    unread: *const u8,
    unread_len: usize,
    out: *mut mllp_decoded_t,
) -> mllp_status_t {
    // SAFETY: rules 2, 6 and 7.
    unsafe { step(decoder, unread, unread_len, out, Decoder::idle) }
}

/// The stream has ended. Call it, dropping what it consumes, until it returns `MLLP_PARTIAL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_decoder_finish(
    decoder: *mut mllp_decoder_t,
    unread: *const u8,
    unread_len: usize,
    out: *mut mllp_decoded_t,
) -> mllp_status_t {
    // SAFETY: rules 2, 6 and 7.
    unsafe { step(decoder, unread, unread_len, out, Decoder::finish) }
}

/// Forgets the stream and keeps the settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_decoder_reset(decoder: *mut mllp_decoder_t) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        unsafe { state_mut(decoder) }?.reset();
        Ok(MLLP_OK)
    })
}

/// The size in bytes of a buffer that holds every frame the limit allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_decoder_buffer_len(
    decoder: *const mllp_decoder_t,
    out: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (decoder, out) = unsafe { (state(decoder)?, place(out)?) };
        out.write(decoder.buffer_len());
        Ok(MLLP_OK)
    })
}

/// Totals of the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_decoder_counters(
    decoder: *const mllp_decoder_t,
    out: *mut mllp_counters_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (decoder, out) = unsafe { (state(decoder)?, place(out)?) };
        out.write(mllp_counters_t::of(decoder.counters()));
        Ok(MLLP_OK)
    })
}

/// # Safety
///
/// Rules 2, 6 and 7.
#[inline(always)]
unsafe fn step(
    decoder: *mut mllp_decoder_t,
    unread: *const u8,
    unread_len: usize,
    out: *mut mllp_decoded_t,
    look: impl for<'b> FnOnce(&mut Decoder, &'b [u8]) -> Decoded<'b>,
) -> mllp_status_t {
    status(|| -> Result<mllp_status_t, Failure> {
        // SAFETY: the caller's promise is the same.
        let (decoder, unread, out) =
            unsafe { (state_mut(decoder)?, bytes(unread, unread_len)?, place(out)?) };
        let (decoded, status) = mllp_decoded_t::of(look(decoder, unread));
        out.write(decoded);
        Ok(status)
    })
}
