//! The listening sockets of an engine, each of which is closed and opened by itself.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mllp_io::{Gate, Intake, Listener, ListenerOptions, TlsError};
use mllp_pipeline::LaneId;
use tokio::runtime::Handle;

use crate::notices;

/// A listener that could not be opened again is tried again after this.
const AGAIN: Duration = Duration::from_millis(500);

/// All of them. Clones belong together.
#[derive(Clone)]
pub(crate) struct Listeners(Arc<Inner>);

struct Inner {
    runtime: Handle,
    all: Vec<Door>,
}

/// One inbound's place to listen.
struct Door {
    name: String,
    lane: LaneId,
    /// What it was first bound to, with the port that it got.
    address: SocketAddr,
    options: ListenerOptions,
    intake: Arc<dyn Intake>,
    gate: Gate,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    listener: Option<Listener>,
    /// Whether it is to listen.
    wanted: bool,
    /// Somebody opens it or closes it at this moment.
    busy: bool,
}

/// How an inbound listens.
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) lane: LaneId,
    pub(crate) address: SocketAddr,
    pub(crate) options: ListenerOptions,
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) gate: Gate,
    /// An operator has stopped it.
    pub(crate) stopped: bool,
}

impl Listeners {
    /// Listens everywhere, or says where it cannot. An inbound that is stopped is tried as well: an
    /// address that cannot be had is found at the start.
    pub(crate) fn bind(
        runtime: Handle,
        specs: Vec<Spec>,
    ) -> Result<Listeners, (String, io::Error)> {
        let mut all = Vec::with_capacity(specs.len());
        for spec in specs {
            let Spec { name, lane, address, options, intake, gate, stopped } = spec;
            let bound = Listener::bind(address, options.clone(), Arc::clone(&intake), gate.clone());
            let listener = runtime.block_on(bound).map_err(|error| (name.clone(), error))?;
            let address = listener.address();
            let mut state = State { listener: Some(listener), wanted: !stopped, busy: false };
            if stopped && let Some(listener) = state.listener.take() {
                runtime.block_on(listener.stop());
            }
            if !stopped {
                notices::listening(&name, address);
            }
            let state = Mutex::new(state);
            all.push(Door { name, lane, address, options, intake, gate, state });
        }
        Ok(Listeners(Arc::new(Inner { runtime, all })))
    }

    /// Where an inbound listens, or would.
    pub(crate) fn address(&self, name: &str) -> Option<SocketAddr> {
        self.0.all.iter().find(|it| it.name == name).map(|it| it.address)
    }

    /// Reads the TLS files of an inbound again; `None`: there is no such inbound. One that does not
    /// listen reads them when it does.
    pub(crate) fn reload_tls(&self, name: &str) -> Option<Result<(), TlsError>> {
        let door = self.0.all.iter().find(|it| it.name == name)?;
        Some(door.lock().listener.as_ref().map_or(Ok(()), Listener::reload_tls))
    }

    /// Whether the listener of an inbound stands as it is wanted.
    pub(crate) fn is_settled(&self, lane: LaneId) -> bool {
        let door = self.0.all.iter().find(|it| it.lane == lane);
        door.is_none_or(|door| {
            let state = door.lock();
            !state.busy && state.listener.is_some() == state.wanted
        })
    }

    /// Opens or closes the listener of an inbound. Returns at once; no other waits for it.
    pub(crate) fn set(&self, lane: LaneId, open: bool) {
        let Some(at) = self.0.all.iter().position(|it| it.lane == lane) else { return };
        let mut state = self.0.all[at].lock();
        state.wanted = open;
        if !std::mem::replace(&mut state.busy, true) {
            let inner = Arc::clone(&self.0);
            self.0.runtime.spawn(async move { inner.all[at].settle().await });
        }
    }

    /// Closes all of them, each by itself, until a deadline.
    pub(crate) fn stop(&self, end: Instant) {
        let runtime = self.0.runtime.clone();
        (0..self.0.all.len()).for_each(|at| self.set(self.0.all[at].lane, false));
        runtime.block_on(async {
            let settled = async {
                while !self.0.all.iter().all(|it| self.is_settled(it.lane)) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let _ = tokio::time::timeout_at(end.into(), settled).await;
        });
    }
}

impl Door {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens and closes until it stands as it is wanted.
    async fn settle(&self) {
        let mut failed = false;
        loop {
            let (wanted, listener) = {
                let mut state = self.lock();
                if state.wanted == state.listener.is_some() {
                    state.busy = false;
                    return;
                }
                (state.wanted, state.listener.take())
            };
            if let Some(listener) = listener {
                listener.stop().await;
            }
            if wanted {
                let intake = Arc::clone(&self.intake);
                let options = self.options.clone();
                match Listener::bind(self.address, options, intake, self.gate.clone()).await {
                    Ok(listener) => {
                        notices::listening(&self.name, listener.address());
                        self.lock().listener = Some(listener);
                    }
                    // Another program has the port for now.
                    Err(error) => {
                        if !std::mem::replace(&mut failed, true) {
                            notices::not_listening(&self.name, self.address, &error);
                        }
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            }
        }
    }
}
