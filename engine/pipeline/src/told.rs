//! What the host or the lane itself has told of a delivery, before a commit writes it down.

use crate::decision::Judged;
use crate::event::Note;
use crate::failure::Failure;
use crate::ids::Millis;

#[derive(Debug)]
pub(crate) enum Told {
    Delivered {
        milliseconds: Millis,
        note: Note,
    },
    Failed {
        failure: Failure,
        note: Note,
    },
    /// The rules of the outbound say what becomes of it.
    Decided(Judged),
    /// It has been the head for too long.
    OutOfTime,
    /// An operator wants it.
    Taken,
}

impl Told {
    /// Whether an attempt has failed, so that the delivery is not completed.
    pub fn is_failure(&self) -> bool {
        match self {
            Told::Failed { .. } => true,
            Told::Decided(judged) => !judged.decision.completes(),
            _ => false,
        }
    }
}
