//! Acknowledged is a part of stored, and stored is a part of final.

use std::collections::HashMap;

use mllp_pipeline::Disposition;

use super::journey::Passage;
use super::{Kept, Stored};
use crate::ledger::{Ack, Answer};
use crate::load::AFTER_DELIVERY;
use crate::verdict::Verdict;

pub(super) fn check(kept: &Kept, acks: &[Ack], verdict: &mut Verdict) {
    let answers = Answers::of(acks);
    acknowledged(kept, acks, verdict);
    refused(kept, &answers, verdict);
    sums(kept, verdict);
    duplicates(kept, verdict);
    order_of_senders(kept, &answers, verdict);
}

/// How often each message was answered, and how.
#[derive(Clone, Copy, Default)]
struct Answers {
    positive: usize,
    refused: usize,
    undelivered: usize,
    nothing: usize,
}

impl Answers {
    fn of(acks: &[Ack]) -> HashMap<&str, Answers> {
        let mut all: HashMap<_, Answers> = HashMap::new();
        for ack in acks {
            let answers = all.entry(&ack.control_id[..]).or_default();
            match ack.answer {
                Answer::Aa => answers.positive += 1,
                Answer::Ae => answers.refused += 1,
                Answer::Undelivered => answers.undelivered += 1,
                _ => answers.nothing += 1,
            }
        }
        all
    }
}

/// What was answered AE is not stored.
fn refused(kept: &Kept, answers: &HashMap<&str, Answers>, verdict: &mut Verdict) {
    for (control_id, of) in answers.iter().filter(|(_, of)| of.refused > 0) {
        verdict.count("refused", of.refused as u64);
        let stored = kept.with(control_id).count();
        if stored > of.positive + of.undelivered + of.nothing {
            verdict.found(format!(
                "{control_id}: stored {stored} times, {} times acknowledged, {} not answered",
                of.positive, of.nothing
            ));
        }
    }
}

/// Everything that was acknowledged is stored, and so is what was answered *not delivered so far*. At
/// the inbound that waits for the verdict, what was acknowledged has come to a good end.
pub(crate) fn acknowledged(kept: &Kept, acks: &[Ack], verdict: &mut Verdict) {
    let tells = |it: &&Ack| it.is_positive() || it.answer == Answer::Undelivered;
    for Ack { control_id, inbound, answer, .. } in acks.iter().filter(tells) {
        let stored = kept.with(control_id).filter(|it| it.accepted);
        let mut stored = stored.filter(|it| kept.name(it.inbound) == inbound);
        let Some(first) = stored.next() else {
            let name = answer.name();
            verdict.found(format!("{control_id}: answered {name} by {inbound}, and not stored"));
            continue;
        };
        let waits = inbound == AFTER_DELIVERY && *answer == Answer::Aa;
        // What an operator has done since may have changed it.
        if waits && !has_ended_well(first.disposition) && first.acts.is_empty() {
            let name = first.disposition.name();
            verdict.found(format!("{control_id}: acknowledged after delivery, and is {name}"));
        }
    }
}

const fn has_ended_well(disposition: Disposition) -> bool {
    matches!(disposition, Disposition::Processed | Disposition::Filtered | Disposition::Unrouted)
}

fn sums(kept: &Kept, verdict: &mut Verdict) {
    let mut finals = 0;
    for message in &kept.messages {
        let Stored { id, control_id, disposition, .. } = message;
        if !message.is_whole {
            verdict.found(format!("{control_id}: message {id} has other bytes than were sent"));
        }
        if disposition.is_final() {
            finals += 1;
            verdict.count(disposition.name(), 1);
        } else if message.passages.iter().any(|it| kept.held.contains_key(&(it.outbound, *id))) {
            verdict.count("open for a held delivery", 1);
        } else {
            let name = disposition.name();
            verdict.found(format!("{control_id}: message {id} has come to rest as {name}"));
        }
        let expected = expected(kept, message);
        if disposition.is_final() && *disposition != expected {
            let (is, should) = (disposition.name(), expected.name());
            verdict.found(format!("{control_id}: message {id} is {is}, its journey says {should}"));
        }
    }
    verdict.count("final", finals);
}

/// The disposition that the journey of a message leads to.
fn expected(kept: &Kept, message: &Stored) -> Disposition {
    // A dead delivery that was sent again counts no more, and is on the list no more.
    let is_dead = |it: &Passage| kept.dead.contains_key(&(it.outbound, message.id));
    match &message.routed {
        _ if message.is_duplicate() => Disposition::Duplicate,
        _ if message.has_failed || message.passages.iter().any(is_dead) => Disposition::Error,
        _ if message.passages.iter().any(|it| it.delivered > 0) => Disposition::Processed,
        // One that goes through its router again ends as its parts say.
        Some(handlers) if handlers.is_empty() && message.rerouted == 0 => Disposition::Unrouted,
        _ => Disposition::Filtered,
    }
}

/// A message that came again is routed again only if the first was not processed.
fn duplicates(kept: &Kept, verdict: &mut Verdict) {
    for message in &kept.messages {
        let Stored { id, control_id, .. } = message;
        let first = message.duplicate_of.and_then(|it| kept.message(it));
        match first {
            Some(first) if first.control_id != *control_id => verdict.found(format!(
                "{control_id}: message {id} is said to be a duplicate of {}",
                first.control_id
            )),
            None if message.is_duplicate() => {
                verdict.found(format!("{control_id}: message {id} is a duplicate of nothing"));
            }
            // If an operator has not mended it since.
            Some(first)
                if !message.is_duplicate()
                    && first.disposition == Disposition::Processed
                    && first.acts.is_empty() =>
            {
                verdict.found(format!("{control_id}: message {id} was processed already"));
            }
            None if kept.with(control_id).any(|it| it.id < *id) => {
                verdict.found(format!("{control_id}: message {id} is not recognised as the same"));
            }
            _ => {}
        }
    }
}

/// What a connection has sent first was received first. What was refused came again later, and others
/// were on the way already, unless the connection sends one at a time.
fn order_of_senders(kept: &Kept, answers: &HashMap<&str, Answers>, verdict: &mut Verdict) {
    let mut last: HashMap<u32, u32> = HashMap::new();
    for message in kept.messages.iter().filter(|it| it.duplicate_of.is_none()) {
        let Some(sent) = message.sent() else { continue };
        let was_refused =
            answers.get(&message.control_id[..]).is_some_and(|it| it.refused + it.undelivered > 0);
        if was_refused && !sent.is_sent_alone() {
            continue;
        }
        let last = last.entry(sent.connection).or_default();
        if sent.number < *last {
            verdict.found(format!(
                "{}: received after number {last} of its connection",
                message.control_id
            ));
        }
        *last = sent.number.max(*last);
    }
}
