//! Sending to partners that are down, slow, lying or late.

use mllp_pipeline::{Fact, Failure, LaneId, Millis, Note, Ordering, Seq, What, Work};

use crate::deciding;
use crate::functions::{self, refused_for_good};
use crate::hours;
use crate::invariant::Invariant::{Apart, Handoff, Listed, Order, Protocol, Started, Taken, Wait};
use crate::partner::Flying;
use crate::recovering;
use crate::world::{Planted, World};

/// How long an answer is waited for.
const REPLY: Millis = 80;

fn is_about(what: &What, lane: LaneId) -> bool {
    match what {
        What::Attempt { outbound, .. } | What::PossiblySent { outbound } => *outbound == lane,
        _ => false,
    }
}

/// What must hold when a delivery leaves.
fn check_leaves(lane: LaneId, seq: Seq, work: &Work, attempt: u32, world: &mut World) {
    let stored = &world.store.lanes[&lane];
    let covered = stored.may_be_sent(seq.0);
    Listed.check(covered, format_args!("{lane}/{seq} leaves, sent_to is {}", stored.sent_to));
    Order.check(!stored.is_done(seq.0), format_args!("{lane}/{seq} leaves, and is done"));
    let row = &stored.rows[seq.0 as usize - 1];
    Handoff.check(row.message == work.message, "another message leaves");
    let bytes = world.store.bytes_from(&work.body, work.message);
    Handoff.check(bytes == world.store.bytes_of_row(lane, seq.0), "other bytes leave");
    let partner = world.partners.iter().find(|it| it.lane == lane).expect("partner");
    let id = functions::control_id(&bytes);
    for earlier in (1..seq.0).filter(|earlier| !stored.is_done(*earlier)) {
        let others = world.store.bytes_of_row(lane, earlier);
        match stored.ordering {
            Ordering::Fifo => {
                let passed =
                    partner.in_flight.contains(&earlier) || partner.completed.contains(&earlier);
                Order.check(passed, format_args!("{lane}/{seq} leaves before {earlier}"));
            }
            Ordering::Key => {
                let apart = !functions::share_a_key(&bytes, &others);
                Started.check(apart, format_args!("{lane}/{seq} leaves before {earlier}"));
            }
            Ordering::Unordered => {}
        }
        let apart = id.is_empty() || id != functions::control_id(&others);
        Apart.check(apart, format_args!("{lane}/{seq} leaves, {earlier} has its control ID"));
    }
    Protocol.check(!partner.in_flight.contains(&seq.0), "sent while it is with the partner");
    let too_early = partner.failed.get(&seq.0).is_some_and(|at| world.now < *at);
    Wait.check(!too_early, format_args!("{lane}/{seq} leaves before its time"));
    let events = &world.store.messages[&work.message];
    let listed = events.count(|what| is_about(what, lane));
    let before = partner.sent.get(&seq.0).copied().unwrap_or(0);
    Listed
        .check(before <= listed, format_args!("{lane}/{seq} sent {before} times, {listed} listed"));
    Protocol.check(attempt as usize <= 1 + listed && attempt > 0, "the number of the attempt");
}

/// Sends a delivery; what the host tells of it, and when.
pub fn deliver(
    lane: LaneId,
    seq: Seq,
    work: &Work,
    attempt: u32,
    world: &mut World,
) -> (Millis, Fact) {
    check_leaves(lane, seq, work, attempt, world);
    recovering::check_leaves(lane, seq, attempt, world);
    hours::check_leaves(lane, world);
    let bytes = world.store.bytes_from(&work.body, work.message);
    let at = world.partners.iter().position(|it| it.lane == lane).expect("partner");
    world.partners[at].in_flight.insert(seq.0);
    world.partners[at].failed.remove(&seq.0);
    let failed = |failure| Fact::Failed { lane, seq, failure, note: Note("AE".into()) };
    let (transport, ours) = (world.scenario.faults.transport, world.scenario.faults.ours);
    if world.strikes(ours) {
        return (world.rng.below(5), failed(Failure::Infrastructure));
    }
    *world.partners[at].sent.entry(seq.0).or_default() += 1;
    let lost = world.strikes(transport);
    if lost || !world.partners[at].up {
        // The connection may be lost before or after the partner has the message.
        let takes_at = world.rng.one_in(2).then_some(world.now).filter(|_| world.partners[at].up);
        world.partners[at].wire.push_back(Flying { seq: seq.0, takes_at });
        return (world.rng.below(10), failed(Failure::Transport));
    }
    let slow = if world.calm { 5 } else { 60 };
    let arrival = (world.now + world.rng.below(slow)).max(world.partners[at].last_arrival);
    world.partners[at].last_arrival = arrival;
    let faults = &world.scenario.faults;
    let (refusal, silence, lie) = (faults.refusal, faults.silence, faults.lie);
    let back = arrival - world.now + world.rng.below(slow);
    if world.strikes(world.scenario.faults.credential) {
        return (back, failed(Failure::Credential));
    }
    if refused_for_good(at, &bytes) {
        return (back, failed(Failure::RefusedForGood));
    }
    if world.strikes(refusal) {
        return (back, failed(Failure::RefusedForNow));
    }
    let milliseconds = back;
    let delivered = Fact::Delivered { lane, seq, milliseconds, note: Note("AA".into()) };
    if world.strikes(lie) {
        // An answer to another message. It means nothing, and no other comes.
        return match world.planted {
            Planted::ForeignReply => (back, delivered),
            _ => (REPLY, failed(Failure::NoReply)),
        };
    }
    world.partners[at].wire.push_back(Flying { seq: seq.0, takes_at: Some(arrival) });
    if back > REPLY || world.strikes(silence) {
        return (REPLY.max(arrival - world.now), failed(Failure::NoReply));
    }
    (back, delivered)
}

/// What the engine is told about its deliveries.
pub fn note(fact: &Fact, world: &mut World) {
    if let Some(plain) = deciding::plain(fact) {
        note(&plain, world);
        return deciding::note(fact, world);
    }
    match fact {
        Fact::Delivered { lane, seq, .. } => {
            let now = world.now;
            let partner = world.partner(*lane);
            partner.take_arrived(now);
            Taken.check(partner.has_taken(seq.0), format_args!("{lane}/{seq} was never taken"));
            partner.in_flight.remove(&seq.0);
            partner.completed.insert(seq.0);
        }
        Fact::Failed { lane, seq, failure, .. } => {
            let now = world.now;
            let attempts = attempts_of(*lane, *seq, world);
            let partner = world.partner(*lane);
            partner.take_arrived(now);
            partner.in_flight.remove(&seq.0);
            let retry = partner.retry;
            let dead = match failure {
                Failure::RefusedForGood => true,
                Failure::Infrastructure => false,
                _ => retry.max_attempts.is_some_and(|max| attempts + 1 >= max as usize),
            };
            // Once it is given up, its record says what has become of it.
            let waits = !dead && *failure != Failure::Infrastructure;
            if waits && *failure != Failure::Credential {
                // A quarter of the first wait may be taken off by jitter; later waits are longer.
                partner.failed.insert(seq.0, now + retry.backoff.min(retry.max_backoff) * 3 / 4);
            }
        }
        _ => {}
    }
}

/// Attempts of a row that are written down.
fn attempts_of(lane: LaneId, seq: Seq, world: &World) -> usize {
    let row = &world.store.lanes[&lane].rows[seq.0 as usize - 1];
    world.store.messages[&row.message].count(|what| is_about(what, lane))
}
