//! The lane of an inbound: its router, and the handlers that are run with it.

use alloc::vec::Vec;

use crate::body::IdHash;
use crate::call::{Item, Purpose};
use crate::fact::{CallFailure, Sent};
use crate::graph::{self, Closed, OnFull};
use crate::ids::{CallId, LaneId, MessageId, Millis};
use crate::intake::Intake;
use crate::lane::{Hold, Row};
use crate::order::{Order, Source, Work};
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Alarm, Place, Shared};
use crate::stage::{Stage, Task};

/// A message that waits to be routed, or for its handlers.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub message: MessageId,
    pub source: Source,
    /// Whether it is all the open work of the message, as it is unless an operator has appended it.
    pub sole: bool,
    pub id_hash: IdHash,
    /// Handlers that have sent it on; above 0 a handler has sent it here, and the row may have bytes of its own.
    pub hops: u8,
    pub progress: Progress,
}

#[derive(Debug)]
pub(crate) enum Progress {
    New,
    Routing(CallId),
    /// The router has failed on it.
    Failed(CallFailure),
    Chosen {
        handlers: Vec<LaneId>,
        branches: Vec<Branch>,
    },
}

/// One handler that the router chose.
#[derive(Debug)]
pub(crate) struct Branch {
    pub handler: usize,
    pub state: BranchState,
}

#[derive(Debug)]
pub(crate) enum BranchState {
    Called(CallId),
    Sent(Vec<Sent>),
    Failed(CallFailure),
    /// The message rests in the handler's lane; the call, if there is one, goes on.
    Rests(Option<(CallId, usize)>),
}

impl Arrived {
    pub fn new(
        message: MessageId,
        source: Source,
        sole: bool,
        id_hash: IdHash,
        hops: u8,
    ) -> Arrived {
        Arrived { message, source, sole, id_hash, hops, progress: Progress::New }
    }

    /// The branch of this call.
    pub fn branch(&mut self, call: CallId) -> Option<&mut Branch> {
        let Progress::Chosen { branches, .. } = &mut self.progress else { return None };
        branches.iter_mut().find(|it| matches!(it.state, BranchState::Called(id) if id == call))
    }
}

impl Branch {
    /// Lets the message rest. What the handler has sent is not used.
    pub fn rest(&mut self, shared: &mut Shared) {
        if let BranchState::Sent(sent) =
            core::mem::replace(&mut self.state, BranchState::Rests(None))
        {
            shared.give_up(sent);
        }
    }
}

impl Row for Arrived {
    fn source(&self) -> &Source {
        &self.source
    }
}

impl Task for Arrived {
    fn is_ready(&self) -> bool {
        match &self.progress {
            Progress::New | Progress::Routing(_) => false,
            Progress::Failed(_) => true,
            Progress::Chosen { branches, .. } => {
                !branches.iter().any(|it| matches!(it.state, BranchState::Called(_)))
            }
        }
    }

    fn goes_to(&self) -> Vec<LaneId> {
        match &self.progress {
            // What does not fit into the lane of an outbound rests before its handler.
            Progress::Chosen { handlers, .. } => handlers.clone(),
            _ => Vec::new(),
        }
    }

    fn reset(&mut self) -> Vec<Sent> {
        let Progress::Chosen { branches, .. } =
            core::mem::replace(&mut self.progress, Progress::New)
        else {
            return Vec::new();
        };
        let sent = branches.into_iter().map(|branch| match branch.state {
            BranchState::Sent(sent) => sent,
            _ => Vec::new(),
        });
        sent.flatten().collect()
    }
}

#[derive(Debug)]
pub(crate) struct Ingress {
    pub stage: Stage<Arrived>,
    pub intake: Intake,
    /// The router runs one call at a time.
    pub call: Option<CallId>,
    /// Whether the inbound is in the list of those with messages to store.
    pub listed: bool,
    pub on_full: OnFull,
    /// Whether handlers send to it.
    pub takes_sends: bool,
    /// What happens outside of the schedule.
    closed: Closed,
    /// The schedule lets it receive.
    pub in_hours: bool,
    index: usize,
}

impl Ingress {
    pub fn new(inbound: &graph::Inbound, limits: &graph::Limits, index: usize) -> Ingress {
        Ingress {
            stage: Stage::new(inbound.lane, limits.look_ahead, inbound.capacity),
            intake: Intake::new(inbound, limits.identities),
            call: None,
            listed: false,
            on_full: inbound.on_full,
            takes_sends: inbound.takes_sends,
            closed: inbound.closed,
            in_hours: true,
            index,
        }
    }

    /// Lists the inbound if it has messages to store.
    pub fn list(&mut self, shared: &mut Shared) {
        if self.intake.resolved > 0 && !core::mem::replace(&mut self.listed, true) {
            shared.intakes.push_back(self.index);
        }
    }

    /// Whether a message of this length fits in, behind those that wait for their commit.
    pub fn takes(&self, len: u64) -> bool {
        let waiting = self.intake.queue.len() as u64;
        let lane = &self.stage.lane;
        let depth = lane.depth() + waiting;
        let bytes = lane.fill.bytes().saturating_add(self.intake.len).saturating_add(len);
        let capacity = lane.fill.capacity;
        depth == 0 || depth < capacity.depth && bytes <= capacity.bytes
    }

    /// What the schedule has it do with messages that come now; `None`: it takes them.
    pub fn closed(&self) -> Option<Closed> {
        (!self.in_hours).then_some(self.closed)
    }

    pub fn forget(&mut self, hold: Hold, shared: &mut Shared) {
        self.stage.forget(hold, shared);
        self.call = None;
    }

    /// Loads rows, and calls the router for those that are new.
    pub fn pump(&mut self, now: Millis, shared: &mut Shared) {
        let stage = &mut self.stage;
        shared.orders.extend(stage.lane.load(now));
        let new = stage.lane.rows.len() - stage.called;
        if new == 0 || self.call.is_some() || shared.stopping || !stage.is_open(now) {
            return;
        }
        let count = new.min(shared.limits.call.max(1));
        let range = stage.called..stage.called + count;
        let items = range.clone().map(|at| Item::Arrived(stage.lane.seq(at))).collect();
        let call = shared.calls.begin(Purpose::Route(self.index), items);
        let mut work = Vec::with_capacity(count);
        for row in stage.lane.rows.range_mut(range) {
            row.progress = Progress::Routing(call);
            work.push(Work { message: row.message, body: row.source.clone(), hops: row.hops });
        }
        stage.called += count;
        self.call = Some(call);
        let inbound = stage.lane.id;
        #[cfg(feature = "sabotage")]
        let inbound = if shared.broken(Sabotage::FirstRouter) { shared.first() } else { inbound };
        shared.orders.push_back(Order::Route { call, inbound, work });
    }

    /// Lists the lane if it has something to hand on.
    pub fn advance(&mut self, shared: &mut Shared) {
        if self.stage.advance() {
            shared.handoffs.push_back(Place::Ingress(self.index));
        }
    }

    /// A call has failed at this row through our own fault.
    pub fn fail_from(&mut self, row: usize, now: Millis, shared: &mut Shared) {
        let at = self.stage.fail_from(row, now, shared);
        shared.wake(at, Alarm::Lane(Place::Ingress(self.index)));
    }
}
