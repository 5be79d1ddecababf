//! An engine's graph, put together by a program.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mllp_io::{ListenerOptions, SenderOptions};
use mllp_pipeline::{Acknowledge, Capacity, GiveUp, Limits, OnFull, Retry};
use mllp_store::{Days, SqliteStore, Store};

use crate::clock::Wall;
use crate::engine::Engine;
use crate::error::Error;
use crate::functions::{Handler, Message, Router, Send};
use crate::program::Program;
use crate::reload::Beginning;
use crate::search::IndexedField;
use crate::specs::{Delivers, Feed, InboundSpec, OutboundSpec};
use crate::worker::WorkerLimits;

/// A partner that restarts, or a head that is tried four times, takes less.
const STALLED_AFTER: Duration = Duration::from_secs(300);

/// A graph, and where its store is. [`start`](Builder::start) checks all of it.
pub struct Builder {
    pub(crate) data: PathBuf,
    pub(crate) store: Option<Box<dyn Store + std::marker::Send>>,
    pub(crate) inbounds: Vec<InboundSpec>,
    /// `None`: they run in workers.
    pub(crate) routers: Vec<(String, Option<Router>)>,
    pub(crate) handlers: Vec<(String, Option<Handler>)>,
    pub(crate) worker_program: Option<Program>,
    pub(crate) worker_limits: WorkerLimits,
    /// Of handlers, by their names.
    pub(crate) capacities: BTreeMap<String, Capacity>,
    pub(crate) outbounds: Vec<OutboundSpec>,
    pub(crate) limits: Limits,
    pub(crate) stalled_after: Duration,
    pub(crate) workers: usize,
    pub(crate) retention: Days,
    /// What was said of nothing that it could be about.
    pub(crate) misplaced: Vec<String>,
    pub(crate) wall: Wall,
    pub(crate) configuration: String,
    #[cfg(feature = "sabotage")]
    pub(crate) sabotage: Option<mllp_pipeline::Sabotage>,
}

impl Builder {
    pub(crate) fn new(data: PathBuf) -> Self {
        Builder {
            data,
            store: None,
            inbounds: Vec::new(),
            routers: Vec::new(),
            handlers: Vec::new(),
            worker_program: None,
            worker_limits: WorkerLimits::DEFAULT,
            capacities: BTreeMap::new(),
            outbounds: Vec::new(),
            limits: Limits::DEFAULT,
            stalled_after: STALLED_AFTER,
            workers: 1,
            retention: Days::DEFAULT,
            misplaced: Vec::new(),
            wall: Arc::new(SystemTime::now),
            configuration: String::new(),
            #[cfg(feature = "sabotage")]
            sabotage: None,
        }
    }

    /// Listens for messages at `address`, such as `127.0.0.1:2575`, and has the router of that name
    /// choose their handlers. Port 0 takes a free one.
    #[must_use]
    pub fn inbound(self, name: &str, address: &str, router: &str) -> Self {
        let (address, options) = (address.to_owned(), ListenerOptions::default().into());
        self.fed(name, Feed::Listener { address, options }, router)
    }

    /// An inbound that handlers [send](Send) to by its name, and nothing else: the router of that name
    /// chooses the handlers that go on, in the order of what was sent. It has no listener, and none of the
    /// options of one.
    #[must_use]
    pub fn pass_through(self, name: &str, router: &str) -> Self {
        self.fed(name, Feed::Handlers, router)
    }

    pub(crate) fn fed(mut self, name: &str, feed: Feed, router: &str) -> Self {
        self.inbounds.push(InboundSpec::new(name, feed, router));
        self
    }

    /// Lets messages of the last inbound that come again be routed again. Without this, the same
    /// bytes within a day get the answer of the first and are recorded as DUPLICATE. What is
    /// remembered is bounded: 1,000,000 messages in equal shares for the inbounds, and
    /// after a restart the newest 500,000 of all inbounds; older ones are routed again.
    #[must_use]
    pub fn keep_duplicates(self) -> Self {
        self.last_inbound("keep_duplicates", |inbound| inbound.deduplicate = false)
    }

    /// How long what is final stays: bodies 30 days, metadata 400 and what ended in ERROR 90, if nothing
    /// else is said.
    #[must_use]
    pub fn retention(mut self, days: Days) -> Self {
        self.retention = days;
        self
    }

    /// How long messages of the last inbound stay.
    #[must_use]
    pub fn keep(self, days: Days) -> Self {
        self.last_inbound("keep", |inbound| inbound.keep = Some(days))
    }

    /// Lets messages of the last inbound be found by the values of these fields, such as `PID-3.1`, in
    /// every segment and repetition. Control ID and type are indexed without being named.
    #[must_use]
    pub fn index(mut self, paths: &[&str]) -> Self {
        for path in paths {
            match (IndexedField::parse(path), self.inbounds.last_mut()) {
                (Some(field), Some(inbound)) if inbound.receives() => inbound.indexed.push(field),
                _ => self.misplaced.push(format!("\"{path}\" is no field of an inbound to index")),
            }
        }
        self
    }

    /// Answers messages of the last inbound only when everything is delivered, or when it is known that
    /// nothing is to be: AA then. They are answered AE if they end in ERROR, after this time, and at a
    /// stop; delivery goes on. A retry gets the verdict on the first: it is recognised by MSH-10 and by
    /// what comes after MSH. Without this, AA says that the message is stored.
    #[must_use]
    pub fn ack_after_delivery(self, within: Duration) -> Self {
        self.last_inbound("ack_after_delivery", |inbound| {
            inbound.acknowledge = Acknowledge::Delivered { within: within.as_millis() as u64 };
        })
    }

    /// Changes how the last inbound receives: framing and limits, times, TLS, who may connect, which
    /// acknowledgments are given.
    #[must_use]
    pub fn receive(self, change: impl FnOnce(&mut ListenerOptions)) -> Self {
        self.last_inbound_that("receive", |inbound| match &mut inbound.feed {
            Feed::Listener { options, .. } => {
                change(options);
                Ok(())
            }
            Feed::Connector { .. } | Feed::Handlers => Err("has no listener"),
        })
    }

    /// What happens to messages of the last inbound while there is no room for them. Without this they
    /// are answered AE.
    #[must_use]
    pub fn on_full(self, on_full: OnFull) -> Self {
        self.last_inbound("on_full", |inbound| inbound.on_full = on_full)
    }

    /// How much may wait in the lane of this inbound, handler or outbound. Without this there is no
    /// limit, and there are good reasons for that: see [`Capacity`].
    #[must_use]
    pub fn capacity(mut self, name: &str, capacity: Capacity) -> Self {
        let inbound = self.inbounds.iter_mut().find(|it| it.name == name);
        let outbound = self.outbounds.iter_mut().find(|it| it.name == name);
        match (inbound, outbound) {
            (Some(inbound), None) if inbound.receives() => inbound.capacity = capacity,
            (Some(_), None) => {
                let never = format!("capacity: what handlers send to {name} is never held back");
                self.misplaced.push(never);
            }
            (None, Some(outbound)) => outbound.capacity = capacity,
            (None, None) => drop(self.capacities.insert(name.to_owned(), capacity)),
            (Some(_), Some(_)) => {
                let both = format!("capacity: {name} is an inbound and an outbound");
                self.misplaced.push(both);
            }
        }
        self
    }

    fn last_inbound(self, what: &str, change: impl FnOnce(&mut InboundSpec)) -> Self {
        self.last_inbound_that(what, |inbound| {
            change(inbound);
            Ok(())
        })
    }

    /// Changes the last inbound, or says why that cannot be.
    pub(crate) fn last_inbound_that(
        mut self,
        what: &str,
        change: impl FnOnce(&mut InboundSpec) -> Result<(), &'static str>,
    ) -> Self {
        let changed = match self.inbounds.last_mut() {
            Some(inbound) => match inbound.receives() {
                true => change(inbound),
                false => Err("takes what handlers send, and nothing else"),
            }
            .map_err(|why| format!("{} {why}", inbound.name)),
            None => Err("there is no inbound before it".to_owned()),
        };
        self.misplaced.extend(changed.err().map(|why| format!("{what}: {why}")));
        self
    }

    /// How many bytes are kept free on the disk of the store for deliveries: with less, nothing new is
    /// stored until there is a quarter more. Without this one per cent of the disk, 512 MiB at most.
    #[must_use]
    pub fn min_free(mut self, bytes: u64) -> Self {
        self.limits.min_free = Some(bytes);
        self
    }

    /// How long a lane may have work and get nothing done before its status says that it is
    /// [stalled](crate::LaneState::stalled_for): 300 seconds without this, which lets a partner restart.
    #[must_use]
    pub fn stalled_after(mut self, time: Duration) -> Self {
        self.stalled_after = time;
        self
    }

    /// Chooses handlers by their names: any collection of texts, or an `Option` of one. It has to be
    /// pure: after a crash it runs again on the same message.
    #[must_use]
    pub fn router<F, R>(mut self, name: &str, route: F) -> Self
    where
        F: Fn(&Message<'_>) -> R + std::marker::Send + Sync + 'static,
        R: IntoIterator,
        R::Item: AsRef<str>,
    {
        let route = move |message: &Message<'_>| {
            route(message).into_iter().map(|it| it.as_ref().to_owned()).collect()
        };
        self.routers.push((name.to_owned(), Some(Arc::new(route))));
        self
    }

    /// Filters and transforms: returns what is sent, in order; nothing filters the message out. It
    /// has to be pure: after a crash it runs again on the same message.
    #[must_use]
    pub fn handler<F, R>(mut self, name: &str, handle: F) -> Self
    where
        F: Fn(&Message<'_>) -> R + std::marker::Send + Sync + 'static,
        R: IntoIterator<Item = Send>,
    {
        let handle = move |message: &Message<'_>| handle(message).into_iter().collect();
        self.handlers.push((name.to_owned(), Some(Arc::new(handle))));
        self
    }

    /// A router of this name that the program of the workers has.
    #[must_use]
    pub fn router_in_worker(mut self, name: &str) -> Self {
        self.routers.push((name.to_owned(), None));
        self
    }

    /// A handler of this name that the program of the workers has.
    #[must_use]
    pub fn handler_in_worker(mut self, name: &str) -> Self {
        self.handlers.push((name.to_owned(), None));
        self
    }

    /// The program whose processes run the routers and handlers that are in workers. A message on which
    /// a function hangs, or kills its process twice, ends in ERROR; nothing else is late or lost by it.
    #[must_use]
    pub fn worker_program(mut self, program: Program) -> Self {
        self.worker_program = Some(program);
        self
    }

    /// How many workers run, and within which bounds; [`WorkerLimits::DEFAULT`] without this.
    #[must_use]
    pub fn worker_limits(mut self, limits: WorkerLimits) -> Self {
        self.worker_limits = limits;
        self
    }

    /// Delivers to a partner, in order, one message at a time.
    #[must_use]
    pub fn outbound(mut self, name: &str, host: &str, port: u16) -> Self {
        let delivers = Delivers::Sender(SenderOptions::new(0, host, port).into());
        self.outbounds.push(OutboundSpec::new(name, delivers));
        self
    }

    /// How many deliveries of the last outbound may be without an answer, from 1 to 64. Above 1 the
    /// order on the wire is kept, but a refusal may be followed by successes.
    #[must_use]
    pub fn window(self, window: usize) -> Self {
        self.last_outbound("window", |outbound| match &mut outbound.delivers {
            Delivers::Sender(options) => options.window = window,
            Delivers::Connector { window: its, .. } => *its = window,
        })
    }

    /// Changes how the last outbound sends: framing, times, TLS, which answers count.
    #[must_use]
    pub fn send(self, change: impl FnOnce(&mut SenderOptions)) -> Self {
        self.last_outbound_that("send", |outbound| match &mut outbound.delivers {
            Delivers::Sender(options) => {
                change(options);
                Ok(())
            }
            Delivers::Connector { .. } => Err("has no socket"),
        })
    }

    /// When deliveries of the last outbound that failed for now are tried again.
    #[must_use]
    pub fn retry(self, retry: Retry) -> Self {
        self.last_outbound("retry", |outbound| outbound.retry = retry)
    }

    /// When a delivery of the last outbound is given up because of its time, and what becomes of one
    /// that is given up for any reason: dead, held for an operator, or the lane stops.
    #[must_use]
    pub fn give_up(self, give_up: GiveUp) -> Self {
        self.last_outbound("give_up", |outbound| outbound.give_up = give_up)
    }

    /// How long the partner of the last outbound may take to be connected to, to take a message, and
    /// to answer.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.send(|options| *options = options.clone().with_timeout(timeout))
    }

    /// How many threads run the routers and handlers of this program; 1 without this.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Takes another store than the SQLite file in the data directory.
    #[must_use]
    pub fn store(mut self, store: Box<dyn Store + std::marker::Send>) -> Self {
        self.store = Some(store);
        self
    }

    /// Takes the time of day from somewhere else than the system. It is written down with what happens;
    /// how long the engine waits for anything is measured by a clock that cannot be set.
    #[must_use]
    pub fn wall_clock<F>(mut self, now: F) -> Self
    where
        F: Fn() -> SystemTime + std::marker::Send + Sync + 'static,
    {
        self.wall = Arc::new(now);
        self
    }

    /// Plants a fault.
    #[cfg(feature = "sabotage")]
    #[must_use]
    pub fn sabotage(mut self, how: mllp_pipeline::Sabotage) -> Self {
        self.sabotage = Some(how);
        self
    }

    /// Plants a fault: at every outbound so far an answer to another message completes a delivery.
    #[cfg(feature = "sabotage")]
    #[must_use]
    pub fn complete_on_foreign_replies(mut self) -> Self {
        for outbound in &mut self.outbounds {
            if let Delivers::Sender(options) = &mut outbound.delivers {
                options.foreign_completes = true;
            }
        }
        self
    }

    /// Opens the store, listens, dials, and goes on where the last life has ended.
    ///
    /// # Errors
    ///
    /// [`Error`]: nothing was started, and the store is as it was.
    pub fn start(mut self) -> Result<Engine, Error> {
        let faults = self.faults();
        if !faults.is_empty() {
            return Err(Error::Graph(faults));
        }
        let beginning = Beginning { graph: self.kept(), ..Beginning::default() };
        let store = match self.store.take() {
            Some(store) => store,
            None => Box::new(SqliteStore::open(&self.data)?),
        };
        Engine::start(self, store, beginning)
    }
}
