//! The threads that run routers and handlers.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::{io, thread};

use mllp_pipeline::{
    Body, CallFailure, CallId, Fact, Failure, IdHash, Keys, LaneId, Note, Sent, Stage, Work,
};
use mllp_store::Reader;

use crate::bodies::{Large, is_large};
use crate::functions::{Handler, Message, Router, Send};
use crate::names::Names;
use crate::ordering::keys;
use crate::reader::bytes;
use crate::search::IndexedField;
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
    pub(crate) names: Arc<Names>,
}

/// Starts workers, one for each reading end. They end when the sender is dropped.
pub(crate) fn start(
    functions: Functions,
    readers: Vec<Box<dyn Reader>>,
    writer: &Sender<Job>,
    core: &ToCore,
) -> io::Result<(Sender<Call>, Vec<JoinHandle<()>>)> {
    let (sender, calls) = channel();
    let (functions, calls) = (Arc::new(functions), Arc::new(Mutex::new(calls)));
    let mut threads = Vec::with_capacity(readers.len());
    for reader in readers {
        let (functions, calls, core) = (Arc::clone(&functions), Arc::clone(&calls), core.clone());
        let writer = writer.clone();
        let thread = thread::Builder::new().name("engine-worker".into());
        threads.push(thread.spawn(move || work(&functions, reader, &calls, &writer, &core))?);
    }
    Ok((sender, threads))
}

fn work(
    functions: &Functions,
    mut reader: Box<dyn Reader>,
    calls: &Mutex<Receiver<Call>>,
    writer: &Sender<Job>,
    core: &ToCore,
) {
    loop {
        let next = calls.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(call) = next else { return };
        let lane = call.lane;
        let fact = functions.run(&mut *reader, writer, call);
        if !core.tell(News::Called(lane, fact)) {
            return;
        }
    }
}

impl Functions {
    fn run(
        &self,
        reader: &mut dyn Reader,
        writer: &Sender<Job>,
        Call { call, lane, work }: Call,
    ) -> Fact {
        if let Some(router) = self.routers.get(&lane) {
            let results = each(reader, &work, |message| self.handlers_of(router(message)));
            return Fact::Routed { call, results };
        }
        let handler = self.handlers.get(&lane);
        let results = each(reader, &work, |message| match handler {
            Some(handler) => self.sent(message, handler(message), writer),
            None => Err(failure(Failure::Infrastructure, "unknown_handler")),
        });
        Fact::Transformed { call, results }
    }

    fn handlers_of(&self, names: Vec<String>) -> Result<Vec<LaneId>, CallFailure> {
        let mut lanes = Vec::with_capacity(names.len());
        for name in names {
            let lane = self.names.lane(Stage::Routed, &name);
            let lane = lane.ok_or_else(|| failure(Failure::Content, "unknown_handler"))?;
            // A handler that is named twice runs once.
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        Ok(lanes)
    }

    fn sent(
        &self,
        message: &Message<'_>,
        sends: Vec<Send>,
        writer: &Sender<Job>,
    ) -> Result<Vec<Sent>, CallFailure> {
        let sent = |send: Send| {
            let lane = |stage| self.names.lane(stage, &send.to);
            // A lane of an outbound that is no longer configured has a name too.
            let outbound = lane(Stage::Outbound).filter(|it| self.keys.contains_key(it));
            let to = outbound.or_else(|| lane(Stage::Routed));
            let to = to.ok_or_else(|| failure(Failure::Content, "unknown_outbound"))?;
            let control_id = send.payload.as_ref().and_then(|it| Message::new(it).get("MSH-10"));
            let id_hash = IdHash::of(control_id.unwrap_or_default());
            let body = send.payload.as_deref().unwrap_or(message.payload());
            let keys = self.keys.get(&to).map_or(Keys::NONE, |fields| keys(fields, body));
            let body = send.payload.map(|payload| written(payload, writer)).transpose()?;
            Ok(Sent { body, id_hash, keys, ..Sent::to(to) })
        };
        sends.into_iter().map(sent).collect()
    }
}

/// Runs a function on each message. What goes wrong with one is nothing to the others.
fn each<T>(
    reader: &mut dyn Reader,
    work: &[Work],
    run: impl Fn(&Message<'_>) -> Result<T, CallFailure>,
) -> Vec<Result<T, CallFailure>> {
    let mut one = |work: &Work| {
        let unreadable = || failure(Failure::Infrastructure, "body_not_readable");
        let payload = bytes(reader, work).ok().flatten().ok_or_else(unreadable)?;
        let message = Message::new(&payload);
        // A function that panics is the message's fault as far as anybody can tell.
        let result = catch_unwind(AssertUnwindSafe(|| run(&message)));
        result.unwrap_or_else(|_| Err(failure(Failure::Content, "panic")))
    };
    work.iter().map(&mut one).collect()
}

/// What a handler sends, in chunks that are durable if it is large.
fn written(payload: Arc<[u8]>, writer: &Sender<Job>) -> Result<Body, CallFailure> {
    if !is_large(payload.len()) {
        return Ok(Body::Inline(payload));
    }
    let (done, body) = channel();
    let then = move |body| drop(done.send(body));
    let _ = writer.send(Job::Write(Large { payload, then: Box::new(then) }));
    let body = body.recv().ok().flatten();
    body.ok_or_else(|| failure(Failure::Infrastructure, "body_not_written"))
}

fn failure(failure: Failure, note: &str) -> CallFailure {
    CallFailure { failure, note: Note(note.to_owned()) }
}
