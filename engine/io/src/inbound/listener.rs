//! The listening socket: accepts, refuses what is too much, and stops.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::acknowledge::ControlIds;
use super::connection::Connection;
use super::options::ListenerOptions;
use super::{Gate, Intake, TurnedAway};
use crate::certificates::Certificates;
use crate::socket;
use crate::tls::{Accepting, ListenerTls, TlsError};
use crate::transport::Transport;

/// How long the listener rests when the process has no descriptor left: the one that waits would be
/// refused again at once, and the loop would spin.
const PAUSE: Duration = Duration::from_millis(200);

/// What all connections of a listener share.
pub(super) struct Shared {
    pub(super) options: ListenerOptions,
    pub(super) intake: Arc<dyn Intake>,
    pub(super) ids: ControlIds,
    pub(super) gate: Gate,
    pub(super) stop: watch::Sender<bool>,
    /// For connections from now on.
    tls: RwLock<Option<Accepting>>,
    open: AtomicUsize,
}

/// A listening socket, and the connections that it has accepted.
pub struct Listener {
    address: SocketAddr,
    socket: Arc<TcpListener>,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Listens. Belongs to the runtime that this is called in.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the address cannot be bound, or the files of TLS cannot be used.
    pub async fn bind(
        address: SocketAddr,
        options: ListenerOptions,
        intake: Arc<dyn Intake>,
        gate: Gate,
    ) -> io::Result<Listener> {
        let tls = configured(&options)?;
        Listener::accepting(TcpListener::bind(address).await?, tls, options, intake, gate)
    }

    /// Listens with a socket that another listener has [left](Listener::socket): who has connected in
    /// between is accepted.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the socket or the files of TLS cannot be used.
    pub fn adopt(
        socket: std::net::TcpListener,
        options: ListenerOptions,
        intake: Arc<dyn Intake>,
        gate: Gate,
    ) -> io::Result<Listener> {
        let tls = configured(&options)?;
        Listener::accepting(TcpListener::from_std(socket)?, tls, options, intake, gate)
    }

    fn accepting(
        socket: TcpListener,
        tls: Option<Accepting>,
        options: ListenerOptions,
        intake: Arc<dyn Intake>,
        gate: Gate,
    ) -> io::Result<Listener> {
        let (address, socket) = (socket.local_addr()?, Arc::new(socket));
        let shared = Arc::new(Shared::new(options, intake, gate, tls));
        let accepting = tokio::spawn(accept(Arc::clone(&socket), Arc::clone(&shared)));
        Ok(Listener { address, socket, shared, accepting })
    }

    /// The socket once more. While it is open the address stays taken, and who connects after
    /// [`stop`](Listener::stop) waits for the listener that [adopts](Listener::adopt) it.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: there is no descriptor left.
    pub fn socket(&self) -> io::Result<std::net::TcpListener> {
        Ok(self.socket.as_fd().try_clone_to_owned()?.into())
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Reads the files of TLS again, for connections from now on. Those that are open go on.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: a file cannot be used, and nothing has changed.
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        let tls = self.shared.options.tls.as_ref().map(ListenerTls::load).transpose()?;
        *self.shared.tls.write().unwrap_or_else(PoisonError::into_inner) = tls;
        Ok(())
    }

    /// Until when what it shows is valid.
    pub fn certificates(&self) -> Certificates {
        let tls = self.shared.tls.read().unwrap_or_else(PoisonError::into_inner);
        Certificates { own: tls.as_ref().and_then(|it| it.valid_until), partner: None }
    }

    /// Stops: accepts nothing new, lets every connection answer what it has received, and closes
    /// them. Returns when they have ended, or after the time for it.
    ///
    /// Answers have to come meanwhile: keep giving them until this returns.
    pub async fn stop(mut self) {
        self.shared.stop.send_replace(true);
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        // Its task has let go of it before: this closes it.
        drop(self.socket);
        let ended = async {
            while self.shared.open.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // What has not ended by then is closed with its runtime; nothing of it is acknowledged.
        let _ = tokio::time::timeout(self.shared.options.stop, ended).await;
    }
}

/// TLS as the options want it.
fn configured(options: &ListenerOptions) -> io::Result<Option<Accepting>> {
    let tls = options.tls.as_ref().map(ListenerTls::load).transpose();
    tls.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

async fn accept(socket: Arc<TcpListener>, shared: Arc<Shared>) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => start(stream, peer, &shared),
            // The peer has left already.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                shared.intake.not_accepted(shared.options.number, &error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether an error of `accept` belongs to the connection that would have been accepted: Linux passes on
/// what the network says of it.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkDown,
        NetworkUnreachable, PermissionDenied, TimedOut,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | PermissionDenied
            | TimedOut
    )
}

/// Starts a connection. A peer that is turned away sees it close.
fn start(stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>) {
    let allow = &shared.options.allow;
    if !allow.is_empty() && !allow.iter().any(|it| it.contains(peer.ip())) {
        return shared.turn_away(peer, &TurnedAway::NotAllowed);
    }
    let Some(place) = Place::take(shared) else {
        return shared.turn_away(peer, &TurnedAway::TooMany);
    };
    socket::prepare(&stream, shared.options.keep_alive);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if let Some(transport) = shared.shake_hands(stream, peer).await {
            // In a box: a task holds what its function was given beside what it does with it.
            Box::new(Connection::new(transport, peer, shared)).run().await;
        }
        drop(place);
    });
}

impl Shared {
    pub(super) fn new(
        options: ListenerOptions,
        intake: Arc<dyn Intake>,
        gate: Gate,
        tls: Option<Accepting>,
    ) -> Shared {
        Shared {
            options,
            intake,
            ids: ControlIds::new(),
            gate,
            stop: watch::Sender::new(false),
            tls: RwLock::new(tls),
            open: AtomicUsize::new(0),
        }
    }

    fn turn_away(&self, peer: SocketAddr, why: &TurnedAway) {
        self.intake.turned_away(self.options.number, peer, why);
    }

    /// The handshake of TLS, if the listener speaks it. It delays no other connection, and has its time.
    async fn shake_hands(&self, stream: TcpStream, peer: SocketAddr) -> Option<Transport> {
        let tls = self.tls.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(tls) = tls else { return Some(Transport::plain(stream)) };
        let mut stop = self.stop.subscribe();
        // In a box: most of a connection's life is after it.
        let accepting = Box::pin(Transport::accept(stream, tls.config));
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(self.options.connect, accepting) => shaken,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        let why = match shaken {
            Ok(Ok(transport)) => return Some(transport),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        self.turn_away(peer, &TurnedAway::Handshake(why));
        None
    }
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
