//! How lanes stand, for `status` and `why`.

use crate::delivery::State;
use crate::graph::{Capacity, Ordering};
use crate::ids::{LaneId, MessageId, Millis, Seq, Stage};
use crate::ingress::Arrived;
use crate::lane::{Hold, Lane, Row};
use crate::pipeline::Pipeline;
use crate::switch::{Side, Switch};

/// How a lane stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStatus {
    /// The lane.
    pub lane: LaneId,
    /// Its stage.
    pub stage: Stage,
    /// Rows that are not consumed.
    pub depth: u64,
    /// Rows that were consumed, ever: it grows with each.
    pub done: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Whether nothing more fits in: what would be appended waits in front of it.
    pub is_full: bool,
    /// The first of them.
    pub head: Option<Seq>,
    /// The message of the head, if it is in memory.
    pub message: Option<MessageId>,
    /// Attempts that the head has had.
    pub attempt: u32,
    /// Until when the head waits, by the steady clock.
    pub due: Option<Millis>,
    /// Whether the lane can be worked on: it is ours, and an outbound can send.
    pub ready: bool,
    /// Whether the schedule lets the connection work.
    pub in_hours: bool,
    /// Deliveries that are with the partner.
    pub in_flight: u32,
    /// Whether each row is completed before the next one leaves: not with a window above 1, nor by key
    /// or without order.
    pub keeps_order: bool,
    /// Deliveries that may have been sent before a crash and are not completed.
    pub possibly_sent: u32,
    /// What was set last for what the lane receives.
    pub input: Option<Switch>,
    /// What was set last for what is done with its rows.
    pub output: Option<Switch>,
    /// Only an operator consumes it: the graph does not have it.
    pub is_orphan: bool,
    /// How an outbound delivers.
    pub delivering: Option<Delivering>,
}

/// How an outbound delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivering {
    /// Which order it keeps.
    pub ordering: Ordering,
    /// How many deliveries may be unanswered.
    pub window: u32,
    /// How many are let go and not completed, unless the order is first in, first out.
    pub started: u32,
    /// Attempts before a delivery is given up; `None`: it is tried for ever.
    pub max_attempts: Option<u32>,
    /// Whether the head is with the partner.
    pub head_is_sent: bool,
}

/// What is left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Received messages that wait for their commit.
    pub waiting: usize,
    /// Messages not yet routed.
    pub ingress: u64,
    /// Messages that rest before a handler.
    pub routed: u64,
    /// Deliveries that are not completed.
    pub outbound: u64,
    /// Deliveries of these that are with their partner.
    pub in_flight: u64,
    /// Calls of routers and handlers that have not come back.
    pub calls: usize,
    /// Whether something waits for a commit, or for the outcome of one.
    pub uncommitted: bool,
}

impl Left {
    /// Whether a pipeline that was stopped has nothing to wait for any more. What is in the lanes
    /// stays there for the next start.
    pub fn is_at_rest(&self) -> bool {
        self.waiting == 0 && self.in_flight == 0 && self.calls == 0 && !self.uncommitted
    }
}

fn of<R: Row>(lane: &Lane<R>, stage: Stage) -> LaneStatus {
    let depth = lane.depth();
    LaneStatus {
        lane: lane.id,
        stage,
        depth,
        done: lane.cursor.0,
        bytes: lane.fill.bytes(),
        is_full: !lane.takes(1, 0),
        head: (depth > 0).then(|| lane.seq(0)),
        message: None,
        attempt: 0,
        due: None,
        ready: lane.hold == Hold::Owned,
        in_hours: true,
        in_flight: 0,
        keeps_order: true,
        possibly_sent: 0,
        input: None,
        output: None,
        is_orphan: false,
        delivering: None,
    }
}

impl Pipeline {
    /// How each lane stands: those of inbounds, of handlers, of outbounds, in the order of the graph,
    /// then orphans that are not empty.
    pub fn status(&self) -> impl Iterator<Item = LaneStatus> {
        let inbounds = self.inbounds.iter().map(|ingress| {
            let message = ingress.stage.lane.rows.front().map(|row| row.message);
            let in_hours = ingress.in_hours;
            LaneStatus { message, in_hours, ..of(&ingress.stage.lane, Stage::Ingress) }
        });
        let handlers = self.handlers.iter().map(|handler| {
            let message = handler.stage.lane.rows.front().map(|row| row.message);
            LaneStatus { message, ..of(&handler.stage.lane, Stage::Routed) }
        });
        let outbounds = self.outbounds.iter().map(|outbound| {
            let head = outbound.lane.rows.front();
            let in_flight =
                |row: &&_| matches!(row, crate::delivery::Delivery { state: State::InFlight, .. });
            let status = of(&outbound.lane, Stage::Outbound);
            let depth = status.depth + outbound.parked() as u64;
            LaneStatus {
                message: head.map(|row| row.message),
                attempt: head.map_or(0, |row| row.attempts),
                due: head.and_then(|row| match row.state {
                    State::Waits(until) => Some(until),
                    _ => None,
                }),
                depth,
                head: (depth > 0).then(|| outbound.first_unfinished()),
                ready: status.ready && outbound.can_reach(),
                in_hours: outbound.in_hours,
                in_flight: outbound.lane.rows.iter().filter(in_flight).count() as u32,
                keeps_order: outbound.window == 1 && outbound.keyed.is_none(),
                delivering: Some(Delivering {
                    ordering: outbound.ordering,
                    window: outbound.window,
                    started: outbound.keyed.iter().flat_map(|it| it.started()).count() as u32,
                    max_attempts: outbound.retry.max_attempts,
                    head_is_sent: head.as_ref().is_some_and(in_flight),
                }),
                possibly_sent: outbound.lane.rows.iter().filter(|row| row.possibly_sent).count()
                    as u32,
                ..status
            }
        });
        let orphans = self.operating.orphans.iter().filter(|it| it.depth() > 0).map(|it| {
            let status = of(&Lane::<Arrived>::new(it.id, 1, Capacity::NONE), it.stage);
            let (depth, head) = (it.depth(), Some(it.cursor.next()));
            LaneStatus { depth, head, is_orphan: true, ready: false, ..status }
        });
        let switch = |lane, side| self.operating.switches.get(&(lane, side)).cloned();
        inbounds.chain(handlers).chain(outbounds).chain(orphans).map(move |it| LaneStatus {
            input: switch(it.lane, Side::Input),
            output: switch(it.lane, Side::Output),
            ..it
        })
    }

    /// What is left to do.
    pub fn left(&self) -> Left {
        let sum = |stage| {
            let lanes = self.status().filter(move |it| it.stage == stage);
            lanes.map(|it| it.depth).sum()
        };
        let waits = |it: &crate::delivery::Outbound| !it.told.is_empty();
        Left {
            waiting: self.load.messages,
            ingress: sum(Stage::Ingress),
            routed: sum(Stage::Routed),
            outbound: sum(Stage::Outbound),
            in_flight: self.status().map(|it| u64::from(it.in_flight)).sum(),
            calls: self.shared.calls.len(),
            uncommitted: self.open.is_some()
                || self.kept.is_some()
                || !self.operating.waiting.is_empty()
                || !self.shared.verdicts.answered.is_empty()
                || !self.shared.handoffs.is_empty()
                || self.outbounds.iter().any(waits),
        }
    }

    /// Bytes of bodies that are held in memory for rows of lanes.
    pub fn held_bytes(&self) -> u64 {
        self.shared.shelf.held
    }

    /// Rows of a lane that are held in memory.
    pub fn held_rows(&self) -> impl Iterator<Item = usize> {
        let inbounds = self.inbounds.iter().map(|it| it.stage.lane.rows.len());
        let handlers = self.handlers.iter().map(|it| it.stage.lane.rows.len());
        inbounds.chain(handlers).chain(self.outbounds.iter().map(|it| it.lane.rows.len()))
    }
}
