//! Which answer a message gets by the policy `conformant`.

use ack_gen::AckCode;
use hl7_peek::Scan;
use mllp_link::conformant_answer;

use crate::ack_code::{MLLP_ACK_NONE, mllp_ack_code_t};
use crate::check::mllp_header_errors_t;
use crate::code::Numbered;
use crate::delimiters::mllp_scan_t;
use crate::slice::{bytes, place};
use crate::status::{MLLP_OK, mllp_status_t, status};

/// What goes back for a message by the policy `conformant`, on the connection that it came on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_conformant_answer_t {
    /// What goes back; `MLLP_ACK_NONE` for nothing: neither MSH-15 nor MSH-16 asks for it, or the
    /// message is an acknowledgment itself.
    pub code: mllp_ack_code_t,
    /// The application acknowledgment that the sender waits for on another connection, or
    /// `MLLP_ACK_NONE` (2.8.3.2).
    pub due: mllp_ack_code_t,
    /// Why the message must not be accepted, where the caller said that it was.
    pub errors: mllp_header_errors_t,
}

/// Decides which answer a message gets by the policy `conformant`, by the tables of chapter 2 (2.8.2,
/// 2.8.3). `code` is what the caller says of the message, at either level.
///
/// In enhanced mode the accept acknowledgment goes back where MSH-15 asks for one, and otherwise the
/// application acknowledgment. What must not be accepted is rejected, whatever the caller says: a
/// batch, a message without a message control ID, and a frame with a start block inside, which is
/// what is left of two messages. Errors are those of `mllp_message_parse`: there is no header that
/// could be answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_conformant_answer(
    payload: *const u8,
    payload_len: usize,
    scan: mllp_scan_t,
    code: mllp_ack_code_t,
    out: *mut mllp_conformant_answer_t,
) -> mllp_status_t {
    status(|| {
        let (scan, code) = (Scan::from_number(scan)?, AckCode::from_number(code)?);
        // SAFETY: rules 6 and 7.
        let (payload, out) = unsafe { (bytes(payload, payload_len)?, place(out)?) };
        let answer = conformant_answer(payload, scan, code)?;
        let number = |code: Option<AckCode>| code.map_or(MLLP_ACK_NONE, AckCode::number);
        let (code, due) = (number(answer.code), number(answer.due));
        let errors = mllp_header_errors_t::NONE;
        out.write(mllp_conformant_answer_t { code, due, errors }).errors.fill(&answer.errors);
        Ok(MLLP_OK)
    })
}
