"""The asyncio listener: accepts connections, and stops gracefully."""

import asyncio
import operator
import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, cast

from fastmllp import config
from fastmllp.aio.connection import ServedConnection
from fastmllp.aio.connections import Connections
from fastmllp.aio.secure import SecureConnection
from fastmllp.aio.service import AsyncHandler, Service
from fastmllp.allow import AllowList
from fastmllp.connection import ConnectionLimits
from fastmllp.handler import Answerer
from fastmllp.sockets.options import set_options
from fastmllp.tls_session import TlsSession

_BACKLOG = 1024
# asyncio reads into a block of 256 KiB. As long as no larger block was given back, the C library
# gets and returns it by a system call for every read, which costs more than the message.
_READ_BLOCK = 300_000


class AsyncServer:
    """A listening server; `start_server` makes it."""

    def __init__(
        self, new_connection: Callable[[], asyncio.Protocol], connections: Connections
    ) -> None:
        self.address: tuple[str, int] = ("", 0)
        """Host and port that the server listens on; stays readable after it stopped."""
        self._new_connection = new_connection
        self._connections = connections
        self._listener: asyncio.Server | None = None
        self._closed = asyncio.Event()

    async def __aenter__(self) -> "AsyncServer":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        await self.wait_closed()

    @property
    def is_listening(self) -> bool:
        """Whether connections are accepted."""
        return self._listener is not None and not self._closed.is_set()

    def close(self) -> None:
        """Stop: accept nothing new, answer every message that was received, close. Returns at once.

        May be called more than once, and by a handler. `wait_closed` waits for the end.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        if self._listener is not None:
            self._listener.close()
        self._connections.stop()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and every connection has ended.

        Connections that have not ended `stop_timeout` seconds after `close` are aborted.
        """
        await self._closed.wait()
        await self._connections.wait_stopped()

    async def serve_forever(self) -> None:
        """Serve until `close` is called or this is cancelled, then end gracefully."""
        try:
            await self._closed.wait()
        finally:
            self.close()
            await self.wait_closed()

    async def listen(self, host: str, port: int, **options: Any) -> None:
        """Bind and listen.

        Raises:
            OSError: The address cannot be resolved or bound.
        """
        loop = asyncio.get_running_loop()
        bytes(_READ_BLOCK)
        self._listener = await loop.create_server(
            self._new_connection, host, port, backlog=_BACKLOG, **options
        )
        for listening in self._listener.sockets:
            set_options(listening)
        address = self._listener.sockets[0].getsockname()
        self.address = (address[0], address[1])


async def start_server(
    handler: AsyncHandler | None = None,
    host: str = "0.0.0.0",
    port: int = config.DEFAULT_PORT,
    *,
    timeout: float = config.DEFAULT_TIMEOUT,
    frame_timeout: float = config.DEFAULT_FRAME_TIMEOUT,
    max_size: int = config.DEFAULT_MAX_SIZE,
    max_connections: int = config.DEFAULT_MAX_CONNECTIONS,
    encoding: str = "utf-8",
    profile: str = "permissive",
    scan: str = "single_byte",
    policy: str = "always",
    over_limit: str = "close",
    tls: ssl.SSLContext | None = None,
    allow: Iterable[str] = (),
    reuse_port: bool = False,
    executor: Executor | None = None,
    handler_timeout: float = 0.0,
    stop_timeout: float = 10.0,
) -> AsyncServer:
    """Listen, and acknowledge each complete frame in the order of arrival.

    The handler is a plain function or a coroutine function. It is called for one message after the
    other of a connection; connections do not wait for each other. A plain function runs on the
    loop, which stands still meanwhile, unless there is an `executor`. What it returns decides the
    answer, as for `fastmllp.Server`: nothing is AA, a code, an `Ack`, whole bytes; an exception is
    AE. The acknowledgment leaves after the handler has returned.

    Args:
        handler: Called with a `Message` for every complete frame; without one, AA to all.
            Messages that come with one read are answered together, once their handlers have
            returned or have taken a millisecond: one that blocks holds the answers of those just
            before it.
        host: Address or name to listen on.
        port: TCP port; 0 takes a free one, see `AsyncServer.address`.
        timeout: Seconds without a byte from the peer, between frames or in a frame, and seconds
            the peer has to take an acknowledgment. Does not run while the handler works. 0: off.
        frame_timeout: Seconds a frame may take from its first byte on. 0 turns it off.
        max_size: Largest payload, in bytes, framing bytes not counted.
        max_connections: Connections served at a time; further ones are closed at once.
        encoding: For an acknowledgment that the handler returns as ``str``.
        profile: Framing rules: ``permissive``, ``resync`` or ``strict``.
        scan: How delimiters are found, as for `Message`.
        policy: Which answer a message gets: ``always`` or ``conformant``, as for `fastmllp.Server`.
        over_limit: What becomes of a message above `max_size`: ``close`` or ``refuse``.
        tls: A context of `fastmllp.tls.server_context`; the port speaks TLS only.
        allow: Networks that peers may connect from; empty allows everybody.
        reuse_port: Listen on a port that other processes with this option listen on as well.
        executor: Where a plain handler runs, instead of on the loop.
        handler_timeout: Seconds for a coroutine, or for a plain handler in the executor; the answer
            is AE then, and the result that comes late is logged. 0 turns it off.
        stop_timeout: Seconds that a graceful stop may take before connections are aborted. 0: no
            limit.

    Raises:
        OSError: The address cannot be resolved or bound.
        ValueError: A setting is out of bounds.
    """
    max_connections = operator.index(max_connections)
    if max_connections < 1:
        raise ValueError(f"max_connections must be at least 1, not {max_connections}")
    limits = ConnectionLimits(
        timeout=config.seconds("timeout", timeout),
        frame_timeout=config.seconds("frame_timeout", frame_timeout),
        max_size=config.size("max_size", max_size),
        profile=profile,
        scan=scan,
        policy=policy,
        over_limit=over_limit,
    )
    # Just as for each connection: settings that it does not take are the caller's error, now.
    limits.new_link(0.0)
    if tls is not None:
        TlsSession(tls, server_side=True)
    encoding = config.encoding("encoding", encoding)
    answerer = Answerer(cast(Any, handler), encoding, scan, policy)
    service = Service(
        handler,
        limits,
        answerer,
        executor=executor,
        handler_timeout=config.seconds("handler_timeout", handler_timeout),
        allow=AllowList(allow),
    )
    connections = Connections(max_connections, config.seconds("stop_timeout", stop_timeout))

    def new_connection() -> ServedConnection:
        if tls is not None:
            return SecureConnection(service, connections, tls)
        return ServedConnection(service, connections)

    server = AsyncServer(new_connection, connections)
    if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("reuse_port: this system cannot share a port")
    await server.listen(host, config.port("port", port), reuse_port=reuse_port)
    return server
