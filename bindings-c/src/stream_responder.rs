//! The receiving end of a link for messages larger than memory: spans in, answers out.

mod answers;

use core::mem::ManuallyDrop;
use core::mem::MaybeUninit;

use mllp_link::StreamResponder;

use crate::header::mllp_message_header_t;
use crate::responder_config::{MLLP_NEVER, mllp_responder_config_t};
use crate::responder_event::mllp_responder_event_t;
use crate::scanner::mllp_counters_t;
use crate::slice::{Memory, bytes, mllp_slice_t, place, value};
use crate::state::{State, clear, give, init, state, state_mut};
use crate::status::{
    Failure, MLLP_ERR_BUFFER_TOO_SMALL, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, MLLP_PARTIAL,
    mllp_status_t, status,
};
use crate::ticket::{Tickets, is_settled};

pub use answers::*;

/// How many bytes of a header a stream responder keeps.
pub const MLLP_STREAM_RESPONDER_HEADER: usize = 512;
/// How many messages of a stream responder can be without an answer at a time; with commit blocks
/// half as many.
pub const MLLP_STREAM_RESPONDER_WINDOW: usize = 4;

/// A responder that stores no payload: its bytes pass by as spans of the input, and the answer is
/// made from the header.
///
/// A header is kept whole when its MSH segment, with the CR behind it, has up to
/// `MLLP_STREAM_RESPONDER_HEADER` bytes. Of a longer one, the fields that were kept whole are there,
/// and the others are absent: no control ID is ever cut short. The length of a message is limited by
/// `max_payload_len` alone, which may be `SIZE_MAX`.
///
/// The loop: `_step` over what was read until it returns `MLLP_PARTIAL`; send what is `_outgoing` and
/// say so with `_sent`; while it `_wants_input`, read; wait for the socket until `_next_deadline`,
/// then call `_on_time`; until it `_is_finished`.
#[repr(C)]
pub struct mllp_stream_responder_t {
    _state: [MaybeUninit<u64>; 141],
}

pub(crate) struct Link {
    // Nothing in it has anything to drop, but its list of answers says so by dropping each.
    responder: ManuallyDrop<
        StreamResponder<Memory, MLLP_STREAM_RESPONDER_HEADER, MLLP_STREAM_RESPONDER_WINDOW>,
    >,
    tickets: Tickets<MLLP_STREAM_RESPONDER_WINDOW>,
}

impl State for mllp_stream_responder_t {
    type Inner = Link;
    const MARK: u64 = u64::from_le_bytes(*b"mllpSTR1");
}

/// One step of a stream responder.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_stream_step_t {
    /// How many bytes of the input are done with, whatever the event.
    pub consumed: usize,
    /// What happened.
    pub event: mllp_responder_event_t,
}

/// Prepares a stream responder for a connection that was accepted at `now`. It keeps `answers` for
/// answers that wait, until it is not used any more.
///
/// `MLLP_ERR_BUFFER_TOO_SMALL`: no message could ever be taken, because `answers` is shorter than
/// `max_answer_len`, with commit blocks twice that; the responder is not prepared then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_init(
    responder: *mut mllp_stream_responder_t,
    config: *const mllp_responder_config_t,
    answers: *mut u8,
    answers_len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 3, 6 and 7.
        let (config, answers) =
            unsafe { (value(config)?.read()?, Memory::new(answers, answers_len)?) };
        let link = Link {
            responder: ManuallyDrop::new(StreamResponder::new(answers, config, now)),
            tickets: Tickets::new(responder.addr(), now),
        };
        // SAFETY: rules 2 and 7.
        let link = unsafe {
            init(responder, link)?;
            state(responder)?
        };
        if !link.responder.wants_input() {
            // SAFETY: it has just been written to.
            unsafe { clear(responder) };
            return Err(Failure(MLLP_ERR_BUFFER_TOO_SMALL));
        }
        Ok(MLLP_OK)
    })
}

/// 1: read from the socket. 0: no input is consumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_wants_input(
    responder: *const mllp_stream_responder_t,
) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| u32::from(link.responder.wants_input()))
}

/// Looks at the bytes that come next in the stream, up to the next event. Without input it reports
/// what is due.
///
/// `MLLP_OK`: an event; call again with what `consumed` leaves of the input. `MLLP_PARTIAL`: the input
/// is consumed, or no input is wanted and the rest is for later. It writes `out` too. The payload of
/// a span is of the input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_step(
    responder: *mut mllp_stream_responder_t,
    input: *const u8,
    input_len: usize,
    now: u64,
    out: *mut mllp_stream_step_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (link, input, out) =
            unsafe { (state_mut(responder)?, bytes(input, input_len)?, place(out)?) };
        let step = link.responder.step(input, now);
        let (event, status) = match step.event {
            Some(event) => (mllp_responder_event_t::of_stream(event, &mut link.tickets), MLLP_OK),
            None => (mllp_responder_event_t::NONE, MLLP_PARTIAL),
        };
        out.write(mllp_stream_step_t { consumed: step.consumed, event });
        Ok(status)
    })
}

/// The header of the message whose frame began last, as far as it has come and is kept: see
/// `mllp_message_header_parse_lenient`. `MLLP_NOT_FOUND`: there is none. It borrows from the
/// responder, until the next frame begins. For names in Shift_JIS and the like, read
/// `mllp_stream_responder_header_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_header(
    responder: *const mllp_stream_responder_t,
    out: *mut mllp_message_header_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (link, out) = unsafe { (state(responder)?, place(out)?) };
        Ok(give(out, link.responder.header()))
    })
}

/// The bytes that are kept of the header, for a caller that answers later: the whole MSH segment and
/// what stands before it, or as many whole fields as there is room for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_header_bytes(
    responder: *const mllp_stream_responder_t,
) -> mllp_slice_t {
    // SAFETY: rules 2 and 7.
    mllp_slice_t::found(unsafe { state(responder) }.map(|link| link.responder.header_bytes()))
}

/// Bytes for the socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_outgoing(
    responder: *const mllp_stream_responder_t,
) -> mllp_slice_t {
    // SAFETY: rules 2 and 7.
    mllp_slice_t::found(unsafe { state(responder) }.map(|link| link.responder.outgoing()))
}

/// The socket has taken `len` of the outgoing bytes. `MLLP_ERR_INVALID_ARGUMENT`: there were not so
/// many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_sent(
    responder: *mut mllp_stream_responder_t,
    len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let link = unsafe { state_mut(responder) }?;
        if len > link.responder.outgoing().len() {
            return Err(Failure(MLLP_ERR_INVALID_ARGUMENT));
        }
        link.responder.sent(len, now);
        Ok(MLLP_OK)
    })
}

/// When to call `mllp_stream_responder_on_time`, unless something else happens first;
/// `MLLP_NEVER` for never, and of a responder that was never prepared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_next_deadline(
    responder: *const mllp_stream_responder_t,
) -> u64 {
    // SAFETY: rules 2 and 7.
    let link = unsafe { state(responder) }.ok();
    link.and_then(|link| link.responder.next_deadline()).unwrap_or(MLLP_NEVER)
}

/// Time has passed: see `mllp_responder_on_time`. A caller that comes late reads what has come, and
/// steps over it, before it calls this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_on_time(
    responder: *mut mllp_stream_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| link.responder.on_time(now)) }
}

/// The peer will send nothing more. It may still take answers. Step over everything that was read
/// first: no more is consumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_peer_closed(
    responder: *mut mllp_stream_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| link.responder.peer_closed(now)) }
}

/// The caller wants to end the connection: the messages that were complete are answered first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_close(
    responder: *mut mllp_stream_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| link.responder.close(now)) }
}

/// 1: the connection can be closed, because everything is reported, answered and sent; also of a
/// responder that was never prepared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_is_finished(
    responder: *const mllp_stream_responder_t,
) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(1, |link| u32::from(link.responder.is_finished()))
}

/// How many places wait for an answer; with commit blocks a message has two.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_waiting(
    responder: *const mllp_stream_responder_t,
) -> usize {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| link.responder.waiting())
}

/// 1: the place with this number is done. See `mllp_responder_is_settled`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_is_settled(
    responder: *const mllp_stream_responder_t,
    number: u32,
) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }
        .map_or(0, |link| u32::from(is_settled(link.responder.settled(), number)))
}

/// Bytes taken of an unfinished frame, counted from its start block; 0 between frames.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_pending(
    responder: *const mllp_stream_responder_t,
) -> u64 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| link.responder.scanner().pending())
}

/// Totals of the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_stream_responder_counters(
    responder: *const mllp_stream_responder_t,
    out: *mut mllp_counters_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (link, out) = unsafe { (state(responder)?, place(out)?) };
        out.write(mllp_counters_t::of(link.responder.scanner().counters()));
        Ok(MLLP_OK)
    })
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn change(
    responder: *mut mllp_stream_responder_t,
    change: impl FnOnce(&mut Link),
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        change(unsafe { state_mut(responder) }?);
        Ok(MLLP_OK)
    })
}
