//! The threads that run routers and handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::{io, thread};

use mllp_pipeline::{
    Body, CallFailure, CallId, Fact, Failure, IdHash, Keys, LaneId, Note, Sent, Stage, Work,
};
use mllp_store::Reader;

use crate::bodies::{BodyIds, Large, is_large};
use crate::functions::{Bytes, Failed, Handler, Message, Router, Send};
use crate::lazy::Lazy;
use crate::names::Names;
use crate::ordering::keys;
use crate::search::IndexedField;
use crate::seats::{Seat, Seats};
use crate::stored;
use crate::traffic::{News, ToCore};
use crate::writer::Job;

/// A router or a handler to run.
pub(crate) struct Call {
    pub(crate) call: CallId,
    /// The lane of the inbound or of the handler.
    pub(crate) lane: LaneId,
    pub(crate) work: Vec<Work>,
}

/// The functions of the graph, by their lanes.
pub(crate) struct Functions {
    pub(crate) routers: BTreeMap<LaneId, Arc<Router>>,
    pub(crate) handlers: BTreeMap<LaneId, Handler>,
    /// Where the keys of deliveries stand, by the lanes of the outbounds.
    pub(crate) keys: BTreeMap<LaneId, Vec<IndexedField>>,
    /// The lanes of pass-throughs.
    pub(crate) passes: BTreeSet<LaneId>,
    pub(crate) names: Arc<Names>,
}

/// Where large results of handlers go.
#[derive(Clone)]
pub(crate) struct ToChunks {
    pub(crate) writer: Sender<Job>,
    pub(crate) bodies: Arc<BodyIds>,
}

impl ToChunks {
    fn give_up(&self, body: Option<&Body>) {
        if let Some(Body::Chunked { id, .. }) = body {
            let _ = self.writer.send(Job::GiveUp(*id));
        }
    }
}

/// Starts workers, one for each reading end. They end when the sender is dropped.
pub(crate) fn start(
    functions: &Arc<Functions>,
    readers: Vec<Box<dyn Reader>>,
    chunks: &ToChunks,
    core: &ToCore,
    seats: &Seats,
) -> io::Result<(Sender<Call>, Vec<JoinHandle<()>>)> {
    let (sender, calls) = channel();
    let calls = Arc::new(Mutex::new(calls));
    let mut threads = Vec::with_capacity(readers.len());
    for (reader, seat) in readers.into_iter().zip(&seats.0) {
        let seat = Arc::clone(seat);
        let (functions, calls, core) = (Arc::clone(functions), Arc::clone(&calls), core.clone());
        let chunks = chunks.clone();
        let thread = thread::Builder::new().name("engine-worker".into());
        threads
            .push(thread.spawn(move || work(&functions, reader, &calls, &chunks, &core, &seat))?);
    }
    Ok((sender, threads))
}

fn work(
    functions: &Functions,
    mut reader: Box<dyn Reader>,
    calls: &Mutex<Receiver<Call>>,
    chunks: &ToChunks,
    core: &ToCore,
    seat: &Seat,
) {
    loop {
        let next = calls.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(call) = next else { return };
        let lane = call.lane;
        let fact = functions.run(&mut *reader, chunks, call, seat);
        seat.rises();
        if !core.tell(News::Called(lane, fact)) {
            return;
        }
    }
}

impl Functions {
    fn run(
        &self,
        reader: &mut dyn Reader,
        chunks: &ToChunks,
        Call { call, lane, work }: Call,
        seat: &Seat,
    ) -> Fact {
        let begins = |work: &Work| seat.begins(lane, work.message);
        if let Some(router) = self.routers.get(&lane) {
            let results = each(reader, &work, begins, |it| self.handlers_of(router(it)));
            return Fact::Routed { call, results };
        }
        let handler = self.handlers.get(&lane);
        let results = each(reader, &work, begins, |message| match handler {
            Some(handler) => {
                let sends = handler(message);
                // What it made of bytes that were not there is not even written.
                if message.is_unreadable() {
                    Err(unreadable())
                } else {
                    self.sent(message, sends, chunks)
                }
            }
            None => Err(failure(Failure::Infrastructure, "unknown_handler")),
        });
        Fact::Transformed { call, results }
    }

    pub(crate) fn handlers_of<S: AsRef<str>>(
        &self,
        names: Vec<S>,
    ) -> Result<Vec<LaneId>, CallFailure> {
        let mut lanes = Vec::with_capacity(names.len());
        for name in names {
            let lane = self.names.lane(Stage::Routed, name.as_ref());
            let lane = lane.ok_or_else(|| failure(Failure::Content, "unknown_handler"))?;
            // A handler that is named twice runs once.
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        Ok(lanes)
    }

    pub(crate) fn sent(
        &self,
        message: &Message<'_>,
        sends: Vec<Send>,
        chunks: &ToChunks,
    ) -> Result<Vec<Sent>, CallFailure> {
        let mut all = Vec::with_capacity(sends.len());
        for send in sends {
            match self.sent_one(message, send, chunks) {
                Ok(sent) => all.push(sent),
                Err(failure) => {
                    // Nothing comes to hold what was written for those before it.
                    all.iter().for_each(|it: &Sent| chunks.give_up(it.body.as_ref()));
                    return Err(failure);
                }
            }
        }
        Ok(all)
    }

    fn sent_one(
        &self,
        message: &Message<'_>,
        send: Send,
        chunks: &ToChunks,
    ) -> Result<Sent, CallFailure> {
        let lane = |stage| self.names.lane(stage, &send.to);
        // A lane of an outbound or of a handler that is no longer configured has a name too.
        let outbound = lane(Stage::Outbound).filter(|it| self.keys.contains_key(it));
        let inbound = || lane(Stage::Ingress).filter(|it| self.passes.contains(it));
        let to = outbound.or_else(inbound).or_else(|| lane(Stage::Routed));
        let to = to.ok_or_else(|| failure(Failure::Content, "unknown_outbound"))?;
        let control_id = send.payload.as_ref().and_then(|it| Message::new(it).get("MSH-10"));
        let id_hash = IdHash::of(control_id.unwrap_or_default());
        // A large message is read whole only for an outbound that is ordered by key.
        let fields = self.keys.get(&to).filter(|fields| !fields.is_empty());
        let keys = fields.map_or(Keys::NONE, |fields| {
            keys(fields, send.payload.as_deref().unwrap_or_else(|| message.payload()))
        });
        if message.is_unreadable() {
            return Err(unreadable());
        }
        let body = send.payload.map(|payload| written(payload, chunks)).transpose()?;
        Ok(Sent { body, id_hash, keys, ..Sent::to(to) })
    }
}

/// Runs a function on each message. What goes wrong with one is nothing to the others.
fn each<T>(
    reader: &mut dyn Reader,
    work: &[Work],
    begins: impl Fn(&Work),
    run: impl Fn(&Message<'_>) -> Result<T, CallFailure>,
) -> Vec<Result<T, CallFailure>> {
    let mut each = |work| {
        begins(work);
        one(reader, work, &run)
    };
    work.iter().map(&mut each).collect()
}

fn one<T>(
    reader: &mut dyn Reader,
    work: &Work,
    run: &impl Fn(&Message<'_>) -> Result<T, CallFailure>,
) -> Result<T, CallFailure> {
    let guarded = |bytes: &dyn Bytes| {
        let message = Message::new(bytes);
        // A function that panics is the message's fault as far as anybody can tell.
        let result = catch_unwind(AssertUnwindSafe(|| run(&message)));
        result.unwrap_or_else(|panic| Err(failure(Failure::Content, Failed::note_of(&*panic))))
    };
    match stored::find(reader, work).ok().flatten().ok_or_else(unreadable)? {
        Body::Inline(bytes) => guarded(&bytes),
        Body::Chunked { id, len } => {
            let beginning = stored::beginning(reader, id).ok().flatten();
            let lazy = Lazy::new(reader, id, len, beginning.ok_or_else(unreadable)?);
            let result = guarded(&lazy);
            // What it made of bytes that were not there is nothing, even a panic.
            if lazy.has_failed() { Err(unreadable()) } else { result }
        }
    }
}

/// What a handler sends, in chunks that are durable if it is large.
fn written(payload: Arc<[u8]>, to: &ToChunks) -> Result<Body, CallFailure> {
    if !is_large(payload.len()) {
        return Ok(Body::Inline(payload));
    }
    let (done, body) = channel();
    let then = move |body| drop(done.send(body));
    let large = Large { id: to.bodies.next(), payload, then: Box::new(then) };
    let _ = to.writer.send(Job::Write(large));
    let body = body.recv().ok().flatten();
    body.ok_or_else(|| failure(Failure::Infrastructure, "body_not_written"))
}

pub(crate) fn unreadable() -> CallFailure {
    failure(Failure::Infrastructure, "body_not_readable")
}

fn failure(failure: Failure, note: &str) -> CallFailure {
    CallFailure { failure, note: Note(note.to_owned()) }
}
