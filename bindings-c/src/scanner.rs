//! Frames that pass by, without any of them being stored.

use core::mem::MaybeUninit;

use mllp_core::{Counters, Event, Scanner};

use crate::config::mllp_config_t;
use crate::decoder::mllp_decoded_t;
use crate::event::mllp_event_t;
use crate::slice::{bytes, place, value};
use crate::state::{State, init, state, state_mut};
use crate::status::{MLLP_OK, MLLP_PARTIAL, mllp_status_t, status};

/// Cuts a stream into frames without storing any of it: payload leaves as spans of the input. For
/// messages larger than memory.
#[repr(C)]
pub struct mllp_scanner_t {
    _state: [MaybeUninit<u64>; 23],
}

impl State for mllp_scanner_t {
    type Inner = Scanner;
    const MARK: u64 = u64::from_le_bytes(*b"mllpSCN1");
}

/// Totals of one stream. They wrap.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_counters_t {
    /// Complete frames.
    pub frames: u64,
    /// Frames with an end block inside the payload.
    pub fs_in_payload: u64,
    /// Frames with a line feed where the trailer belongs.
    pub lf_for_cr: u64,
    /// Frames without their trailer.
    pub missing_cr: u64,
    /// Frames with a start block inside the payload.
    pub sb_in_payload: u64,
    /// Frames lost to an illegal byte.
    pub illegal_byte: u64,
    /// Frames lost to a start block inside them.
    pub sb_in_block: u64,
    /// Frames over the limit.
    pub too_large: u64,
    /// Frames that the end of the stream cut.
    pub truncated: u64,
    /// Bytes of lost frames.
    pub bytes_dropped: u64,
    /// Bytes between frames.
    pub bytes_outside: u64,
}

impl mllp_counters_t {
    pub(crate) const fn of(counters: &Counters) -> mllp_counters_t {
        mllp_counters_t {
            frames: counters.frames,
            fs_in_payload: counters.fs_in_payload,
            lf_for_cr: counters.lf_for_cr,
            missing_cr: counters.missing_cr,
            sb_in_payload: counters.sb_in_payload,
            illegal_byte: counters.illegal_byte,
            sb_in_block: counters.sb_in_block,
            too_large: counters.too_large,
            truncated: counters.truncated,
            bytes_dropped: counters.bytes_dropped,
            bytes_outside: counters.bytes_outside,
        }
    }
}

/// Prepares a scanner for the beginning of a stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_scanner_init(
    scanner: *mut mllp_scanner_t,
    config: *const mllp_config_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        unsafe { init(scanner, Scanner::new(value(config)?.read()?)) }?;
        Ok(MLLP_OK)
    })
}

/// Looks at the bytes that come next in the stream, up to the next event.
///
/// `MLLP_OK`: an event; call again with what `consumed` leaves of the input. `MLLP_PARTIAL`: all of
/// the input is consumed. It writes `out` too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_scanner_step(
    scanner: *mut mllp_scanner_t,
    input: *const u8,
    input_len: usize,
    out: *mut mllp_decoded_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (scanner, input, out) =
            unsafe { (state_mut(scanner)?, bytes(input, input_len)?, place(out)?) };
        let step = scanner.step(input);
        let (event, status) = report(step.event);
        out.write(mllp_decoded_t { consumed: step.consumed, event });
        Ok(status)
    })
}

/// The line has been idle for as long as the caller waits for a trailer (profile `resync`).
/// `MLLP_PARTIAL`: that decided nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_scanner_idle(
    scanner: *mut mllp_scanner_t,
    out: *mut mllp_event_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (scanner, out) = unsafe { (state_mut(scanner)?, place(out)?) };
        let (event, status) = report(scanner.idle());
        out.write(event);
        Ok(status)
    })
}

/// The stream has ended. Call it until it returns `MLLP_PARTIAL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_scanner_finish(
    scanner: *mut mllp_scanner_t,
    out: *mut mllp_event_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (scanner, out) = unsafe { (state_mut(scanner)?, place(out)?) };
        let (event, status) = report(scanner.finish());
        out.write(event);
        Ok(status)
    })
}

/// Forgets the stream and keeps the settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_scanner_reset(scanner: *mut mllp_scanner_t) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        unsafe { state_mut(scanner) }?.reset();
        Ok(MLLP_OK)
    })
}

/// Totals of the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_scanner_counters(
    scanner: *const mllp_scanner_t,
    out: *mut mllp_counters_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (scanner, out) = unsafe { (state(scanner)?, place(out)?) };
        out.write(mllp_counters_t::of(scanner.counters()));
        Ok(MLLP_OK)
    })
}

fn report(event: Option<Event<'_>>) -> (mllp_event_t, mllp_status_t) {
    match event {
        Some(event) => (mllp_event_t::of(event), MLLP_OK),
        None => (mllp_event_t::NONE, MLLP_PARTIAL),
    }
}
