//! What must have become of every message, by a computation that knows nothing of lanes.

use std::collections::BTreeMap;

use mllp_pipeline::{Disposition, LaneId, MessageId};

use crate::functions;
use crate::invariant::Invariant::{self, Duplicate, Handoff};
use crate::store::Message;
use crate::world::World;

/// Rows in the lanes of outbounds, sorted.
type Rows = Vec<(LaneId, Vec<u8>)>;

/// The rows that a message must have had in the lanes of outbounds, and its end if none of them died.
fn expected(id: MessageId, message: &Message, world: &World) -> (Rows, Disposition) {
    let graph = &world.scenario.graph;
    let bytes = world.store.bytes_of(id);
    let inbound =
        graph.inbounds.iter().position(|it| it.lane == message.new.inbound).expect("inbound");
    let Some(handlers) = functions::route(inbound, &bytes, graph.handlers.len()) else {
        return (Vec::new(), Disposition::Error);
    };
    if handlers.is_empty() {
        return (Vec::new(), Disposition::Unrouted);
    }
    let (mut rows, mut failed) = (Vec::new(), false);
    for handler in handlers {
        match functions::transform(handler, &bytes, graph.outbounds.len()) {
            None => failed = true,
            Some(sends) => rows.extend(sends.into_iter().map(|(outbound, body)| {
                (graph.outbounds[outbound].lane, body.unwrap_or_else(|| bytes.clone()))
            })),
        }
    }
    let end = match (failed, rows.is_empty()) {
        (true, _) => Disposition::Error,
        (false, true) => Disposition::Filtered,
        (false, false) => Disposition::Processed,
    };
    rows.sort();
    (rows, end)
}

/// The rows that each message has had.
fn actual(world: &World) -> BTreeMap<MessageId, (Rows, bool)> {
    let mut all: BTreeMap<MessageId, (Rows, bool)> = BTreeMap::new();
    for (id, lane) in world.store.lanes.iter().filter(|(_, lane)| lane.widest > 0) {
        for (at, row) in lane.rows.iter().enumerate() {
            let seq = at as u64 + 1;
            let entry = all.entry(row.message).or_default();
            entry.0.push((*id, world.store.bytes_of_row(*id, seq)));
            entry.1 |= world.store.dead.contains_key(&(*id, seq));
        }
    }
    all.values_mut().for_each(|(rows, _)| rows.sort());
    all
}

/// Everything is final, and as it must be.
pub fn check_end(world: &World) {
    let mut actual = actual(world);
    for (id, message) in &world.store.messages {
        let disposition = message.disposition();
        let (rows, died) = actual.remove(id).unwrap_or_default();
        if disposition == Disposition::Duplicate {
            check_duplicate(message, world);
            Duplicate.check(rows.is_empty(), format_args!("{id} is a duplicate and was processed"));
            continue;
        }
        if !message.new.accepted {
            Invariant::Disposition.check(disposition == Disposition::Error, "refused at intake");
            Handoff.check(rows.is_empty(), "refused at intake, and processed");
            continue;
        }
        let (must, end) = expected(*id, message, world);
        Handoff.check(rows == must, format_args!("{id} has {} rows of {}", rows.len(), must.len()));
        let end = if died { Disposition::Error } else { end };
        let right = disposition == end;
        Invariant::Disposition.check(right, format_args!("{id} is {disposition:?}, not {end:?}"));
    }
    check_firsts(world);
}

fn check_duplicate(message: &Message, world: &World) {
    let first = message.new.duplicate_of.map(|id| &world.store.messages[&id]);
    let first = first.filter(|it| it.disposition() != Disposition::Duplicate);
    Duplicate.check(first.is_some(), "a duplicate of nothing");
    let first = &first.expect("first").new;
    let same = first.inbound == message.new.inbound
        && first.acknowledgment == message.new.acknowledgment
        && first.identity != 0
        && message.new.identity == 0;
    Duplicate.check(same, "a duplicate of another message");
    let inbounds = &world.scenario.graph.inbounds;
    let looked_for = inbounds.iter().any(|it| it.lane == first.inbound && it.deduplicate);
    Duplicate.check(looked_for, "duplicates are not looked for here");
}

/// The same bytes are processed a second time only if the first did not end well.
fn check_firsts(world: &World) {
    for inbound in &world.scenario.graph.inbounds {
        let mut seen: BTreeMap<Vec<u8>, (MessageId, Disposition)> = BTreeMap::new();
        for (id, message) in &world.store.messages {
            let new = &message.new;
            let first = message.disposition() != Disposition::Duplicate;
            if new.inbound != inbound.lane || new.identity == 0 || !new.accepted {
                continue;
            }
            if !first || !inbound.deduplicate || world.scenario.weak_hash {
                continue;
            }
            let bytes = world.store.bytes_of(*id);
            if let Some((before, end)) = seen.insert(bytes, (*id, message.disposition())) {
                // The link is lost when the outcome of a commit with another copy was unknown.
                let linked = new.duplicate_of.is_none_or(|of| of <= before);
                let anew = may_come_again(end) && linked;
                Duplicate.check(anew, format_args!("{id} is {before} again, which is {end:?}"));
            }
        }
    }
}

/// Whether a message that ended so may be processed again.
fn may_come_again(end: Disposition) -> bool {
    matches!(end, Disposition::Error | Disposition::Filtered | Disposition::Unrouted)
}
