//! Each message was taken by every partner it had to go to, and twice only if that is listed.

use mllp_pipeline::{Failure, LaneId};

use super::kept::Passage;
use super::{Answers, Heard, Kept, Stored, windows};
use crate::load::{GIVES_UP, OUTBOUNDS, window};
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
        verdict.found(format!("{control_id}: arrived at {outbound} with other bytes"));
    }
    listed(kept, verdict);
}

/// It went where it had to go.
fn ways(kept: &Kept, message: &Stored, verdict: &mut Verdict) {
    let (Some(sent), control_id) = (message.sent(), &message.control_id) else { return };
    let ways = sent.ways();
    for way in &ways {
        let passed = message.passages.iter().any(|it| {
            kept.name(it.handler) == way.handler && kept.name(it.outbound) == way.outbound
        });
        if !passed {
            verdict.found(format!(
                "{control_id}: message {} was never handed to {}",
                message.id, way.outbound
            ));
        }
    }
    if message.passages.len() > ways.len() {
        verdict.found(format!("{control_id}: message {} was handed on twice", message.id));
    }
    if message.failed.is_empty() == sent.fails() {
        verdict.found(format!("{control_id}: message {} failed as it should not", message.id));
    }
}

/// A delivery has ended, for a reason that the partner knows of.
fn passed(
    kept: &Kept,
    message: &Stored,
    passage: &Passage,
    heard: &Heard<'_>,
    verdict: &mut Verdict,
) {
    let (control_id, outbound) = (&message.control_id, kept.name(passage.outbound));
    let answers = heard.answers(outbound, control_id);
    let is_listed = kept.held.contains(&(passage.outbound, message.id));
    let finding = match (passage.delivered, passage.dead) {
        _ if passage.held != is_listed => "is held or not, and its list says otherwise, at",
        (false, None) if passage.held || passage.cancelled => return,
        _ if passage.held || passage.cancelled => "was taken out, and came to another end, at",
        (false, None) => "never came to an end at",
        (true, Some(_)) => "was delivered, and is dead, at",
        (true, None) => return,
        (false, Some(Failure::RefusedForGood)) if answers.refused_for_good > 0 => return,
        (false, Some(Failure::RefusedForGood)) => "is dead, and was never refused, at",
        (false, Some(_)) if outbound != GIVES_UP.0 => "was given up too early at",
        (false, Some(_)) if passage.tried != GIVES_UP.1 => "was not tried as often as it should at",
        (false, Some(_)) => return,
    };
    verdict.found(format!("{control_id}: message {} {finding} {outbound}", message.id));
}

/// A partner has what is recorded as delivered, and no more than is listed.
fn taken(kept: &Kept, outbound: &str, control_id: &str, answers: Answers, verdict: &mut Verdict) {
    let Some(lane) = kept.outbound(outbound) else { return };
    let sum = |of: fn(&Passage) -> u32| -> u32 {
        kept.with(control_id).filter_map(|it| it.passage(lane)).map(of).sum()
    };
    let delivered = sum(|it| u32::from(it.delivered));
    let listed = sum(Passage::listed);
    let tried = sum(|it| it.attempts + it.possibly_sent + u32::from(it.delivered));
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
