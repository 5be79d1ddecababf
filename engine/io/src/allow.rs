//! Networks that may connect.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network, such as `10.1.0.0/16`, `2001:db8::/32` or the single address `192.0.2.7`.
///
/// An IPv4 address that an IPv6 socket shows as `::ffff:192.0.2.7` is that IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// As IPv6; IPv4 networks lie in `::ffff:0:0/96`.
    address: u128,
    bits: u32,
    is_v4: bool,
}

/// Bits of IPv6 before those of an IPv4 address.
const MAPPED: u32 = 96;

impl Network {
    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        (mapped(address) ^ self.address) & mask(self.bits) == 0
    }
}

/// The bits of a network among those of an address.
const fn mask(bits: u32) -> u128 {
    match bits {
        0 => 0,
        bits => u128::MAX << (128 - bits),
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A text that is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// It is not an address, or not followed by a number of bits.
    Malformed,
    /// Bits of the address lie outside the network: `10.1.2.3/16` is either `10.1.0.0/16` or
    /// `10.1.2.3`.
    HostBits,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NetworkError::Malformed => "not a network such as 10.1.0.0/16",
            NetworkError::HostBits => "the address has bits outside the network",
        })
    }
}

impl std::error::Error for NetworkError {}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Malformed)?;
        let (before, longest) = if address.is_ipv4() { (MAPPED, 32) } else { (0, 128) };
        let bits = match bits {
            // A sign is no digit.
            Some(bits) if bits.bytes().all(|it| it.is_ascii_digit()) => bits.parse::<u32>().ok(),
            Some(_) => None,
            None => Some(longest),
        };
        let bits = bits.filter(|it| *it <= longest).ok_or(NetworkError::Malformed)? + before;
        let (is_v4, address) = (address.is_ipv4(), mapped(address));
        if address & !mask(bits) != 0 {
            return Err(NetworkError::HostBits);
        }
        Ok(Network { address, bits, is_v4 })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.address);
        match address.to_ipv4_mapped().filter(|_| self.is_v4) {
            Some(address) => write!(f, "{address}/{}", self.bits - MAPPED),
            None => write!(f, "{address}/{}", self.bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_lies_in_its_networks() {
        for (network, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"),
            ("10.1.0.0/16", "::ffff:10.1.2.3", "::ffff:10.2.2.3"),
            ("10.1.0.0/16", "10.1.2.3", "::10.1.2.3"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("::ffff:10.1.0.0/112", "10.1.2.3", "10.2.0.0"),
            ("fe80::/10", "febf::1", "fec0::"),
        ] {
            assert!(contains(network, inside), "{inside} in {network}");
            assert!(!contains(network, outside), "{outside} not in {network}");
        }
        assert!(contains("0.0.0.0/0", "203.0.113.9") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("::/0", "2001:db8::1") && contains("::/0", "203.0.113.9"));
    }

    #[test]
    fn what_is_not_a_network_is_refused() {
        for text in
            ["", "10.1", "10.1.0.0/", "10.1.0.0/33", "::/129", "10.1.0.0/+8", "a/8", "::/-1"]
        {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Malformed), "{text}");
        }
        for text in ["10.1.2.3/16", "2001:db8::1/32", "0.0.0.1/0"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::HostBits), "{text}");
        }
    }

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for text in ["10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32", "::/0"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
    }
}
