"""The header of the PROXY protocol, by which a proxy introduces the sender behind it."""

import logging
from typing import NamedTuple

from fastmllp._native import ProxyError, ProxyHeader, parse_proxy_header
from fastmllp.serving.sockets.accepting import Accepted
from fastmllp.serving.sockets.addresses import peer_of, place
from fastmllp.serving.sockets.gate import Gate

__all__ = ["HTTP_PROBES", "Introduction", "Origin"]

# As much as can be read without reading beyond any header: the shortest ones, ``PROXY UNKNOWN`` and
# one of version 2 without an address, have 15 and 16 bytes.
_FIRST_LEN = 12
_V1 = b"PROXY "
_V2_LEN = 16
HTTP_PROBES = (b"GET ", b"HEAD ", b"OPTIONS ")
"""How the health checks of load balancers begin that ask over HTTP."""


class Origin(NamedTuple):
    """Where a connection comes from."""

    peer: str
    """The sender."""
    proxy: str = ""
    """The proxy that has named the sender; empty if none has."""


class Introduction:
    """Takes the header that a connection has to begin with, and asks the gate about the sender.

    Nothing here waits. The caller reads `wanted` bytes at most, so that everything after the
    header is still in the socket when it is done.

    Attributes:
        origin: Where the connection comes from, once its header is read and it may be served.
        is_done: There is an origin, or the connection must be closed and the reason is recorded.
    """

    def __init__(self, accepted: Accepted, gate: Gate) -> None:
        self.origin: Origin | None = None
        self.is_done = False
        self._accepted = accepted
        self._gate = gate
        self._data = b""

    @property
    def wanted(self) -> int:
        """How many bytes may be read now."""
        data = self._data
        if len(data) < _FIRST_LEN:
            return _FIRST_LEN - len(data)
        if data.startswith(_V1):
            return 1 if data.endswith(b"\r") else 2
        if len(data) < _V2_LEN:
            return _V2_LEN - len(data)
        return _V2_LEN + int.from_bytes(data[14:_V2_LEN], "big") - len(data)

    def receive(self, data: bytes) -> None:
        """Take bytes; none means that the connection has ended."""
        if not data:
            self._end("closed")
            return
        self._data += data
        try:
            header = parse_proxy_header(self._data)
        except ProxyError as error:
            if self._data.startswith(HTTP_PROBES):
                self._probe("http")
            else:
                self._refuse(error.code)
            return
        if header is not None:
            self._admit(header)

    def overdue(self) -> None:
        """The header has not come in time."""
        self._end("timeout")

    def stop(self) -> None:
        """The server stops, and no more of the header has come."""
        self.is_done = True

    def _admit(self, header: ProxyHeader) -> None:
        own = self._accepted
        host, origin = own.host, Origin(own.peer)
        if header.source is not None:
            host, port = peer_of(header.source)
            origin = Origin(place(host, port), own.peer)
        if header.is_local and not self._gate.is_allowed(host):
            # The proxy asks whether the server is alive, and is not one of the senders.
            self._probe("local")
            return
        self.is_done = True
        proxy = {"proxy": origin.proxy} if origin.proxy else {}
        if self._gate.allows(host, own.number, peer=origin.peer, **proxy):
            self.origin = origin

    def _end(self, reason: str) -> None:
        if self._data:
            self._refuse(reason)
        else:
            self._probe(reason)

    def _probe(self, kind: str) -> None:
        self.is_done = True
        own = self._accepted
        self._gate.log.event(logging.INFO, "probe", own.number, peer=own.peer, kind=kind)

    def _refuse(self, reason: str) -> None:
        self.is_done = True
        own = self._accepted
        self._gate.refuse("proxy_failed", own.number, peer=own.peer, reason=reason)
