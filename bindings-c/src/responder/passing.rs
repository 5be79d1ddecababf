//! Receiving messages that pass by, larger than memory.

use core::mem::ManuallyDrop;

use mllp_link::StreamResponder;

use super::{Either, Link, mllp_responder_t};
use crate::responder_config::mllp_responder_config_t;
use crate::responder_event::mllp_responder_event_t;
use crate::slice::{Memory, bytes, mllp_slice_t, place, value};
use crate::state::{clear, state, state_mut};
use crate::status::{
    Failure, MLLP_ERR_BUFFER_TOO_SMALL, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, MLLP_PARTIAL,
    mllp_status_t, status,
};

/// Prepares a responder for messages larger than memory, on a connection that was accepted at `now`.
/// It stores no payload: the bytes pass by as spans of the input. It keeps `answers` for answers that
/// wait, until it is not used any more.
///
/// A header is kept whole when its MSH segment, with the CR behind it, has up to
/// `MLLP_RESPONDER_HEADER` bytes. Of a longer one, the fields that were kept whole are there, and the
/// others are absent: no control ID is ever cut short. The length of a message is limited by
/// `max_payload_len` alone, which may be `SIZE_MAX`.
///
/// `MLLP_ERR_BUFFER_TOO_SMALL`: no message could ever be taken, because `answers` is shorter than
/// `max_answer_len`, with commit blocks twice that; the responder is not prepared then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_init_stream(
    responder: *mut mllp_responder_t,
    config: *const mllp_responder_config_t,
    answers: *mut u8,
    answers_len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 3, 6 and 7.
        let (config, answers) =
            unsafe { (value(config)?.read()?, Memory::new(answers, answers_len)?) };
        let passing =
            || Either::Passing(ManuallyDrop::new(StreamResponder::new(answers, config, now)));
        // SAFETY: rules 2 and 7.
        let link = unsafe { Link::prepare(responder, now, passing) }?;
        let (passing, _) = link.passing()?;
        if !passing.wants_input() {
            // SAFETY: it has just been written to.
            unsafe { clear(responder) };
            return Err(Failure(MLLP_ERR_BUFFER_TOO_SMALL));
        }
        Ok(MLLP_OK)
    })
}

/// Looks at the bytes that come next in the stream, up to the next event. Without input it reports
/// what is due. Writes to `consumed` how many bytes are done with; the next call takes the rest.
///
/// `MLLP_OK`: an event. `MLLP_PARTIAL`: the input is consumed, or no input is wanted and the rest is
/// for later. It writes both outputs too. The payload of a span is of the input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_step(
    responder: *mut mllp_responder_t,
    input: *const u8,
    input_len: usize,
    now: u64,
    consumed: *mut usize,
    out: *mut mllp_responder_event_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (link, input, consumed, out) = unsafe {
            (state_mut(responder)?, bytes(input, input_len)?, place(consumed)?, place(out)?)
        };
        let (passing, tickets) = link.passing()?;
        let step = passing.step(input, now);
        consumed.write(step.consumed);
        let Some(event) = step.event else {
            out.write(mllp_responder_event_t::NONE);
            return Ok(MLLP_PARTIAL);
        };
        out.write(mllp_responder_event_t::of_stream(event, tickets));
        Ok(MLLP_OK)
    })
}

/// The bytes that are kept of the header of the message whose frame began last, as far as it has
/// come: the whole MSH segment and what stands before it, or as many whole fields as there is room
/// for. Until the next frame begins. `mllp_message_header_parse_lenient` reads them; a caller that
/// answers later keeps them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_header_bytes(
    responder: *const mllp_responder_t,
) -> mllp_slice_t {
    // SAFETY: rules 2 and 7.
    let header = unsafe { state(responder) }.and_then(|link| match &link.responder {
        Either::Passing(passing) => Ok(passing.header_bytes()),
        Either::Stored(_) => Err(Failure(MLLP_ERR_INVALID_ARGUMENT)),
    });
    mllp_slice_t::found(header)
}
