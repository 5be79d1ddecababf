//! One life of an engine: it does what the pipeline orders, late and badly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mllp_pipeline::{
    Answer, Body, CommitOutcome, Fact, LaneId, MessageId, Millis, Order, Pipeline, Refusal,
    Sameness, Seq, Stamp, Start, Ticket, Transaction,
};

use crate::answers::{check_answer, check_waiting};
use crate::calls;
use crate::census;
use crate::check::{check_committed, check_memory};
use crate::deciding;
use crate::delivering;
use crate::disk;
use crate::fairness::Fairness;
use crate::filling::{self, Ours};
use crate::hours;
use crate::invariant::Invariant::{Progress, Protocol};
use crate::operated;
use crate::operator;
use crate::recovering;
use crate::renewing;
use crate::sender::Sender;
use crate::world::{Planted, World};

/// Something that happens later in this life.
pub enum Happening {
    Fact(Fact),
    /// The host tells whether this partner can be reached.
    Ready(usize),
    /// The host looks how much room there is.
    LookForRoom,
    Write(Arc<Transaction>),
    ReadHeads(Vec<LaneId>),
    Load {
        lane: LaneId,
        after: Seq,
        limit: u32,
    },
    Compare {
        ticket: Ticket,
        body: Body,
        with: MessageId,
        what: Sameness,
    },
}

pub struct Host {
    pub pipeline: Pipeline,
    happenings: BTreeMap<(Millis, u64), Happening>,
    tie: u64,
    committing: bool,
    pub stopping_since: Option<Millis>,
    answered: BTreeSet<Ticket>,
    disk: disk::Known,
    fairness: Fairness,
}

/// Whether this life goes on.
#[derive(PartialEq, Eq)]
pub enum Life {
    On,
    Crashed,
}

impl Host {
    /// Starts with what the store holds.
    pub fn start(world: &mut World) -> Host {
        let mut graph = world.scenario.graph.clone();
        if world.scenario.resized {
            for outbound in &mut graph.outbounds {
                outbound.window = world.rng.pick(&[1, 2, 3]);
                let lane = world.store.lanes.get_mut(&outbound.lane).expect("lane");
                lane.widest = lane.widest.max(outbound.window.into());
            }
            world.scenario.graph = graph.clone();
        }
        world.store.sweep();
        for lane in world.store.lanes.values_mut() {
            (lane.epoch, lane.ours) = (lane.epoch + 1, Ours::Yes);
        }
        let own = |id: &&MessageId| id.0 < OTHER_NODE;
        let last = world.store.messages.keys().rfind(own).map_or(0, |id| id.0);
        let mut heads: Vec<_> =
            world.store.lanes.keys().map(|lane| world.store.head(*lane)).collect();
        if world.rng.one_in(10) {
            heads.pop();
        }
        if world.planted == Planted::LoseSwitch {
            heads.iter_mut().for_each(|head| head.switches.clear());
        }
        operator::start(world);
        renewing::start(world);
        let start = Start {
            heads,
            next_message: MessageId(last + 1),
            next_stamp: Stamp(world.store.last_stamp + 1),
        };
        let mut pipeline = Pipeline::new(graph, start, world.clock());
        if let Planted::Pipeline(sabotage) = world.planted {
            pipeline.sabotage(sabotage);
        }
        let mut host = Host {
            pipeline,
            happenings: BTreeMap::new(),
            tie: 0,
            committing: false,
            stopping_since: None,
            answered: BTreeSet::new(),
            disk: disk::Known::default(),
            fairness: Fairness::default(),
        };
        hours::start(&mut host, world);
        host.tell_known(world);
        for at in 0..world.partners.len() {
            recovering::note_read(world.partners[at].lane, world);
        }
        for at in 0..world.partners.len() {
            host.happens(world.rng.below(30), Happening::Ready(at), world);
        }
        host.happens(world.rng.below(30), Happening::LookForRoom, world);
        host
    }

    /// Identities of earlier lives, before anything is received.
    fn tell_known(&mut self, world: &mut World) {
        for inbound in world.scenario.receiving() {
            let firsts = world.store.messages.values().filter(|it| {
                it.new.inbound == inbound.lane && it.new.accepted && it.new.identity != 0
            });
            let is_first = |it: &&crate::message::Message| {
                it.disposition() != mllp_pipeline::Disposition::Duplicate
            };
            let identities: Vec<_> =
                firsts.filter(is_first).map(|it| (it.new.identity, it.new.id)).collect();
            for piece in identities.chunks(3) {
                let (inbound, identities) = (inbound.lane, piece.to_vec());
                self.pipeline.tell(Fact::Known { inbound, identities }, world.clock());
            }
        }
    }

    pub fn happens(&mut self, after: Millis, what: Happening, world: &World) {
        self.tie += 1;
        self.happenings.insert((world.now + after, self.tie), what);
    }

    /// What it will be told, unless it ends before.
    pub fn coming(&self) -> impl Iterator<Item = &Fact> {
        self.happenings.values().filter_map(|it| match it {
            Happening::Fact(fact) => Some(fact),
            _ => None,
        })
    }

    pub fn next_time(&self) -> Option<Millis> {
        let happening = self.happenings.keys().next().map(|(at, _)| *at);
        happening.into_iter().chain(self.pipeline.next_deadline()).min()
    }

    /// Does everything that is due.
    pub fn step(&mut self, senders: &mut [Sender], world: &mut World) -> Life {
        while let Some(entry) = self.happenings.first_entry() {
            if entry.key().0 > world.now {
                break;
            }
            let happening = entry.remove();
            if self.happen(happening, world) == Life::Crashed {
                return Life::Crashed;
            }
            self.obey(senders, world);
        }
        self.pipeline.on_time(world.clock());
        let late = self.pipeline.next_deadline().is_some_and(|at| at <= world.now);
        Progress.check(!late, "a deadline is left in the past");
        for sender in senders.iter_mut() {
            while self.pipeline.wants_input(sender.lane, world.clock())
                && self.stopping_since.is_none()
            {
                let Some(fact) = sender.next(world) else { break };
                world.tell(format_args!("{fact:?}"));
                hours::note(&fact, world);
                self.pipeline.tell(fact, world.clock());
            }
        }
        self.obey(senders, world);
        check_memory(&self.pipeline, world);
        Life::On
    }

    fn happen(&mut self, happening: Happening, world: &mut World) -> Life {
        let fact = match happening {
            Happening::Fact(fact) => fact,
            Happening::Ready(at) => {
                Fact::Ready { lane: world.partners[at].lane, ready: world.partners[at].up }
            }
            Happening::LookForRoom => disk::room(world),
            Happening::Write(transaction) => return self.write(&transaction, world),
            Happening::ReadHeads(lanes) => {
                lanes.iter().for_each(|lane| recovering::note_read(*lane, world));
                let heads = lanes.into_iter().map(|lane| world.store.head(lane)).collect();
                // Others may append before the pipeline hears of it.
                self.happens(world.rng.below(20), Happening::Fact(Fact::Heads(heads)), world);
                return Life::On;
            }
            Happening::Load { lane, after, limit } => {
                let unreadable = world.strikes(world.scenario.faults.unreadable);
                let limit = if unreadable { 0 } else { 1 + world.rng.below(limit.into()) as u32 };
                let at_hand = world.rng.one_in(2);
                Fact::Loaded { lane, entries: world.store.load(lane, after.0, limit, at_hand) }
            }
            Happening::Compare { ticket, body, with, what } => {
                renewing::compare(ticket, &body, with, &what, world)
            }
        };
        self.tell(fact, world);
        Life::On
    }

    pub fn tell(&mut self, fact: Fact, world: &mut World) {
        world.tell(format_args!("{fact:?}"));
        delivering::note(&fact, world);
        hours::note(&fact, world);
        filling::note(&fact, &mut world.store);
        census::fact(&fact);
        self.disk.note(&fact);
        self.fairness.note(&fact);
        if matches!(fact, Fact::Outcome(_)) {
            self.committing = false;
        }
        self.pipeline.tell(fact, world.clock());
    }

    /// What becomes of a commit. A crash may come before it, after it, or after its outcome.
    fn write(&mut self, transaction: &Transaction, world: &mut World) -> Life {
        let faults = &world.scenario.faults;
        let (refused, unknown) = (faults.refused, faults.unknown);
        let (crash, fenced) = (faults.crash_at_commit, faults.fenced);
        if world.strikes(crash) {
            return Life::Crashed;
        }
        if world.strikes(fenced) {
            let lanes: Vec<LaneId> = world.store.lanes.keys().copied().collect();
            let lane = world.rng.pick(&lanes);
            let lane = world.store.lanes.get_mut(&lane).expect("lane");
            (lane.epoch, lane.ours) = (lane.epoch + 1, Ours::No);
        }
        let outcome = if world.strikes(refused) {
            CommitOutcome::Refused(world.rng.pick(&[Refusal::Full, Refusal::Unavailable]))
        } else if world.strikes(unknown) {
            world.store.doubt(transaction);
            if world.rng.one_in(2) {
                commit(transaction, world);
            }
            CommitOutcome::Unknown
        } else {
            commit(transaction, world)
        };
        if world.strikes(crash) {
            return Life::Crashed;
        }
        if !matches!(outcome, CommitOutcome::Committed(_)) {
            renewing::note_failed(transaction, world);
        }
        let told = Happening::Fact(Fact::Outcome(outcome));
        let after = world.commit_time();
        self.happens(after, told, world);
        Life::On
    }

    /// Follows the pipeline's orders.
    pub fn obey(&mut self, senders: &mut [Sender], world: &mut World) {
        while let Some(order) = self.pipeline.next_order(world.clock()) {
            world.tell(format_args!("{order:?}"));
            census::order(&order);
            operator::check_leaves(&order, world);
            match order {
                Order::Commit(transaction) => {
                    Protocol.check(!self.committing, "two commits at a time");
                    self.disk.check_commit(&transaction);
                    let (now, pipeline) = (world.clock(), &self.pipeline);
                    self.fairness.check_commit(&transaction, pipeline, now, world);
                    self.committing = true;
                    operated::note_ordered(&transaction, world);
                    let after = world.commit_time();
                    self.happens(after, Happening::Write(transaction), world);
                }
                Order::Answer { ticket, answer, .. } => {
                    Protocol.check(self.answered.insert(ticket), "answered twice");
                    self.check_refused(ticket, &answer, senders, world);
                    let is_stopping = self.stopping_since.is_some();
                    check_answer(ticket, &answer, is_stopping, senders, world);
                }
                Order::Route { call, inbound, work } => {
                    let (after, fact) = calls::route(call, inbound, &work, world);
                    self.happens(after, Happening::Fact(fact), world);
                }
                Order::Transform { call, handler, work } => {
                    let (after, fact) = calls::transform(call, handler, &work, world);
                    self.happens(after, Happening::Fact(fact), world);
                }
                Order::Deliver { lane, seq, work, attempt } => {
                    let (after, fact) = delivering::deliver(lane, seq, &work, attempt, world);
                    let fact = deciding::judged(fact, world);
                    self.happens(after, Happening::Fact(fact), world);
                }
                Order::Load { lane, after, limit } => {
                    let delay = world.rng.below(20);
                    self.happens(delay, Happening::Load { lane, after, limit }, world);
                }
                Order::ReadHeads(lanes) => self.read_heads(lanes, world),
                Order::Told { id, outcome } => operator::told(id, outcome, world),
                Order::Switched(switch) => operator::switched(&switch, world),
                Order::Compare { ticket, body, with, what } => {
                    renewing::note_ordered(ticket, with, self.committing, world);
                    let delay = world.rng.below(20);
                    let compare = Happening::Compare { ticket, body, with, what };
                    self.happens(delay, compare, world);
                }
                Order::GiveUp(body) => world.store.give_up(body),
            }
        }
        if !self.committing {
            check_waiting(senders, world);
        }
    }

    fn check_refused(&self, ticket: Ticket, answer: &Answer, senders: &[Sender], world: &World) {
        let sender = senders.iter().find(|it| it.waiting.contains_key(&ticket));
        if let (Answer::NotStored, Some(sender)) = (answer, sender)
            && !world.hours.was_turned_away(ticket)
        {
            let mut inbounds = world.scenario.graph.inbounds.iter();
            let inbound = inbounds.find(|it| it.lane == sender.lane).expect("inbound");
            self.disk.check_refused(inbound.on_full, self.stopping_since.is_some());
        }
    }

    /// Gives up the deliveries of these lanes, then reads their rows.
    fn read_heads(&mut self, lanes: Vec<LaneId>, world: &mut World) {
        for lane in &lanes {
            if world.partners.iter().any(|it| it.lane == *lane) {
                let arrived = world.rng.below(4);
                world.partner(*lane).cut(arrived);
            }
        }
        self.happenings.retain(|_, it| match it {
            Happening::Fact(
                Fact::Delivered { lane, .. }
                | Fact::Failed { lane, .. }
                | Fact::Decided { lane, .. },
            ) => !lanes.contains(lane),
            _ => true,
        });
        let delay = world.rng.below(50);
        self.happens(delay, Happening::ReadHeads(lanes), world);
    }
}

/// Numbers of messages that another node has received.
pub const OTHER_NODE: u64 = 1 << 40;

fn commit(transaction: &Transaction, world: &mut World) -> CommitOutcome {
    let tails = world.store.lanes.iter().map(|(id, lane)| (*id, lane.tail())).collect();
    let dead = world.store.dead.clone();
    let outcome = world.store.commit(transaction);
    if matches!(outcome, CommitOutcome::Committed(_)) {
        renewing::note_committed(transaction, &dead, &tails, world);
        operated::note_committed(transaction, &tails, world);
    }
    check_committed(&outcome, transaction, world);
    outcome
}
