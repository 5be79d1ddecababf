//! What is set on every socket.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Probes that may go without an answer before the peer counts as gone.
const PROBES: u32 = 4;
/// The socket counts in seconds, and takes none of 0.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest silence that Linux takes.
const LONGEST: Duration = Duration::from_secs(32_767);

/// Whether a socket takes this silence before the probes.
pub(crate) fn takes(keep_alive: Option<Duration>) -> bool {
    keep_alive.is_none_or(|it| (SHORTEST..=LONGEST).contains(&it))
}

/// Small frames leave at once, and a peer that is gone is found in time.
pub(crate) fn prepare(stream: &TcpStream, keep_alive: Option<Duration>) {
    // A socket that refuses these still carries messages.
    let _ = stream.set_nodelay(true);
    if let Some(time) = keep_alive {
        let probes = TcpKeepalive::new().with_time(time);
        let probes = probes.with_interval((time / PROBES).max(SHORTEST)).with_retries(PROBES);
        let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whatever_the_time_a_peer_that_is_gone_is_found() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seconds = [1, 2, 3, 4, 60, 32_767].map(Duration::from_secs);
        for time in seconds {
            assert!(takes(Some(time)));
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            prepare(&stream, Some(time));
            let socket = SockRef::from(&stream);
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), time);
            let interval = socket.tcp_keepalive_interval().unwrap();
            assert!(interval <= time && interval >= SHORTEST, "{time:?}: {interval:?}");
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), PROBES);
        }
        for time in [Duration::ZERO, LONGEST + SHORTEST, Duration::from_millis(999)] {
            assert!(!takes(Some(time)));
        }
        assert!(takes(None));
    }
}
