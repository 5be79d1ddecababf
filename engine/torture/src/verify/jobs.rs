//! What an operator has had done came to its end: once for all that he meant, whenever the engine was
//! killed meanwhile, and appended in the order of acceptance.

use std::collections::HashMap;

use mllp_pipeline::{LaneId, MessageId};

use super::Kept;
use super::journey::{Act, Kind};
use crate::operator;
use crate::verdict::Verdict;

pub(super) fn check(kept: &Kept, verdict: &mut Verdict) {
    for job in kept.jobs.iter().filter(|it| !it.has_ended) {
        verdict.found(format!("{} has not come to its end", job.key.0));
    }
    let acts = kept.messages.iter().map(|it| it.acts.len() as u64).sum();
    verdict.count("deliveries that an operator has touched", acts);
    so_far(kept, verdict);
    order(kept, verdict);
}

/// At any moment as much has been done as is written down.
pub(crate) fn so_far(kept: &Kept, verdict: &mut Verdict) {
    let mut done: HashMap<&str, u64> = HashMap::new();
    for act in kept.messages.iter().flat_map(|it| &it.acts) {
        *done.entry(&act.reason).or_default() += 1;
    }
    for job in &kept.jobs {
        let key = &job.key.0[..];
        let acts = done.get(key).copied().unwrap_or_default();
        // Of the messages that are meant, duplicates are passed over.
        let passes_over = job.what.0.split(|it| *it == b' ').nth(1) == Some(b"messages");
        if acts > job.done || (acts < job.done && !passes_over) {
            verdict.found(format!("{key}: {acts} were done of {}", job.done));
        }
    }
    let known = |reason: &str| kept.jobs.iter().any(|it| it.key.0 == reason);
    for reason in done.keys().filter(|it| operator::is_job(it) && !known(it)) {
        verdict.found(format!("{reason} was done, and is not written down"));
    }
}

/// What one job has appended to a lane stands there in the order of acceptance. A message that stands
/// there more often is left out: which row is of which job is unknown.
fn order(kept: &Kept, verdict: &mut Verdict) {
    let mut last: HashMap<(&str, LaneId), MessageId> = HashMap::new();
    for (lane, rows) in &kept.rows {
        for message in rows.iter().filter_map(|row| kept.message(row.message)) {
            let mut acts = message.acts.iter().filter(|it| it.lane == *lane);
            let (Some(Act { kind, reason, .. }), None) = (acts.next(), acts.next()) else {
                continue;
            };
            let is_alone = message.passage(*lane).is_some_and(|it| it.rows() == 1);
            if *kind == Kind::Cancelled || !is_alone {
                continue;
            }
            let last = last.entry((reason, *lane)).or_insert(message.id);
            if message.id < *last {
                let (control_id, name) = (&message.control_id, kept.name(*lane));
                verdict.found(format!("{control_id}: appended again at {name} after {last}"));
            }
            *last = message.id.max(*last);
        }
    }
}
