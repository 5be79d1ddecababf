"""The options of every client: `fastmllp.Client`, the asyncio client, and the pools of both.

A new option is a field of `ClientOptions` and a line of the typed dictionary of those who take it,
both here; then there is its use, and its test. One that ``fastmllp send`` has as well is also a row
of `fastmllp.config.table`, which a test compares with the field.
"""

import dataclasses
import ssl
from typing import TypedDict, get_args

from fastmllp._native import Initiator
from fastmllp.config import bounds
from fastmllp.config.options import Options, Scan, WaitFor, option
from fastmllp.serving.sockets.addresses import unbracketed
from fastmllp.serving.sockets.back_off import BackOff
from fastmllp.tls.session import TlsSession

__all__ = ["AsyncClientKeywords", "ClientKeywords", "ClientOptions", "WaitFor"]

# What a reply means is the caller's decision, and so is sending again.
_RULES = "accept=accept, *=fail"


def _wait_for(name: str, value: str) -> str:
    if value not in get_args(WaitFor):
        raise ValueError(f"{name} must be 'application' or 'accept', not {value!r}")
    return value


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClientOptions(Options):
    """What a client can be told. Each is a keyword of the clients and pools."""

    host: str = "127.0.0.1"
    """Address or name of the server; an IPv6 address may stand in brackets. The addresses of a name
    are tried one after the other within `timeout`, a quarter of a second apart, and the first that
    answers is taken."""
    port: int = option(bounds.DEFAULT_PORT, bounds.port)
    """TCP port of the server."""
    timeout: float = option(bounds.DEFAULT_TIMEOUT, bounds.seconds)
    """Seconds to connect, from the look-up of the name to the end of a TLS handshake; seconds for
    the server to take a message; and seconds for the whole reply, which do not start again with
    every byte. 0 turns it off."""
    encoding: str = option("utf-8", bounds.encoding)
    """For messages given as ``str``, whatever their MSH-18 says."""
    max_size: int = option(bounds.DEFAULT_MAX_SIZE, bounds.size)
    """Largest payload of a reply, in bytes."""
    scan: Scan = "single_byte"
    """How delimiters are found, as for `Message`: ``shift_jis``, for instance, on a link whose
    names are in Shift_JIS."""
    strict: bool = False
    """A ``str`` that the encoding cannot express, or whose MSH-18 names another set, is an error,
    instead of being sent with a warning."""
    wait_for: WaitFor = option("application", _wait_for)
    """What ends the wait for a message that asks for both acknowledgments: ``application`` (AA, AE
    or AR), or ``accept``, with which CA is enough. With ``application`` CA becomes the reply when
    nothing follows it within `timeout`, or when the connection ends."""
    window: int = 1
    """Under asyncio: how many messages may wait for their replies on the connection, from 1 to 64.
    More than one needs a server that reads ahead."""
    tls: ssl.SSLContext | None = None
    """A context of `fastmllp.tls.client_context`, or any other for a client: speak TLS."""
    server_hostname: str | None = None
    """Name that the server's certificate must have, where it is not `host`."""
    back_off: BackOff | None = None
    """How long to wait before an attempt to connect when the last one has failed, but no longer
    than `timeout`; without it, `BackOff` as it is. Messages wait with it."""

    def __post_init__(self) -> None:
        """Check them, also those that only their users know.

        Raises:
            ValueError: One is out of bounds, or the context of TLS is not one for a client.
            TypeError: One is of a wrong type.
        """
        super().__post_init__()
        if self.tls is not None:
            TlsSession(self.tls, server_hostname=self.certified_name)
        self.new_link()

    @property
    def certified_name(self) -> str:
        """The name that the server's certificate must have."""
        return self.server_hostname or unbracketed(self.host)

    def new_link(self) -> Initiator:
        """The state machine of a connection, without messages."""
        return Initiator(
            rules=_RULES,
            window=self.window,
            max_attempts=1,
            max_payload_len=self.max_size,
            scan=self.scan,
            send=self.timeout,
            reply=self.timeout,
            application=self.timeout,
            back_off=0.0,
        )


class ClientKeywords(TypedDict, total=False):
    """Of `fastmllp.Client`, `fastmllp.Pool` and `fastmllp.send`, and of the asyncio pool."""

    timeout: float
    encoding: str
    max_size: int
    scan: Scan
    strict: bool
    wait_for: WaitFor
    tls: ssl.SSLContext | None
    server_hostname: str | None
    back_off: BackOff | None


class AsyncClientKeywords(ClientKeywords, total=False):
    """Of `fastmllp.aio.connect`."""

    window: int
