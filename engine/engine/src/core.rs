//! The thread that decides: it asks the pipeline, and hands on what the pipeline orders.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mllp_io::{Incoming, Reply, ReplyTo, Senders as Outlet};
use mllp_pipeline::{
    Answer, Body, BodyId, Fact, IdHash, Keys, LaneId, Left, Now, Order, Piece, Pipeline, Received,
    Seq, Source, Ticket, Work,
};
use mllp_store::StoreError;

use crate::arrivals::{Arrivals, Arrived};
use crate::bodies::{Large, is_large};
use crate::connections::Connections;
use crate::names::Names;
use crate::notices::{self, Notices};
use crate::reader::{Handover, Question};
use crate::status::Status;
use crate::traffic::{News, ToCore};
use crate::workers::Call;
use crate::writer::Job;

/// News that are taken before orders are looked at. More would let a busy intake delay the answers.
const TURN: usize = 4096;
/// Without news and deadlines the core looks around this often.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// While a commit is open the core looks around this often.
const WATCH: Duration = Duration::from_secs(1);

/// The clocks of an engine.
#[derive(Clone)]
pub(crate) struct Clock {
    started: Instant,
    wall: Wall,
}

/// What is asked for the time of day.
pub(crate) type Wall = Arc<dyn Fn() -> SystemTime + Send + Sync>;

impl Clock {
    pub(crate) fn new(wall: Wall) -> Self {
        Clock { started: Instant::now(), wall }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = (self.wall)().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { steady: self.started.elapsed().as_millis() as u64, wall: wall.as_millis() as u64 }
    }
}

/// Where the core sends its orders.
pub(crate) struct Outlets {
    pub(crate) writer: Sender<Job>,
    pub(crate) reader: Sender<Question>,
    pub(crate) workers: Sender<Call>,
    /// By the number of each sender, with its lane.
    pub(crate) senders: Vec<(LaneId, Arc<Outlet>)>,
    /// For those who are asked, and tell the core later.
    pub(crate) core: ToCore,
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
    /// Deliveries of each sender that have to be read first, or come after one that has.
    reading: Vec<usize>,
    /// Senders that wait, each with the chunks that were written for it.
    waiting: HashMap<Ticket, (ReplyTo, Option<BodyId>)>,
    arrivals: Arrivals,
    /// Bytes that may wait to be written in chunks.
    arriving_bytes: u64,
    next_ticket: u64,
    connections: Connections,
    notices: Notices,
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
        arriving_bytes: u64,
        connections: Connections,
    ) -> Self {
        Core {
            pipeline,
            news,
            clock,
            notices: Notices::new(Arc::clone(&names)),
            names,
            reading: vec![0; outlets.senders.len()],
            outlets,
            waiting: HashMap::new(),
            arrivals: Arrivals::default(),
            arriving_bytes,
            next_ticket: 0,
            connections,
            stopping: None,
        }
    }

    /// Runs until it is told to end or the store has come to its end.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        loop {
            self.carry_out();
            self.set_gates();
            self.report();
            // Whether it is at rest is not cheap to say, so it is asked only when somebody waits for it.
            if self.stopping.is_some()
                && self.left().is_at_rest()
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
            match self.news.recv_timeout(wait) {
                Ok(news) => {
                    if self.take(news)? || self.take_more()? {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.pipeline.on_time(self.clock.now());
        }
    }

    /// Says to each listener whether it may read.
    fn set_gates(&self) {
        let now = self.clock.now();
        let has_room = self.arrivals.bytes() < self.arriving_bytes;
        let wanted = |inbound| has_room && self.pipeline.wants_input(inbound, now);
        self.connections.set_gates(wanted);
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
                messages.into_iter().for_each(|message| self.arrive(message, now));
            }
            News::Written(connection, body) => self.written(connection, body, now),
            News::Fact(fact) => self.tell(fact, now),
            News::Facts(facts) => facts.into_iter().for_each(|it| self.tell(it, now)),
            News::Called(lane, fact) => {
                self.notices.called(lane, &fact);
                self.pipeline.tell(fact, now);
            }
            News::Lost(lane, why) => self.notices.lost(lane, why),
            News::HandedOver(number) => self.reading[number as usize] -= 1,
            News::Status(asked) => drop(asked.send(self.status(now))),
            News::Command(command, asked) => {
                let id = self.connections.command(asked);
                self.pipeline.tell(Fact::Command { id, command }, now);
            }
            News::Stop(asked) => {
                notices::stopping();
                self.pipeline.stop();
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
        self.notices.fact(&fact);
        self.pipeline.tell(fact, now);
    }

    /// Reports what has changed.
    fn report(&mut self) {
        self.notices.store(self.pipeline.store_state(self.clock.now()));
        for (lane, is_full) in self.pipeline.bounded_lanes() {
            self.notices.is_full(lane, is_full);
        }
    }

    fn arrive(&mut self, message: Incoming, now: Now) {
        let inbound = self.connections.inbound(message.listener);
        let refuses = || inbound.is_some_and(|it| self.pipeline.refuses(it, now));
        if is_large(message.payload.len()) && refuses() {
            // Its chunks would take the room that deliveries need.
            return message.reply_to.answer(Reply::NotStored);
        }
        match self.arrivals.take(message) {
            Arrived::Small(message) => {
                let body = Body::Inline(Arc::clone(&message.payload));
                self.receive(message, body, now);
            }
            Arrived::Large(connection) => self.write_first(connection),
            Arrived::Behind => {}
        }
    }

    /// Has the first message of a connection that waits written in chunks.
    fn write_first(&self, connection: usize) {
        let Some(message) = self.arrivals.first(connection) else { return };
        let core = self.outlets.core.clone();
        let then = move |body| {
            core.tell(News::Written(connection, body));
        };
        let large = Large { payload: Arc::clone(&message.payload), then: Box::new(then) };
        let _ = self.outlets.writer.send(Job::Write(large));
    }

    /// The first message of a connection that waits is written, and goes on with those behind it.
    fn written(&mut self, connection: usize, body: Option<Body>, now: Now) {
        let mut released = self.arrivals.release(connection).into_iter();
        match (released.next(), body) {
            (Some(message), Some(body)) => self.receive(message, body, now),
            // Of a message without a body nothing is stored.
            (Some(message), None) => message.reply_to.answer(Reply::NotStored),
            (None, _) => {}
        }
        for message in released {
            let body = Body::Inline(Arc::clone(&message.payload));
            self.receive(message, body, now);
        }
        self.write_first(connection);
    }

    fn receive(&mut self, message: Incoming, body: Body, now: Now) {
        let Some(inbound) = self.connections.inbound(message.listener) else { return };
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        let chunks = match body {
            Body::Chunked { id, .. } => Some(id),
            Body::Inline(_) => None,
        };
        self.waiting.insert(ticket, (message.reply_to, chunks));
        let received = Received {
            ticket,
            inbound,
            identity: message.identity,
            control_id: Piece(message.control_id.into()),
            name: IdHash(message.name),
            message_type: Piece(message.message_type.into()),
            indexed: Keys::new(&message.indexed),
            body,
            acknowledgment: Piece(message.acknowledgment.into()),
            accepted: message.accepted,
            session: None,
        };
        self.pipeline.tell(Fact::Received(received), now);
    }

    fn status(&self, now: Now) -> Status {
        let store = self.pipeline.store_state(now);
        Status::of(self.pipeline.status(), self.left(), store, &self.names, now.steady)
    }

    fn left(&self) -> Left {
        let mut left = self.pipeline.left();
        left.waiting += self.arrivals.count();
        left
    }

    fn carry_out(&mut self) {
        let now = self.clock.now();
        while let Some(order) = self.pipeline.next_order(now) {
            // Where the other side has ended, the core is told so: what it was asked has no answer.
            match order {
                Order::Commit(transaction) => {
                    self.notices.commit(&transaction);
                    let _ = self.outlets.writer.send(Job::Commit(transaction));
                }
                Order::ReadHeads(lanes) => {
                    // What is with the partner may be done again: nobody may hear of it now.
                    for (lane, sender) in &self.outlets.senders {
                        if lanes.contains(lane) {
                            sender.abandon();
                        }
                    }
                    let _ = self.outlets.writer.send(Job::ReadHeads(lanes));
                }
                Order::Answer { ticket, answer } => self.answer(ticket, answer),
                Order::Told { id, outcome } => self.connections.told(id, outcome),
                Order::Switched(switch) => {
                    self.notices.switched(&switch);
                    self.connections.switched(&switch, &self.outlets);
                }
                Order::Route { call, inbound: lane, work }
                | Order::Transform { call, handler: lane, work } => {
                    let _ = self.outlets.workers.send(Call { call, lane, work });
                }
                Order::Deliver { lane, seq, work, .. } => self.deliver(lane, seq, work),
                Order::Load { lane, after, limit } => {
                    let _ = self.outlets.reader.send(Question::Load { lane, after, limit });
                }
                Order::Compare { ticket, body, with, what } => {
                    let question = Question::Compare { ticket, body, with, what };
                    let _ = self.outlets.reader.send(question);
                }
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Answer) {
        let Some((reply_to, chunks)) = self.waiting.remove(&ticket) else { return };
        // Nothing holds the chunks of a duplicate or of a message that was refused. Where the outcome
        // is unknown, the next life finds out.
        if let (Some(body), false) = (chunks, answer == Answer::Close) {
            let _ = self.outlets.writer.send(Job::GiveUp(body));
        }
        reply_to.answer(match answer {
            Answer::Acknowledgment(bytes) => Reply::Acknowledgment(bytes.0),
            Answer::NotStored => Reply::NotStored,
            Answer::NotDelivered => Reply::NotDelivered,
            Answer::Close => Reply::Close,
        });
    }

    /// Hands a delivery to its sender, by way of the reader where the bytes are not at hand, or where
    /// one before it has gone that way: their order is the lane's.
    fn deliver(&mut self, lane: LaneId, seq: Seq, work: Work) {
        let Some(number) = self.outlets.senders.iter().position(|(its, _)| *its == lane) else {
            return;
        };
        let outlet = &self.outlets.senders[number].1;
        if let Source::Memory(Body::Inline(payload)) = &work.body
            && self.reading[number] == 0
        {
            return outlet.deliver(seq.0, Arc::clone(payload));
        }
        self.reading[number] += 1;
        let outlet = Arc::clone(outlet);
        let handover = Handover { outlet, number: number as u32, lane, seq, work };
        let _ = self.outlets.reader.send(Question::Deliver(handover));
    }
}
