//! Messages that a worker runs together: what it is told of them, and what becomes of its answers.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use mllp_pipeline::{Body, CallFailure, LaneId, Note, Sent};
use mllp_store::{INLINE_LIMIT, Reader};

use super::arrivals::Arrival;
use super::desk::{Desk, OpenCall};
use super::protocol::{FromEngine, MessageFrame, Outgoing, Payload};
use super::supervisor::Made;
use super::traces::Trace;
use super::{Answer, Kind};
use crate::functions::{Message, Send};
use crate::lazy::Lazy;
use crate::program::cut;
use crate::stored;
use crate::workers::unreadable;

/// What is written at once.
const GATHERED: usize = 256 << 10;
/// The longest note and the longest trace, in bytes.
const NOTE: usize = 256;
const TRACE: usize = 16 << 10;

/// What a function makes of a message.
#[derive(Debug)]
pub(crate) enum Product {
    /// Of a router.
    Handlers(Vec<LaneId>),
    /// Of a handler.
    Sends(Vec<Sent>),
}

pub(super) struct Batch {
    desk: Arc<Desk>,
    call: Arc<OpenCall>,
    /// Places in the call.
    items: Vec<usize>,
    /// What the worker gets, and the places among the items.
    given: Vec<Given>,
    places: Vec<usize>,
    /// Of each item.
    results: Vec<Option<Made<Product>>>,
    /// The next answer is to this one.
    next: usize,
}

struct Given {
    body: Body,
    beginning: Arc<[u8]>,
    arrival: Arrival,
    /// The worker has asked for more than could be read.
    is_unreadable: bool,
}

impl Batch {
    /// Reads what is not in memory. What cannot be read is not given to a worker.
    pub(super) fn new(desk: &Arc<Desk>, call: Arc<OpenCall>, items: Vec<usize>) -> Batch {
        let mut given = Vec::with_capacity(items.len());
        let mut places = Vec::with_capacity(items.len());
        let mut results: Vec<_> = items.iter().map(|_| None).collect();
        desk.readers.with(|reader| {
            for (place, item) in items.iter().enumerate() {
                match read(desk, &call, *item, reader) {
                    Some(it) => {
                        given.push(it);
                        places.push(place);
                    }
                    None => results[place] = Some(Err(unreadable())),
                }
            }
        });
        Batch { desk: Arc::clone(desk), call, items, given, places, results, next: 0 }
    }

    /// The places of what the worker gets.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    /// Gives it to the worker.
    pub(super) fn write(&self, batch: u64, socket: &mut UnixStream) -> io::Result<()> {
        let Some((kind, function)) = self.desk.function(self.call.lane) else { return Ok(()) };
        let mut outgoing = Outgoing::default();
        let count = self.given.len() as u32;
        outgoing.engine(FromEngine::Batch { batch, kind, function, count });
        for (given, place) in self.given.iter().zip(&self.places) {
            let work = &self.call.work[self.items[*place]];
            outgoing.engine(FromEngine::Message(MessageFrame {
                number: work.message.0,
                received: given.arrival.received,
                hops: work.hops,
                inbound: self.desk.names.known(given.arrival.inbound).unwrap_or_default(),
                len: given.body.len(),
                beginning: Payload(&given.beginning),
            }));
            if outgoing.bytes.len() >= GATHERED {
                socket.write_all(&outgoing.bytes)?;
                outgoing.bytes.clear();
            }
        }
        socket.write_all(&outgoing.bytes)
    }

    /// The message that is to be answered next; `None`: all are.
    pub(super) fn next(&self) -> Option<u32> {
        (self.next < self.given.len()).then_some(self.next as u32)
    }

    /// Keeps the next answer; `None`: no function of that kind gives it.
    pub(super) fn keep(&mut self, answer: Answer<'_>) -> Option<()> {
        let kind = self.desk.function(self.call.lane)?.0;
        let given = self.given.get(self.next)?;
        let place = self.places[self.next];
        let result = match (kind, answer) {
            // What it made of bytes that were not there is nothing, even a failure.
            _ if given.is_unreadable => Err(unreadable()),
            (_, Answer::Failed { failure, note, trace }) => {
                self.keep_trace(place, trace);
                Err(CallFailure { failure, note: Note(cut(note, NOTE).to_owned()) })
            }
            (Kind::Router, Answer::Handlers(names)) => {
                self.desk.functions.handlers_of(names).map(Product::Handlers)
            }
            (Kind::Handler, Answer::Sends(sends)) => {
                let send = |it: &super::Sent<'_>| match it.bytes {
                    Some(bytes) => Send::bytes(it.to, bytes),
                    None => Send::unchanged(it.to),
                };
                self.sent(given, sends.iter().map(send).collect()).map(Product::Sends)
            }
            _ => return None,
        };
        self.results[place] = Some(result);
        self.next += 1;
        Some(())
    }

    fn sent(&self, given: &Given, sends: Vec<Send>) -> Result<Vec<Sent>, CallFailure> {
        let (functions, chunks) = (&self.desk.functions, &self.desk.chunks);
        match &given.body {
            Body::Inline(bytes) => functions.sent(&Message::new(bytes), sends, chunks),
            Body::Chunked { id, len } => self.desk.readers.with(|reader| {
                let lazy = Lazy::new(reader, *id, *len, Arc::clone(&given.beginning));
                functions.sent(&Message::new(&lazy), sends, chunks)
            }),
        }
    }

    fn keep_trace(&self, place: usize, trace: &str) {
        let Some((_, function)) = self.desk.function(self.call.lane) else { return };
        if !trace.is_empty() {
            let message = self.call.work[self.items[place]].message;
            let (function, text) = (function.to_owned(), cut(trace, TRACE).to_owned());
            self.desk.traces.keep(Trace { message, function, text });
        }
    }

    /// Gives the worker what follows the beginning of a large message.
    pub(super) fn give_rest(&mut self, n: u32, socket: &mut UnixStream) -> io::Result<()> {
        let Some(given) = self.given.get_mut(n as usize) else {
            return Err(super::protocol::broken());
        };
        let Body::Chunked { id, len } = given.body else { return Err(super::protocol::broken()) };
        let (mut sent, mut chunk) = (0, 0);
        while sent < len {
            // A reading end for each chunk: the worker may take its time.
            let read = self.desk.readers.with(|reader| reader.chunk(id, chunk));
            let mut outgoing = Outgoing::default();
            let Some(bytes) = read.ok().flatten().filter(|it| !it.0.is_empty()) else {
                given.is_unreadable = true;
                outgoing.engine(FromEngine::Unreadable);
                return socket.write_all(&outgoing.bytes);
            };
            let known = if chunk == 0 { given.beginning.len() } else { 0 };
            outgoing.engine(FromEngine::Chunk(Payload(&bytes.0[known..])));
            socket.write_all(&outgoing.bytes)?;
            sent += bytes.0.len() as u64;
            chunk += 1;
        }
        Ok(())
    }

    /// The results of the first messages, as far as they go without a gap.
    pub(super) fn done(self) -> Vec<Made<Product>> {
        self.results.into_iter().map_while(|it| it).collect()
    }
}

fn read(desk: &Desk, call: &OpenCall, item: usize, reader: &mut dyn Reader) -> Option<Given> {
    let work = &call.work[item];
    let body = stored::find(reader, work).ok().flatten()?;
    let beginning = match &body {
        Body::Inline(bytes) => Arc::clone(bytes),
        Body::Chunked { id, .. } => {
            let first = stored::beginning(reader, *id).ok().flatten()?;
            first[..first.len().min(INLINE_LIMIT)].into()
        }
    };
    let arrival = desk.arrival(reader, work.message)?;
    Some(Given { body, beginning, arrival, is_unreadable: false })
}
