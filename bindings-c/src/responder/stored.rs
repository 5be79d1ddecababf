//! Receiving messages that are stored until they are whole.

use core::mem::ManuallyDrop;

use mllp_link::Responder;

use super::{Either, Link, mllp_responder_t};
use crate::responder_config::mllp_responder_config_t;
use crate::responder_event::mllp_responder_event_t;
use crate::slice::{Memory, bytes, mllp_room_t, mllp_slice_t, place, value};
use crate::state::{clear, state, state_mut};
use crate::status::{
    Failure, MLLP_ERR_BUFFER_TOO_SMALL, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, MLLP_PARTIAL,
    mllp_status_t, status,
};

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
        let stored =
            || Either::Stored(ManuallyDrop::new(Responder::new(incoming, answers, config, now)));
        // SAFETY: rules 2 and 7.
        let link = unsafe { Link::prepare(responder, now, stored) }?;
        let (stored, _) = link.stored()?;
        if stored.spare_mut(1).is_empty() {
            // SAFETY: it has just been written to.
            unsafe { clear(responder) };
            return Err(Failure(MLLP_ERR_BUFFER_TOO_SMALL));
        }
        Ok(MLLP_OK)
    })
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
        let (stored, _) = link.stored()?;
        out.write(mllp_room_t::lend(stored.spare_mut(want)));
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
        let (stored, _) = link.stored()?;
        if len > stored.spare_mut(0).len() {
            return Err(Failure(MLLP_ERR_INVALID_ARGUMENT));
        }
        stored.commit_read(len, now);
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
        let (stored, _) = link.stored()?;
        taken.write(stored.receive(chunk, now));
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
        let (stored, tickets) = link.stored()?;
        let fed = stored.feed(chunk, now);
        consumed.write(fed.consumed);
        let Some(event) = fed.event else {
            out.write(mllp_responder_event_t::NONE);
            return Ok(MLLP_PARTIAL);
        };
        let payload = fed.payload.unwrap_or_else(|| stored.payload());
        out.write(mllp_responder_event_t::of(event, payload, tickets));
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
        let (stored, tickets) = link.stored()?;
        let Some(event) = stored.next_event(now) else {
            out.write(mllp_responder_event_t::NONE);
            return Ok(MLLP_PARTIAL);
        };
        let payload = stored.payload();
        out.write(mllp_responder_event_t::of(event, payload, tickets));
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
    let payload = unsafe { state(responder) }.and_then(|link| match &link.responder {
        Either::Stored(stored) => Ok(stored.payload()),
        Either::Passing(_) => Err(Failure(MLLP_ERR_INVALID_ARGUMENT)),
    });
    mllp_slice_t::found(payload)
}
