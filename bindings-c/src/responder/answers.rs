//! How messages are answered. An answer that is not taken leaves its ticket good.

use ack_gen::Ack;
use mllp_link::Refuse;

use super::{Either, Link, either, mllp_responder_t};
use crate::ack::mllp_ack_t;
use crate::code::Numbered;
use crate::slice::{bytes, place, room, value};
use crate::state::state_mut;
use crate::status::{Failure, MLLP_OK, mllp_status_t, status};
use crate::ticket::{mllp_refusal_t, mllp_refuse_t, mllp_ticket_t};

/// Answers the message whose payload is at hand: until the next event is taken, or, where messages
/// pass by, the one whose header is: until the next frame begins. `header` and `policy` of the
/// acknowledgment are filled in from it and from the settings. An answer that is too
/// long is tried again without the names of the header.
///
/// `MLLP_ERR_NO_TICKET`: the ticket was used, or is of no message. `MLLP_ERR_NOT_AT_HAND`: use
/// `mllp_responder_answer_later`. `MLLP_ERR_BUFFER_TOO_SMALL`: it is longer than `max_answer_len`.
/// `MLLP_ERR_RESERVED_BYTE`: it holds a framing byte. `MLLP_ERR_CLOSED`: the link was given up. By
/// the policy `conformant`, `MLLP_ERR_NO_CONTROL_ID`, `MLLP_ERR_BATCH`, and the errors of a header
/// that cannot be read. The ticket of an answer that failed is still good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_answer(
    responder: *mut mllp_responder_t,
    ticket: mllp_ticket_t,
    ack: *const mllp_ack_t,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (link, ack) = unsafe { (state_mut(responder)?, value(ack)?) };
        let mut answer = |ack: &Ack<'_>| {
            let answered =
                either!(&mut link.responder, it => it.answer(link.tickets.take(ticket)?, ack, now));
            link.tickets.answered(answered)
        };
        // SAFETY: rules 2 and 6.
        unsafe { ack.with(&mut answer) }
    })
}

/// Answers a message that the caller has kept: its payload, or of one that passed by its
/// `mllp_responder_header_bytes`. Errors as for `mllp_responder_answer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_answer_later(
    responder: *mut mllp_responder_t,
    ticket: mllp_ticket_t,
    payload: *const u8,
    payload_len: usize,
    ack: *const mllp_ack_t,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (link, payload, ack) =
            unsafe { (state_mut(responder)?, bytes(payload, payload_len)?, value(ack)?) };
        let mut answer = |ack: &Ack<'_>| {
            let ticket = link.tickets.take(ticket)?;
            let answered =
                either!(&mut link.responder, it => it.answer_later(ticket, payload, ack, now));
            link.tickets.answered(answered)
        };
        // SAFETY: rules 2 and 6.
        unsafe { ack.with(&mut answer) }
    })
}

/// As `mllp_responder_answer_later`, for a caller that sends at once: writes the answer to `out`, where
/// it is its turn, and its length to `out_len`; these bytes count as sent. A length of 0: `out` is too
/// short, or it is not the turn of this answer, and `mllp_responder_outgoing` has it when it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_answer_now(
    responder: *mut mllp_responder_t,
    ticket: mllp_ticket_t,
    payload: *const u8,
    payload_len: usize,
    ack: *const mllp_ack_t,
    now: u64,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (link, payload, ack, out, out_len) = unsafe {
            (
                state_mut(responder)?,
                bytes(payload, payload_len)?,
                value(ack)?,
                room(out, out_capacity)?,
                place(out_len)?,
            )
        };
        let mut len = 0;
        let mut answer = |ack: &Ack<'_>| {
            let ticket = link.tickets.take(ticket)?;
            let answered =
                either!(&mut link.responder, it => it.answer_now(ticket, payload, ack, out, now));
            link.tickets.answered(answered.map(|written| len = written))
        };
        // SAFETY: rules 2 and 6.
        let status = unsafe { ack.with(&mut answer) }?;
        out_len.write(len);
        Ok(status)
    })
}

/// Answers with a payload that the caller made, without a frame.
///
/// `MLLP_ERR_NO_TICKET`, `MLLP_ERR_BUFFER_TOO_SMALL`, `MLLP_ERR_RESERVED_BYTE` and
/// `MLLP_ERR_CLOSED` as for `mllp_responder_answer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_answer_with(
    responder: *mut mllp_responder_t,
    ticket: mllp_ticket_t,
    answer: *const u8,
    answer_len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (link, answer) = unsafe { (state_mut(responder)?, bytes(answer, answer_len)?) };
        let answered = either!(&mut link.responder, it => it.answer_with(link.tickets.take(ticket)?, answer, now));
        link.tickets.answered(answered)
    })
}

/// The message gets no answer: enhanced mode asked for none, or it is an acknowledgment itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_leave_unanswered(
    responder: *mut mllp_responder_t,
    ticket: mllp_ticket_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe {
        change(responder, |link| {
            either!(&mut link.responder, it => it.leave_unanswered(link.tickets.take(ticket)?, now));
            Ok(())
        })
    }
}

/// MLLP release 2: the message is in safe storage, and its sender may know before the message is
/// answered. An answer without it does the same. The ticket stays good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_commit(
    responder: *mut mllp_responder_t,
    ticket: mllp_ticket_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe {
        change(responder, |link| {
            either!(&mut link.responder, it => it.commit(link.tickets.find(ticket)?, now));
            Ok(())
        })
    }
}

/// MLLP release 2: the message could not be stored. It gets no other answer, and its sender sends it
/// again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_refuse_commit(
    responder: *mut mllp_responder_t,
    ticket: mllp_ticket_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe {
        change(responder, |link| {
            either!(&mut link.responder, it => it.refuse_commit(link.tickets.take(ticket)?, now));
            Ok(())
        })
    }
}

/// Refuses the message over the limit whose beginning is at hand. The code of the acknowledgment is
/// replaced by a negative one at the same level.
///
/// MLLP release 2: the negative commit block is all that the sender gets, because the message is not
/// in safe storage (1.2.1). Errors as for `mllp_responder_answer`; the refusal is still good then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_refuse(
    responder: *mut mllp_responder_t,
    refusal: mllp_refusal_t,
    refuse: mllp_refuse_t,
    ack: *const mllp_ack_t,
    now: u64,
) -> mllp_status_t {
    status(|| {
        let refuse = Refuse::from_number(refuse)?;
        // SAFETY: rules 2 and 7.
        let (link, ack) = unsafe { (state_mut(responder)?, value(ack)?) };
        let mut answer = |ack: &Ack<'_>| {
            let refusal = link.tickets.take_refusal(refusal)?;
            let refused = either!(&mut link.responder, it => it.refuse(refusal, refuse, ack, now));
            link.tickets.refused(refused)
        };
        // SAFETY: rules 2 and 6.
        unsafe { ack.with(&mut answer) }
    })
}

/// The message over the limit gets no answer: there is no way to refuse it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_leave_unrefused(
    responder: *mut mllp_responder_t,
    refusal: mllp_refusal_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe {
        change(responder, |link| {
            either!(&mut link.responder, it => it.leave_unrefused(link.tickets.take_refusal(refusal)?, now));
            Ok(())
        })
    }
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn change(
    responder: *mut mllp_responder_t,
    change: impl FnOnce(&mut Link) -> Result<(), Failure>,
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        change(unsafe { state_mut(responder) }?)?;
        Ok(MLLP_OK)
    })
}
