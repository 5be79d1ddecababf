//! What every conversation with a worker needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use mllp_pipeline::{LaneId, MessageId, Work};
use mllp_store::Reader;

use super::Kind;
use super::arrivals::{Arrival, Arrivals};
use super::traces::Traces;
use crate::graph::InWorkers;
use crate::names::Names;
use crate::workers::{Functions, ToChunks};

pub(crate) struct Desk {
    pub(crate) functions: Arc<Functions>,
    pub(crate) in_workers: InWorkers,
    pub(crate) names: Arc<Names>,
    pub(crate) chunks: ToChunks,
    pub(crate) readers: Readers,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) traces: Arc<Traces>,
}

/// A call that workers have not done yet.
pub(super) struct OpenCall {
    pub(super) lane: LaneId,
    pub(super) work: Vec<Work>,
}

impl Desk {
    /// What runs for this lane.
    pub(super) fn function(&self, lane: LaneId) -> Option<(Kind, &str)> {
        self.in_workers.get(&lane).map(|(kind, name)| (*kind, name.as_str()))
    }

    /// What a worker lacks that has these functions.
    pub(super) fn missing(&self, routers: &[&str], handlers: &[&str]) -> Option<String> {
        let needed: BTreeMap<_, _> = self.in_workers.values().map(|it| (it, ())).collect();
        let lacks = |(kind, name): &&(Kind, String)| {
            let has = if *kind == Kind::Router { routers } else { handlers };
            !has.contains(&name.as_str())
        };
        let (kind, name) = needed.into_keys().find(lacks)?;
        let kind = if *kind == Kind::Router { "router" } else { "handler" };
        Some(format!("the program of the workers has no {kind} \"{name}\""))
    }

    /// Where a message came from; `None`: it cannot be read now.
    pub(super) fn arrival(&self, reader: &mut dyn Reader, id: MessageId) -> Option<Arrival> {
        if let Some(known) = self.arrivals.of(id) {
            return Some(known);
        }
        let stored = reader.message(id).ok().flatten()?.message;
        let arrival = Arrival { inbound: stored.inbound, received: stored.received_at };
        self.arrivals.remember(id, arrival);
        Some(arrival)
    }
}

/// Reading ends of the store, which conversations share.
pub(crate) struct Readers {
    free: Mutex<Vec<Box<dyn Reader>>>,
    given_back: Condvar,
}

impl Readers {
    pub(crate) fn new(readers: Vec<Box<dyn Reader>>) -> Readers {
        Readers { free: Mutex::new(readers), given_back: Condvar::new() }
    }

    /// Reads, once a reading end is free.
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut dyn Reader) -> T) -> T {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = loop {
            if let Some(reader) = free.pop() {
                break reader;
            }
            free = self.given_back.wait(free).unwrap_or_else(PoisonError::into_inner);
        };
        drop(free);
        let result = read(&mut *reader);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        self.given_back.notify_one();
        result
    }
}
