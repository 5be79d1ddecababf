//! How the connections of an engine are opened.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use mllp_io::{FeedOptions, Gate, Intake, ListenerOptions, Recognise, Reports, Senders};
use mllp_pipeline::{Acknowledge, Closed, Flow, LaneId, Side, Switch};
use tokio::runtime::Handle;

use crate::bodies::BodyIds;
use crate::builder::Builder;
use crate::clock::Clock;
use crate::connections::Gated;
use crate::connector::{self, Connection, Connectors, ToConnector};
use crate::error::Error;
use crate::hours::Timetable;
use crate::listeners::{Kept, Listeners, Spec};
use crate::outlet::Outlet;
use crate::schedule::Schedule;
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

/// What connections are opened with.
pub(crate) struct Opening<'a> {
    pub(crate) builder: &'a Builder,
    pub(crate) doors: &'a Arc<Doors>,
    pub(crate) switches: &'a [Switch],
    pub(crate) core: &'a ToCore,
}

/// Inbounds that listen and read nothing yet.
pub(crate) struct Listening {
    /// Of all inbounds.
    lanes: Vec<LaneId>,
    gates: Vec<Gated>,
    pub(crate) listeners: Listeners,
    connectors: Vec<Connection>,
}

/// Connections that are open.
pub(crate) struct Opened {
    /// Of the inbounds that something outside brings messages to.
    pub(crate) gates: Vec<Gated>,
    /// By their numbers.
    pub(crate) senders: Vec<Arc<Outlet>>,
    pub(crate) connectors: Connectors,
    pub(crate) timetable: Timetable,
}

impl Opening<'_> {
    /// Listens, or says which inbound cannot. Nothing is read, and nothing else has been started.
    pub(crate) fn listen(
        &self,
        runtime: &Handle,
        inbounds: &[LaneId],
        kept: Vec<Kept>,
    ) -> Result<Listening, Error> {
        let Inbounds { gates, listeners, connectors } = self.inbounds(inbounds)?;
        let listeners = Listeners::bind(runtime.clone(), listeners, kept)
            .map_err(|(inbound, error)| Error::Listen { inbound, error })?;
        Ok(Listening { lanes: inbounds.to_vec(), gates, listeners, connectors })
    }

    /// Begins to read, and to send. What is paused reads nothing.
    pub(crate) fn open(
        &self,
        runtime: &Handle,
        outbounds: &[LaneId],
        Listening { gates, connectors, lanes, .. }: Listening,
    ) -> Opened {
        let (senders, mut all) = self.outbounds(outbounds, runtime);
        let start = |it| connector::start(runtime, it, self.core.clone());
        all.extend(connectors.into_iter().map(start));
        for Gated { lane, gate, .. } in &gates {
            gate.set(!is_set(self.switches, *lane, Side::Input, Flow::Paused));
        }
        let timetable = Timetable::new(self.builder, &lanes, outbounds);
        Opened { gates, senders, connectors: Connectors::new(all), timetable }
    }

    fn inbounds(&self, lanes: &[LaneId]) -> Result<Inbounds, Error> {
        let (mut inbounds, shared) = (Inbounds::default(), Gate::new());
        for (number, (inbound, lane)) in (0..).zip(self.builder.inbounds.iter().zip(lanes)) {
            let gate = shared.beside();
            // Before the first connection.
            gate.set(false);
            if inbound.receives() {
                inbounds.gates.push(Gated::new(*lane, gate.clone(), inbound.closed));
            }
            let stopped = is_set(self.switches, *lane, Side::Input, Flow::Stopped)
                || inbound.closed == Closed::Unreachable && self.is_closed(&inbound.schedule);
            let intake: Arc<dyn Intake> = Arc::clone(self.doors) as _;
            inbounds.add(number, inbound, *lane, (gate, stopped), intake)?;
        }
        Ok(inbounds)
    }

    /// Whether it is outside of a schedule.
    fn is_closed(&self, schedule: &Option<Schedule>) -> bool {
        let now = Clock::new(Arc::clone(&self.builder.wall)).now().wall;
        schedule.as_ref().is_some_and(|it| !it.hours(now).is_open)
    }

    /// Dials, and starts the connectors of the outbounds.
    fn outbounds(
        &self,
        lanes: &[LaneId],
        runtime: &Handle,
    ) -> (Vec<Arc<Outlet>>, Vec<ToConnector>) {
        let _inside = runtime.enter();
        let (mut outlets, mut connectors) = (Vec::new(), Vec::new());
        for (number, (outbound, lane)) in (0..).zip(self.builder.outbounds.iter().zip(lanes)) {
            let stopped = is_set(self.switches, *lane, Side::Output, Flow::Stopped)
                || self.is_closed(&outbound.schedule);
            let window = outbound.window();
            let outlet = match &outbound.delivers {
                Delivers::Sender(options) => {
                    let closed = stopped;
                    let options =
                        mllp_io::SenderOptions { number, closed, window, ..(**options).clone() };
                    let reports: Arc<dyn Reports> = Arc::clone(self.doors) as _;
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
                    let connector = connector::start(runtime, connection, self.core.clone());
                    connectors.push(connector.clone());
                    Outlet::Connector(connector)
                }
            };
            outlets.push(Arc::new(outlet));
        }
        (outlets, connectors)
    }
}

/// The inbounds, as they are to be opened.
#[derive(Default)]
struct Inbounds {
    gates: Vec<Gated>,
    listeners: Vec<Spec>,
    connectors: Vec<Connection>,
}

impl Inbounds {
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
