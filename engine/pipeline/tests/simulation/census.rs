//! How often what the simulation is for has come about. A life that meets no faults proves nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;

use mllp_pipeline::{CommitOutcome, Disposition, Fact, Order, Record, Refusal, Transaction, What};

thread_local! {
    static COUNTS: RefCell<BTreeMap<&'static str, u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// What must come about in any 500 lives.
const MUST: [&str; 61] = [
    "a lane is full",
    "anew",
    "anew after a verdict",
    "answered AE for an ERROR",
    "answered AE in time",
    "answered AE while it is held",
    "answered after the verdict",
    "answered outside of a schedule",
    "cancelled",
    "chain too deep",
    "chained",
    "chunked compare",
    "closed by its schedule",
    "compare",
    "crash",
    "dead",
    "decided: again",
    "decided: completed",
    "decided: completed, warned",
    "decided: dead",
    "decided: held or stopped",
    "delivered",
    "deliveries go on while the disk is low",
    "done ahead of the cursor",
    "duplicate",
    "edited",
    "error",
    "fenced",
    "filtered",
    "given up",
    "head cancelled",
    "head held",
    "heads read",
    "left out of a commit",
    "load",
    "loaded nothing",
    "opened by its schedule",
    "overtaken",
    "parked",
    "part",
    "possibly sent",
    "processed",
    "refused, full",
    "refused, unavailable",
    "released",
    "replayed",
    "renewed",
    "renewed in vain",
    "renewed, and answered AA",
    "rested",
    "routed again",
    "routed again in vain",
    "started",
    "stays open",
    "stopped",
    "store ends a message",
    "switched",
    "the disk is low",
    "unknown",
    "unparked",
    "unrouted",
];

pub fn count(what: &'static str) {
    COUNTS.with_borrow_mut(|counts| *counts.entry(what).or_default() += 1);
}

pub fn fact(fact: &Fact) {
    match fact {
        Fact::Outcome(CommitOutcome::Refused(Refusal::Full)) => count("refused, full"),
        Fact::Outcome(CommitOutcome::Refused(Refusal::Unavailable)) => {
            count("refused, unavailable")
        }
        Fact::Outcome(CommitOutcome::Unknown) => count("unknown"),
        Fact::Outcome(CommitOutcome::Fenced(_)) => count("fenced"),
        Fact::Outcome(CommitOutcome::Committed(it)) => {
            if !it.finals.is_empty() {
                count("store ends a message");
            }
            if !it.open.is_empty() {
                count("stays open");
            }
        }
        Fact::Loaded { entries, .. } if entries.is_empty() => count("loaded nothing"),
        Fact::Delivered { .. } => count("delivered"),
        _ => {}
    }
}

pub fn order(order: &Order) {
    match order {
        Order::ReadHeads(_) => count("heads read"),
        Order::Load { .. } => count("load"),
        Order::Compare { body: mllp_pipeline::Body::Chunked { .. }, .. } => {
            count("chunked compare")
        }
        Order::Compare { .. } => count("compare"),
        Order::GiveUp(_) => count("given up"),
        _ => {}
    }
}

/// A transaction that is durable, with a routed lane among `rests`.
pub fn transaction(transaction: &Transaction, rests: impl Fn(mllp_pipeline::LaneId) -> bool) {
    for record in &transaction.records {
        match record {
            Record::Append(row) if rests(row.lane) => count("rested"),
            Record::Done { .. } => count("done ahead of the cursor"),
            Record::Part(_) => count("part"),
            Record::Started(_) => count("started"),
            Record::Parked { .. } => count("parked"),
            Record::Unparked { .. } => count("unparked"),
            Record::Dead { .. } => count("dead"),
            Record::Message(it) if it.duplicate_of.is_some() && !it.body.is_empty() => {
                count("anew")
            }
            Record::Event(it) if matches!(it.what, What::PossiblySent { .. }) => {
                count("possibly sent")
            }
            Record::Event(it) if matches!(it.what, What::Overtaken { .. }) => count("overtaken"),
            Record::Outcome { disposition, .. } => match disposition {
                Disposition::Duplicate => count("duplicate"),
                Disposition::Error => count("error"),
                Disposition::Filtered => count("filtered"),
                Disposition::Unrouted => count("unrouted"),
                Disposition::Processed => count("processed"),
                Disposition::Received | Disposition::Routed => {}
            },
            _ => {}
        }
    }
}

/// Everything has come about often enough.
pub fn check(lives: u64) {
    COUNTS.with_borrow(|counts| {
        println!("{counts:?}");
        let missing: Vec<_> = MUST.iter().filter(|it| !counts.contains_key(*it)).collect();
        assert!(lives < 500 || missing.is_empty(), "never in {lives} lives: {missing:?}");
    });
}
