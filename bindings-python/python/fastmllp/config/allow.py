"""Which peers may connect, by their address."""

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["AllowList"]

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
# ::ffff:0:0/96, under which a socket for both kinds shows its IPv4 peers (RFC 4291, 2.5.5.2).
_MAPPED_PREFIX = 96


class AllowList:
    """Networks whose peers may connect."""

    def __init__(self, networks: Iterable[str] | None = None) -> None:
        """Read networks such as ``10.1.0.0/16`` and addresses such as ``::1``.

        Args:
            networks: If not given, any peer may connect.

        Raises:
            ValueError: One of them is not a network, or has bits set after its prefix; or there is
                none, for a list that has become empty by mistake must not admit every peer.
            TypeError: A single text instead of several.
        """
        if isinstance(networks, str | bytes):
            raise TypeError("allow must be a list of networks, not one text")
        # By version and length of the prefix, so that a look-up takes one step for each length and
        # not one for each network: a list of a country has tens of thousands.
        self._networks: dict[tuple[int, int], set[int]] = {}
        self._admits_all = networks is None
        for text in networks or ():
            network = _network(text)
            free = network.max_prefixlen - network.prefixlen
            prefixes = self._networks.setdefault((network.version, free), set())
            prefixes.add(int(network.network_address) >> free)
        if not (self._networks or self._admits_all):
            raise ValueError("allow is empty: name the networks, or leave it out to admit any peer")

    def allows(self, host: str) -> bool:
        """Whether the peer with that address, as the socket tells it, may connect."""
        if self._admits_all:
            return True
        try:
            address: _Address = ipaddress.ip_address(host)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        number = int(address)
        return any(
            version == address.version and number >> free in prefixes
            for (version, free), prefixes in self._networks.items()
        )


def _network(text: str) -> _Network:
    if not isinstance(text, str):
        raise TypeError(f"allow must hold texts, not {type(text).__name__}")
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"allow: {error}") from error
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED_PREFIX:
        return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED_PREFIX))
    return network
