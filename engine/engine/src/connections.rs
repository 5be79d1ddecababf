//! What operators have set for connections, and who waits to hear of a command.

use std::collections::HashMap;
use std::sync::mpsc::Sender;

use mllp_io::Gate;
use mllp_pipeline::{Act, Command, CommandId, CommandOutcome, Flow, LaneId, Side, Switch};

use crate::connector::Connectors;
use crate::core::Outlets;
use crate::listeners::Listeners;

/// Owned by the core.
pub(crate) struct Connections {
    /// By the numbers of their listeners.
    inbounds: Vec<LaneId>,
    /// The gate of each inbound that listens, and whether an operator lets it open.
    gates: Vec<(LaneId, Gate, bool)>,
    listeners: Listeners,
    connectors: Connectors,
    /// Operators who wait.
    asked: HashMap<CommandId, Sender<CommandOutcome>>,
    last: u64,
}

impl Connections {
    pub(crate) fn new(
        inbounds: Vec<LaneId>,
        gates: Vec<(LaneId, Gate)>,
        listeners: Listeners,
        connectors: Connectors,
    ) -> Self {
        let gates = gates.into_iter().map(|(lane, gate)| (lane, gate, true)).collect();
        let asked = HashMap::new();
        Connections { inbounds, gates, listeners, connectors, asked, last: 0 }
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
        for (lane, gate, wanted) in &self.gates {
            let refuses = refuses(*lane);
            gate.refuse_large(refuses);
            gate.break_off_large(refuses && is_low);
            gate.set(*wanted && has_room(*lane));
        }
    }

    /// A side of a lane is set: opens or closes what belongs to it.
    pub(crate) fn switched(&mut self, switch: &Switch, outlets: &Outlets) {
        let Switch { lane, side, flow, .. } = switch;
        match side {
            Side::Output => {
                let sender = outlets.senders.iter().find(|(its, _)| its == lane);
                if let Some((_, sender)) = sender {
                    match flow {
                        Flow::Stopped => sender.close(),
                        Flow::On | Flow::Paused => sender.open(),
                    }
                }
            }
            Side::Input => {
                if let Some((_, gate, wanted)) = self.gates.iter_mut().find(|it| it.0 == *lane) {
                    // One that is stopped reads nothing more before its connections are closed.
                    *wanted = *flow == Flow::On;
                    if !*wanted {
                        // Before the operator hears of it.
                        gate.set(false);
                    }
                    self.listeners.set(*lane, *flow != Flow::Stopped);
                    self.connectors.set(*lane, *flow != Flow::Stopped);
                }
            }
        }
    }
}
