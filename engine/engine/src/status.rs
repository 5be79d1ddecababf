//! How an engine stands.

use mllp_pipeline::{
    Delivering, Flow, LaneId, MessageId, Now, Pipeline, Stage, Standing, StoreState, Switch,
};

use crate::names::Names;
use crate::notices::Notices;
use crate::outages::Outage;
use crate::schedule::Hours;
use crate::stalls::Stalls;

/// A commit that takes longer, in milliseconds, is what a message waits for.
const STUCK: u64 = 1_000;

/// How an engine stands at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its lanes: inbounds, handlers, outbounds, each in the order of the graph.
    pub lanes: Vec<LaneState>,
    /// Whether the store writes; if not, why and since when.
    pub store: StoreState,
    /// Messages that were received and are not committed.
    pub waiting: usize,
    /// Whether nothing is left to do, apart from what lanes hold that are no longer configured.
    pub is_idle: bool,
    pub(crate) now: Now,
    /// Since when the open commit has not returned, if it should have.
    pub(crate) commits_since: Option<u64>,
    /// Where the message stands that was asked for.
    pub(crate) standings: Vec<Standing>,
}

/// How one lane stands.
#[derive(Clone, Debug)]
pub struct LaneState {
    /// The name of the inbound, handler or outbound.
    pub name: String,
    /// `ingress`, `routed` or `outbound`.
    pub stage: &'static str,
    /// Messages or deliveries in it that are not done.
    pub depth: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Whether nothing more fits in: what would be appended waits in front of it.
    pub is_full: bool,
    /// The message at its head, if it is in memory.
    pub head: Option<u64>,
    /// Attempts that the head has had.
    pub attempt: u32,
    /// Milliseconds until the head is tried again; 0: it does not wait.
    pub due_in: u64,
    /// Whether it goes on now: an outbound can reach its partner.
    pub ready: bool,
    /// Why the last connection of an outbound that is not ready has ended or could not be opened; and
    /// why an inbound cannot listen, or its connector does not run.
    pub lost: Option<String>,
    /// For how many milliseconds it has had work and got nothing done, if that is longer than it should
    /// be; 0: it is not stalled. See [`Builder::stalled_after`](crate::Builder::stalled_after).
    pub stalled_for: u64,
    /// Deliveries that are with the partner.
    pub in_flight: u32,
    /// Whether each message is done before the next one leaves. Where it is not, what was overtaken
    /// says so in its journey.
    pub keeps_order: bool,
    /// What was set last for what an inbound receives; `None`: on.
    pub input: Option<Setting>,
    /// What was set last for what is done with the rows of the lane; `None`: on.
    pub output: Option<Setting>,
    /// What its schedule says; `None`: it has none.
    pub hours: Option<Hours>,
    /// Its inbound, handler or outbound is no longer configured: only an operator can have it
    /// moved or cancelled.
    pub is_orphaned: bool,
    /// Messages that it has seen end in ERROR since the start: refused at intake, failed on by a router or
    /// handler, or with a delivery that is dead.
    pub ended_in_error: u64,
    pub(crate) id: LaneId,
    /// Since when and why an outbound is not connected.
    pub(crate) outage: Option<Outage>,
    pub(crate) delivering: Option<Delivering>,
}

/// What was set for one side of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whether messages pass.
    pub flow: Flow,
    /// The operator; empty: the engine.
    pub by: String,
    /// Why. Of the engine it is the failure class that the lane has stopped with.
    pub reason: String,
    /// Since when, by the wall clock, milliseconds since 1970 in UTC.
    pub since: u64,
}

impl Setting {
    fn of(switch: Switch) -> Setting {
        let Switch { flow, by, at, .. } = switch;
        Setting { flow, by: by.who.0, reason: by.reason.0, since: at }
    }
}

impl Status {
    pub(crate) fn of<'a>(
        pipeline: &Pipeline,
        (notices, stalls, names): (&Notices, &Stalls, &Names),
        hours: impl Fn(LaneId) -> Option<&'a Hours>,
        message: Option<MessageId>,
        now: Now,
    ) -> Status {
        let lanes: Vec<_> = pipeline
            .status()
            .map(|lane| LaneState {
                outage: notices.outage(lane.lane).cloned(),
                delivering: lane.delivering,
                name: names.of(lane.lane),
                stage: lane.stage.name(),
                depth: lane.depth,
                bytes: lane.bytes,
                is_full: lane.is_full,
                head: lane.message.map(|it| it.0),
                attempt: lane.attempt,
                due_in: lane.due.map_or(0, |due| due.saturating_sub(now.steady)),
                ready: lane.ready,
                lost: notices
                    .outage(lane.lane)
                    .filter(|_| !lane.ready || lane.stage == Stage::Ingress)
                    .and_then(Outage::words),
                stalled_for: stalls.stalled_for(lane.lane, now.steady),
                in_flight: lane.in_flight,
                keeps_order: lane.keeps_order,
                input: lane.input.map(Setting::of),
                output: lane.output.map(Setting::of),
                hours: hours(lane.lane).cloned(),
                is_orphaned: lane.is_orphan,
                ended_in_error: 0,
                id: lane.lane,
            })
            .collect();
        let left = pipeline.left();
        let is_idle =
            left.is_at_rest() && lanes.iter().all(|lane| lane.depth == 0 || lane.is_orphaned);
        Status {
            lanes,
            store: pipeline.store_state(now),
            waiting: left.waiting,
            is_idle,
            now,
            commits_since: pipeline.commits_since(STUCK, now),
            standings: message.map_or_else(Vec::new, |it| pipeline.standings(it)),
        }
    }

    /// The lane of that stage and name.
    pub fn lane(&self, stage: Stage, name: &str) -> Option<&LaneState> {
        self.lanes.iter().find(|lane| lane.stage == stage.name() && lane.name == name)
    }

    /// The outbound of that name.
    pub fn outbound(&self, name: &str) -> Option<&LaneState> {
        let stage = Stage::Outbound.name();
        self.lanes.iter().find(|lane| lane.stage == stage && lane.name == name)
    }
}
