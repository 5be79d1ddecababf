//! The listening sockets of an engine, each of which is closed and opened by itself.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mllp_io::{Certificates, Gate, Intake, Listener, ListenerOptions, TlsError};
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

/// The socket of an inbound, which the next engine of a reload goes on with.
pub(crate) struct Kept {
    name: String,
    address: SocketAddr,
    socket: TcpListener,
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
    /// Why it could not be opened when that was tried last.
    trouble: Option<io::ErrorKind>,
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
    /// address that cannot be had is found at the start. Sockets that are kept and not wanted are
    /// closed first, so that their addresses are free.
    pub(crate) fn bind(
        runtime: Handle,
        specs: Vec<Spec>,
        kept: Vec<Kept>,
    ) -> Result<Listeners, (String, io::Error)> {
        let (mut sockets, mut all) = (sockets(&specs, kept), Vec::with_capacity(specs.len()));
        for spec in specs {
            let Spec { name, lane, address, options, intake, gate, stopped } = spec;
            let (intake_too, gate_too) = (Arc::clone(&intake), gate.clone());
            let listener = match sockets.remove(&lane) {
                Some(socket) => {
                    let _inside = runtime.enter();
                    Listener::adopt(socket, options.clone(), intake_too, gate_too)
                }
                None => {
                    let bound = Listener::bind(address, options.clone(), intake_too, gate_too);
                    runtime.block_on(bound)
                }
            };
            let listener = listener.map_err(|error| (name.clone(), error))?;
            let address = listener.address();
            let mut state =
                State { listener: Some(listener), wanted: !stopped, busy: false, trouble: None };
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

    /// The sockets that are open now, once more: who connects after [`stop`](Listeners::stop) waits
    /// until another engine goes on with them.
    pub(crate) fn sockets(&self) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::with_capacity(self.0.all.len());
        for door in &self.0.all {
            if let Some(listener) = &door.lock().listener {
                let (name, socket) = (door.name.clone(), listener.socket()?);
                kept.push(Kept { name, address: door.address, socket });
            }
        }
        Ok(kept)
    }

    /// Where an inbound listens, or would.
    pub(crate) fn address(&self, name: &str) -> Option<SocketAddr> {
        self.0.all.iter().find(|it| it.name == name).map(|it| it.address)
    }

    /// Why an inbound does not listen though it should.
    pub(crate) fn trouble(&self, name: &str) -> Option<String> {
        let door = self.0.all.iter().find(|it| it.name == name)?;
        let state = door.lock();
        let kind = state.trouble.filter(|_| state.wanted && state.listener.is_none())?;
        Some(format!("cannot listen at {}: {kind}", door.address))
    }

    /// Reads the TLS files of an inbound again; `None`: there is no such inbound. One that does not
    /// listen reads them when it does.
    pub(crate) fn reload_tls(&self, name: &str) -> Option<Result<(), TlsError>> {
        let door = self.0.all.iter().find(|it| it.name == name)?;
        Some(door.lock().listener.as_ref().map_or(Ok(()), Listener::reload_tls))
    }

    /// Until when the certificates are valid of those that listen.
    pub(crate) fn certificates(&self) -> Vec<(String, Certificates)> {
        let told =
            |door: &Door| Some((door.name.clone(), door.lock().listener.as_ref()?.certificates()));
        self.0.all.iter().filter_map(told).collect()
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

impl Kept {
    /// It once more.
    pub(crate) fn again(&self) -> io::Result<Kept> {
        let (name, socket) = (self.name.clone(), self.socket.try_clone()?);
        Ok(Kept { name, address: self.address, socket })
    }

    /// Whether an inbound goes on with it: it is to listen there, or at a port that is not chosen, and had
    /// this one.
    fn is_for(&self, spec: &Spec) -> bool {
        let is_same_host = (spec.address.ip(), &spec.name) == (self.address.ip(), &self.name);
        spec.address == self.address || (spec.address.port() == 0 && is_same_host)
    }
}

/// The sockets that go on, by the lanes of their inbounds. The others are closed.
fn sockets(specs: &[Spec], kept: Vec<Kept>) -> BTreeMap<LaneId, TcpListener> {
    let of = |kept: Kept| {
        let spec = specs.iter().find(|spec| kept.is_for(spec))?;
        Some((spec.lane, kept.socket))
    };
    kept.into_iter().filter_map(of).collect()
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
                        let mut state = self.lock();
                        (state.listener, state.trouble) = (Some(listener), None);
                    }
                    // Another program has the port for now.
                    Err(error) => {
                        self.lock().trouble = Some(error.kind());
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
