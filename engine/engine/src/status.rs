//! How an engine stands.

use mllp_pipeline::{LaneStatus, Left, Stage};

use crate::names::Names;

/// How an engine stands at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its lanes: inbounds, handlers, outbounds, each in the order of the graph.
    pub lanes: Vec<LaneState>,
    /// Messages that were received and are not committed.
    pub waiting: usize,
    /// Whether nothing at all is left to do.
    pub is_idle: bool,
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
    /// The message at its head, if it is in memory.
    pub head: Option<u64>,
    /// Attempts that the head has had.
    pub attempt: u32,
    /// Milliseconds until the head is tried again; 0: it does not wait.
    pub due_in: u64,
    /// Whether it goes on now: an outbound can reach its partner.
    pub ready: bool,
    /// Deliveries that are with the partner.
    pub in_flight: u32,
}

impl Status {
    pub(crate) fn of(
        lanes: impl Iterator<Item = LaneStatus>,
        left: Left,
        names: &Names,
        now: u64,
    ) -> Status {
        let lanes: Vec<_> = lanes
            .map(|lane| LaneState {
                name: names.of(lane.lane),
                stage: lane.stage.name(),
                depth: lane.depth,
                head: lane.message.map(|it| it.0),
                attempt: lane.attempt,
                due_in: lane.due.map_or(0, |due| due.saturating_sub(now)),
                ready: lane.ready,
                in_flight: lane.in_flight,
            })
            .collect();
        let is_idle = left.is_at_rest() && lanes.iter().all(|lane| lane.depth == 0);
        Status { lanes, waiting: left.waiting, is_idle }
    }

    /// The outbound of that name.
    pub fn outbound(&self, name: &str) -> Option<&LaneState> {
        let stage = Stage::Outbound.name();
        self.lanes.iter().find(|lane| lane.stage == stage && lane.name == name)
    }
}
