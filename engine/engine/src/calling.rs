//! Who runs routers and handlers: threads of this process, and workers.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use mllp_store::{Reader, Store, StoreError};

use crate::builder::Builder;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::Error;
use crate::graph::functions;
use crate::seats::Seats;
use crate::worker::{self, Arrivals, Desk, Readers, ToWorkers};
use crate::workers::{self, Call, ToChunks};

/// The ways to those who run functions.
pub(crate) struct Callers {
    threads: Sender<Call>,
    workers: Option<ToWorkers>,
}

impl Callers {
    /// If no thread is left to run it, the core is told to end as well.
    pub(crate) fn call(&self, call: Call) {
        match &self.workers {
            Some(workers) if workers.run_lane(call.lane) => workers.call(call),
            _ => drop(self.threads.send(call)),
        }
    }

    /// Nothing more is begun in workers.
    pub(crate) fn stop(&self) {
        if let Some(workers) = &self.workers {
            workers.stop();
        }
    }
}

/// Reading ends of the store.
pub(crate) struct ReadingEnds {
    /// One for each thread.
    pub(crate) threads: Vec<Box<dyn Reader>>,
    /// Those that the conversations with workers share.
    pub(crate) workers: Vec<Box<dyn Reader>>,
}

impl ReadingEnds {
    pub(crate) fn of(store: &dyn Store, builder: &Builder) -> Result<ReadingEnds, StoreError> {
        let some = |count| (0..count).map(|_| store.reader()).collect::<Result<Vec<_>, _>>();
        // One can read what another worker needs while a large message goes to the first.
        let of_workers = builder.worker_program.as_ref();
        let of_workers = of_workers.map_or(0, |_| builder.worker_limits.processes.max(1) + 1);
        Ok(ReadingEnds { threads: some(builder.workers.max(1))?, workers: some(of_workers)? })
    }
}

impl Engine {
    /// Starts what runs routers and handlers.
    pub(crate) fn prepare_calls(
        &mut self,
        builder: Builder,
        readers: ReadingEnds,
        chunks: ToChunks,
        clock: &Clock,
    ) -> Result<(Callers, Option<Arc<Arrivals>>), Error> {
        let (program, limits) = (builder.worker_program.clone(), builder.worker_limits);
        let (functions, in_workers) = functions(builder, &self.names);
        let functions = Arc::new(functions);
        self.seats = Seats::new(readers.threads.len());
        let started = workers::start(&functions, readers.threads, &chunks, &self.core, &self.seats);
        let (threads, handles) = started.map_err(Error::System)?;
        self.threads.extend(handles);
        let Some(program) = program else { return Ok((Callers { threads, workers: None }, None)) };
        let arrivals = Arc::new(Arrivals::new());
        let desk = Desk {
            functions,
            in_workers,
            names: Arc::clone(&self.names),
            chunks,
            readers: Readers::new(readers.workers),
            arrivals: Arc::clone(&arrivals),
            traces: Arc::default(),
        };
        let started = worker::start(program, limits, desk, clock.clone(), self.core.clone());
        let (workers, handle) = started.map_err(Error::System)?;
        self.threads.push(handle);
        self.workers = Some(workers.clone());
        Ok((Callers { threads, workers: Some(workers) }, Some(arrivals)))
    }
}
