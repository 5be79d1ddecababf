//! What is set on every socket.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Probes that may go without an answer before the peer counts as gone.
const PROBES: u32 = 4;

/// Small frames leave at once, and a peer that is gone is found in time.
pub(crate) fn prepare(stream: &TcpStream, keep_alive: Option<Duration>) {
    // A socket that refuses these still carries messages.
    let _ = stream.set_nodelay(true);
    if let Some(time) = keep_alive {
        let probes = TcpKeepalive::new().with_time(time);
        let probes = probes.with_interval(time / PROBES).with_retries(PROBES);
        let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
    }
}
