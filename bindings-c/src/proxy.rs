//! The header of the PROXY protocol.

use core::net::{IpAddr, SocketAddr};

use mllp_link::{ProxyHeader, ProxyOrigin};

use crate::slice::{bytes, place};
use crate::status::{MLLP_OK, MLLP_PARTIAL, mllp_status_t, status};

/// On whose behalf a proxy has connected: `MLLP_PROXY_*`.
pub type mllp_proxy_origin_t = u32;

/// On its own, as a load balancer does to probe a server. The peer is the one of the socket.
pub const MLLP_PROXY_LOCAL: mllp_proxy_origin_t = 0;
/// On behalf of a client whose address it does not name. The address of the socket is the proxy's.
pub const MLLP_PROXY_UNNAMED: mllp_proxy_origin_t = 1;
/// On behalf of a client whose address it names.
pub const MLLP_PROXY_CLIENT: mllp_proxy_origin_t = 2;

/// An address and a port that a proxy names.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_proxy_address_t {
    /// 4 for IPv4, 6 for IPv6, 0 for none.
    pub ip_version: u8,
    /// The address in network byte order. An IPv4 address takes the first four bytes.
    pub ip: [u8; 16],
    /// The port, in the byte order of this machine.
    pub port: u16,
}

/// A header of the PROXY protocol, version 1 or 2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_proxy_header_t {
    /// How many bytes the header takes. The bytes of the client follow.
    pub len: usize,
    /// On whose behalf the proxy has connected.
    pub origin: mllp_proxy_origin_t,
    /// The client's address, with `MLLP_PROXY_CLIENT`.
    pub source: mllp_proxy_address_t,
    /// The address that the client connected to, with `MLLP_PROXY_CLIENT`.
    pub destination: mllp_proxy_address_t,
}

impl mllp_proxy_address_t {
    const NONE: mllp_proxy_address_t = mllp_proxy_address_t { ip_version: 0, ip: [0; 16], port: 0 };

    fn of(address: SocketAddr) -> mllp_proxy_address_t {
        let (ip_version, ip) = match address.ip() {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                (4, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
            IpAddr::V6(v6) => (6, v6.octets()),
        };
        mllp_proxy_address_t { ip_version, ip, port: address.port() }
    }
}

impl mllp_proxy_header_t {
    fn of(header: ProxyHeader) -> mllp_proxy_header_t {
        const NONE: mllp_proxy_address_t = mllp_proxy_address_t::NONE;
        let (origin, source, destination) = match header.origin {
            ProxyOrigin::Local => (MLLP_PROXY_LOCAL, NONE, NONE),
            ProxyOrigin::Unnamed => (MLLP_PROXY_UNNAMED, NONE, NONE),
            ProxyOrigin::Client { source, destination } => (
                MLLP_PROXY_CLIENT,
                mllp_proxy_address_t::of(source),
                mllp_proxy_address_t::of(destination),
            ),
        };
        mllp_proxy_header_t { len: header.len, origin, source, destination }
    }
}

/// Reads the header of the PROXY protocol from the first bytes of a connection: all that have come so
/// far. Expect one only from proxies: a peer that connects directly can write any address into it.
///
/// `MLLP_OK`: `out` is the header, and what follows its `len` bytes comes from the client.
/// `MLLP_PARTIAL`: more bytes are needed, 107 in all for version 1 and 65,551 for version 2 at most;
/// `out` is not written. `MLLP_ERR_NO_PROXY_HEADER`, `MLLP_ERR_BAD_PROXY_HEADER`: close the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_proxy_header_parse(
    first_bytes: *const u8,
    first_bytes_len: usize,
    out: *mut mllp_proxy_header_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (first, out) = unsafe { (bytes(first_bytes, first_bytes_len)?, place(out)?) };
        let Some(header) = ProxyHeader::parse(first)? else { return Ok(MLLP_PARTIAL) };
        out.write(mllp_proxy_header_t::of(header));
        Ok(MLLP_OK)
    })
}
