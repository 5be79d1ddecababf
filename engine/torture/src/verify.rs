//! The store of an engine that is at rest, held against the ledgers.
//!
//! Acknowledged is a part of stored, stored is a part of final; each message was taken by every
//! partner it had to go to, or has a reason that the partner's ledger confirms; every lane kept its
//! order; what a partner took twice is listed, and no more is listed than the windows allow; what an operator has
//! had done was done once, to all that he meant, in the order of acceptance.

mod delivery;
mod intake;
mod jobs;
mod journey;
mod kept;
mod order;

use std::io;
use std::path::Path;

use mllp_store::{SqliteStore, Store};

use crate::ledger::{self, Ack, Answer, Arrival, Bytes};
use crate::load::OUTBOUNDS;
use crate::verdict::Verdict;
use std::collections::HashMap;

pub(crate) use intake::acknowledged;
pub(crate) use jobs::so_far;
pub(crate) use journey::Passage;
pub(crate) use kept::{Kept, Row, Stored};

/// Verifies the files of an engine that has stopped.
///
/// # Errors
///
/// A ledger cannot be read, or the store is refused.
pub fn files(data: &Path, acks: &Path, sinks: &Path) -> io::Result<Verdict> {
    let (acks, arrivals) = (ledger::read_acks(acks)?, ledger::read_sinks(sinks)?);
    if !data.join("store.db").exists() {
        return Err(io::Error::other(format!("{}: there is no store", data.display())));
    }
    let mut store = SqliteStore::open(data).map_err(io::Error::other)?;
    check(&mut store, &acks, &arrivals)
}

/// Verifies a store against what both ends have seen, each in its order.
///
/// # Errors
///
/// The store cannot be read.
pub fn check(store: &mut dyn Store, acks: &[Ack], arrivals: &[Arrival]) -> io::Result<Verdict> {
    let kept = Kept::read(store).map_err(io::Error::other)?;
    let heard = Heard::of(arrivals);
    let mut verdict = Verdict::default();
    let mut reader = store.reader().map_err(io::Error::other)?;
    let proven = reader.verify(&mut |finding| verdict.found(finding.to_string()));
    proven.map_err(io::Error::other)?;
    let positive = acks.iter().filter(|it| it.is_positive()).count();
    verdict.count("acknowledged", positive as u64);
    verdict.count("received", kept.messages.len() as u64);
    verdict.count("arrived", arrivals.len() as u64);
    intake::check(&kept, acks, &mut verdict);
    delivery::check(&kept, &heard, &mut verdict);
    order::check(&kept, arrivals, &mut verdict);
    jobs::check(&kept, &mut verdict);
    Ok(verdict)
}

/// What one partner has answered to one control ID.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    all: u32,
    /// AA, in time.
    taken: u32,
    /// AA, in time or late, or in place of the answer to another message.
    perhaps_taken: u32,
    refused_for_good: u32,
}

/// The arrivals, by outbound and control ID.
struct Heard<'a> {
    of: HashMap<(&'a str, &'a str), Answers>,
    /// Arrivals whose bytes are not those that a handler sends there.
    changed: Vec<&'a Arrival>,
}

impl<'a> Heard<'a> {
    fn of(arrivals: &'a [Arrival]) -> Heard<'a> {
        let mut of: HashMap<_, Answers> = HashMap::new();
        let mut last = HashMap::new();
        for arrival in arrivals {
            let (outbound, control_id) = (&arrival.outbound[..], &arrival.control_id[..]);
            if arrival.seq == 1 {
                // A partner that has just started knows of none.
                last.remove(outbound);
            }
            match arrival.answer {
                Answer::Aa => drop(last.insert(outbound, control_id)),
                // The message that it names may be under way once more: an operator has sent it again.
                Answer::Another => {
                    let named = last.get(outbound).map(|it| of.entry((outbound, *it)).or_default());
                    named.into_iter().for_each(|it: &mut Answers| it.perhaps_taken += 1);
                }
                _ => {}
            }
            let answers = of.entry((outbound, control_id)).or_default();
            answers.all += 1;
            answers.taken += u32::from(arrival.answer.completes());
            answers.perhaps_taken += u32::from(arrival.answer.may_complete());
            answers.refused_for_good += u32::from(arrival.answer == Answer::Ar);
        }
        Heard { of, changed: arrivals.iter().filter(|it| it.bytes != Bytes::Own).collect() }
    }

    fn answers(&self, outbound: &str, control_id: &str) -> Answers {
        self.of.get(&(outbound, control_id)).copied().unwrap_or_default()
    }
}

/// The sum of the windows.
fn windows() -> u64 {
    OUTBOUNDS.iter().map(|(_, window)| u64::from(*window)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_place_of_anothers_is_one_to_the_message_that_it_names() {
        let arrival = |seq, control_id: &str, answer| Arrival {
            outbound: "OUT".to_owned(),
            seq,
            control_id: control_id.to_owned(),
            answer,
            bytes: Bytes::Own,
        };
        let arrivals = [
            arrival(1, "A", Answer::Another),
            arrival(2, "A", Answer::Aa),
            arrival(3, "B", Answer::Another),
            arrival(4, "A", Answer::Ae),
            // The partner was started again.
            arrival(1, "B", Answer::Another),
        ];
        let heard = Heard::of(&arrivals);
        let perhaps_taken = |control_id| heard.answers("OUT", control_id).perhaps_taken;
        assert_eq!((perhaps_taken("A"), perhaps_taken("B")), (2, 0));
        assert_eq!(heard.answers("OUT", "A").taken, 1);
    }
}
