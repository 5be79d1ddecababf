//! What the other threads tell the core.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mllp_io::{
    Chunk, Incident, Incoming, Intake, Loss, Outcome, ReplyAction, ReplyEnd, Report, Reports,
    TurnedAway,
};
use mllp_pipeline::{
    BodyId, Command, CommandOutcome, Decision, End, Fact, Failure, LaneId, MessageId, Note, Seq,
    Then,
};
use mllp_store::StoreError;

use crate::bodies::BodyIds;
use crate::search::{IndexedField, indexed};
use crate::status::Status;
use crate::writer::Job;

/// Something for the core.
pub(crate) enum News {
    /// A listener has received messages; the number of the listener is in each.
    Received(Vec<Incoming>),
    /// Something has happened.
    Fact(Fact),
    /// A router or a handler with this lane has come back.
    Called(LaneId, Fact),
    /// An outbound has a connection.
    Connected(LaneId),
    /// An outbound has no connection, or not any more.
    Lost(LaneId, Loss),
    /// An outbound that could not be reached is dialed again after this.
    Dials(LaneId, Duration),
    /// The listener with this number has turned a peer away.
    TurnedAway(u32, SocketAddr, TurnedAway),
    /// A peer of a listener does what brings no message.
    Happened(u32, SocketAddr, Incident),
    /// A listener could not accept a connection.
    NotAccepted(u32, std::io::Error),
    /// Deliveries of the sender with this number have ended.
    Reports(u32, Vec<Report>),
    /// A delivery that had to be read is with its sender, or could not be read.
    HandedOver {
        /// The number of the sender.
        number: u32,
        unread: Option<Unread>,
    },
    /// The store has come to its end.
    Fatal(StoreError),
    /// Somebody wants to know how things stand, and where a message does.
    Status(Option<MessageId>, Sender<Status>),
    /// An operator wants something, and waits to hear what became of it.
    Command(Box<Command>, Sender<CommandOutcome>),
    /// The engine is to stop: begin nothing new, and say when everything in progress is done.
    Stop(Sender<()>),
    /// The core is to end, whatever is left.
    End,
}

/// A delivery that could not be read, or that was ordered after one that could not.
pub(crate) struct Unread {
    pub(crate) lane: LaneId,
    pub(crate) seq: Seq,
    pub(crate) generation: u64,
}

/// The way to the core. Never blocks.
#[derive(Clone)]
pub(crate) struct ToCore(Sender<News>);

impl ToCore {
    pub(crate) fn new() -> (ToCore, Receiver<News>) {
        let (sender, receiver) = channel();
        (ToCore(sender), receiver)
    }

    /// Tells it; false when the core has ended, and nothing matters any more.
    pub(crate) fn tell(&self, news: News) -> bool {
        self.0.send(news).is_ok()
    }
}

/// The side of the listeners and the senders.
pub(crate) struct Doors {
    pub(crate) core: ToCore,
    pub(crate) writer: Sender<Job>,
    pub(crate) bodies: Arc<BodyIds>,
    /// The lane of each sender, by its number.
    pub(crate) outbounds: Vec<LaneId>,
    /// The fields by which messages of each listener are found, by its number. Of a large message
    /// those are found that stand in its beginning.
    pub(crate) indexed: Vec<Vec<IndexedField>>,
}

impl Doors {
    fn lane(&self, sender: u32) -> Option<LaneId> {
        self.outbounds.get(sender as usize).copied()
    }
}

impl Intake for Doors {
    fn received(&self, messages: &mut Vec<Incoming>) {
        for message in messages.iter_mut() {
            let fields = self.indexed.get(message.listener as usize).map_or(&[][..], Vec::as_slice);
            message.indexed = indexed(fields, message.payload.beginning());
        }
        self.core.tell(News::Received(std::mem::take(messages)));
    }

    fn begin(&self) -> u64 {
        self.bodies.next().0
    }

    // Past the core: the message comes to it once every chunk is durable. A writer that has ended
    // drops the chunk, and with it the message.
    fn store(&self, chunk: Chunk) {
        let _ = self.writer.send(Job::Chunk(chunk));
    }

    fn give_up(&self, body: u64) {
        let _ = self.writer.send(Job::GiveUp(BodyId(body)));
    }

    fn not_accepted(&self, listener: u32, error: &std::io::Error) {
        // An error of the system cannot be cloned, and is its number.
        let number = error.raw_os_error();
        let error = number.map_or(error.kind().into(), std::io::Error::from_raw_os_error);
        self.core.tell(News::NotAccepted(listener, error));
    }

    fn happened(&self, listener: u32, peer: SocketAddr, incident: Incident) {
        self.core.tell(News::Happened(listener, peer, incident));
    }

    fn turned_away(&self, listener: u32, peer: SocketAddr, why: &TurnedAway) {
        self.core.tell(News::TurnedAway(listener, peer, why.clone()));
    }
}

impl Reports for Doors {
    fn reported(&self, sender: u32, reports: &mut Vec<Report>) {
        self.core.tell(News::Reports(sender, std::mem::take(reports)));
    }

    fn connected(&self, sender: u32) {
        if let Some(lane) = self.lane(sender) {
            self.core.tell(News::Connected(lane));
        }
    }

    fn lost(&self, sender: u32, why: Loss) {
        if let Some(lane) = self.lane(sender) {
            self.core.tell(News::Lost(lane, why));
        }
    }

    fn dials(&self, sender: u32, after: Duration) {
        if let Some(lane) = self.lane(sender) {
            self.core.tell(News::Dials(lane, after));
        }
    }

    fn ready(&self, sender: u32, ready: bool) {
        if let Some(lane) = self.lane(sender) {
            self.core.tell(News::Fact(Fact::Ready { lane, ready }));
        }
    }
}

/// What a report of this lane's sender means.
pub(crate) fn fact(lane: LaneId, report: Report) -> Fact {
    let (seq, note) = (Seq(report.number), Note(report.note.0));
    if let Some(action) = report.action {
        let failure = failure_of(report.outcome);
        let (decision, milliseconds) = (decision(action), report.milliseconds);
        return Fact::Decided { lane, seq, decision, failure, milliseconds, note };
    }
    let failed = |failure| Fact::Failed { lane, seq, failure, note: note.clone() };
    match report.outcome {
        Outcome::Delivered => {
            Fact::Delivered { lane, seq, milliseconds: report.milliseconds, note }
        }
        outcome => failed(failure_of(outcome)),
    }
}

/// What an attempt has failed with; of one that was answered well, but that a rule does not take for a
/// success: refused for good.
fn failure_of(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Delivered | Outcome::RefusedForGood => Failure::RefusedForGood,
        Outcome::RefusedForNow => Failure::RefusedForNow,
        Outcome::Transport => Failure::Transport,
        Outcome::Credential => Failure::Credential,
        Outcome::NoReply => Failure::NoReply,
        Outcome::Unsendable => Failure::Content,
        Outcome::Unreadable => Failure::Infrastructure,
    }
}

/// What the rules of a sender have decided.
fn decision(action: ReplyAction) -> Decision {
    let end = match action.end {
        ReplyEnd::Completed => End::Completed,
        ReplyEnd::Held => End::GivenUp(Then::Hold),
        ReplyEnd::Dead => End::GivenUp(Then::Dead),
        ReplyEnd::Stopped => End::GivenUp(Then::Stop),
    };
    Decision { retries: action.retries, end, warns: action.warns }
}
