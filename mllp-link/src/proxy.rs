//! The header of the PROXY protocol, by which a proxy or load balancer names its client.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use heapless::Vec;

/// The header of the PROXY protocol, version 1 or 2, at the beginning of a connection.
///
/// A proxy sends it before the first byte of its client. Expect it only from proxies: whoever may
/// connect directly can write any address into it. The specification is HAProxy's
/// `proxy-protocol.txt`.
///
/// ```
/// use mllp_link::{ProxyHeader, ProxyOrigin};
///
/// let first_bytes = b"PROXY TCP4 192.0.2.7 198.51.100.1 50412 2575\r\n\x0bMSH|";
/// let header = ProxyHeader::parse(first_bytes)?.expect("the line is complete");
/// let ProxyOrigin::Client { source, .. } = header.origin else { panic!("a client is named") };
/// assert_eq!(source.to_string(), "192.0.2.7:50412");
/// assert_eq!(&first_bytes[header.len..], b"\x0bMSH|");
/// # Ok::<(), mllp_link::ProxyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProxyHeader {
    /// How many bytes the header takes. The bytes of the client follow.
    pub len: usize,
    /// On whose behalf the proxy has connected.
    pub origin: ProxyOrigin,
}

/// On whose behalf a proxy has connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyOrigin {
    /// On its own, as a load balancer does to probe a server: the command LOCAL of version 2. The
    /// peer is the one of the socket.
    Local,
    /// On behalf of a client whose address it does not name: UNKNOWN in version 1; in version 2 a
    /// family other than IPv4 and IPv6, or a protocol other than TCP. The only address known is the
    /// one of the socket, which is the proxy's.
    Unnamed,
    /// On behalf of this client.
    Client {
        /// The client's address.
        source: SocketAddr,
        /// The address that the client connected to.
        destination: SocketAddr,
    },
}

/// Why the first bytes of a connection are not a header of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyError {
    /// They begin with neither `PROXY ` nor the signature of version 2.
    NoHeader,
    /// They begin like a header, but what follows breaks the specification.
    BadHeader,
}

impl ProxyError {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            ProxyError::NoHeader => "no_proxy_header",
            ProxyError::BadHeader => "bad_proxy_header",
        }
    }
}

// The bytes may be the beginning of a message, so they are not shown.
impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProxyError::NoHeader => "the connection does not begin with a PROXY protocol header",
            ProxyError::BadHeader => "the PROXY protocol header breaks its specification",
        })
    }
}

impl core::error::Error for ProxyError {}

const V1: &[u8] = b"PROXY ";
/// The longest line of version 1, its CR LF included.
const V1_MAX_LEN: usize = 107;
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family and protocol, length.
const V2_LEN: usize = 16;

impl ProxyHeader {
    /// Reads the header from the first bytes of a connection: all that have come so far.
    ///
    /// `None`: more bytes are needed. A header or an error does not depend on what follows, and is
    /// given as soon as it is certain, except that a line of version 1 is judged when it ends. A
    /// line is 107 bytes at most, a header of version 2 is 65,551: its extensions (TLV) are skipped,
    /// a checksum among them is not verified.
    ///
    /// Takes time in proportion to the header, at most.
    pub fn parse(first_bytes: &[u8]) -> Result<Option<ProxyHeader>, ProxyError> {
        if begins_like(first_bytes, V1) {
            let longest = first_bytes.get(..V1_MAX_LEN).unwrap_or(first_bytes);
            return match longest.windows(2).position(|pair| pair == b"\r\n") {
                Some(end) => {
                    let line = longest.get(V1.len()..end).unwrap_or_default();
                    let origin = read_line(line).ok_or(ProxyError::BadHeader)?;
                    Ok(Some(ProxyHeader { len: end.saturating_add(2), origin }))
                }
                None if longest.len() == V1_MAX_LEN => Err(ProxyError::BadHeader),
                None => Ok(None),
            };
        }
        if begins_like(first_bytes, V2) {
            return read_v2(first_bytes).ok_or(ProxyError::BadHeader);
        }
        Err(ProxyError::NoHeader)
    }
}

/// Whether the bytes and the signature agree as far as both go.
fn begins_like(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

/// A line of version 1, without `PROXY ` and CR LF. `None` where it breaks the specification.
fn read_line(line: &[u8]) -> Option<ProxyOrigin> {
    // Whatever follows UNKNOWN is ignored, even if it is not text.
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Some(ProxyOrigin::Unnamed);
    }
    let mut words = line.split(|byte| *byte == b' ');
    let family = words.next()?;
    let (source, destination) = (words.next()?, words.next()?);
    let (source, destination) = match family {
        b"TCP4" => (IpAddr::from(ipv4(source)?), IpAddr::from(ipv4(destination)?)),
        b"TCP6" => (IpAddr::from(ipv6(source)?), IpAddr::from(ipv6(destination)?)),
        _ => return None,
    };
    let (source_port, destination_port) = (decimal(words.next()?)?, decimal(words.next()?)?);
    words.next().is_none().then_some(ProxyOrigin::Client {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

// The parsers of `core::net` take the same texts, but reach a panic.

/// Digits only, and no leading zero.
fn decimal<T: TryFrom<u32>>(digits: &[u8]) -> Option<T> {
    let leading_zero = digits.len() > 1 && digits.first() == Some(&b'0');
    if leading_zero { None } else { number(digits, 10, 5) }
}

/// A number of one to `max_len` digits.
fn number<T: TryFrom<u32>>(digits: &[u8], radix: u32, max_len: usize) -> Option<T> {
    if digits.is_empty() || digits.len() > max_len {
        return None;
    }
    let mut value = 0u32;
    for digit in digits {
        let digit = char::from(*digit).to_digit(radix)?;
        value = value.wrapping_mul(radix).wrapping_add(digit);
    }
    T::try_from(value).ok()
}

fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    let mut parts = text.split(|byte| *byte == b'.');
    let mut octets = [0; 4];
    for octet in &mut octets {
        *octet = decimal(parts.next()?)?;
    }
    parts.next().is_none().then_some(octets)
}

/// Eight groups of hexadecimal digits, or fewer around one `::`.
fn ipv6(text: &[u8]) -> Option<[u16; 8]> {
    let Some(at) = text.windows(2).position(|pair| pair == b"::") else {
        return groups(text)?.into_array().ok();
    };
    let head = groups(text.get(..at)?)?;
    let tail = groups(text.get(at.saturating_add(2)..)?)?;
    if head.len().saturating_add(tail.len()) > 7 {
        return None;
    }
    let mut all = [0; 8];
    for (place, group) in all.iter_mut().zip(&head) {
        *place = *group;
    }
    for (place, group) in all.iter_mut().rev().zip(tail.iter().rev()) {
        *place = *group;
    }
    Some(all)
}

/// The groups on one side of `::`. The last two may be written as an IPv4 address, as proxies write
/// `::ffff:192.0.2.7`.
fn groups(text: &[u8]) -> Option<Vec<u16, 8>> {
    let mut groups = Vec::new();
    let mut parts = text.split(|byte| *byte == b':').filter(|_| !text.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() && part.contains(&b'.') {
            let [a, b, c, d] = ipv4(part)?;
            groups.push(u16::from_be_bytes([a, b])).ok()?;
            groups.push(u16::from_be_bytes([c, d])).ok()?;
        } else {
            groups.push(number(part, 16, 4)?).ok()?;
        }
    }
    Some(groups)
}

/// A header of version 2 whose signature has come as far as the bytes go. The outer `None`: it
/// breaks the specification. The inner `None`: more bytes are needed.
fn read_v2(bytes: &[u8]) -> Option<Option<ProxyHeader>> {
    let (Some(&version_command), family_protocol) = (bytes.get(12), bytes.get(13)) else {
        return Some(None);
    };
    let local = match version_command {
        0x20 => true,
        0x21 => false,
        _ => return None,
    };
    let Some(&family_protocol) = family_protocol else { return Some(None) };
    // LOCAL ignores the family, so that no value of it is wrong.
    let (family, protocol) = (family_protocol >> 4, family_protocol & 0x0F);
    if !local && (family > 3 || protocol > 2) {
        return None;
    }
    let Some((&[high, low], rest)) = bytes.get(14..).and_then(<[u8]>::split_first_chunk) else {
        return Some(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    let addresses_len = [0, 12, 36, 216].get(usize::from(family)).copied().unwrap_or(0);
    if !local && len < addresses_len {
        return None;
    }
    let Some(body) = rest.get(..len) else { return Some(None) };
    let origin = if local { ProxyOrigin::Local } else { read_addresses(family_protocol, body)? };
    Some(Some(ProxyHeader { len: V2_LEN.saturating_add(len), origin }))
}

/// The addresses of version 2: both hosts, then both ports, in network byte order.
fn read_addresses(family_protocol: u8, body: &[u8]) -> Option<ProxyOrigin> {
    let (source, destination, ports) = match family_protocol {
        0x11 => {
            let (source, rest) = body.split_first_chunk::<4>()?;
            let (destination, ports) = rest.split_first_chunk::<4>()?;
            (IpAddr::from(*source), IpAddr::from(*destination), ports)
        }
        0x21 => {
            let (source, rest) = body.split_first_chunk::<16>()?;
            let (destination, ports) = rest.split_first_chunk::<16>()?;
            (IpAddr::from(*source), IpAddr::from(*destination), ports)
        }
        _ => return Some(ProxyOrigin::Unnamed),
    };
    let (source_port, rest) = ports.split_first_chunk()?;
    let destination_port = rest.first_chunk()?;
    Some(ProxyOrigin::Client {
        source: SocketAddr::new(source, u16::from_be_bytes(*source_port)),
        destination: SocketAddr::new(destination, u16::from_be_bytes(*destination_port)),
    })
}
