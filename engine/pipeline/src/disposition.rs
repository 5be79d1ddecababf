//! The table of dispositions: what a transaction writes about a message when a row of it has been
//! worked on.
//!
//! A message whose whole open work is one row is *sole*: the transaction that consumes that row knows
//! everything, and writes the outcome itself. Any other message has parts, which the store counts:
//! see [`Part`]. A sole row that leads to several rows turns the message into one with parts, and so
//! does one that leads to a row and a failure, because whoever completes the row must not write
//! PROCESSED.

use crate::ids::{MessageId, Stamp};
use crate::record::{Disposition, Part, Record};

/// What a router, the handlers run with it, or a handler of its own lane have made of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handoff {
    /// Rows appended to other lanes.
    pub rows: u32,
    /// Handlers that failed on it.
    pub failed: u32,
}

/// What the transaction says about the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It stays open, and its next row is again all of it.
    Sole,
    /// It is final.
    Final(Disposition),
    /// Its parts: added, finished, failed.
    Parts(u32, u32, u32),
}

impl Handoff {
    /// For a row that was all of its message. `nothing` is what the message ends as when there is
    /// neither a row nor a failure: UNROUTED or FILTERED.
    pub fn of_sole(self, nothing: Disposition) -> Settled {
        match (self.rows, self.failed) {
            (0, 0) => Settled::Final(nothing),
            (0, _) => Settled::Final(Disposition::Error),
            (1, 0) => Settled::Sole,
            (rows, failed) => Settled::Parts(rows + failed, failed, failed),
        }
    }

    /// For a row of a handler's lane that was one part of its message. Its own failure is that part's.
    pub fn of_part(self) -> Settled {
        Settled::Parts(self.rows, 1, self.failed)
    }
}

impl Settled {
    pub fn is_sole(self) -> bool {
        self == Settled::Sole
    }

    /// The record, if one is due.
    pub fn record(
        self,
        message: MessageId,
        at: u64,
        stamp: impl FnOnce() -> Stamp,
    ) -> Option<Record> {
        match self {
            Settled::Sole => None,
            Settled::Final(disposition) => {
                Some(Record::Outcome { message, stamp: stamp(), disposition, at })
            }
            Settled::Parts(added, finished, failed) => Some(Record::Part(Part {
                message,
                stamp: stamp(),
                added,
                finished,
                delivered: 0,
                failed,
                at,
            })),
        }
    }
}

/// What is written when a delivery has ended.
pub(crate) fn ended(
    message: MessageId,
    sole: bool,
    delivered: bool,
    at: u64,
    stamp: Stamp,
) -> Record {
    if sole {
        let disposition = if delivered { Disposition::Processed } else { Disposition::Error };
        return Record::Outcome { message, stamp, disposition, at };
    }
    let (delivered, failed) = (u32::from(delivered), u32::from(!delivered));
    Record::Part(Part { message, stamp, added: 0, finished: 1, delivered, failed, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Disposition::*;

    #[test]
    fn a_sole_row() {
        let of = |rows, failed| Handoff { rows, failed }.of_sole(Filtered);
        assert_eq!(of(0, 0), Settled::Final(Filtered));
        assert_eq!(Handoff::default().of_sole(Unrouted), Settled::Final(Unrouted));
        assert_eq!(of(0, 1), Settled::Final(Error));
        assert_eq!(of(0, 3), Settled::Final(Error));
        assert_eq!(of(1, 0), Settled::Sole);
        assert_eq!(
            of(1, 1),
            Settled::Parts(2, 1, 1),
            "whoever completes the row must not say PROCESSED"
        );
        assert_eq!(of(4, 0), Settled::Parts(4, 0, 0));
        assert_eq!(of(2, 3), Settled::Parts(5, 3, 3));
    }

    #[test]
    fn one_part_of_several() {
        let of = |rows, failed| Handoff { rows, failed }.of_part();
        assert_eq!(of(0, 0), Settled::Parts(0, 1, 0), "filtered");
        assert_eq!(of(1, 0), Settled::Parts(1, 1, 0));
        assert_eq!(of(3, 0), Settled::Parts(3, 1, 0));
        assert_eq!(of(0, 1), Settled::Parts(0, 1, 1), "failed");
    }

    #[test]
    fn the_parts_of_a_message_add_up() {
        // Three handlers: one sends twice, one rests and then filters, one fails. One delivery dies.
        let rows = Handoff { rows: 3, failed: 1 }.of_sole(Unrouted);
        let rested = Handoff::default().of_part();
        assert_eq!((rows, rested), (Settled::Parts(4, 1, 1), Settled::Parts(0, 1, 0)));
        let (added, finished) = (4, 1 + 1 + 2);
        assert_eq!(added, finished);
    }

    #[test]
    fn a_delivery_ends() {
        let of = |sole, delivered| ended(MessageId(1), sole, delivered, 5, Stamp(2));
        let outcome = |disposition| Record::Outcome {
            message: MessageId(1),
            stamp: Stamp(2),
            disposition,
            at: 5,
        };
        assert_eq!(of(true, true), outcome(Processed));
        assert_eq!(of(true, false), outcome(Error));
        let part = |delivered, failed| {
            let (message, stamp) = (MessageId(1), Stamp(2));
            Record::Part(Part { message, stamp, added: 0, finished: 1, delivered, failed, at: 5 })
        };
        assert_eq!(of(false, true), part(1, 0));
        assert_eq!(of(false, false), part(0, 1));
    }
}
