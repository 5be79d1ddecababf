//! What the other threads tell the core.

use std::sync::mpsc::{Receiver, Sender, channel};

use mllp_io::{Incoming, Intake, Loss, Outcome, Report, Reports};
use mllp_pipeline::{Body, Command, CommandOutcome, Fact, Failure, LaneId, Note, Seq};
use mllp_store::StoreError;

use crate::search::{IndexedField, indexed};
use crate::status::Status;

/// Something for the core.
pub(crate) enum News {
    /// A listener has received messages; the number of the listener is in each.
    Received(Vec<Incoming>),
    /// Something has happened.
    Fact(Fact),
    /// Several things have happened, in this order.
    Facts(Vec<Fact>),
    /// A router or a handler with this lane has come back.
    Called(LaneId, Fact),
    /// An outbound has no connection, or not any more.
    Lost(LaneId, Loss),
    /// A delivery that had to be read is with its sender, by its number, or could not be read.
    HandedOver(u32),
    /// The large message that this connection has waited with is in the store, or could not be
    /// written.
    Written(usize, Option<Body>),
    /// The store has come to its end.
    Fatal(StoreError),
    /// Somebody wants to know how things stand.
    Status(Sender<Status>),
    /// An operator wants something, and waits to hear what became of it.
    Command(Box<Command>, Sender<CommandOutcome>),
    /// The engine is to stop: begin nothing new, and say when everything in progress is done.
    Stop(Sender<()>),
    /// The core is to end, whatever is left.
    End,
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
    core: ToCore,
    /// The lane of each sender, by its number.
    outbounds: Vec<LaneId>,
    /// The fields by which messages of each listener are found, by its number.
    indexed: Vec<Vec<IndexedField>>,
}

impl Doors {
    pub(crate) fn new(
        core: ToCore,
        outbounds: Vec<LaneId>,
        indexed: Vec<Vec<IndexedField>>,
    ) -> Self {
        Doors { core, outbounds, indexed }
    }

    fn lane(&self, sender: u32) -> Option<LaneId> {
        self.outbounds.get(sender as usize).copied()
    }
}

impl Intake for Doors {
    fn received(&self, messages: &mut Vec<Incoming>) {
        for message in messages.iter_mut() {
            let fields = self.indexed.get(message.listener as usize).map_or(&[][..], Vec::as_slice);
            message.indexed = indexed(fields, &message.payload);
        }
        self.core.tell(News::Received(std::mem::take(messages)));
    }
}

impl Reports for Doors {
    fn reported(&self, sender: u32, reports: &mut Vec<Report>) {
        let Some(lane) = self.lane(sender) else { return };
        self.core.tell(News::Facts(reports.drain(..).map(|report| fact(lane, report)).collect()));
    }

    fn lost(&self, sender: u32, why: Loss) {
        if let Some(lane) = self.lane(sender) {
            self.core.tell(News::Lost(lane, why));
        }
    }

    fn ready(&self, sender: u32, ready: bool) {
        if let Some(lane) = self.lane(sender) {
            self.core.tell(News::Fact(Fact::Ready { lane, ready }));
        }
    }
}

fn fact(lane: LaneId, report: Report) -> Fact {
    let (seq, note) = (Seq(report.number), Note(report.note.0));
    let failed = |failure| Fact::Failed { lane, seq, failure, note: note.clone() };
    match report.outcome {
        Outcome::Delivered => {
            Fact::Delivered { lane, seq, milliseconds: report.milliseconds, note }
        }
        Outcome::RefusedForGood => failed(Failure::RefusedForGood),
        Outcome::RefusedForNow => failed(Failure::RefusedForNow),
        Outcome::Transport => failed(Failure::Transport),
        Outcome::NoReply => failed(Failure::NoReply),
        Outcome::Unsendable => failed(Failure::Content),
    }
}
