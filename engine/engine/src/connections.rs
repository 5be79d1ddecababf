//! What operators and schedules have set for connections, and who waits to hear of a command.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::time::Duration;

use mllp_io::Gate;
use mllp_pipeline::{
    Act, Closed, Command, CommandId, CommandOutcome, Fact, Flow, LaneId, Side, Switch,
};

use crate::connector::Connectors;
use crate::core::Outlets;
use crate::hours::Timetable;
use crate::listeners::Listeners;
use crate::schedule::Hours;

/// Owned by the core.
pub(crate) struct Connections {
    /// By the numbers of their listeners.
    inbounds: Vec<LaneId>,
    /// Of the inbounds that something outside brings messages to.
    gates: Vec<Gated>,
    listeners: Listeners,
    connectors: Connectors,
    /// Outbounds that an operator has stopped, or that are outside of their schedule.
    shut: HashMap<LaneId, Shut>,
    timetable: Timetable,
    /// Operators who wait.
    asked: HashMap<CommandId, Sender<CommandOutcome>>,
    last: u64,
}

/// An inbound that receives.
pub(crate) struct Gated {
    pub(crate) lane: LaneId,
    pub(crate) gate: Gate,
    /// What it does outside of its schedule.
    pub(crate) closed: Closed,
    flow: Flow,
    in_hours: bool,
}

/// Why an outbound has no connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shut {
    is_stopped: bool,
    out_of_hours: bool,
}

impl Gated {
    pub(crate) fn new(lane: LaneId, gate: Gate, closed: Closed) -> Gated {
        Gated { lane, gate, closed, flow: Flow::On, in_hours: true }
    }

    /// Whether the schedule lets connections be open.
    fn may_listen(&self) -> bool {
        self.in_hours || self.closed == Closed::Answer
    }

    fn reads(&self) -> bool {
        self.flow == Flow::On && self.may_listen()
    }

    fn listens(&self) -> bool {
        self.flow != Flow::Stopped && self.may_listen()
    }
}

impl Connections {
    pub(crate) fn new(
        inbounds: Vec<LaneId>,
        gates: Vec<Gated>,
        listeners: Listeners,
        connectors: Connectors,
        timetable: Timetable,
    ) -> Self {
        let (asked, shut) = (HashMap::new(), HashMap::new());
        Connections { inbounds, gates, listeners, connectors, shut, timetable, asked, last: 0 }
    }

    /// The lane of the inbound whose listener has this number.
    pub(crate) fn inbound(&self, listener: u32) -> Option<LaneId> {
        self.inbounds.get(listener as usize).copied()
    }

    pub(crate) fn command(&mut self, asked: Sender<CommandOutcome>) -> CommandId {
        self.last += 1;
        self.asked.insert(CommandId(self.last), asked);
        CommandId(self.last)
    }

    /// A delivery that is to be tried now does not wait for the next dial either.
    pub(crate) fn dial(&self, command: &Command, outlets: &Outlets) {
        let Act::Retry { lane } = command.act else { return };
        if let Some((_, sender)) = outlets.senders.iter().find(|it| it.0 == lane) {
            sender.dial();
        }
    }

    pub(crate) fn told(&mut self, id: CommandId, outcome: CommandOutcome) {
        if let Some(asked) = self.asked.remove(&id) {
            let _ = asked.send(outcome);
        }
    }

    /// Says to each listener whether it may read: if there is room for what its connections send. And
    /// whether it refuses large messages, those that have begun as well where the disk is low: their
    /// chunks would take the room that deliveries need.
    pub(crate) fn set_gates(
        &self,
        has_room: impl Fn(LaneId) -> bool,
        refuses: impl Fn(LaneId) -> bool,
        is_low: bool,
    ) {
        for gated in &self.gates {
            let refuses = refuses(gated.lane);
            gated.gate.refuse_large(refuses);
            gated.gate.break_off_large(refuses && is_low);
            gated.gate.set(gated.reads() && has_room(gated.lane));
        }
    }

    /// A side of a lane is set: opens or closes what belongs to it.
    pub(crate) fn switched(&mut self, switch: &Switch, outlets: &Outlets) {
        let Switch { lane, side, flow, .. } = switch;
        match side {
            Side::Output => {
                self.shut.entry(*lane).or_default().is_stopped = *flow == Flow::Stopped;
                self.open_outbound(*lane, outlets);
            }
            Side::Input => {
                if let Some(gated) = self.gates.iter_mut().find(|it| it.lane == *lane) {
                    gated.flow = *flow;
                    self.open_inbound(*lane);
                }
            }
        }
    }

    /// Opens and closes what schedules say at this time; what the pipeline is to hear of it.
    pub(crate) fn look(&mut self, wall: u64, outlets: &Outlets) -> Vec<Fact> {
        let changed = self.timetable.look(wall);
        let tell = |(lane, hours): (LaneId, Hours)| {
            let open = hours.is_open;
            match self.gates.iter_mut().find(|it| it.lane == lane) {
                Some(gated) => {
                    gated.in_hours = open;
                    self.open_inbound(lane);
                }
                None => {
                    self.shut.entry(lane).or_default().out_of_hours = !open;
                    self.open_outbound(lane, outlets);
                }
            }
            Fact::Hours { lane, open }
        };
        changed.into_iter().map(tell).collect()
    }

    /// How long the clock need not be looked at.
    pub(crate) fn wait(&self, wall: u64) -> Option<Duration> {
        self.timetable.wait(wall)
    }

    /// What its schedule says of a connection.
    pub(crate) fn hours(&self, lane: LaneId) -> Option<&Hours> {
        self.timetable.of(lane)
    }

    /// One that is closed reads nothing more before its connections are closed.
    fn open_inbound(&self, lane: LaneId) {
        let Some(gated) = self.gates.iter().find(|it| it.lane == lane) else { return };
        if !gated.reads() {
            // Before an operator hears of it.
            gated.gate.set(false);
        }
        self.listeners.set(lane, gated.listens());
        self.connectors.set(lane, gated.listens());
    }

    fn open_outbound(&self, lane: LaneId, outlets: &Outlets) {
        let shut = self.shut.get(&lane).copied().unwrap_or_default();
        if let Some((_, sender)) = outlets.senders.iter().find(|(its, _)| *its == lane) {
            match shut == Shut::default() {
                true => sender.open(),
                false => sender.close(),
            }
        }
    }
}
