//! The listening socket: accepts, refuses what is too much, and stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mllp_core::{Config, Profile};
use mllp_link::{OverLimit, ResponderConfig, Times};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::acknowledge::ControlIds;
use super::connection::Connection;
use super::identity::Recognise;
use super::{Gate, Intake};

/// How long the listener rests when the process has no descriptor left: the one that waits would be
/// refused again at once, and the loop would spin.
const PAUSE: Duration = Duration::from_millis(200);

/// How a listener receives.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// Given to every message, so that one intake can serve many listeners.
    pub number: u32,
    /// The framing. `resync` never fuses two messages of a sender that died in the middle of one.
    pub profile: Profile,
    /// The longest payload in bytes; a longer one is refused with AR. Payloads above 64 KiB never lie
    /// in memory whole, so this bounds what a message takes of the disk. [`Times::frame`] is for a
    /// whole message: a slow line needs more of it for a long one.
    pub max_message: usize,
    /// By what a message is recognised when it comes again.
    pub recognise: Recognise,
    /// Connections at a time; further ones are closed at once.
    pub max_connections: usize,
    /// How long a peer may take. Without a byte between two messages it may take for ever: feeds are
    /// quiet at night, and TCP's own probes find a peer that is gone.
    pub times: Times,
    /// How long connections may take to end once the listener is told to stop.
    pub stop: Duration,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        ListenerOptions {
            number: 0,
            profile: Profile::Resync,
            max_message: 128 * 1024 * 1024,
            recognise: Recognise::Bytes,
            max_connections: 10_000,
            times: Times { idle: 0, ..Times::DEFAULT },
            stop: Duration::from_secs(10),
        }
    }
}

impl ListenerOptions {
    pub(super) fn responder(&self) -> ResponderConfig {
        ResponderConfig {
            decoder: Config {
                profile: self.profile,
                max_payload_len: self.max_message,
                ..Config::DEFAULT
            },
            over_limit: OverLimit::Refuse,
            times: self.times,
            ..ResponderConfig::DEFAULT
        }
    }
}

/// What all connections of a listener share.
pub(super) struct Shared {
    pub(super) options: ListenerOptions,
    pub(super) intake: Arc<dyn Intake>,
    pub(super) ids: ControlIds,
    pub(super) gate: Gate,
    pub(super) stop: watch::Sender<bool>,
    open: AtomicUsize,
}

/// A listening socket, and the connections that it has accepted.
pub struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Listens. Belongs to the runtime that this is called in.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the address cannot be bound.
    pub async fn bind(
        address: SocketAddr,
        options: ListenerOptions,
        intake: Arc<dyn Intake>,
        gate: Gate,
    ) -> io::Result<Listener> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared {
            options,
            intake,
            ids: ControlIds::new(),
            gate,
            stop: watch::Sender::new(false),
            open: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(socket, Arc::clone(&shared)));
        Ok(Listener { address, shared, accepting })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Stops: accepts nothing new, lets every connection answer what it has received, and closes
    /// them. Returns when they have ended, or after the time for it.
    ///
    /// Answers have to come meanwhile: keep giving them until this returns.
    pub async fn stop(self) {
        self.shared.stop.send_replace(true);
        self.accepting.abort();
        let ended = async {
            while self.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // What has not ended by then is closed with its runtime; nothing of it is acknowledged.
        let _ = tokio::time::timeout(self.shared.options.stop, ended).await;
    }
}

async fn accept(socket: TcpListener, shared: Arc<Shared>) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => start(stream, &shared),
            // Out of descriptors, or the peer has left already.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn start(stream: TcpStream, shared: &Arc<Shared>) {
    let place = Place::take(shared);
    // A peer that is refused sees its connection close, and comes again.
    let Some(place) = place else { return };
    // In a box: a task holds what its function was given beside what the function does with it.
    let connection = Box::new(Connection::new(stream, Arc::clone(shared)));
    tokio::spawn(async move {
        connection.run().await;
        drop(place);
    });
}

/// One of the connections that there may be.
struct Place(Arc<Shared>);

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Place> {
        let place = Place(Arc::clone(shared));
        let before = shared.open.fetch_add(1, Ordering::Relaxed);
        (before < shared.options.max_connections).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
