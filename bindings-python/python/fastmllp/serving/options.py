"""The options of everything that serves: `fastmllp.Server`, the asyncio server, and links.

A new option is a field of `ServerOptions` and a line of the typed dictionary of those who take it,
both here; then there is its use, and its test. One that `fastmllp serve` has as well is also a row
of `fastmllp.config.table`, which a test compares with the field.
"""

import dataclasses
import functools
import ssl
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Any, TypedDict, get_args

from fastmllp._native import Responder
from fastmllp.config import bounds
from fastmllp.config.allow import AllowList
from fastmllp.config.options import (
    Options,
    OverLimit,
    Policy,
    Profile,
    ProxyProtocol,
    Scan,
    names_of,
    option,
)
from fastmllp.logging import Log
from fastmllp.serving.handler import Answerer
from fastmllp.serving.sockets.gate import Gate

__all__ = [
    "AsyncServerKeywords",
    "Hl7Keywords",
    "Hl7LinkKeywords",
    "LinkKeywords",
    "ServerKeywords",
    "ServerOptions",
    "names_of",
]


def _proxy_protocol(name: str, value: str) -> str:
    known = get_args(ProxyProtocol)
    if value not in known:
        raise ValueError(f"{name} must be {' or '.join(known)}, not {value!r}")
    return value


def _networks(name: str, value: Iterable[str] | None) -> Iterable[str] | None:
    """Those of an iterator too are there to be read again. What they are, `AllowList` checks."""
    return value if value is None or isinstance(value, str | bytes) else tuple(value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerOptions(Options):
    """What a server can be told. Each is a keyword of the servers and links that have a use for it.

    Times are in seconds; 0 turns them off. Sizes are in bytes of payload, without framing bytes.
    """

    host: str = "0.0.0.0"
    """Address or name to listen on. ``*`` is every address of the machine, IPv4 and IPv6;
    ``0.0.0.0`` is every IPv4 address, and ``::`` every IPv6 address."""
    port: int = option(bounds.DEFAULT_PORT, bounds.port)
    """TCP port to listen on; 0 takes a free one, which the ``address`` of the server tells."""
    timeout: float = option(bounds.DEFAULT_TIMEOUT, bounds.seconds)
    """Seconds without a byte from the peer, between frames or in a frame, after which its
    connection is closed, and seconds the peer has to take an acknowledgment. Does not run while the
    handler works."""
    frame_timeout: float = option(bounds.DEFAULT_FRAME_TIMEOUT, bounds.seconds)
    """Seconds a frame may take from its first byte on."""
    idle_timeout: float | None = option(None, bounds.seconds_or_none)
    """Of links: seconds without a byte between frames. `timeout` counts there too if this is
    None."""
    max_size: int = option(bounds.DEFAULT_MAX_SIZE, bounds.size)
    """Largest payload."""
    max_connections: int = bounds.DEFAULT_MAX_CONNECTIONS
    """Connections served at a time; further ones are closed at once."""
    encoding: str = option("utf-8", bounds.encoding)
    """For an acknowledgment that the handler returns as ``str``."""
    profile: Profile = "permissive"
    """Framing rules: ``permissive``, ``resync`` or ``strict``. ``resync`` waits a quarter of a
    second for the carriage return behind an end block; a frame without one is answered then, and
    its connection stays."""
    scan: Scan = "single_byte"
    """How delimiters are found, as for `Message`: ``shift_jis``, for instance, on a port whose
    messages have names in Shift_JIS."""
    policy: Policy = "always"
    """Which answer a message gets: ``always``, an acknowledgment for everything, or ``conformant``,
    what chapter 2 of HL7 v2 says. See `fastmllp.conformant`."""
    over_limit: OverLimit = "close"
    """What becomes of a message above `max_size`: ``close`` ends the connection, ``refuse`` reads
    it to its end, throws it away and answers AR."""
    tls: ssl.SSLContext | None = None
    """A context of `fastmllp.tls.server_context`, or any other for a server; the port speaks TLS
    only. The handshake may take `timeout` seconds."""
    allow: Iterable[str] | None = option(None, _networks)
    """Networks that peers may connect from, such as ``10.1.0.0/16``; not given: any peer may. An
    empty list is an error. Another peer's connection is closed at once."""
    reuse_port: bool = False
    """Listen on a port that other processes with this option listen on as well."""
    proxy_protocol: ProxyProtocol = option("off", _proxy_protocol)
    """``off``, or ``required`` behind a proxy that begins each connection with a header of the
    PROXY protocol, version 1 or 2. `allow` and the records then use the sender's address from the
    header, and a connection without a header is closed. Let only the proxy reach the port: a header
    can name any address."""
    name: str = ""
    """Tells the records of this server from those of others; see `fastmllp.logging.Log`."""
    executor: Executor | None = None
    """Under asyncio: where a plain handler runs, instead of on the loop. One that may block needs
    it: on the loop it holds up every connection, and a stop as well, which then has no end."""
    handler_timeout: float = option(0.0, bounds.seconds)
    """Under asyncio: seconds for a coroutine, or for a plain handler in the executor; the answer is
    AE then, and the result that comes late is logged."""
    stop_timeout: float = option(bounds.DEFAULT_STOP_TIMEOUT, bounds.seconds)
    """Seconds that a graceful stop may take before connections are aborted. It cannot end a plain
    handler that blocks a loop: see `executor`."""
    local_time: bool = False
    """Write the local time with its offset (``20260131123000+0530``) into MSH-7 of acknowledgments.
    Without it MSH-7 is UTC: fourteen digits, and with the policy ``conformant`` the offset
    ``+0000``."""

    def __post_init__(self) -> None:
        """Check them, also those that only their users know.

        Raises:
            ValueError: One is out of bounds, or the context of TLS is not one for a server.
            TypeError: One is of a wrong type.
        """
        super().__post_init__()
        self.new_gate()
        self.new_link(0.0)

    @functools.cached_property
    def allow_list(self) -> AllowList:
        """`allow` as it is asked. Reading tens of thousands of networks takes its time."""
        return AllowList(self.allow)

    @property
    def is_proxied(self) -> bool:
        """Whether each connection has to begin with the header of a proxy."""
        return self.proxy_protocol == "required"

    def new_gate(self) -> Gate:
        """What decides who may connect."""
        return Gate(Log(self.name), self.allow_list, self.max_connections)

    def new_link(self, now: float) -> Responder:
        """The state machine of a connection that was accepted at `now`."""
        return Responder(
            now,
            profile=self.profile,
            scan=self.scan,
            max_payload_len=self.max_size,
            policy=self.policy,
            over_limit=self.over_limit,
            idle=self.timeout if self.idle_timeout is None else self.idle_timeout,
            byte=self.timeout,
            send=self.timeout,
            frame=self.frame_timeout,
            local_time=self.local_time,
        )

    def new_answerer(self, handler: Any, log: Log) -> Answerer:
        """What asks the handler about each message."""
        return Answerer(handler, self.encoding, self.scan, self.policy, log, self.local_time)


class _OfConnections(TypedDict, total=False):
    """Whatever protocol they speak."""

    timeout: float
    frame_timeout: float
    max_size: int
    encoding: str
    name: str


class _OfListeners(TypedDict, total=False):
    max_connections: int
    tls: ssl.SSLContext | None
    allow: Iterable[str] | None
    proxy_protocol: ProxyProtocol
    stop_timeout: float


class _OfHl7(TypedDict, total=False):
    profile: Profile
    scan: Scan
    policy: Policy
    over_limit: OverLimit
    local_time: bool


class _OfAsyncio(TypedDict, total=False):
    executor: Executor | None
    handler_timeout: float


class _OfLinks(TypedDict, total=False):
    idle_timeout: float | None


class ServerKeywords(_OfConnections, _OfListeners, _OfHl7, total=False):
    """Of `fastmllp.Server`."""

    reuse_port: bool


class AsyncServerKeywords(ServerKeywords, _OfAsyncio, total=False):
    """Of `fastmllp.aio.start_server`."""


class LinkKeywords(_OfConnections, _OfListeners, _OfAsyncio, _OfLinks, total=False):
    """Of `fastmllp.link.SocketLink`, for any protocol."""


class Hl7Keywords(_OfConnections, _OfHl7, _OfAsyncio, _OfLinks, total=False):
    """Of `fastmllp.link.Hl7`."""


class Hl7LinkKeywords(LinkKeywords, _OfHl7, total=False):
    """Of `fastmllp.link.SocketLink`, for the protocol ``hl7``."""
