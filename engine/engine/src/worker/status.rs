//! How the workers stand, and what an operator can do with them.

use mllp_pipeline::{MessageId, Stage};

use super::host::Host;
use super::traces::Trace;
use crate::engine::Engine;
use crate::error::Error;
use crate::program::Program;

/// How the workers of an engine stand at one moment. Times are of the wall clock, milliseconds since
/// 1970 in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workers {
    /// Each of them.
    pub workers: Vec<WorkerState>,
    /// Messages on which a worker has died: each runs alone next, or does so now.
    pub alone: Vec<Running>,
    /// How many workers have ended while they ran something, since the start of the engine.
    pub restarts: u64,
    /// Why the last worker could not be used, through no fault of a message.
    pub refusal: Option<Refusal>,
}

/// How one worker stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerState {
    /// Its process, while it is there.
    pub pid: Option<u32>,
    /// `starting`, `idle`, `running` or `ending`.
    pub state: &'static str,
    /// Since when.
    pub since: u64,
    /// What it runs.
    pub runs: Option<Running>,
}

/// A function that runs on a message, or is to run alone on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The name of the inbound whose router it is, or of the handler.
    pub place: String,
    /// Of that place: `ingress` or `routed`.
    pub stage: &'static str,
    /// The message. Of a batch the one that is run, exact within half a second.
    pub message: MessageId,
}

/// Why a worker could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: String,
    /// When that was.
    pub at: u64,
    /// Whether no worker was of use since then.
    pub is_now: bool,
}

impl Workers {
    /// Since when a function runs on this message at this place.
    pub(crate) fn runs(&self, message: MessageId, place: &str, stage: Stage) -> Option<u64> {
        let is_it =
            |it: &&WorkerState| it.runs.as_ref().is_some_and(|it| it.is_at(message, place, stage));
        self.workers.iter().find(is_it).map(|it| it.since)
    }

    /// Whether it is to run alone on this message at this place.
    pub(crate) fn runs_alone(&self, message: MessageId, place: &str, stage: Stage) -> bool {
        self.alone.iter().any(|it| it.is_at(message, place, stage))
    }
}

impl Running {
    fn is_at(&self, message: MessageId, place: &str, stage: Stage) -> bool {
        (self.message, self.place.as_str(), self.stage) == (message, place, stage.name())
    }
}

pub(super) fn status(host: &Host) -> Workers {
    let now = host.clock.now();
    let wall = |at| now.wall.saturating_sub(now.steady.saturating_sub(at));
    let running = |(call, item): (_, usize)| {
        let call = host.calls.get(&call)?;
        let (stage, place) = (host.desk.names.stage(call.lane)?, host.desk.names.of(call.lane));
        let message = call.work.get(item)?.message;
        Some(Running { place, stage: stage.name(), message })
    };
    let workers = host.supervisor.standings().into_iter().map(|it| WorkerState {
        pid: host.lines.get(&it.worker).and_then(|line| line.started.pid()),
        state: it.state,
        since: wall(it.since),
        runs: it.runs.and_then(running),
    });
    let refusal = host.supervisor.fault().map(|(why, at)| {
        let (why, is_now) = (why.to_owned(), host.supervisor.is_failing());
        Refusal { why, at: wall(at), is_now }
    });
    Workers {
        workers: workers.collect(),
        alone: host.supervisor.suspects().filter_map(running).collect(),
        restarts: host.supervisor.restarts(),
        refusal,
    }
}

impl Engine {
    /// How the workers stand; without workers there are none.
    pub fn workers(&self) -> Workers {
        self.workers.as_ref().and_then(|it| it.status()).unwrap_or_default()
    }

    /// Runs another program in the workers: tries it, and once it has said that it has every function,
    /// gives it all further calls. The workers of the one before end with what they run now.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: it cannot be started, refuses, or lacks a function; or there are no workers.
    /// Nothing has changed then.
    pub fn reload_workers(&self, program: Program) -> Result<(), Error> {
        let workers = self.workers.as_ref();
        let workers = workers.ok_or_else(|| Error::Refused("there are no workers".to_owned()))?;
        workers.run(program).map_err(Error::Refused)
    }

    /// Where functions have failed on this message, as far as it is still known: the newest 256
    /// traces are kept, until the engine ends. The journey keeps the note of each failure.
    pub fn traces(&self, message: MessageId) -> Vec<Trace> {
        self.workers.as_ref().map_or_else(Vec::new, |it| it.traces.of(message))
    }
}
