//! The sequence number protocol (2.9.1): MSH-13 and MSA-4.

use ack_gen::{SequenceAction, SequenceReceiver};

use crate::slice::{bytes, place};
use crate::status::{Failure, MLLP_ERR_NULL, MLLP_OK, mllp_status_t, status};

/// The receiver's side: which number it expects next. Zeroed, it has seen no message yet.
///
/// A refusal is AR in original mode and CE in enhanced mode (2.8.3.1 c).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_sequence_receiver_t {
    /// The number that the next message must have, where `has_expected` is not 0.
    pub expected: i64,
    /// 0: before the first message, and after the sender asked to start over.
    pub has_expected: u32,
}

/// What the receiver answers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_sequence_answer_t {
    /// MSA-4.
    pub expected_sequence_number: i64,
    /// 1: the number fits, so that the message may be processed.
    pub fits: u32,
}

/// What a sender does after a refusal for its sequence number: `MLLP_SEQUENCE_*`.
pub type mllp_sequence_action_kind_t = u32;

/// Only the acknowledgment was lost: go on with the next message.
pub const MLLP_SEQUENCE_CONTINUE: mllp_sequence_action_kind_t = 1;
/// The receiver misses messages: send again from `restart_from`, or stop.
pub const MLLP_SEQUENCE_RESTART_FROM: mllp_sequence_action_kind_t = 2;
/// The two sides disagree: stop the link and call for a person.
pub const MLLP_SEQUENCE_FREEZE: mllp_sequence_action_kind_t = 3;

/// What a sender does after a refusal for its sequence number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_sequence_action_t {
    /// The number to send again from, with `MLLP_SEQUENCE_RESTART_FROM`; else 0.
    pub restart_from: i64,
    /// What to do.
    pub kind: mllp_sequence_action_kind_t,
}

/// Takes MSH-13 of a message and moves on if it fits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_sequence_receiver_receive(
    receiver: *mut mllp_sequence_receiver_t,
    sequence_number: *const u8,
    sequence_number_len: usize,
    out: *mut mllp_sequence_answer_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (receiver, number, out) = unsafe {
            (
                receiver.as_mut().ok_or(Failure(MLLP_ERR_NULL))?,
                bytes(sequence_number, sequence_number_len)?,
                place(out)?,
            )
        };
        let expected = (receiver.has_expected != 0).then_some(receiver.expected);
        let mut core = SequenceReceiver { expected };
        let answer = core.receive(number);
        *receiver = mllp_sequence_receiver_t {
            expected: core.expected.unwrap_or_default(),
            has_expected: u32::from(core.expected.is_some()),
        };
        out.write(mllp_sequence_answer_t {
            expected_sequence_number: answer.expected_sequence_number,
            fits: u32::from(answer.fits),
        });
        Ok(MLLP_OK)
    })
}

/// From the number of the refused message and MSA-4 of the refusal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_sequence_action_after_refusal(
    sent: i64,
    expected_sequence_number: *const u8,
    expected_sequence_number_len: usize,
    out: *mut mllp_sequence_action_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (expected, out) = unsafe {
            (bytes(expected_sequence_number, expected_sequence_number_len)?, place(out)?)
        };
        let (kind, restart_from) = match SequenceAction::after_refusal(sent, expected) {
            SequenceAction::Continue => (MLLP_SEQUENCE_CONTINUE, 0),
            SequenceAction::RestartFrom(number) => (MLLP_SEQUENCE_RESTART_FROM, number),
            SequenceAction::Freeze => (MLLP_SEQUENCE_FREEZE, 0),
        };
        out.write(mllp_sequence_action_t { restart_from, kind });
        Ok(MLLP_OK)
    })
}
