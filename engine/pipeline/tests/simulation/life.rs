//! One run: an engine that crashes, is stopped and starts again under faults, then calm, then a stop.

use mllp_pipeline::{
    Append, Body, Fact, IdHash, LaneId, MessageId, NewMessage, Record, Seq, Transaction,
};

use crate::census;
use crate::disk;
use crate::functions::control_id;
use crate::host::{Happening, Host, Life, OTHER_NODE};
use crate::hours;
use crate::invariant::Invariant::Progress;
use crate::operated;
use crate::operator;
use crate::reference;
use crate::sender::Sender;
use crate::world::{Planted, World};

const CALM_LIMIT: u64 = 100_000;
const STOP_LIMIT: u64 = 2_000;

pub fn run(seed: u64, planted: Planted) {
    let mut world = World::new(seed, planted);
    let inbounds: Vec<LaneId> = world.scenario.receiving().iter().map(|it| it.lane).collect();
    let lanes = inbounds.into_iter().enumerate();
    let mut senders: Vec<Sender> =
        lanes.map(|(number, lane)| Sender::new(lane, number, &mut world)).collect();
    let mut host: Option<Host> = None;
    loop {
        pass_time(host.as_ref(), &mut world);
        world.calm = world.now >= world.scenario.faults_end;
        if world.now > world.scenario.faults_end + CALM_LIMIT {
            // Only then: to say it takes longer than to live on.
            Progress.check(false, format_args!("no end: {}", what_is_left(host.as_ref(), &world)));
        }
        let mut alive = match host.take() {
            Some(host) => host,
            None => {
                world.tell("start");
                Host::start(&mut world)
            }
        };
        outside(&mut alive, &mut world);
        if alive.stopping_since.is_none()
            && let Some(fact) = operator::act(&mut world)
        {
            alive.tell(fact, &mut world);
            alive.obey(&mut senders, &mut world);
        }
        let faults = &world.scenario.faults;
        let (crash, operator) = (faults.crash, faults.operator);
        let crashed = world.strikes(crash) || alive.step(&mut senders, &mut world) == Life::Crashed;
        if world.strikes(operator) && alive.stopping_since.is_none() {
            world.tell("stop");
            census::count("stopped");
            alive.pipeline.stop();
            alive.stopping_since = Some(world.now);
        }
        if crashed || is_stopped(&alive, &world) {
            crash_now(&mut senders, &mut world);
            continue;
        }
        let done =
            senders.iter().all(Sender::is_done) && is_consumed(&world) && operator::is_done(&world);
        if done && world.calm && alive.stopping_since.is_none() {
            stop(alive, &mut senders, &mut world);
            break;
        }
        host = Some(alive);
    }
    operated::check_end(&world);
    reference::check_end(&world);
}

/// To the next thing that happens, or a little less far.
fn pass_time(host: Option<&Host>, world: &mut World) {
    let next = host.and_then(Host::next_time).map_or(50, |at| at.saturating_sub(world.now));
    let longest = if world.calm { 200 } else { 40 };
    let step = next.clamp(1, longest);
    let step = if world.rng.one_in(4) { 1 + world.rng.below(step) } else { step };
    world.pass(step);
    if world.strikes(world.scenario.faults.clock) {
        let day = 86_400_000;
        let jump = world.rng.pick(&[1_000, 60_000, day, 365 * day]);
        world.wall = if world.rng.one_in(2) { world.wall + jump } else { world.wall - jump };
        world.tell(format_args!("the clock jumps to {}", world.wall));
    }
}

/// What partners and other nodes do.
fn outside(host: &mut Host, world: &mut World) {
    for at in 0..world.partners.len() {
        let now = world.now;
        world.partners[at].take_arrived(now);
        let up = world.partners[at].up;
        let flips = if world.calm { !up } else { world.rng.one_in(if up { 60 } else { 10 }) };
        if flips {
            world.partners[at].up = !up;
            host.happens(world.rng.below(5), Happening::Ready(at), world);
        }
    }
    disk::change(host, world);
    hours::pass(host, world);
    let elsewhere = world.store.messages.range(MessageId(OTHER_NODE)..).count();
    if elsewhere < 20 && world.strikes(world.scenario.faults.other_node) {
        let (lane, up_to) = append_elsewhere(world);
        let fact = Happening::Fact(Fact::Appended { lane, up_to });
        host.happens(world.rng.below(200), fact, world);
    }
}

/// Another node receives a message for one of our lanes.
fn append_elsewhere(world: &mut World) -> (LaneId, Seq) {
    let inbounds: Vec<LaneId> = world.scenario.receiving().iter().map(|it| it.lane).collect();
    let inbound = world.rng.pick(&inbounds);
    let number = world.store.messages.range(MessageId(OTHER_NODE)..).count() as u64;
    let bytes = format!("other:{number}").into_bytes();
    let new = NewMessage {
        received_at: world.wall,
        control_id: control_id(&bytes).as_slice().into(),
        body: Body::Inline(bytes.into()),
        acknowledgment: format!("other {number}").as_bytes().into(),
        ..NewMessage::new(MessageId(OTHER_NODE + number), inbound)
    };
    let (message, id_hash) = (new.id, IdHash::of(&new.control_id.0));
    let len = new.body.len();
    let append = Append { id_hash, len, ..Append::new(inbound, message) };
    let records = vec![Record::Message(new), Record::Append(append)];
    world.store.commit(&Transaction { records, lanes: Vec::new() });
    (inbound, Seq(world.store.lanes[&inbound].tail()))
}

fn crash_now(senders: &mut [Sender], world: &mut World) {
    world.tell("crash");
    census::count("crash");
    for sender in senders {
        sender.disconnected(world.now + world.rng.below(100));
    }
    for at in 0..world.partners.len() {
        let arrived = world.rng.below(4);
        world.partners[at].cut(arrived);
    }
}

fn is_stopped(host: &Host, world: &World) -> bool {
    let late = host.stopping_since.is_some_and(|since| world.now > since + STOP_LIMIT);
    late || host.stopping_since.is_some() && host.pipeline.left().is_at_rest()
}

fn is_consumed(world: &World) -> bool {
    world.store.lanes.values().all(|lane| lane.cursor == lane.tail() && lane.parked.is_empty())
}

/// A stop in calm comes to rest.
fn stop(mut host: Host, senders: &mut [Sender], world: &mut World) {
    host.pipeline.stop();
    let since = world.now;
    while !host.pipeline.left().is_at_rest() {
        pass_time(Some(&host), world);
        host.step(senders, world);
        let late = world.now > since + 15_000;
        Progress.check(!late, format_args!("no rest: {:?}", host.pipeline.left()));
    }
    world.store.check_given_up(host.coming());
}

fn what_is_left(host: Option<&Host>, world: &World) -> String {
    let lanes = world.store.lanes.iter().filter(|(_, it)| it.cursor < it.tail());
    let lanes: Vec<_> = lanes.map(|(id, it)| (id.0, it.cursor, it.tail())).collect();
    let status: Vec<_> = host.iter().flat_map(|it| it.pipeline.status()).collect();
    format!("{lanes:?} {status:?}")
}
