//! An operator who starts and stops, holds and cancels, releases and replays at random. Each command has
//! a job of its own in the store, so that after a crash both sides know whether it was done.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{
    Act, Body, By, Command, CommandId, CommandOutcome, Disposition, Edit, Entry, Fact, Flow,
    IdHash, Job, Keys, LaneId, MessageId, Note, Order, Parked, Piece, Position, Replay, Seq, Side,
    Source, Switch, Take,
};

use crate::census;
use crate::functions::control_id;
use crate::invariant::Invariant::Operated;
use crate::store::Store;
use crate::world::{Planted, World};

/// A row that is appended: lane, message and bytes.
pub type Row = (LaneId, MessageId, Vec<u8>);

/// Numbers of rows and of what was asked, for the checks at the end.
#[derive(Default)]
pub struct Operator {
    last: u64,
    /// The command that was told and not answered in this life.
    open: Option<(CommandId, Command)>,
    /// A command that has to be told again unless the store says that it was done.
    again: Option<Command>,
    /// What is left of a bulk replay of dead deliveries.
    bulk: Vec<(LaneId, u64)>,
    /// What each job appends, by its key: lane, message and bytes.
    pub asked: BTreeMap<String, Vec<Row>>,
    /// Rows that jobs have appended, each with its job.
    pub appended: BTreeMap<(LaneId, u64), String>,
    /// Messages that went through their router again, and how often.
    pub rerouted: BTreeMap<MessageId, usize>,
    /// Cancelled deliveries of a message, since it last went through its router.
    pub cancelled: BTreeMap<MessageId, usize>,
    /// Lanes that the host was told are not on.
    off: BTreeSet<LaneId>,
}

fn by() -> By {
    By { who: Note("anna".into()), reason: Note("why not".into()) }
}

/// A life begins.
pub fn start(world: &mut World) {
    let interrupted = world.operator.open.take().map(|(_, command)| command);
    let interrupted = interrupted.filter(|it| writes(&it.act));
    let operator = &mut world.operator;
    operator.again = operator.again.take().or(interrupted);
    let off = |it: &&Switch| it.side == Side::Output && it.flow != Flow::On;
    operator.off = world.store.switches.values().filter(off).map(|it| it.lane).collect();
    if world.planted != Planted::ReplayTwice {
        forget_what_was_done(world);
    }
}

/// What the store knows of is not told again.
fn forget_what_was_done(world: &mut World) {
    let World { operator, store, .. } = world;
    let key = |command: &Command| command.job.as_ref().map(|it| it.key.0.clone());
    if operator.again.as_ref().and_then(key).is_none_or(|it| store.jobs.contains_key(&it)) {
        operator.again = None;
    }
}

/// Wants something, now and then; in calm only what brings everything to its end.
pub fn act(world: &mut World) -> Option<Fact> {
    let rate = world.scenario.faults.commands;
    if world.operator.open.is_some() || rate == 0 || !world.calm && !world.rng.one_in(rate) {
        return None;
    }
    let again = world.operator.again.take();
    let command = match again.filter(|it| is_up_to_date(&it.act, world)) {
        Some(command) => command,
        None => {
            let act = next_act(world)?;
            command(act, world)
        }
    };
    world.operator.last += 1;
    let id = CommandId(world.operator.last);
    world.operator.open = Some((id, command.clone()));
    if let Act::Retry { lane } = &command.act
        && let Some(partner) = world.partners.iter_mut().find(|it| it.lane == *lane)
    {
        partner.failed.clear();
    }
    Some(Fact::Command { id, command: Box::new(command) })
}

/// Whether what it is to send again is still dead: before it is told again the list is read again.
fn is_up_to_date(act: &Act, world: &World) -> bool {
    let Act::Replay(all) = act else { return true };
    let mut dead = all.iter().flat_map(|it| &it.dead);
    dead.all(|(lane, seq)| world.store.dead.contains_key(&(*lane, seq.0)))
}

/// A command with a job that says what it appends.
fn command(act: Act, world: &mut World) -> Command {
    world.operator.last += 1;
    let key = format!("job {}", world.operator.last);
    let row = |to: LaneId, entry: &Entry| {
        (to, entry.message, world.store.bytes_from(&entry.body, entry.message))
    };
    let rows = match &act {
        Act::Release(parked) => parked.iter().map(|it| row(it.lane, &it.entry)).collect(),
        Act::Replay(all) => all.iter().map(|it| row(it.to, &it.entry)).collect(),
        _ => Vec::new(),
    };
    world.operator.asked.insert(key.clone(), rows);
    let job = Job {
        key: Note(key),
        what: Piece::default(),
        by: by(),
        at: 0,
        total: 1,
        done: 1,
        newer: 0,
        after: Position::START,
        has_ended: true,
    };
    Command { by: by(), act, job: Some(job) }
}

fn next_act(world: &mut World) -> Option<Act> {
    let outbounds: Vec<LaneId> = world.partners.iter().map(|it| it.lane).collect();
    if world.calm {
        return last_act(world);
    }
    if !world.operator.bulk.is_empty() {
        return bulk(world);
    }
    let lane = world.rng.pick(&outbounds);
    match world.rng.below(10) {
        0..3 => Some(switch(world)),
        3 => Some(Act::Retry { lane }),
        4 => Some(Act::Take { lane, how: world.rng.pick(&[Take::Hold, Take::Cancel]) }),
        5 => parked(world).map(Act::Release),
        6 => parked(world).map(Act::Cancel),
        7 => {
            world.operator.bulk = world.store.dead.keys().copied().collect();
            let store = &world.store;
            world
                .operator
                .bulk
                .sort_by_key(|(lane, seq)| (message_of(store, *lane, *seq), *lane, *seq));
            bulk(world)
        }
        8 => elsewhere(world),
        _ => again(world),
    }
}

/// Everything on, nothing held.
fn last_act(world: &mut World) -> Option<Act> {
    // What was refused for good would stop its lane, or be held, again and again.
    let cures = world.rng.one_in(2);
    if let Some(switch) = world.store.switches.values().find(|it| it.flow != Flow::On) {
        let (lane, side) = (switch.lane, switch.side);
        return Some(match switch.by.who.0.is_empty() && cures {
            true => Act::Take { lane, how: Take::Cancel },
            false => Act::Switch { lane, side, flow: Flow::On },
        });
    }
    parked(world).map(if cures { Act::Cancel } else { Act::Release })
}

/// Whether nothing is left for the operator to do.
pub fn is_done(world: &World) -> bool {
    let all_on = world.store.switches.values().all(|it| it.flow == Flow::On);
    let quiet = world.operator.open.is_none() && world.operator.again.is_none();
    world.scenario.faults.commands == 0 || all_on && quiet && world.store.held.is_empty()
}

fn switch(world: &mut World) -> Act {
    let inbounds: Vec<LaneId> = world.scenario.receiving().iter().map(|it| it.lane).collect();
    let lanes: Vec<LaneId> = world.store.lanes.keys().copied().collect();
    let lane = world.rng.pick(&lanes);
    let is_input = inbounds.contains(&lane) && world.rng.one_in(2);
    let side = if is_input { Side::Input } else { Side::Output };
    Act::Switch {
        lane,
        side,
        flow: world.rng.pick(&[Flow::On, Flow::On, Flow::Paused, Flow::Stopped]),
    }
}

pub fn message_of(store: &Store, lane: LaneId, seq: u64) -> MessageId {
    store.lanes[&lane].rows[seq as usize - 1].message
}

fn entry(lane: LaneId, seq: u64, world: &World) -> Entry {
    world.store.load(lane, seq - 1, 1, false).remove(0)
}

/// Some held deliveries.
fn parked(world: &mut World) -> Option<Vec<Parked>> {
    let count = 1 + world.rng.below(3) as usize;
    let held: Vec<_> = world.store.held.iter().copied().take(count).collect();
    let parked = held.iter().map(|(lane, seq)| {
        let entry = entry(*lane, *seq, world);
        Parked { lane: *lane, entry, newer: 0 }
    });
    (!held.is_empty()).then(|| parked.collect())
}

/// The next few dead deliveries of a bulk replay, each to its own outbound.
fn bulk(world: &mut World) -> Option<Act> {
    // The list is read again for each of its commands.
    world.operator.bulk.retain(|row| world.store.dead.contains_key(row));
    let count = world.operator.bulk.len().min(1 + world.rng.below(3) as usize);
    let rows: Vec<_> = world.operator.bulk.drain(..count).collect();
    let replay = |(lane, seq): &(LaneId, u64)| Replay {
        entry: entry(*lane, *seq, world),
        to: *lane,
        dead: vec![(*lane, Seq(*seq))],
        forgiven: 1,
        newer: 0,
    };
    (!rows.is_empty()).then(|| Act::Replay(rows.iter().map(replay).collect()))
}

/// A row of an outbound that is done, or a message, to some outbound.
fn elsewhere(world: &mut World) -> Option<Act> {
    let outbounds: Vec<LaneId> = world.partners.iter().map(|it| it.lane).collect();
    let (lane, to) = (world.rng.pick(&outbounds), world.rng.pick(&outbounds));
    let stored = &world.store.lanes[&lane];
    let done: Vec<u64> = (1..=stored.tail()).filter(|seq| stored.is_done(*seq)).collect();
    let done: Vec<u64> =
        done.into_iter().filter(|seq| !world.store.held.contains(&(lane, *seq))).collect();
    if done.is_empty() || world.operator.appended.len() > 60 {
        return None;
    }
    let seq = world.rng.pick(&done);
    let is_dead = world.store.dead.contains_key(&(lane, seq));
    let dead: Vec<_> = is_dead.then_some((lane, Seq(seq))).into_iter().collect();
    let forgiven = dead.len() as u32;
    let entry = entry(lane, seq, world);
    Some(Act::Replay(vec![Replay { entry, to, dead, forgiven, newer: 0 }]))
}

/// A message through its router again, or an edited copy of one.
fn again(world: &mut World) -> Option<Act> {
    let is_right = |(_, it): &(&MessageId, &crate::message::Message)| {
        let original = it.new.original.is_none();
        it.new.accepted && it.disposition() != Disposition::Duplicate && original
    };
    let messages: Vec<MessageId> =
        world.store.messages.iter().filter(is_right).map(|(id, _)| *id).collect();
    if messages.is_empty() || messages.len() > 60 || world.operator.appended.len() > 60 {
        return None;
    }
    let id = world.rng.pick(&messages);
    let new = world.store.messages[&id].new.clone();
    if world.rng.one_in(3) {
        let bytes = format!("edited:{}", world.rng.below(1 << 20)).into_bytes();
        let outbounds: Vec<LaneId> = world.partners.iter().map(|it| it.lane).collect();
        let direct = world.rng.one_in(2);
        let to = if direct { world.rng.pick(&outbounds) } else { new.inbound };
        return Some(Act::Edit(Edit {
            original: id,
            session: new.session,
            inbound: new.inbound,
            to,
            control_id: control_id(&bytes).as_slice().into(),
            message_type: Piece::default(),
            id_hash: IdHash::of(&control_id(&bytes)),
            keys: Keys::NONE,
            newer: 0,
            body: Body::Inline(bytes.into()),
        }));
    }
    let dead: Vec<_> = world.store.dead.keys().map(|(lane, seq)| (*lane, Seq(*seq))).collect();
    let own = |(lane, seq): &(LaneId, Seq)| message_of(&world.store, *lane, seq.0) == id;
    let entry = Entry {
        seq: Seq(0),
        message: id,
        body: Source::Message,
        sole: false,
        id_hash: IdHash::of(&new.control_id.0),
        keys: Keys::NONE,
        hops: 0,
        len: new.body.len(),
    };
    let dead = dead.into_iter().filter(own).collect();
    let forgiven = world.store.messages[&id].failures();
    Some(Act::Replay(vec![Replay { entry, to: new.inbound, dead, forgiven, newer: 0 }]))
}

/// The pipeline says what became of a command.
pub fn told(id: CommandId, outcome: CommandOutcome, world: &mut World) {
    let Some((open, command)) = world.operator.open.take() else {
        return Operated.check(false, "told of a command that was not given");
    };
    Operated.check(open == id, "told about another command");
    let key = &command.job.as_ref().expect("job").key.0;
    let is_done = world.store.jobs.contains_key(key);
    let writes = writes(&command.act);
    match outcome {
        CommandOutcome::Done(_) => {
            census::count(name_of(&command.act));
            Operated.check(is_done || !writes, format_args!("{key} is done, and not stored"));
        }
        CommandOutcome::Unknown => {
            if writes {
                world.operator.again = Some(command);
                forget_what_was_done(world);
            }
        }
        _ => Operated.check(!is_done, format_args!("{key} is {outcome:?}, and stored")),
    }
}

/// Whether its job is written.
fn writes(act: &Act) -> bool {
    !matches!(act, Act::Retry { .. } | Act::Take { .. })
}

fn name_of(act: &Act) -> &'static str {
    match act {
        Act::Switch { .. } => "switched",
        Act::Retry { .. } => "tried now",
        Act::Take { how: Take::Hold, .. } => "head held",
        Act::Take { how: Take::Cancel, .. } => "head cancelled",
        Act::Release(_) => "released",
        Act::Cancel(_) => "cancelled",
        Act::Replay(_) => "replayed",
        Act::Edit(_) => "edited",
        Act::Drain { .. } => "drained",
    }
}

/// A side of a lane is set, as the host is told.
pub fn switched(switch: &Switch, world: &mut World) {
    if switch.side == Side::Output {
        match switch.flow {
            Flow::On => world.operator.off.remove(&switch.lane),
            _ => world.operator.off.insert(switch.lane),
        };
    }
}

/// Nothing leaves a lane that is not on.
pub fn check_leaves(order: &Order, world: &World) {
    if let Order::Deliver { lane, seq, .. } = order {
        let is_on = !world.operator.off.contains(lane);
        Operated.check(is_on, format_args!("{lane}/{seq} leaves, and the lane is not on"));
    }
}
