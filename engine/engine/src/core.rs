//! The thread that decides: it asks the pipeline, and hands on what the pipeline orders.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use mllp_io::{Incoming, Payload, Reply, ReplyTo, Report};
use mllp_pipeline::{
    Answer, Body, BodyId, Fact, Failure, IdHash, Keys, LaneId, Note, Now, Order, Piece, Pipeline,
    Received, Seq, Source, Stored, Ticket, Work,
};
use mllp_store::StoreError;

use crate::calling::Callers;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::handovers::Handovers;
use crate::names::Names;
use crate::notices::{self, Notices};
use crate::outlet::{Name, Outlet};
use crate::reader::{Handover, Question};
use crate::stalls::Stalls;
use crate::status::Status;
use crate::traffic::{News, Unread, fact};
use crate::worker::Arrivals;
use crate::workers::Call;
use crate::writer::Job;

/// News that are taken before orders are looked at. More would let a busy intake delay the answers.
const TURN: usize = 4096;
/// Without news and deadlines the core looks around this often.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// While a commit is open the core looks around this often.
const WATCH: Duration = Duration::from_secs(1);

/// Where the core sends its orders.
pub(crate) struct Outlets {
    pub(crate) writer: Sender<Job>,
    pub(crate) reader: Sender<Question>,
    pub(crate) workers: Callers,
    /// Told of every transaction, where functions run in workers.
    pub(crate) arrivals: Option<Arc<Arrivals>>,
    /// By the number of each sender, with its lane.
    pub(crate) senders: Vec<(LaneId, Arc<Outlet>)>,
}

impl Drop for Outlets {
    fn drop(&mut self) {
        // A worker that never ends would hold the store.
        let _ = self.writer.send(Job::End);
    }
}

pub(crate) struct Core {
    pipeline: Pipeline,
    news: Receiver<News>,
    clock: Clock,
    names: Arc<Names>,
    outlets: Outlets,
    /// By the number of each sender.
    handovers: Vec<Handovers>,
    /// Senders that wait, each with the chunks that were written for it.
    waiting: HashMap<Ticket, (ReplyTo, Option<BodyId>)>,
    next_ticket: u64,
    connections: Connections,
    notices: Notices,
    stalls: Stalls,
    /// Who asked for a stop and waits for the end of what is in progress.
    stopping: Option<Sender<()>>,
}

impl Core {
    pub(crate) fn new(
        pipeline: Pipeline,
        news: Receiver<News>,
        clock: Clock,
        names: Arc<Names>,
        outlets: Outlets,
        connections: Connections,
        stalls: Stalls,
    ) -> Self {
        Core {
            pipeline,
            news,
            clock,
            notices: Notices::new(Arc::clone(&names)),
            names,
            handovers: outlets.senders.iter().map(|_| Handovers::default()).collect(),
            outlets,
            waiting: HashMap::new(),
            next_ticket: 0,
            connections,
            stalls,
            stopping: None,
        }
    }

    /// Runs until it is told to end or the store has come to its end.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        self.look_at_schedules();
        loop {
            self.carry_out();
            self.set_gates();
            self.report();
            // Whether it is at rest is not cheap to say, so it is asked only when somebody waits for it.
            if self.stopping.is_some()
                && self.pipeline.left().is_at_rest()
                && let Some(asked) = self.stopping.take()
            {
                let _ = asked.send(());
            }
            let deadline = self.pipeline.next_deadline();
            let wait = deadline.map_or(LONGEST_WAIT, |at| {
                Duration::from_millis(at.saturating_sub(self.clock.now().steady))
            });
            // A commit that does not return is reported all the same.
            let wait = if self.pipeline.is_committing() { wait.min(WATCH) } else { wait };
            let wait = self.connections.wait(self.clock.now().wall).map_or(wait, |it| it.min(wait));
            let look = self.stalls.next(self.clock.now().steady).map(Duration::from_millis);
            match self.news.recv_timeout(look.map_or(wait, |it| wait.min(it))) {
                Ok(news) => {
                    self.stalls.happened();
                    if self.take(news)? || self.take_more()? {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.look_at_schedules();
            self.pipeline.on_time(self.clock.now());
        }
    }

    /// Opens and closes what schedules say.
    fn look_at_schedules(&mut self) {
        let now = self.clock.now();
        for fact in self.connections.look(now.wall, &self.outlets) {
            self.tell(fact, now);
        }
    }

    /// Says to each listener whether it may read.
    fn set_gates(&self) {
        let now = self.clock.now();
        let pipeline = &self.pipeline;
        let is_low = pipeline.store_state(now).lacks_room();
        let has_room = |it| pipeline.wants_input(it, now);
        self.connections.set_gates(has_room, |it| pipeline.refuses(it, now), is_low);
    }

    fn take_more(&mut self) -> Result<bool, StoreError> {
        for _ in 0..TURN {
            let Ok(news) = self.news.try_recv() else { break };
            if self.take(news)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes one piece of news; true: the end.
    fn take(&mut self, news: News) -> Result<bool, StoreError> {
        let now = self.clock.now();
        match news {
            News::Received(messages) => {
                messages.into_iter().for_each(|message| self.receive(message, now));
            }
            News::Fact(fact) => self.tell(fact, now),
            News::Called(lane, fact) => {
                self.notices.called(lane, &fact);
                self.pipeline.tell(fact, now);
            }
            News::Connected(lane) => self.notices.connected(lane),
            News::Lost(lane, why) => self.notices.lost(lane, why, now.wall),
            News::Dials(lane, after) => self.notices.dials(lane, after, now.wall),
            News::Happened(listener, peer, incident) => {
                if let Some(inbound) = self.connections.inbound(listener) {
                    self.notices.happened(inbound, peer, incident);
                }
            }
            News::NotAccepted(listener, error) => {
                if let Some(inbound) = self.connections.inbound(listener) {
                    self.notices.not_accepted(inbound, &error);
                }
            }
            News::TurnedAway(listener, peer, why) => {
                if let Some(inbound) = self.connections.inbound(listener) {
                    self.notices.turned_away(inbound, peer, &why);
                }
            }
            News::Reports(number, reports) => self.reported(number as usize, reports, now),
            News::HandedOver { number, unread } => self.handed_over(number as usize, unread, now),
            News::Status(of, asked) => {
                self.look(now);
                let hours = |lane| self.connections.hours(lane);
                let told = (&self.notices, &self.stalls, &*self.names);
                drop(asked.send(Status::of(&self.pipeline, told, hours, of, now)));
            }
            News::Command(command, asked) => {
                self.connections.dial(&command, &self.outlets);
                let id = self.connections.command(asked);
                self.pipeline.tell(Fact::Command { id, command }, now);
            }
            News::Stop(asked) => {
                notices::stopping();
                self.pipeline.stop();
                self.outlets.workers.stop();
                self.stopping = Some(asked);
            }
            News::Fatal(error) => {
                notices::ended(&error);
                return Err(error);
            }
            News::End => return Ok(true),
        }
        Ok(false)
    }

    fn tell(&mut self, fact: Fact, now: Now) {
        match &fact {
            Fact::Delivered { lane, .. } => self.stalls.delivered(*lane),
            Fact::Decided { lane, decision, .. } if decision.completes() => {
                self.stalls.delivered(*lane);
            }
            _ => {}
        }
        self.notices.fact(&fact, now.wall);
        self.pipeline.tell(fact, now);
    }

    fn look(&mut self, now: Now) {
        let writes = self.pipeline.store_state(now).trouble.is_none();
        self.stalls.look(self.pipeline.status(), writes, now.steady);
    }

    /// Reports what has changed.
    fn report(&mut self) {
        let now = self.clock.now();
        self.notices.store(self.pipeline.store_state(now));
        if self.stalls.next(now.steady) == Some(0) {
            self.look(now);
        }
        for (lane, is_full) in self.pipeline.bounded_lanes() {
            self.notices.is_full(lane, is_full);
        }
    }

    fn receive(&mut self, message: Incoming, now: Now) {
        let Some(inbound) = self.connections.inbound(message.listener) else { return };
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        let (body, chunks) = match message.payload {
            Payload::Whole(bytes) => (Body::Inline(bytes), None),
            Payload::Stored { body, len, .. } => {
                let id = BodyId(body);
                (Body::Chunked { id, len }, Some(id))
            }
        };
        self.waiting.insert(ticket, (message.reply_to, chunks));
        let received = Received {
            ticket,
            inbound,
            identity: message.identity,
            control_id: Piece(message.control_id),
            name: IdHash(message.name),
            message_type: Piece(message.message_type),
            indexed: Keys::new(&message.indexed),
            body,
            acknowledgment: Piece(message.acknowledgment),
            accepted: message.accepted,
            origin: Piece(message.origin),
            session: None,
        };
        self.pipeline.tell(Fact::Received(received), now);
    }

    fn carry_out(&mut self) {
        let now = self.clock.now();
        while let Some(order) = self.pipeline.next_order(now) {
            // Where the other side has ended, the core is told so: what it was asked has no answer.
            match order {
                Order::Commit(transaction) => {
                    self.notices.commit(&transaction);
                    if let Some(arrivals) = &self.outlets.arrivals {
                        arrivals.learn(&transaction);
                    }
                    let _ = self.outlets.writer.send(Job::Commit(transaction));
                }
                Order::ReadHeads(lanes) => {
                    // What is with the partner may be done again: nobody may hear of it now.
                    let senders = self.outlets.senders.iter().zip(&mut self.handovers);
                    for ((lane, sender), its) in senders {
                        if lanes.contains(lane) {
                            sender.abandon(its.forget());
                        }
                    }
                    let _ = self.outlets.writer.send(Job::ReadHeads(lanes));
                }
                Order::Answer { ticket, answer, stored } => self.answer(ticket, answer, stored),
                Order::Told { id, outcome } => self.connections.told(id, outcome),
                Order::Switched(switch) => {
                    self.notices.switched(&switch);
                    self.connections.switched(&switch, &self.outlets);
                }
                Order::Route { call, inbound: lane, work }
                | Order::Transform { call, handler: lane, work } => {
                    self.outlets.workers.call(Call { call, lane, work });
                }
                Order::Deliver { lane, seq, work, attempt } => {
                    self.deliver(lane, seq, work, attempt);
                }
                Order::Load { lane, after, limit } => {
                    let _ = self.outlets.reader.send(Question::Load { lane, after, limit });
                }
                Order::GiveUp(body) => drop(self.outlets.writer.send(Job::GiveUp(body))),
                Order::Compare { ticket, body, with, what } => {
                    let question = Question::Compare { ticket, body, with, what };
                    let _ = self.outlets.reader.send(question);
                }
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Answer, stored: Option<Stored>) {
        let Some((reply_to, chunks)) = self.waiting.remove(&ticket) else { return };
        // Nothing holds the chunks of a duplicate or of a message that was refused. Where the outcome
        // is unknown, the next life finds out.
        if let (Some(body), false) = (chunks, answer == Answer::Close) {
            let _ = self.outlets.writer.send(Job::GiveUp(body));
        }
        let reply = match answer {
            Answer::Acknowledgment(bytes) => Reply::Acknowledgment(bytes.0),
            Answer::NotStored => Reply::NotStored,
            Answer::NotDelivered => Reply::NotDelivered,
            Answer::Close => Reply::Close,
        };
        let stored = stored.map(|Stored { message, duplicate_of }| mllp_io::Stored {
            message: message.0,
            duplicate_of: duplicate_of.map(|it| it.0),
        });
        reply_to.answer_as(reply, stored);
    }

    /// Hands a delivery to its sender, by way of the reader where the bytes are not at hand, or where
    /// one before it has gone that way: their order is the lane's.
    fn deliver(&mut self, lane: LaneId, seq: Seq, work: Work, attempt: u32) {
        let Some(number) = self.outlets.senders.iter().position(|(its, _)| *its == lane) else {
            return;
        };
        let (outlet, its) = (&self.outlets.senders[number].1, &mut self.handovers[number]);
        let (generation, message) = (its.generation, work.message);
        let name = Name { generation, number: seq.0, message, attempt };
        if let Source::Memory(Body::Inline(payload)) = &work.body
            && its.reading == 0
        {
            return outlet.deliver(name, Arc::clone(payload));
        }
        its.reading += 1;
        let handover = Handover {
            outlet: Arc::clone(outlet),
            number: number as u32,
            lane,
            seq,
            work,
            name,
            current: Arc::clone(&its.forgotten_below),
            questions: self.outlets.reader.clone(),
        };
        let _ = self.outlets.reader.send(Question::Deliver(handover));
    }

    /// Deliveries have ended.
    fn reported(&mut self, number: usize, mut reports: Vec<Report>, now: Now) {
        let (lane, its) = (self.outlets.senders[number].0, &self.handovers[number]);
        reports.retain(|it| !its.is_forgotten(it.generation));
        reports.into_iter().for_each(|report| self.tell(fact(lane, report), now));
    }

    /// A delivery has come through the reader.
    fn handed_over(&mut self, number: usize, unread: Option<Unread>, now: Now) {
        let its = &mut self.handovers[number];
        its.reading -= 1;
        let Some(Unread { lane, seq, generation }) = unread else { return };
        if its.is_forgotten(generation) {
            return;
        }
        // Those behind it that were ordered before this was known do not pass it.
        its.generation = its.generation.max(generation + 1);
        // Ours, not the message's: it is tried again.
        let note = Note("the body cannot be read".into());
        let failure = Failure::Infrastructure;
        self.tell(Fact::Failed { lane, seq, failure, note }, now);
    }
}
