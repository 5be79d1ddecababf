//! What must have become of every message, by a computation that knows nothing of lanes.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{Acknowledge, Disposition, LaneId, MessageId, Ordering};

use crate::census;
use crate::functions::{self, To, after_header};
use crate::invariant::Invariant::{self, Duplicate, Handoff, Started};
use crate::message::Message;
use crate::operated;
use crate::partner::Partner;
use crate::renewing::was_sent;
use crate::world::World;

/// Rows in the lanes of outbounds, sorted.
type Rows = Vec<(LaneId, Vec<u8>)>;

/// How often handlers may send a message on, to a handler or to an inbound.
const DEEPEST: u8 = 8;

/// What a handler makes of bytes, and the handlers that go on with them. True if one has failed.
fn follow(handler: usize, bytes: &[u8], hops: u8, rows: &mut Rows, world: &World) -> bool {
    let graph = &world.scenario.graph;
    let sends = functions::transform(handler, bytes, &world.scenario.targets());
    let Some(sends) = sends else { return true };
    let goes_on = sends.iter().any(|(to, _)| !matches!(to, To::Outbound(_)));
    if goes_on && hops >= DEEPEST {
        census::count("chain too deep");
        return true;
    }
    let mut failed = false;
    for (to, body) in sends {
        let body = body.unwrap_or_else(|| bytes.to_vec());
        match to {
            To::Outbound(at) => rows.push((graph.outbounds[at].lane, body)),
            To::Handler(at) => {
                census::count("chained");
                failed |= follow(at, &body, hops + 1, rows, world);
            }
            To::Inbound(at) => {
                let Some(next) = functions::route(at, &body, graph.handlers.len()) else {
                    census::count("routed again in vain");
                    failed = true;
                    continue;
                };
                census::count("routed again");
                for handler in next {
                    failed |= follow(handler, &body, hops + 1, rows, world);
                }
            }
        }
    }
    failed
}

/// The rows that a message must have had in the lanes of outbounds, and its end if none of them died.
fn expected(id: MessageId, message: &Message, world: &World) -> (Rows, Disposition) {
    let graph = &world.scenario.graph;
    let bytes = world.store.bytes_of(id);
    if let Some(outbound) = operated::went_straight(id, world) {
        return (vec![(outbound, bytes)], Disposition::Processed);
    }
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
        failed |= follow(handler, &bytes, 0, &mut rows, world);
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
fn actual(world: &World) -> BTreeMap<MessageId, Rows> {
    let mut all: BTreeMap<MessageId, Rows> = BTreeMap::new();
    for (id, lane) in world.store.lanes.iter().filter(|(_, lane)| lane.widest > 0) {
        for (at, row) in lane.rows.iter().enumerate() {
            let seq = at as u64 + 1;
            let entry = all.entry(row.message).or_default();
            entry.push((*id, world.store.bytes_of_row(*id, seq)));
        }
    }
    all.values_mut().for_each(|rows| rows.sort());
    all
}

/// Everything is final, and as it must be.
pub fn check_end(world: &World) {
    let (mut actual, mut added) = (actual(world), operated::added(world));
    for (id, message) in &world.store.messages {
        let disposition = message.disposition();
        let rows = actual.remove(id).unwrap_or_default();
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
        let (once, end) = expected(*id, message, world);
        let times = 1 + world.operator.rerouted.get(id).copied().unwrap_or(0);
        let mut must: Rows = (0..times).flat_map(|_| once.clone()).collect();
        must.extend(added.remove(id).unwrap_or_default());
        must.sort();
        Handoff.check(rows == must, format_args!("{id} has {} rows of {}", rows.len(), must.len()));
        let end = match end {
            _ if operated::has_failed(*id, world) => Disposition::Error,
            // A message that goes through its router again ends as its parts say.
            Disposition::Unrouted if times > 1 => Disposition::Filtered,
            Disposition::Unrouted | Disposition::Filtered if !rows.is_empty() => {
                Disposition::Processed
            }
            end => end,
        };
        let right = disposition == end;
        Invariant::Disposition.check(right, format_args!("{id} is {disposition:?}, not {end:?}"));
    }
    check_firsts(world);
    world.partners.iter().for_each(|partner| check_by_key(partner, world));
}

/// A partner has taken those that share a key in the order of their rows.
fn check_by_key(partner: &Partner, world: &World) {
    if world.store.lanes[&partner.lane].ordering != Ordering::Key {
        return;
    }
    let bytes = |seq: &u64| world.store.bytes_of_row(partner.lane, *seq);
    for (at, later) in partner.taken.iter().enumerate() {
        for earlier in partner.taken[..at].iter().filter(|earlier| *earlier > later) {
            let apart = !functions::share_a_key(&bytes(earlier), &bytes(later));
            Started.check(apart, format_args!("{earlier} is taken before {later}"));
        }
    }
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
    for inbound in world.scenario.receiving() {
        let mut touched: BTreeSet<Vec<u8>> = BTreeSet::new();
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
            let waits = inbound.acknowledge != Acknowledge::Stored;
            let bytes = world.store.bytes_of(*id);
            let bytes = if waits { after_header(&bytes).to_vec() } else { bytes };
            // How it ended is not how it stood when the next came.
            if operated::touched(*id, world) || touched.contains(&bytes) {
                touched.insert(bytes);
                continue;
            }
            if let Some((before, end)) = seen.insert(bytes, (*id, message.disposition())) {
                // The link is lost when the outcome of a commit with another copy was unknown.
                let linked = new.duplicate_of.is_none_or(|of| of <= before);
                let again = match waits {
                    true => end == Disposition::Error && !was_sent(before, &world.store),
                    false => may_come_again(end) && linked,
                };
                if waits && again {
                    census::count("anew after a verdict");
                }
                Duplicate.check(again, format_args!("{id} is {before} again, which is {end:?}"));
            }
        }
    }
}

/// Whether a message that ended so may be processed again.
fn may_come_again(end: Disposition) -> bool {
    matches!(end, Disposition::Error | Disposition::Filtered | Disposition::Unrouted)
}
