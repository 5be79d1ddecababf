//! Workers: they run the functions of a run, slowly, and die.

use mllp_pipeline::{
    Body, BodyId, CallFailure, CallId, Fact, Failure, IdHash, Keys, LaneId, Millis, Note, Sent,
    Work,
};

use crate::functions::{self, To};
use crate::invariant::Invariant::{Handoff, Protocol};
use crate::world::World;

fn failure(failure: Failure) -> CallFailure {
    CallFailure { failure, note: Note("Error".into()) }
}

/// How long a call takes.
fn duration(world: &mut World) -> Millis {
    let slow = world.scenario.faults.slow_call;
    let longest = if world.strikes(slow) { 10_000 } else { 10 };
    world.rng.below(longest)
}

/// A worker that dies leaves the rest of the call without results, or says so for some.
fn spoil<T>(results: &mut Vec<Result<T, CallFailure>>, world: &mut World) {
    if !world.strikes(world.scenario.faults.worker) {
        return;
    }
    let at = world.rng.below(results.len() as u64) as usize;
    if world.rng.one_in(2) {
        results.truncate(at);
    } else {
        let ours = world.rng.pick(&[Failure::Infrastructure, Failure::RefusedForNow]);
        results[at] = Err(failure(ours));
    }
}

/// The bytes that the call is given: those of the message, or of one of its rows in this lane or in that of an
/// inbound, whose handlers are called with its router.
fn bytes(work: &Work, lane: LaneId, world: &World) -> Vec<u8> {
    let bytes = world.store.bytes_from(&work.body, work.message);
    let is_given = |lane: LaneId| {
        let stored = &world.store.lanes[&lane];
        let mut rows = (1..).zip(&stored.rows).filter(|(_, row)| row.message == work.message);
        rows.any(|(seq, _)| bytes == world.store.bytes_of_row(lane, seq))
    };
    let mut inbounds = world.scenario.graph.inbounds.iter();
    let right = bytes == world.store.bytes_of(work.message)
        || is_given(lane)
        || inbounds.any(|it| is_given(it.lane));
    Handoff.check(right, "a call is given other bytes");
    bytes
}

fn check_call(work: &[Work], world: &World) {
    let fits = !work.is_empty() && work.len() <= world.scenario.graph.limits.call;
    Protocol.check(fits, "the size of a call");
}

pub fn route(call: CallId, inbound: LaneId, work: &[Work], world: &mut World) -> (Millis, Fact) {
    check_call(work, world);
    let graph = &world.scenario.graph;
    let at = graph.inbounds.iter().position(|it| it.lane == inbound).expect("inbound");
    let one = |work: &Work| {
        let chosen = functions::route(at, &bytes(work, inbound, world), graph.handlers.len());
        let lanes = |chosen: Vec<usize>| chosen.iter().map(|at| graph.handlers[*at].lane).collect();
        chosen.map(lanes).ok_or_else(|| failure(Failure::Content))
    };
    let mut results = work.iter().map(one).collect();
    spoil(&mut results, world);
    (duration(world), Fact::Routed { call, results })
}

pub fn transform(
    call: CallId,
    handler: LaneId,
    work: &[Work],
    world: &mut World,
) -> (Millis, Fact) {
    check_call(work, world);
    let graph = &world.scenario.graph;
    let at = graph.handlers.iter().position(|it| it.lane == handler).expect("handler");
    let one = |work: &Work| {
        let bytes = bytes(work, handler, world);
        let sends = functions::transform(at, &bytes, &world.scenario.targets());
        let sent = |(to, body): (To, Option<Vec<u8>>)| Sent {
            id_hash: body
                .as_ref()
                .map_or(IdHash::NONE, |it| IdHash::of(&functions::control_id(it))),
            keys: Keys::new(&functions::keys(body.as_ref().unwrap_or(&bytes))),
            body: body.map(|bytes| Body::Inline(bytes.into())),
            ..Sent::to(match to {
                To::Outbound(at) => graph.outbounds[at].lane,
                To::Handler(at) => graph.handlers[at].lane,
                To::Inbound(at) => graph.inbounds[at].lane,
            })
        };
        let sent = |sends: Vec<_>| sends.into_iter().map(sent).collect();
        sends.map(sent).ok_or_else(|| failure(Failure::Content))
    };
    let mut results: Vec<Result<Vec<Sent>, _>> = work.iter().map(one).collect();
    spoil(&mut results, world);
    results.iter_mut().flatten().flatten().for_each(|sent| chunk(sent, world));
    (duration(world), Fact::Transformed { call, results })
}

/// A result may be large: its body is in the store before the pipeline hears of it.
fn chunk(sent: &mut Sent, world: &mut World) {
    if let Some(Body::Inline(bytes)) = &sent.body
        && world.rng.one_in(world.scenario.chunked)
    {
        let len = bytes.len() as u64;
        let id = RESULTS + world.store.chunks.len() as u64 + world.store.given_up;
        world.store.chunks.insert(id, bytes.to_vec());
        sent.body = Some(Body::Chunked { id: BodyId(id), len });
    }
}

/// The first number of a body that is a result; those of messages are below.
pub const RESULTS: u64 = 1 << 50;
