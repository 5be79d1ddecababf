//! The face of the state machine: facts in, orders out.

use alloc::vec::Vec;

use crate::batch::Batch;
use crate::decision::Judged;
use crate::delivery::Outbound;
use crate::fact::{Entry, Fact, First, Received, Start};
use crate::graph::{Capacity, Closed, Graph, OnFull};
use crate::handler::{HandlerLane, Resting};
use crate::ids::{CallId, LaneId, MessageId, Millis, Now, Seq, Ticket};
use crate::ingress::{Arrived, Branch, Ingress};
use crate::intake::Load;
use crate::lane::Hold;
use crate::operating::Operating;
use crate::order::{Answer, Order};
use crate::orphan::Orphan;
use crate::renewal::Renewed;
use crate::room::{StoreState, StoreWatch};
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Alarm, OURS_AGAIN, Place, Shared};
use crate::told::Told;

/// All decisions of one engine. See the [crate's page](crate) for the loop of its host.
#[derive(Debug)]
pub struct Pipeline {
    pub(crate) inbounds: Vec<Ingress>,
    pub(crate) handlers: Vec<HandlerLane>,
    pub(crate) outbounds: Vec<Outbound>,
    pub(crate) shared: Shared,
    pub(crate) operating: Operating,
    pub(crate) renewed: Renewed,
    next_message: MessageId,
    /// Messages that wait for their commit.
    pub(crate) load: Load,
    /// The commit whose outcome is not known yet.
    pub(crate) open: Option<Batch>,
    /// What is left of a commit that was refused or fenced; it goes before anything else.
    pub(crate) kept: Option<Batch>,
    /// The memory of the last commit.
    pub(crate) spare: Batch,
    /// No commit before this.
    pub(crate) commit_after: Millis,
    /// Commits refused in a row.
    pub(crate) refusals: u32,
    pub(crate) store: StoreWatch,
    /// Some lane has a capacity.
    pub(crate) bounded: bool,
    /// For how many commits each kind of work has had nothing, though it waited.
    pub(crate) left_out: [u32; 3],
    /// Something waits in front of a lane that is full.
    pub(crate) blocked: bool,
    /// Outbounds whose lane the batch that is built may have to write.
    pub(crate) concerned: Vec<usize>,
    pub(crate) spare_branches: Vec<Vec<Branch>>,
    pub(crate) fused_calls: Vec<Option<CallId>>,
}

impl Pipeline {
    /// Begins with what the store holds. A lane of the graph without a row in `start` is read first.
    pub fn new(graph: Graph, start: Start, now: Now) -> Pipeline {
        let mut limits = graph.limits;
        let looking = graph.inbounds.iter().filter(|it| it.deduplicate).count();
        limits.identities /= looking.max(1);
        let mut shared = Shared::new(limits, start.next_stamp);
        for (at, inbound) in graph.inbounds.iter().enumerate() {
            shared.name_place(inbound.lane, Place::Ingress(at));
        }
        for (at, handler) in graph.handlers.iter().enumerate() {
            shared.name_place(handler.lane, Place::Routed(at));
        }
        for (at, outbound) in graph.outbounds.iter().enumerate() {
            shared.name_place(outbound.lane, Place::Outbound(at));
        }
        let of_inbounds = graph.inbounds.iter().map(|it| it.capacity);
        let of_handlers = graph.handlers.iter().map(|it| it.capacity);
        let of_outbounds = graph.outbounds.iter().map(|it| it.capacity);
        let bounded =
            of_inbounds.chain(of_handlers).chain(of_outbounds).any(|it| it != Capacity::NONE);
        let inbounds = graph.inbounds.iter().enumerate();
        let handlers = graph.handlers.iter().enumerate();
        let outbounds = graph.outbounds.iter().enumerate();
        let mut pipeline = Pipeline {
            inbounds: inbounds.map(|(at, it)| Ingress::new(it, &limits, at)).collect(),
            handlers: handlers.map(|(at, it)| HandlerLane::new(it, &limits, at)).collect(),
            outbounds: outbounds.map(|(at, it)| Outbound::new(it, &limits, at)).collect(),
            shared,
            operating: Operating::default(),
            renewed: Renewed::default(),
            next_message: start.next_message,
            load: Load::default(),
            open: None,
            kept: None,
            spare: Batch::default(),
            commit_after: 0,
            refusals: 0,
            store: StoreWatch::new(limits.min_free),
            bounded,
            left_out: [0; 3],
            blocked: false,
            concerned: Vec::new(),
            spare_branches: Vec::new(),
            fused_calls: Vec::new(),
        };
        let orphans = graph.orphans.iter().map(|it| Orphan::new(it.lane, it.stage));
        pipeline.operating.orphans.extend(orphans);
        pipeline.heads(&start.heads, now);
        let unread: Vec<LaneId> = pipeline.unread().collect();
        if !unread.is_empty() {
            pipeline.shared.orders.push_back(Order::ReadHeads(unread));
        }
        pipeline
    }

    /// Takes note of a fact. It never fails: a fact that fits nothing means nothing.
    pub fn tell(&mut self, fact: Fact, now: Now) {
        match fact {
            Fact::Received(received) => self.received(received, now),
            Fact::Outcome(outcome) => self.outcome(outcome, now),
            Fact::Appended { lane, up_to } => self.appended(lane, up_to, now),
            Fact::Heads(heads) => self.heads(&heads, now),
            Fact::Loaded { lane, entries } => self.loaded(lane, entries, now),
            Fact::Compared { ticket, first } => self.compared(ticket, first, now),
            Fact::Known { inbound, identities } => {
                if let Some(Place::Ingress(at)) = self.shared.place(inbound) {
                    let intake = &mut self.inbounds[at].intake;
                    identities
                        .into_iter()
                        .for_each(|(identity, id)| intake.know(identity, id, now));
                }
            }
            Fact::Routed { call, results } => self.routed(call, results, now.steady),
            Fact::Transformed { call, results } => self.transformed(call, results, now.steady),
            Fact::Delivered { lane, seq, milliseconds, note } => {
                self.told(lane, seq, Told::Delivered { milliseconds, note }, now);
            }
            Fact::Failed { lane, seq, failure, note } => {
                self.told(lane, seq, Told::Failed { failure, note }, now);
            }
            Fact::Decided { lane, seq, decision, failure, milliseconds, note } => {
                let judged = Judged { decision, failure, milliseconds, note };
                self.told(lane, seq, Told::Decided(judged), now);
            }
            Fact::Command { id, command } => self.command(id, *command, now),
            Fact::Room(room) => self.store.has(room, now),
            Fact::Hours { lane, open } => self.hours(lane, open, now),
            Fact::Ready { lane, ready } => {
                if let Some(Place::Outbound(at)) = self.shared.place(lane) {
                    self.outbounds[at].ready = ready;
                    self.outbounds[at].pump(now.steady, &mut self.shared);
                }
            }
        }
    }

    /// The next thing to do, if there is one now.
    ///
    /// A commit is given out as soon as the one before has its outcome: the store is what others wait
    /// for. It takes everything that was told before, so tell what there is first.
    pub fn next_order(&mut self, now: Now) -> Option<Order> {
        self.next_commit(now).or_else(|| self.shared.orders.pop_front())
    }

    /// The latest time to call [`on_time`](Pipeline::on_time), by the steady clock.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.shared.next_alarm()
    }

    /// Does what is due.
    pub fn on_time(&mut self, now: Now) {
        while let Some(alarm) = self.shared.ringing(now.steady) {
            match alarm {
                Alarm::Lane(place) => self.pump(place, now),
                Alarm::Call(call) => self.rest(call, now.steady),
                Alarm::Verdict => self.expire(now.steady),
                // The next order looks at the time.
                Alarm::Commit => {}
            }
        }
    }

    /// Whether more messages should be read from the senders of an inbound. A host that reads on is
    /// heard, but the messages lie in memory.
    pub fn wants_input(&self, inbound: LaneId, now: Now) -> bool {
        let limits = &self.shared.limits;
        let room = self.load.messages < limits.waiting && self.load.bytes < limits.waiting_bytes;
        let Some(Place::Ingress(at)) = self.shared.place(inbound) else { return false };
        match self.inbounds[at].closed() {
            Some(Closed::Unreachable) => return false,
            // It is read to be answered.
            Some(Closed::Answer) => return room && !self.shared.stopping,
            None => {}
        }
        let waits = self.inbounds[at].on_full == OnFull::Wait;
        let fits = || self.store.takes_messages(now.steady) && self.inbounds[at].takes(1);
        let has_room = !waits || fits();
        room && has_room && !self.shared.stopping
    }

    /// Whether a message of this inbound would be answered as not stored, because there is no room or
    /// because it is outside of its schedule.
    pub fn refuses(&self, inbound: LaneId, now: Now) -> bool {
        let Some(Place::Ingress(at)) = self.shared.place(inbound) else { return true };
        if self.inbounds[at].closed() == Some(Closed::Answer) {
            return true;
        }
        let fits = self.store.takes_messages(now.steady) && self.inbounds[at].takes(1);
        self.inbounds[at].on_full == OnFull::Refuse && !fits
    }

    /// Whether a commit is ordered and its outcome is not known yet.
    pub fn is_committing(&self) -> bool {
        self.open.is_some()
    }

    /// How the store stands.
    pub fn store_state(&self, now: Now) -> StoreState {
        self.store.state(now)
    }

    /// Begins nothing new: messages that are received from now on are not stored, and no router,
    /// handler or delivery is started. What is in progress is still committed; messages that wait for
    /// room are answered as not stored.
    ///
    /// Senders that wait for a verdict hear that there is none yet.
    pub fn stop(&mut self) {
        self.shared.stopping = true;
        self.expire(0);
    }

    /// Answers those whose time for a verdict is over.
    fn expire(&mut self, now: Millis) {
        let Shared { verdicts, orders, stopping, .. } = &mut self.shared;
        verdicts.expire(now, *stopping, orders);
    }

    /// Plants a fault.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(&mut self, how: crate::Sabotage) {
        self.shared.sabotage = Some(how);
        self.shared.verdicts.errors_are_good = how == crate::Sabotage::AckError;
        self.shared.verdicts.keeps_old = how == crate::Sabotage::OldVerdict;
        self.shared.verdicts.waits_for_held = how == crate::Sabotage::WaitForHeld;
        if how == crate::Sabotage::ForgetArrived
            && let Some(inbound) = self.inbounds.iter_mut().find(|it| it.stage.lane.depth() > 0)
        {
            inbound.stage.lane.cursor = inbound.stage.lane.tail;
        }
        if how == crate::Sabotage::ForgetLane
            && let Some(outbound) = self.outbounds.iter_mut().find(|it| it.lane.depth() > 0)
        {
            outbound.lane.cursor = outbound.lane.tail;
            (outbound.sent_to, outbound.recovering) = (outbound.lane.tail, false);
        }
    }

    fn unread(&self) -> impl Iterator<Item = LaneId> {
        let inbounds = self.inbounds.iter().map(|it| (it.stage.lane.id, it.stage.lane.hold));
        let handlers = self.handlers.iter().map(|it| (it.stage.lane.id, it.stage.lane.hold));
        let outbounds = self.outbounds.iter().map(|it| (it.lane.id, it.lane.hold));
        let orphans = self.operating.orphans.iter().map(|it| (it.id, it.hold));
        let lanes = inbounds.chain(handlers).chain(outbounds).chain(orphans);
        lanes.filter(|(_, hold)| *hold == Hold::Unread).map(|(id, _)| id)
    }

    fn received(&mut self, received: Received, now: Now) {
        let takes = !self.shared.stopping && self.store.takes_messages(now.steady);
        let len = received.body.len();
        let at = match self.shared.place(received.inbound) {
            Some(Place::Ingress(at)) if self.turns_away(at) => {
                let (ticket, answer) = (received.ticket, Answer::NotStored);
                return self.shared.orders.push_back(Order::Answer {
                    ticket,
                    answer,
                    stored: None,
                });
            }
            Some(Place::Ingress(at)) if takes && self.inbounds[at].takes(len) => at,
            Some(Place::Ingress(at)) if self.waits_for_room(at) => at,
            #[cfg(feature = "sabotage")]
            Some(_) if self.shared.broken(Sabotage::DropAtFull) => {
                let answer = Answer::Acknowledgment(received.acknowledgment);
                let ticket = received.ticket;
                return self.shared.orders.push_back(Order::Answer {
                    ticket,
                    answer,
                    stored: None,
                });
            }
            _ => {
                let (ticket, answer) = (received.ticket, Answer::NotStored);
                return self.shared.orders.push_back(Order::Answer {
                    ticket,
                    answer,
                    stored: None,
                });
            }
        };
        let id = self.new_message();
        let ingress = &mut self.inbounds[at];
        ingress.intake.receive(id, received, now, &mut self.load, &mut self.shared);
        ingress.list(&mut self.shared);
    }

    pub(crate) fn new_message(&mut self) -> MessageId {
        let id = self.next_message;
        self.next_message.0 += 1;
        id
    }

    /// Whether messages of this inbound wait while there is no room for them.
    pub(crate) fn waits_for_room(&self, inbound: usize) -> bool {
        self.inbounds[inbound].on_full == OnFull::Wait && !self.shared.stopping
    }

    fn compared(&mut self, ticket: Ticket, first: Option<First>, now: Now) {
        let comparing = |it: &&mut Ingress| it.intake.is_comparing(ticket);
        if let Some(ingress) = self.inbounds.iter_mut().find(comparing) {
            ingress.intake.compared(ticket, first, &mut self.shared);
            ingress.intake.resolve(now, &mut self.load, &mut self.shared);
            ingress.list(&mut self.shared);
        }
    }

    /// Looks again at messages that waited for the outcome of a commit.
    pub(crate) fn resolve_all(&mut self, now: Now) {
        for ingress in &mut self.inbounds {
            if !ingress.intake.queue.is_empty() {
                ingress.intake.resolve(now, &mut self.load, &mut self.shared);
                ingress.list(&mut self.shared);
            }
        }
    }

    pub(crate) fn appended(&mut self, lane: LaneId, up_to: Seq, now: Now) {
        let Some(place) = self.shared.place(lane) else { return };
        let tail = match place {
            Place::Ingress(at) => &mut self.inbounds[at].stage.lane.tail,
            Place::Routed(at) => &mut self.handlers[at].stage.lane.tail,
            Place::Outbound(at) => &mut self.outbounds[at].lane.tail,
        };
        *tail = (*tail).max(up_to);
        self.pump(place, now);
    }

    fn loaded(&mut self, lane: LaneId, entries: Vec<Entry>, now: Now) {
        let Some(place) = self.shared.place(lane) else { return };
        let again = now.steady + OURS_AGAIN;
        let failed = entries.is_empty();
        let shelf = &mut self.shared.shelf;
        match place {
            Place::Ingress(at) if failed => self.inbounds[at].stage.lane.load_failed(again),
            Place::Routed(at) if failed => self.handlers[at].stage.lane.load_failed(again),
            Place::Outbound(at) if failed => self.outbounds[at].lane.load_failed(again),
            Place::Ingress(at) => self.inbounds[at].stage.lane.loaded(entries, |it| {
                let source = shelf.take(it.body, lane, it.seq);
                Arrived::new(it.message, source, it.sole, it.id_hash, it.hops)
            }),
            Place::Routed(at) => self.handlers[at].stage.lane.loaded(entries, |it| {
                let source = shelf.take(it.body, lane, it.seq);
                Resting::new(it.message, source, it.sole, it.id_hash, it.hops)
            }),
            Place::Outbound(at) => self.outbounds[at].loaded(entries, &mut self.shared),
        }
        if failed {
            self.shared.wake(again, Alarm::Lane(place));
        }
        self.pump(place, now);
    }

    fn told(&mut self, lane: LaneId, seq: Seq, told: Told, now: Now) {
        if let Some(Place::Outbound(at)) = self.shared.place(lane) {
            self.outbounds[at].tell(seq, told, now, &mut self.shared);
        }
    }

    /// Does on a lane what can be done now.
    pub(crate) fn pump(&mut self, place: Place, now: Now) {
        match place {
            Place::Ingress(at) => {
                self.inbounds[at].pump(now.steady, &mut self.shared);
                self.inbounds[at].advance(&mut self.shared);
            }
            Place::Routed(at) => {
                self.handlers[at].pump(now.steady, &mut self.shared);
                self.handlers[at].advance(&mut self.shared);
            }
            Place::Outbound(at) => self.outbounds[at].pump(now.steady, &mut self.shared),
        }
    }
}
