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
    /// Its parts.
    Parts {
        added: u32,
        finished: u32,
        failed: u32,
        /// The row was all of it.
        sole: bool,
    },
}

impl Handoff {
    /// For a row that was all of its message, or one part of it.
    pub fn of(self, sole: bool, nothing: Disposition) -> Settled {
        if sole { self.of_sole(nothing) } else { self.of_part() }
    }

    /// For a row that was all of its message. `nothing` is what the message ends as when there is
    /// neither a row nor a failure: UNROUTED or FILTERED.
    fn of_sole(self, nothing: Disposition) -> Settled {
        match (self.rows, self.failed) {
            (0, 0) => Settled::Final(nothing),
            (0, _) => Settled::Final(Disposition::Error),
            (1, 0) => Settled::Sole,
            (rows, failed) => {
                Settled::Parts { added: rows + failed, finished: failed, failed, sole: true }
            }
        }
    }

    /// For a row that was one part of its message. Its own failure is that part's.
    fn of_part(self) -> Settled {
        Settled::Parts { added: self.rows, finished: 1, failed: self.failed, sole: false }
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
            Settled::Parts { added, finished, failed, sole } => Some(Record::Part(Part {
                message,
                stamp: stamp(),
                added,
                finished,
                delivered: 0,
                failed,
                sole,
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
    let (added, finished) = (0, 1);
    Record::Part(Part { message, stamp, added, finished, delivered, failed, sole, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Disposition::*;

    fn parts(added: u32, finished: u32, failed: u32, sole: bool) -> Settled {
        Settled::Parts { added, finished, failed, sole }
    }

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
            parts(2, 1, 1, true),
            "whoever completes the row must not say PROCESSED"
        );
        assert_eq!(of(4, 0), parts(4, 0, 0, true));
        assert_eq!(of(2, 3), parts(5, 3, 3, true));
    }

    #[test]
    fn one_part_of_several() {
        let of = |rows, failed| Handoff { rows, failed }.of_part();
        assert_eq!(of(0, 0), parts(0, 1, 0, false), "filtered");
        assert_eq!(of(1, 0), parts(1, 1, 0, false));
        assert_eq!(of(3, 0), parts(3, 1, 0, false));
        assert_eq!(of(0, 1), parts(0, 1, 1, false), "failed");
    }

    /// What a handler does with a message: it fails, or sends so many times; at once or after a rest.
    type Branch = (Option<u32>, bool);

    fn handoff(sends: Option<u32>) -> Handoff {
        Handoff { rows: sends.unwrap_or(0), failed: u32::from(sends.is_none()) }
    }

    /// What the store makes of it, by the outcomes and the sums of the parts.
    fn stored(branches: &[Branch], dead: u32) -> Disposition {
        let (mut outcome, mut sum, mut rows) = (None, Part { added: 0, ..PART }, [0, 0]);
        let mut settle = |settled: Settled| match settled {
            Settled::Sole => {}
            Settled::Final(disposition) => assert!(outcome.replace(disposition).is_none()),
            Settled::Parts { added, finished, failed, .. } => {
                sum.added += added;
                sum.finished += finished;
                sum.failed += failed;
                assert!(sum.finished <= sum.added);
            }
        };
        let mut first = Handoff::default();
        for (sends, rests) in branches {
            let now = if *rests { Handoff { rows: 1, failed: 0 } } else { handoff(*sends) };
            first = Handoff { rows: first.rows + now.rows, failed: first.failed + now.failed };
            rows[usize::from(*rests)] += now.rows;
        }
        let mut settled = first.of_sole(Filtered);
        settle(settled);
        for (sends, _) in branches.iter().filter(|(_, rests)| *rests) {
            let next = handoff(*sends);
            settled = if settled.is_sole() { next.of_sole(Filtered) } else { next.of_part() };
            settle(settled);
            rows[0] += next.rows;
        }
        for n in 0..rows[0] {
            let delivered = dead >> n & 1 == 0;
            match ended(MessageId(1), settled.is_sole(), delivered, 0, Stamp(1)) {
                Record::Outcome { disposition, .. } => {
                    assert!(outcome.replace(disposition).is_none());
                }
                Record::Part(part) => {
                    sum.finished += part.finished;
                    sum.delivered += part.delivered;
                    sum.failed += part.failed;
                }
                _ => unreachable!(),
            }
        }
        assert_eq!(sum.added, sum.finished, "final when all is done");
        outcome.unwrap_or(match (sum.failed, sum.delivered) {
            (1.., _) => Error,
            (_, 1..) => Processed,
            _ => Filtered,
        })
    }

    const PART: Part = Part {
        message: MessageId(1),
        stamp: Stamp(1),
        added: 0,
        finished: 0,
        delivered: 0,
        failed: 0,
        sole: false,
        at: 0,
    };

    #[test]
    fn three_handlers_in_every_way() {
        let ways = [None, Some(0), Some(1), Some(2)];
        let ways: alloc::vec::Vec<Branch> =
            ways.into_iter().flat_map(|sends| [(sends, false), (sends, true)]).collect();
        for n in 0..ways.len().pow(3) {
            let all = [n, n / 8, n / 64].map(|it| ways[it % 8]);
            for branches in [&all[..], &all[..2], &all[..1]] {
                let sends: u32 = branches.iter().filter_map(|(sends, _)| *sends).sum();
                for dead in 0..1 << sends {
                    let failed = branches.iter().any(|(sends, _)| sends.is_none()) || dead > 0;
                    let right = match (failed, sends) {
                        (true, _) => Error,
                        (false, 0) => Filtered,
                        (false, _) => Processed,
                    };
                    assert_eq!(stored(branches, dead), right, "{branches:?}, dead {dead:b}");
                }
            }
        }
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
            Record::Part(Part { message, stamp, finished: 1, delivered, failed, at: 5, ..PART })
        };
        assert_eq!(of(false, true), part(1, 0));
        assert_eq!(of(false, false), part(0, 1));
    }
}
