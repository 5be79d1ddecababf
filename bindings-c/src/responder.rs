//! The receiving end of a link: messages in, answers out.

mod answers;

use core::mem::ManuallyDrop;
use core::mem::MaybeUninit;

use mllp_link::Responder;

use crate::responder_config::{MLLP_NEVER, mllp_responder_config_t};
use crate::responder_event::mllp_responder_event_t;
use crate::scanner::mllp_counters_t;
use crate::slice::{Memory, bytes, mllp_room_t, mllp_slice_t, place, value};
use crate::state::{State, clear, init, state, state_mut};
use crate::status::{
    Failure, MLLP_ERR_BUFFER_TOO_SMALL, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, MLLP_PARTIAL,
    mllp_status_t, status,
};
use crate::ticket::{Tickets, is_settled};

pub use answers::*;

/// How many messages of a connection can be without an answer at a time; with commit blocks half as
/// many.
pub const MLLP_RESPONDER_WINDOW: usize = 64;

/// One connection, seen from the end that receives messages and answers them.
///
/// Answers leave in the order of the messages, in whatever order they are given. The loop: take every
/// event; send what is `_outgoing` and say so with `_sent`; while it `_wants_input`, read into its
/// `_spare` room and say so with `_commit_read`; wait for the socket until `_next_deadline`, then
/// call `_on_time`; until it `_is_finished`. While it wants no input, too much is unanswered or
/// unsent: the caller does not read, and the peer feels it.
#[repr(C)]
pub struct mllp_responder_t {
    _state: [MaybeUninit<u64>; 321],
}

pub(crate) struct Link {
    // Nothing in it has anything to drop, but its list of answers says so by dropping each.
    responder: ManuallyDrop<Responder<Memory, Memory, MLLP_RESPONDER_WINDOW>>,
    tickets: Tickets<MLLP_RESPONDER_WINDOW>,
}

impl State for mllp_responder_t {
    type Inner = Link;
    const MARK: u64 = u64::from_le_bytes(*b"mllpRSP1");
}

/// Prepares a responder for a connection that was accepted at `now`. It keeps `incoming` for what is
/// received and `answers` for answers that wait, until it is not used any more.
///
/// The longest message is `max_payload_len` or three bytes less than `incoming`, whichever is
/// smaller. `MLLP_ERR_BUFFER_TOO_SMALL`: no message could ever be taken, because `incoming` is empty
/// or `answers` is shorter than `max_answer_len`, with commit blocks twice that; the responder is not
/// prepared then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_init(
    responder: *mut mllp_responder_t,
    config: *const mllp_responder_config_t,
    incoming: *mut u8,
    incoming_len: usize,
    answers: *mut u8,
    answers_len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 3, 6 and 7.
        let (config, incoming, answers) = unsafe {
            let incoming = Memory::new(incoming, incoming_len)?;
            (value(config)?.read()?, incoming, Memory::new(answers, answers_len)?)
        };
        let link = Link {
            responder: ManuallyDrop::new(Responder::new(incoming, answers, config, now)),
            tickets: Tickets::new(responder.addr(), now),
        };
        // SAFETY: rules 2 and 7.
        let link = unsafe {
            init(responder, link)?;
            state_mut(responder)?
        };
        if link.responder.spare_mut(1).is_empty() {
            // SAFETY: it has just been written to.
            unsafe { clear(responder) };
            return Err(Failure(MLLP_ERR_BUFFER_TOO_SMALL));
        }
        Ok(MLLP_OK)
    })
}

/// 1: read from the socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_wants_input(responder: *const mllp_responder_t) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| u32::from(link.responder.wants_input()))
}

/// Room for the socket to read into: `want` bytes as long as there are so many, none while no input
/// is wanted. Take every event first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_spare(
    responder: *mut mllp_responder_t,
    want: usize,
    out: *mut mllp_room_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (link, out) = unsafe { (state_mut(responder)?, place(out)?) };
        out.write(mllp_room_t::lend(link.responder.spare_mut(want)));
        Ok(MLLP_OK)
    })
}

/// The socket has read `len` bytes into the spare room. `MLLP_ERR_INVALID_ARGUMENT`: there is no such
/// room; `len` is what a failed read returned, perhaps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_commit_read(
    responder: *mut mllp_responder_t,
    len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let link = unsafe { state_mut(responder) }?;
        if len > link.responder.spare_mut(0).len() {
            return Err(Failure(MLLP_ERR_INVALID_ARGUMENT));
        }
        link.responder.commit_read(len, now);
        Ok(MLLP_OK)
    })
}

/// Takes bytes from a buffer of the caller's, as many as there is room for, and writes how many to
/// `taken`. Take every event first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_receive(
    responder: *mut mllp_responder_t,
    chunk: *const u8,
    chunk_len: usize,
    now: u64,
    taken: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (link, chunk, taken) =
            unsafe { (state_mut(responder)?, bytes(chunk, chunk_len)?, place(taken)?) };
        taken.write(link.responder.receive(chunk, now));
        Ok(MLLP_OK)
    })
}

/// Takes bytes from a buffer of the caller's up to the next event, and copies none of a message that
/// lies whole in it: `payload` of the event then is of the chunk. Writes to `consumed` how many bytes
/// are done with; the next call takes the rest.
///
/// `MLLP_OK`: an event. `MLLP_PARTIAL`: the chunk is done with, or there is no room for what is left of
/// it, which comes first when there is. It writes both outputs too. Answer such a message with
/// `mllp_responder_answer_now` or `mllp_responder_answer_later`, which are given the payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_feed(
    responder: *mut mllp_responder_t,
    chunk: *const u8,
    chunk_len: usize,
    now: u64,
    consumed: *mut usize,
    out: *mut mllp_responder_event_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (link, chunk, consumed, out) = unsafe {
            (state_mut(responder)?, bytes(chunk, chunk_len)?, place(consumed)?, place(out)?)
        };
        let fed = link.responder.feed(chunk, now);
        consumed.write(fed.consumed);
        let Some(event) = fed.event else {
            out.write(mllp_responder_event_t::NONE);
            return Ok(MLLP_PARTIAL);
        };
        let payload = fed.payload.unwrap_or_else(|| link.responder.payload());
        out.write(mllp_responder_event_t::of(event, payload, &mut link.tickets));
        Ok(MLLP_OK)
    })
}

/// What has happened. `MLLP_PARTIAL`: nothing; send, read, or wait for the deadline. It writes `out`
/// too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_next_event(
    responder: *mut mllp_responder_t,
    now: u64,
    out: *mut mllp_responder_event_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (link, out) = unsafe { (state_mut(responder)?, place(out)?) };
        let Some(event) = link.responder.next_event(now) else {
            out.write(mllp_responder_event_t::NONE);
            return Ok(MLLP_PARTIAL);
        };
        let payload = link.responder.payload();
        out.write(mllp_responder_event_t::of(event, payload, &mut link.tickets));
        Ok(MLLP_OK)
    })
}

/// The payload of the message, or the beginning of the one to be refused, that the last event was
/// about: until the next event is taken, or bytes of the peer. Otherwise none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_payload(
    responder: *const mllp_responder_t,
) -> mllp_slice_t {
    // SAFETY: rules 2 and 7.
    mllp_slice_t::found(unsafe { state(responder) }.map(|link| link.responder.payload()))
}

/// Bytes for the socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_outgoing(
    responder: *const mllp_responder_t,
) -> mllp_slice_t {
    // SAFETY: rules 2 and 7.
    mllp_slice_t::found(unsafe { state(responder) }.map(|link| link.responder.outgoing()))
}

/// The socket has taken `len` of the outgoing bytes. `MLLP_ERR_INVALID_ARGUMENT`: there were not so
/// many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_sent(
    responder: *mut mllp_responder_t,
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

/// When to call `mllp_responder_on_time`, unless something else happens first; `MLLP_NEVER`
/// for never, and of a responder that was never prepared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_next_deadline(responder: *const mllp_responder_t) -> u64 {
    // SAFETY: rules 2 and 7.
    let link = unsafe { state(responder) }.ok();
    link.and_then(|link| link.responder.next_deadline()).unwrap_or(MLLP_NEVER)
}

/// Time has passed. A time that has run out ends the connection: what was received whole is still
/// answered, an open frame is reported as lost. Only the time for a trailer ends nothing: the next
/// event then is the message.
///
/// A caller that comes late reads what has come before it calls this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_on_time(
    responder: *mut mllp_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| link.responder.on_time(now)) }
}

/// The peer will send nothing more. It may still take answers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_peer_closed(
    responder: *mut mllp_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| link.responder.peer_closed(now)) }
}

/// The caller wants to end the connection: what has been received is answered first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_close(
    responder: *mut mllp_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| link.responder.close(now)) }
}

/// 1: the connection can be closed, because everything is reported, answered and sent; also of a
/// responder that was never prepared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_is_finished(responder: *const mllp_responder_t) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(1, |link| u32::from(link.responder.is_finished()))
}

/// How many places wait for an answer; with commit blocks a message has two.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_waiting(responder: *const mllp_responder_t) -> usize {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| link.responder.waiting())
}

/// 1: the place with this number, of a ticket or a refusal, is done. Its answer has been taken by the
/// socket, or there is none to be sent. What was lost with `MLLP_LINK_ANSWERS_LOST` never is done.
/// Numbers begin anew after 2^32 messages: ask within half of that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_is_settled(
    responder: *const mllp_responder_t,
    number: u32,
) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }
        .map_or(0, |link| u32::from(is_settled(link.responder.settled(), number)))
}

/// Bytes taken of an unfinished frame, counted from its start block; 0 between frames.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_pending(responder: *const mllp_responder_t) -> u64 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| link.responder.scanner().pending())
}

/// Totals of the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_counters(
    responder: *const mllp_responder_t,
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
    responder: *mut mllp_responder_t,
    change: impl FnOnce(&mut Link),
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        change(unsafe { state_mut(responder) }?);
        Ok(MLLP_OK)
    })
}
