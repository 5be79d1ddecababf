//! Another graph for an engine that runs.
//!
//! The engine comes to rest as for a stop, and one with the new graph goes on in its place. The listening
//! sockets stay: who connects meanwhile waits and is not turned away.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mllp_pipeline::{By, Stage};
use mllp_store::{SqliteStore, StoreError};

use crate::builder::Builder;
use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::graph::Stored;
use crate::listeners::Kept;
use crate::settling::{Leaving, Settling};

/// How long an engine that has stopped may hold its store.
const LETS_GO: Duration = Duration::from_secs(30);

/// A reload that was not done.
pub struct NotReloaded {
    /// Why.
    pub error: Error,
    /// The engine with the graph that it had. `None`: the store has come to its end, or was refused
    /// when it was opened again. Nothing is lost, and the program should end.
    pub engine: Option<Engine>,
}

impl fmt::Debug for NotReloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotReloaded { error, engine } = self;
        f.debug_struct("NotReloaded")
            .field("error", error)
            .field("runs", &engine.is_some())
            .finish()
    }
}

/// How an engine begins that is not the first of its process.
#[derive(Default)]
pub(crate) struct Beginning {
    /// The sockets of the one before.
    pub(crate) kept: Vec<Kept>,
    /// Lanes that may hold something without being configured; `None`: any.
    pub(crate) may_orphan: Option<Vec<(Stage, String)>>,
    /// Its graph once more, for a reload that fails.
    pub(crate) graph: Option<Builder>,
    /// Lanes that leave.
    pub(crate) settling: Settling,
}

impl Builder {
    /// The same graph once more, for the store in the directory.
    fn again(&self) -> Builder {
        Builder {
            data: self.data.clone(),
            store: None,
            inbounds: self.inbounds.clone(),
            routers: self.routers.clone(),
            handlers: self.handlers.clone(),
            capacities: self.capacities.clone(),
            outbounds: self.outbounds.clone(),
            limits: self.limits,
            stalled_after: self.stalled_after,
            workers: self.workers,
            worker_program: self.worker_program.clone(),
            worker_limits: self.worker_limits,
            retention: self.retention,
            misplaced: self.misplaced.clone(),
            wall: Arc::clone(&self.wall),
            configuration: self.configuration.clone(),
            #[cfg(feature = "sabotage")]
            sabotage: self.sabotage,
        }
    }

    /// What an engine keeps of its graph; `None`: the program gave it a store that only the program can
    /// open again.
    pub(crate) fn kept(&self) -> Option<Builder> {
        self.store.is_none().then(|| self.again())
    }

    pub(crate) fn has(&self, stage: Stage, name: &str) -> bool {
        match stage {
            Stage::Ingress => self.inbounds.iter().any(|it| it.name == name),
            Stage::Routed => self.handlers.iter().any(|it| it.0 == name),
            Stage::Outbound => self.outbounds.iter().any(|it| it.name == name),
        }
    }

    fn go_on(
        self,
        kept: Vec<Kept>,
        may_orphan: Option<Vec<(Stage, String)>>,
        settling: Settling,
    ) -> Result<Engine, Error> {
        let store = Box::new(reopen(&self.data)?);
        let beginning = Beginning { kept, may_orphan, graph: self.kept(), settling };
        Engine::start(self, store, beginning)
    }
}

impl Engine {
    /// Goes on with another graph, or with the one that it has if anything is wrong with the other.
    /// What was received and routed waits meanwhile; a message that the old router has not seen is
    /// routed by the new one. Each connection is closed once what came on it is answered, and its sender
    /// connects again. What is in progress has until the deadline, as for a [stop](Engine::stop): a
    /// delivery whose answer has not come by then is sent again, and listed as possibly sent before.
    ///
    /// An inbound, handler or outbound that the new graph does not have while its lane holds something
    /// refuses the reload, unless it is among those that are `leaving`. What becomes of those, for
    /// `by`, is one commit, before anything of the new graph reads, sends or runs: after a crash either
    /// all of it is done or nothing, and a reload that is refused has done nothing. The engine tells how
    /// many there [were](Engine::settled).
    ///
    /// # Errors
    ///
    /// [`NotReloaded`], with the engine that goes on.
    pub fn reload(
        mut self,
        builder: Builder,
        leaving: &[Leaving],
        by: &By,
        deadline: Duration,
    ) -> Result<Engine, Box<NotReloaded>> {
        let settling = Settling { leaving: leaving.to_vec(), by: by.clone() };
        let (old, kept) = match self.prepare(&builder, &settling) {
            Ok(prepared) => prepared,
            Err(error) => return Err(Box::new(NotReloaded { error, engine: Some(self) })),
        };
        let (again, may_orphan) = match kept.iter().map(Kept::again).collect::<Result<_, _>>() {
            Ok(again) => (again, self.orphans(&settling)),
            Err(error) => {
                self.keep(old);
                return Err(Box::new(NotReloaded {
                    error: Error::System(error),
                    engine: Some(self),
                }));
            }
        };
        match self.stop(deadline) {
            Ok(()) | Err(Error::Unfinished) => {}
            Err(error) => return Err(Box::new(NotReloaded { error, engine: None })),
        }
        let refused = match builder.go_on(kept, Some(may_orphan), settling) {
            Ok(engine) => return Ok(engine),
            // What stands on the disk is not known: the next start looks.
            Err(error @ Error::Store(StoreError::SyncFailed(_))) => {
                return Err(Box::new(NotReloaded { error, engine: None }));
            }
            Err(error) => error,
        };
        // Everything that it listened on is still taken for it.
        match old.go_on(again, None, Settling::default()) {
            Ok(engine) => Err(Box::new(NotReloaded { error: refused, engine: Some(engine) })),
            Err(error) => Err(Box::new(NotReloaded { error, engine: None })),
        }
    }

    /// Looks whether the new graph can be had, while the old one goes on; returns the old one, and the
    /// sockets that stay.
    fn prepare(
        &mut self,
        builder: &Builder,
        settling: &Settling,
    ) -> Result<(Builder, Vec<Kept>), Error> {
        let faults = builder.faults();
        if !faults.is_empty() {
            return Err(Error::Graph(faults));
        }
        let faults = settling.faults(builder);
        if !faults.is_empty() {
            return Err(Error::Refused(faults.join("\n")));
        }
        let refused = |why: &str| Err(Error::Refused(why.to_owned()));
        match &*self.graph.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Some(old) if builder.store.is_none() && builder.data == old.data => {}
            Some(_) => return refused("a reload keeps the store"),
            None => return refused("the program has to open its store by itself"),
        }
        let left = self.status()?.lanes.into_iter().filter(|lane| {
            let stages = [Stage::Ingress, Stage::Routed, Stage::Outbound];
            let stage = stages.into_iter().find(|it| it.name() == lane.stage);
            let is_leaving = stage.is_some_and(|it| settling.of(it, &lane.name).is_some());
            let stays = stage.is_some_and(|stage| builder.has(stage, &lane.name));
            lane.depth > 0 && !lane.is_orphaned && !stays && !is_leaving
        });
        let left: Vec<_> = left.map(|it| not_empty(it.stage, &it.name, it.depth)).collect();
        if !left.is_empty() {
            return Err(Error::Refused(left.join("\n")));
        }
        let kept = self.listeners.sockets().map_err(Error::System)?;
        let old = self.graph.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        Ok((old.ok_or_else(ended)?, kept))
    }

    /// Keeps the graph that it has.
    fn keep(&mut self, graph: Builder) {
        *self.graph.get_mut().unwrap_or_else(PoisonError::into_inner) = Some(graph);
    }

    /// Lanes that may be orphaned: those that are now, and those that leave.
    fn orphans(&self, settling: &Settling) -> Vec<(Stage, String)> {
        let leaving = settling.leaving.iter().map(|it| (it.stage, it.name.clone()));
        leaving.chain(self.orphaned.iter().cloned()).collect()
    }
}

/// Opens the store again, once the engine before has let go of it: what has not ended by its deadline ends
/// soon after.
fn reopen(data: &Path) -> Result<SqliteStore, StoreError> {
    let end = Instant::now() + LETS_GO;
    loop {
        match SqliteStore::open(data) {
            Err(StoreError::InUse) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

/// Refuses a start with a lane that holds something and is not configured, if it may not be.
pub(crate) fn may_start(
    Stored { heads, names, orphans }: &Stored,
    may: Option<Vec<(Stage, String)>>,
) -> Result<(), Error> {
    let Some(may) = may else { return Ok(()) };
    let mut refused = Vec::new();
    for orphan in orphans {
        let name = names.of(orphan.lane);
        if !may.iter().any(|(its, known)| (*its, known) == (orphan.stage, &name)) {
            let head = heads.iter().find(|it| it.lane == orphan.lane);
            let depth = head.map_or(0, |it| it.tail.0 - it.cursor.0 + it.parked.len() as u64);
            refused.push(not_empty(orphan.stage.name(), &name, depth));
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(Error::Refused(refused.join("\n"))) }
}

/// Why a graph is refused that does not have this lane.
fn not_empty(stage: &str, name: &str, depth: u64) -> String {
    let (what, one, many) = match stage {
        "ingress" => ("inbound", "message waits", "messages wait"),
        "routed" => ("handler", "message waits", "messages wait"),
        _ => ("outbound", "delivery waits", "deliveries wait"),
    };
    let wait = if depth == 1 { one } else { many };
    format!("{what} {name} is no longer configured, and {depth} {wait} in its lane")
}
