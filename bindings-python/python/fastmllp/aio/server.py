"""The asyncio listener: accepts connections, and stops gracefully."""

import asyncio
import inspect
import itertools
import logging
import operator
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, TypeAlias, cast

from fastmllp import config
from fastmllp._native import Message
from fastmllp.aio.connection import ServedConnection
from fastmllp.connection import ConnectionLimits
from fastmllp.handler import Answerer, HandlerResult
from fastmllp.logging import log_event

AsyncHandler: TypeAlias = Callable[[Message], HandlerResult | Awaitable[HandlerResult]]

_BACKLOG = 1024


class AsyncServer:
    """A listening server; `start_server` makes it."""

    def __init__(
        self,
        handler: AsyncHandler | None,
        limits: ConnectionLimits,
        answerer: Answerer,
        *,
        max_connections: int,
        executor: Executor | None,
        handler_timeout: float,
        stop_timeout: float,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.limits = limits
        self.answerer = answerer
        self.handler_timeout = handler_timeout
        self.waits = executor is not None or inspect.iscoroutinefunction(handler)
        # What the link may call for every message, because the answer is there when it returns.
        self.prompt_handler = None if self.waits else (handler or _accept)
        self.address: tuple[str, int] = ("", 0)
        """Host and port that the server listens on; stays readable after it stopped."""
        self._handler = handler
        self._executor = executor
        self._max_connections = max_connections
        self._stop_timeout = stop_timeout
        self._numbers = itertools.count(1)
        self._connections: set[ServedConnection] = set()
        self._listener: asyncio.Server | None = None
        self._closed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

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

    def close(self) -> None:
        """Stop: accept nothing new, answer every message that was received, close. Returns at once.

        May be called more than once, and by a handler. `wait_closed` waits for the end.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        if self._listener is not None:
            self._listener.close()
        # Later, because a handler that calls this is in the midst of its connection's work.
        self.loop.call_soon(self._stop_connections)

    async def wait_closed(self) -> None:
        """Wait until the server is closed and every connection has ended.

        Connections that have not ended `stop_timeout` seconds after `close` are aborted.
        """
        await self._closed.wait()
        try:
            async with asyncio.timeout(self._stop_timeout or None):
                await self._empty.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()
            await self._empty.wait()

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
        self._listener = await self.loop.create_server(
            lambda: ServedConnection(self), host, port, backlog=_BACKLOG, **options
        )
        address = self._listener.sockets[0].getsockname()
        self.address = (address[0], address[1])

    # What the connections ask for.

    def next_number(self) -> int:
        """The number of a new connection, from 1."""
        return next(self._numbers)

    def takes(self, connection: ServedConnection, number: int, peer: str) -> bool:
        """Whether there is room for one more connection."""
        if len(self._connections) >= self._max_connections:
            log_event(logging.WARNING, "too_many_connections", number, peer=peer)
            return False
        self._connections.add(connection)
        self._empty.clear()
        if self._closed.is_set():
            # A peer of the backlog has a connection, and perhaps has sent its message already.
            self.loop.call_soon(connection.stop)
        return True

    def knows(self, connection: ServedConnection) -> bool:
        """Whether the connection was taken and has not ended."""
        return connection in self._connections

    def forget(self, connection: ServedConnection) -> None:
        """The connection has ended."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    async def call(self, message: Message) -> object:
        """Call a handler that cannot answer at once."""
        handler = cast(AsyncHandler, self._handler)
        if self._executor is not None:
            result = await self.loop.run_in_executor(self._executor, handler, message)
        else:
            result = handler(message)
        return await result if inspect.isawaitable(result) else result

    def _stop_connections(self) -> None:
        for connection in list(self._connections):
            connection.stop()


def _accept(message: Message) -> None:
    """The handler of a server without one."""


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
    )
    # Just as for each connection: settings that it does not take are the caller's error, now.
    limits.new_link(0.0)
    answerer = Answerer(cast(Any, handler), config.encoding("encoding", encoding), scan)
    server = AsyncServer(
        handler,
        limits,
        answerer,
        max_connections=max_connections,
        executor=executor,
        handler_timeout=config.seconds("handler_timeout", handler_timeout),
        stop_timeout=config.seconds("stop_timeout", stop_timeout),
    )
    await server.listen(host, config.port("port", port))
    return server
