//! Each message was taken by every partner it had to go to, and twice only if that is listed.

use std::collections::HashMap;

use mllp_pipeline::{Failure, LaneId};

use super::journey::{Kind, Passage};
use super::{Answers, Heard, Kept, Stored, windows};
use crate::ledger::Bytes;
use crate::load::{GIVES_UP, HOLDS, OUTBOUNDS, window};
use crate::verdict::Verdict;

pub(super) fn check(kept: &Kept, heard: &Heard<'_>, verdict: &mut Verdict) {
    for message in kept.messages.iter().filter(|it| !it.is_duplicate()) {
        ways(kept, message, verdict);
        for passage in &message.passages {
            passed(kept, message, passage, heard, verdict);
        }
    }
    for control_id in kept.control_ids() {
        for (outbound, _) in OUTBOUNDS {
            taken(kept, outbound, control_id, heard.answers(outbound, control_id), verdict);
        }
    }
    for (outbound, control_id) in heard.of.keys() {
        if kept.with(control_id).next().is_none() {
            verdict.found(format!("{control_id}: arrived at {outbound}, and is not stored"));
        }
    }
    for arrival in &heard.changed {
        let (control_id, outbound) = (&arrival.control_id, &arrival.outbound);
        // An operator may have sent there what had come in, or what was sent to another.
        let elsewhere = kept.outbound(outbound).is_some_and(|lane| {
            let mut passages = kept.with(control_id).filter_map(|it| it.passage(lane));
            passages.any(|it| it.replayed > 0)
        });
        if arrival.bytes == Bytes::Other || !elsewhere {
            verdict.found(format!("{control_id}: arrived at {outbound} with other bytes"));
        }
    }
    listed(kept, verdict);
}

/// It went where it had to go, once each time that it was routed.
fn ways(kept: &Kept, message: &Stored, verdict: &mut Verdict) {
    let (Some(sent), control_id) = (message.sent(), &message.control_id) else { return };
    let times = 1 + message.rerouted;
    let ways = sent.ways();
    for way in &ways {
        let passed = message.passages.iter().any(|it| {
            let handler = it.handler.map(|handler| kept.name(handler));
            handler == Some(way.handler) && kept.name(it.outbound) == way.outbound
        });
        if !passed {
            verdict.found(format!(
                "{control_id}: message {} was never handed to {}",
                message.id, way.outbound
            ));
        }
    }
    let handed: u32 = message.passages.iter().map(|it| it.sent).sum();
    if handed > times * ways.len() as u32 {
        verdict.found(format!("{control_id}: message {} was handed on twice", message.id));
    }
    if message.failed != times * u32::from(sent.fails()) {
        verdict.found(format!("{control_id}: message {} failed as it should not", message.id));
    }
}

/// Each delivery has come to one end, for a reason that the partner knows of, or waits for an operator.
fn passed(
    kept: &Kept,
    message: &Stored,
    passage: &Passage,
    heard: &Heard<'_>,
    verdict: &mut Verdict,
) {
    let (control_id, outbound) = (&message.control_id, kept.name(passage.outbound));
    let refused = heard.answers(outbound, control_id).refused_for_good;
    let mut found = |finding: &str| {
        verdict.found(format!("{control_id}: message {} {finding} {outbound}", message.id));
    };
    let in_list = |list: &HashMap<_, u32>| {
        list.get(&(passage.outbound, message.id)).copied().unwrap_or_default()
    };
    let (held, dead) = (in_list(&kept.held), in_list(&kept.dead));
    let deliveries = passage.sent + passage.replayed;
    if passage.ended() + held < deliveries {
        found("never came to an end at");
    }
    if passage.ended() + held > deliveries {
        found("came to two ends at");
    }
    if held + passage.released > passage.held {
        found("is held or was released, and its journey says otherwise, at");
    }
    let deaths = passage.dead.len() as u32;
    // One that was sent again, here or elsewhere, is off the list.
    let may_be_forgiven = message.acts.iter().any(|it| it.kind == Kind::Replayed);
    if dead > deaths || (dead < deaths && !may_be_forgiven) {
        found("is dead or not, and its list says otherwise, at");
    }
    if deaths > 0 && outbound == HOLDS {
        found("is dead, and should be held, at");
    }
    let for_good = |it: &&(Failure, u32)| it.0 == Failure::RefusedForGood;
    if passage.dead.iter().filter(for_good).count() > refused as usize {
        found("is dead, and was never refused, at");
    }
    for (_, tried) in passage.dead.iter().filter(|it| it.0 != Failure::RefusedForGood) {
        if outbound != GIVES_UP.0 {
            found("was given up too early at");
        } else if *tried != GIVES_UP.1 {
            found("was not tried as often as it should at");
        }
    }
}

/// A partner has what is recorded as delivered, and no more than is listed.
fn taken(kept: &Kept, outbound: &str, control_id: &str, answers: Answers, verdict: &mut Verdict) {
    let Some(lane) = kept.outbound(outbound) else { return };
    let sum = |of: fn(&Passage) -> u32| -> u32 {
        kept.with(control_id).filter_map(|it| it.passage(lane)).map(of).sum()
    };
    let delivered = sum(|it| it.delivered);
    let listed = sum(Passage::listed);
    let tried = sum(|it| it.attempts + it.possibly_sent + it.delivered);
    if answers.perhaps_taken < delivered {
        verdict.found(format!(
            "{control_id}: delivered {delivered} times, and {outbound} took it {} times",
            answers.perhaps_taken
        ));
    }
    if answers.taken > delivered {
        verdict.count("doubled", u64::from(answers.taken - delivered));
    }
    if answers.taken > delivered + listed {
        verdict.found(format!(
            "{control_id}: {outbound} took it {} times, {delivered} delivered and {listed} listed",
            answers.taken
        ));
    }
    if answers.all > tried {
        verdict.found(format!(
            "{control_id}: {outbound} received it {} times, and it was tried {tried} times",
            answers.all
        ));
    }
}

/// After a crash no more is listed than could be in progress.
fn listed(kept: &Kept, verdict: &mut Verdict) {
    let lanes = kept.heads.keys().filter(|lane| kept.outbound(kept.name(**lane)) == Some(**lane));
    let possibly_sent = |lane: LaneId| -> u64 {
        let passages = kept.messages.iter().filter_map(|it| it.passage(lane));
        passages.map(|it| u64::from(it.possibly_sent)).sum()
    };
    let (mut all, mut starts) = (0, 0);
    for lane in lanes.copied() {
        let (name, listed) = (kept.name(lane), possibly_sent(lane));
        let again = kept.heads[&lane].epoch.0.saturating_sub(1);
        if listed > again * u64::from(window(name)) {
            verdict.found(format!("{name}: {listed} listed after {again} starts"));
        }
        (all, starts) = (all + listed, starts.max(again));
    }
    if all > starts * windows() {
        verdict.found(format!("{all} listed after {starts} starts"));
    }
    verdict.count("listed", all);
}
