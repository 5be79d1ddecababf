//! Which acknowledgments a message gets: original and enhanced mode (2.2.3, 2.2.4, 2.8.2, 2.8.3).

use ack_gen::{AckCode, Condition, Decision, Inbound, Mode, Outcome, Request};

use crate::ack_code::{MLLP_ACK_NONE, mllp_ack_code_t, mllp_outcome_t};
use crate::code::{Numbered, numbered};
use crate::header::mllp_message_header_t;
use crate::slice::{bytes, mllp_slice_t, place, value};
use crate::state::state;
use crate::status::{Failure, MLLP_NOT_FOUND, MLLP_OK, mllp_status_t, status};

/// MSH-15 or MSH-16, table 0155, when an acknowledgment is wanted: `MLLP_CONDITION_*`.
pub type mllp_condition_t = u32;

/// Empty, null, or nothing that is in the table.
pub const MLLP_CONDITION_UNVALUED: mllp_condition_t = 0;
/// `AL`.
pub const MLLP_CONDITION_ALWAYS: mllp_condition_t = 1;
/// `ER`: on error or reject only.
pub const MLLP_CONDITION_ERROR_ONLY: mllp_condition_t = 2;
/// `NE`.
pub const MLLP_CONDITION_NEVER: mllp_condition_t = 3;
/// `SU`: on success only.
pub const MLLP_CONDITION_SUCCESS_ONLY: mllp_condition_t = 4;

numbered!(Condition {
    Condition::Unvalued = MLLP_CONDITION_UNVALUED, c"unvalued";
    Condition::Always = MLLP_CONDITION_ALWAYS, c"always";
    Condition::ErrorOnly = MLLP_CONDITION_ERROR_ONLY, c"error_only";
    Condition::Never = MLLP_CONDITION_NEVER, c"never";
    Condition::SuccessOnly = MLLP_CONDITION_SUCCESS_ONLY, c"success_only";
});

/// The mode of an exchange: `MLLP_MODE_*`.
pub type mllp_mode_t = u32;

/// MSH-15 and MSH-16 are both empty: one acknowledgment, at application level.
pub const MLLP_MODE_ORIGINAL: mllp_mode_t = 1;
/// At least one of them is valued: up to two acknowledgments.
pub const MLLP_MODE_ENHANCED: mllp_mode_t = 2;

numbered!(Mode {
    Mode::Original = MLLP_MODE_ORIGINAL, c"original";
    Mode::Enhanced = MLLP_MODE_ENHANCED, c"enhanced";
});

/// What a received message itself is, told by its MSA-1: `MLLP_INBOUND_*`.
pub type mllp_inbound_t = u32;

/// It has no MSA.
pub const MLLP_INBOUND_MESSAGE: mllp_inbound_t = 0;
/// Its MSA-1 is CA, CE or CR.
pub const MLLP_INBOUND_ACCEPT_ACK: mllp_inbound_t = 1;
/// It has any other MSA: an application acknowledgment, or the response to a query.
pub const MLLP_INBOUND_APPLICATION_ACK: mllp_inbound_t = 2;

numbered!(Inbound {
    Inbound::Message = MLLP_INBOUND_MESSAGE, c"message";
    Inbound::AcceptAck = MLLP_INBOUND_ACCEPT_ACK, c"accept_ack";
    Inbound::ApplicationAck = MLLP_INBOUND_APPLICATION_ACK, c"application_ack";
});

/// What the sender of a message asked for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_request_t {
    /// MSH-15.
    pub accept: mllp_condition_t,
    /// MSH-16.
    pub application: mllp_condition_t,
    /// What the message is.
    pub inbound: mllp_inbound_t,
}

impl mllp_request_t {
    fn read(self) -> Result<Request, Failure> {
        Ok(Request {
            accept: Condition::from_number(self.accept)?,
            application: Condition::from_number(self.application)?,
            inbound: Inbound::from_number(self.inbound)?,
        })
    }
}

/// The acknowledgments that a message gets.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_decision_t {
    /// The mode of the exchange.
    pub mode: mllp_mode_t,
    /// The accept acknowledgment, or `MLLP_ACK_NONE`.
    pub accept: mllp_ack_code_t,
    /// The application acknowledgment, or `MLLP_ACK_NONE`. In enhanced mode it is an exchange of its
    /// own, later.
    pub application: mllp_ack_code_t,
}

impl mllp_decision_t {
    fn of(decision: Decision) -> mllp_decision_t {
        mllp_decision_t {
            mode: decision.mode.number(),
            accept: decision.accept.map_or(MLLP_ACK_NONE, AckCode::number),
            application: decision.application.map_or(MLLP_ACK_NONE, AckCode::number),
        }
    }
}

/// Reads MSH-15 or MSH-16; case and padding are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_condition_from_field(
    field: *const u8,
    field_len: usize,
) -> mllp_condition_t {
    // SAFETY: rule 6.
    Condition::from_field(unsafe { bytes(field, field_len) }.unwrap_or_default()).number()
}

/// From MSA-1, as `mllp_message_get` gives it: without `data` there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_inbound_from_msa(msa_1: mllp_slice_t) -> mllp_inbound_t {
    // SAFETY: rule 6.
    Inbound::from_msa(unsafe { msa_1.borrow_some() }.unwrap_or_default()).number()
}

/// What the header of a message asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_request_of(
    header: *const mllp_message_header_t,
    inbound: mllp_inbound_t,
    out: *mut mllp_request_t,
) -> mllp_status_t {
    status(|| {
        let inbound = Inbound::from_number(inbound)?;
        // SAFETY: rules 2 and 7.
        let (header, out) = unsafe { (state(header)?, place(out)?) };
        let request = Request::new(header, inbound);
        out.write(mllp_request_t {
            accept: request.accept.number(),
            application: request.application.number(),
            inbound: request.inbound.number(),
        });
        Ok(MLLP_OK)
    })
}

/// The mode of the exchange.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_request_mode(request: *const mllp_request_t) -> mllp_mode_t {
    // SAFETY: rule 7.
    let request = unsafe { value(request) }.and_then(|request| request.read());
    request.map_or(0, |request| request.mode().number())
}

/// The decision table of chapter 2, for what became of the message at each level: a message that was
/// stored (CA) may still be found wrong (AE).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_request_decide(
    request: *const mllp_request_t,
    accept: mllp_outcome_t,
    application: mllp_outcome_t,
    out: *mut mllp_decision_t,
) -> mllp_status_t {
    status(|| {
        let (accept, application) =
            (Outcome::from_number(accept)?, Outcome::from_number(application)?);
        // SAFETY: rule 7.
        let (request, out) = unsafe { (value(request)?.read()?, place(out)?) };
        out.write(mllp_decision_t::of(request.decide(accept, application)));
        Ok(MLLP_OK)
    })
}

/// The decision for a message that was refused before its content was looked at, so that the sender
/// hears of it once: an accept acknowledgment with the refusal ends the exchange; where none is wanted,
/// the application acknowledgment carries it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_request_refuse(
    request: *const mllp_request_t,
    outcome: mllp_outcome_t,
    out: *mut mllp_decision_t,
) -> mllp_status_t {
    status(|| {
        let outcome = Outcome::from_number(outcome)?;
        // SAFETY: rule 7.
        let (request, out) = unsafe { (value(request)?.read()?, place(out)?) };
        out.write(mllp_decision_t::of(request.refuse(outcome)));
        Ok(MLLP_OK)
    })
}

/// Exactly one reply to every message that is not an acknowledgment itself, for senders that wait for
/// one whatever they asked for: at accept level when MSH-15 asks for it, at application level otherwise.
/// `MLLP_NOT_FOUND`, and `MLLP_ACK_NONE`: the message is an acknowledgment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_request_always_one_reply(
    request: *const mllp_request_t,
    accept: mllp_outcome_t,
    application: mllp_outcome_t,
    out: *mut mllp_ack_code_t,
) -> mllp_status_t {
    status(|| {
        let (accept, application) =
            (Outcome::from_number(accept)?, Outcome::from_number(application)?);
        // SAFETY: rule 7.
        let (request, out) = unsafe { (value(request)?.read()?, place(out)?) };
        let code = request.always_one_reply(accept, application);
        out.write(code.map_or(MLLP_ACK_NONE, AckCode::number));
        Ok(if code.is_some() { MLLP_OK } else { MLLP_NOT_FOUND })
    })
}
