//! All memory of the gateway beside the stack: one variable, whose size the tests read from the image.

use smoltcp::iface::{Interface, SocketStorage};

use crate::connection::Link;

/// How many connections there can be at once.
pub const CONNECTIONS: usize = 2;

/// The longest Ethernet frame in bytes, without its check sequence: that of an IP packet of 576
/// bytes, which every host takes (RFC 1122, 3.3.3), up to a whole word. Peers learn what they may
/// send from the TCP handshake.
pub const FRAME: usize = (14 + 576usize).next_multiple_of(4);

/// What one connection needs.
pub struct ConnectionMemory {
    /// The bytes that TCP has received and the protocol has not taken.
    pub received: [u8; 804],
    /// The bytes that TCP has not sent or whose receipt is open.
    pub sent: [u8; 256],
    /// The state of the protocol and its answers, while there is a peer.
    pub link: Option<Link>,
}

/// Everything.
pub struct Memory {
    pub connections: [ConnectionMemory; CONNECTIONS],
    pub sockets: [SocketStorage<'static>; CONNECTIONS],
    pub interface: Option<Interface>,
    /// The frame that came last, and the one that goes next.
    pub frames: [[u8; FRAME]; 2],
}

impl Memory {
    pub const NEW: Memory = Memory {
        connections: [const { ConnectionMemory { received: [0; 804], sent: [0; 256], link: None } };
            CONNECTIONS],
        sockets: [SocketStorage::EMPTY; CONNECTIONS],
        interface: None,
        frames: [[0; FRAME]; 2],
    };
}
