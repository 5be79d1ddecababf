//! How the connections of an engine are opened.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use mllp_io::{FeedOptions, Gate, Intake, ListenerOptions, Recognise, Reports, Senders};
use mllp_pipeline::{Acknowledge, Flow, LaneId, Side, Switch};
use tokio::runtime::Handle;

use crate::bodies::BodyIds;
use crate::builder::Builder;
use crate::connector::{self, Connection, ToConnector};
use crate::error::Error;
use crate::listeners::Spec;
use crate::outlet::Outlet;
use crate::specs::{Delivers, Feed, InboundSpec};
use crate::traffic::{Doors, ToCore};
use crate::writer::Job;

/// What the connections bring and say goes through these.
pub(crate) fn doors(
    builder: &Builder,
    core: &ToCore,
    writer: &Sender<Job>,
    bodies: &Arc<BodyIds>,
    outbounds: &[LaneId],
) -> Arc<Doors> {
    Arc::new(Doors {
        core: core.clone(),
        writer: writer.clone(),
        bodies: Arc::clone(bodies),
        outbounds: outbounds.to_vec(),
        indexed: builder.inbounds.iter().map(|it| it.indexed.clone()).collect(),
    })
}

fn is_set(switches: &[Switch], lane: LaneId, side: Side, flow: Flow) -> bool {
    switches.iter().any(|it| (it.lane, it.side, it.flow) == (lane, side, flow))
}

/// The inbounds, as they are to be opened.
#[derive(Default)]
pub(crate) struct Inbounds {
    /// Of those that something outside brings messages to.
    pub(crate) gates: Vec<(LaneId, Gate)>,
    pub(crate) listeners: Vec<Spec>,
    pub(crate) connectors: Vec<Connection>,
}

impl Inbounds {
    pub(crate) fn new(
        builder: &Builder,
        lanes: &[LaneId],
        doors: &Arc<Doors>,
        switches: &[Switch],
    ) -> Result<Inbounds, Error> {
        let (mut inbounds, shared) = (Inbounds::default(), Gate::new());
        for (number, (inbound, lane)) in (0..).zip(builder.inbounds.iter().zip(lanes)) {
            let gate = shared.beside();
            // Before the first connection: what is paused reads nothing.
            gate.set(!is_set(switches, *lane, Side::Input, Flow::Paused));
            if inbound.receives() {
                inbounds.gates.push((*lane, gate.clone()));
            }
            let stopped = is_set(switches, *lane, Side::Input, Flow::Stopped);
            inbounds.add(number, inbound, *lane, (gate, stopped), Arc::clone(doors) as _)?;
        }
        Ok(inbounds)
    }

    fn add(
        &mut self,
        number: u32,
        inbound: &InboundSpec,
        lane: LaneId,
        (gate, stopped): (Gate, bool),
        intake: Arc<dyn Intake>,
    ) -> Result<(), Error> {
        let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
        let failed = |_| Error::Listen { inbound: inbound.name.clone(), error: invalid() };
        let recognise = match inbound.acknowledge {
            Acknowledge::Stored => Recognise::Bytes,
            Acknowledge::Delivered { .. } => Recognise::ControlIdAndBody,
        };
        match &inbound.feed {
            Feed::Handlers => {}
            Feed::Listener { address, options } => self.listeners.push(Spec {
                name: inbound.name.clone(),
                lane,
                address: address.parse().map_err(failed)?,
                options: ListenerOptions { number, recognise, ..(**options).clone() },
                intake,
                gate,
                stopped,
            }),
            Feed::Connector { program, options } => {
                let options = FeedOptions { number, recognise, ..options.clone() };
                self.connectors.push(Connection {
                    name: inbound.name.as_str().into(),
                    lane,
                    program: program.clone(),
                    side: connector::Side::Inbound { options, intake, gate },
                    stopped,
                });
            }
        }
        Ok(())
    }
}

/// Dials, and starts the connectors of the outbounds.
pub(crate) fn outbounds(
    builder: &Builder,
    doors: &Arc<Doors>,
    lanes: &[LaneId],
    switches: &[Switch],
    (runtime, core): (&Handle, &ToCore),
) -> (Vec<Arc<Outlet>>, Vec<ToConnector>) {
    let _inside = runtime.enter();
    let (mut outlets, mut connectors) = (Vec::new(), Vec::new());
    for (number, (outbound, lane)) in (0..).zip(builder.outbounds.iter().zip(lanes)) {
        let stopped = is_set(switches, *lane, Side::Output, Flow::Stopped);
        let window = outbound.window();
        let outlet = match &outbound.delivers {
            Delivers::Sender(options) => {
                let options = mllp_io::SenderOptions {
                    number,
                    closed: stopped,
                    window,
                    ..(**options).clone()
                };
                let reports: Arc<dyn Reports> = Arc::clone(doors) as _;
                Outlet::Senders(Senders::start(&options, outbound.connections, &reports))
            }
            Delivers::Connector { program, .. } => {
                let connection = Connection {
                    name: outbound.name.as_str().into(),
                    lane: *lane,
                    program: program.clone(),
                    side: connector::Side::Outbound { number, window },
                    stopped,
                };
                connectors.push(connector::start(runtime, connection, core.clone()));
                Outlet::Connector(connectors[connectors.len() - 1].clone())
            }
        };
        outlets.push(Arc::new(outlet));
    }
    (outlets, connectors)
}
