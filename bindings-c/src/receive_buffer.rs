//! Whole frames from chunks, with the caller's memory for what is split between them.

use core::mem::MaybeUninit;

use mllp_core::{Decoded, ReceiveBuffer, Received};

use crate::config::mllp_config_t;
use crate::decoder::mllp_decoded_t;
use crate::event::mllp_event_t;
use crate::scanner::mllp_counters_t;
use crate::slice::{Memory, bytes, mllp_room_t, place, value};
use crate::state::{State, init, state, state_mut};
use crate::status::{Failure, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, mllp_status_t, status};

/// Finds whole frames in chunks and puts together in its memory what is split between them. A frame
/// that arrives whole is borrowed from its chunk.
#[repr(C)]
pub struct mllp_receive_buffer_t {
    _state: [MaybeUninit<u64>; 31],
}

impl State for mllp_receive_buffer_t {
    type Inner = ReceiveBuffer<Memory>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpRCV1");
}

/// Prepares a buffer for the beginning of a stream. It keeps `memory` until it is not used any more.
///
/// The limit is `max_payload_len` or three bytes less than the memory, whichever is smaller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_init(
    buffer: *mut mllp_receive_buffer_t,
    config: *const mllp_config_t,
    memory: *mut u8,
    memory_len: usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 3, 6 and 7.
        unsafe {
            let config = value(config)?.read()?;
            init(buffer, ReceiveBuffer::new(Memory::new(memory, memory_len)?, config))?;
        }
        Ok(MLLP_OK)
    })
}

/// Looks at the next bytes of the stream, up to the next event.
///
/// `MLLP_OK`: an event, whose payload is of the chunk or of the memory; call again with what
/// `consumed` leaves of the chunk. `MLLP_PARTIAL`: all of the chunk is consumed. It writes `out` too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_feed(
    buffer: *mut mllp_receive_buffer_t,
    chunk: *const u8,
    chunk_len: usize,
    out: *mut mllp_decoded_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (buffer, chunk, out) =
            unsafe { (state_mut(buffer)?, bytes(chunk, chunk_len)?, place(out)?) };
        let (decoded, status) = mllp_decoded_t::of(buffer.feed(chunk));
        out.write(decoded);
        Ok(status)
    })
}

/// Room in the memory for a socket to read into: `want` bytes as long as there are so many. Take
/// every event first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_spare(
    buffer: *mut mllp_receive_buffer_t,
    want: usize,
    out: *mut mllp_room_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (buffer, out) = unsafe { (state_mut(buffer)?, place(out)?) };
        out.write(mllp_room_t::lend(buffer.spare_mut(want)));
        Ok(MLLP_OK)
    })
}

/// The socket has read `len` bytes into the spare room. `MLLP_ERR_INVALID_ARGUMENT`: there is no such
/// room; `len` is what a failed read returned, perhaps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_commit(
    buffer: *mut mllp_receive_buffer_t,
    len: usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let buffer = unsafe { state_mut(buffer) }?;
        if len > buffer.spare_mut(0).len() {
            return Err(Failure(MLLP_ERR_INVALID_ARGUMENT));
        }
        buffer.commit(len);
        Ok(MLLP_OK)
    })
}

/// What has happened in the bytes that were committed. `MLLP_PARTIAL`: read on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_next_event(
    buffer: *mut mllp_receive_buffer_t,
    out: *mut mllp_event_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { take(buffer, out, |buffer| buffer.next_event()) }
}

/// The line has been idle for as long as the caller waits for a trailer (profile `resync`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_idle(
    buffer: *mut mllp_receive_buffer_t,
    out: *mut mllp_event_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { take(buffer, out, |buffer| buffer.idle()) }
}

/// The stream has ended. Call it until it returns `MLLP_PARTIAL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_finish(
    buffer: *mut mllp_receive_buffer_t,
    out: *mut mllp_event_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { take(buffer, out, |buffer| buffer.finish()) }
}

/// Forgets the stream and keeps settings and memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_reset(
    buffer: *mut mllp_receive_buffer_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        unsafe { state_mut(buffer) }?.reset();
        Ok(MLLP_OK)
    })
}

/// Totals of the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_receive_buffer_counters(
    buffer: *const mllp_receive_buffer_t,
    out: *mut mllp_counters_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (buffer, out) = unsafe { (state(buffer)?, place(out)?) };
        out.write(mllp_counters_t::of(buffer.counters()));
        Ok(MLLP_OK)
    })
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn take(
    buffer: *mut mllp_receive_buffer_t,
    out: *mut mllp_event_t,
    look: impl FnOnce(&mut ReceiveBuffer<Memory>) -> Option<Received<'_>>,
) -> mllp_status_t {
    status(|| -> Result<mllp_status_t, Failure> {
        // SAFETY: the caller's promise is the same.
        let (buffer, out) = unsafe { (state_mut(buffer)?, place(out)?) };
        let event = look(buffer);
        let (decoded, status) = mllp_decoded_t::of(Decoded { consumed: 0, event });
        out.write(decoded.event);
        Ok(status)
    })
}
