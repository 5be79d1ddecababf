"""The asyncio server: accepts connections, and stops gracefully."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, cast

from fastmllp import config
from fastmllp.aio.connection import ServedConnection
from fastmllp.aio.connections import Connections
from fastmllp.aio.listener import Listener, listening_socket
from fastmllp.aio.loops import other_loop
from fastmllp.aio.read_block import keep_read_block
from fastmllp.aio.secure import SecureLayer
from fastmllp.aio.service import AsyncHandler, Service
from fastmllp.config.allow import AllowList
from fastmllp.logging import Log, describe_exception
from fastmllp.serving.handler import Answerer
from fastmllp.serving.limits import ConnectionLimits
from fastmllp.serving.sockets.accepting import Accepted, Acceptor
from fastmllp.serving.sockets.gate import Gate
from fastmllp.serving.sockets.introduction import Introduction, Origin, is_proxied
from fastmllp.tls.session import TlsSession, reloaded


class AsyncServer:
    """A listening server; `start_server` makes it."""

    def __init__(
        self,
        new_connection: Callable[[], asyncio.Protocol],
        connections: Connections,
        *,
        tls: ssl.SSLContext | None,
        timeout: float,
        proxied: bool,
    ) -> None:
        """Prepare; `listen` begins.

        Args:
            new_connection: Makes the protocol of a connection.
            connections: Told of it by the protocol.
            tls: The context of TLS, if the port speaks that.
            timeout: Seconds for the header of a proxy, and for the handshake of TLS. 0: no limit.
            proxied: Each connection has to begin with the header of a proxy.

        Raises:
            ValueError: The context is not one for a server.
        """
        self.address: tuple[str, int] = ("", 0)
        """Host and port that the server listens on; stays readable after it stopped."""
        if tls is not None:
            TlsSession(tls, server_side=True)  # One for the other end is the caller's error, now.
        self._tls = tls
        self._timeout = timeout
        self._proxied = proxied
        # How many connections wait for the header of a proxy, and their times.
        self._unintroduced = 0
        self._introducing: set[asyncio.Timeout] = set()
        self._new_connection = new_connection
        self._connections = connections
        self._listener: Listener | None = None
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

    def reload_tls(self, context: ssl.SSLContext) -> None:
        """Use other certificates from the next connection on; those that are open stay.

        Args:
            context: As for `start_server`.

        Raises:
            ValueError: The context is not one for a server, or the port does not speak TLS. The
                server goes on with the one that it has.
        """
        self._tls = reloaded(self._tls, context)

    def close(self) -> None:
        """Stop: accept nothing new, answer every message that was received, close. Returns at once.

        May be called more than once, and by a handler. `wait_closed` waits for the end. When the
        event loop of the server has ended without a stop, this frees the port.

        Raises:
            RuntimeError: The server belongs to another event loop, which still runs.
        """
        if self._closed.is_set():
            return
        abandoned = other_loop(self._connections.loop, "server")
        with contextlib.suppress(RuntimeError) if abandoned else contextlib.nullcontext():
            self._closed.set()
        if abandoned:
            self._connections.abandon()
            if self._listener is not None:
                self._listener.abandon()
            return
        if self._listener is not None:
            self._listener.close()
        # Later, so that a header is read that has come already.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._hasten_introductions)
        self._connections.stop()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and every connection has ended.

        Connections that have not ended `stop_timeout` seconds after `close` are aborted.

        Raises:
            RuntimeError: The server belongs to another event loop, which still runs.
        """
        if other_loop(self._connections.loop, "server"):
            self.close()
            return
        await self._closed.wait()
        if self._listener is not None:
            await self._listener.wait_begun()
        await self._connections.wait_stopped()

    async def serve_forever(self) -> None:
        """Serve until `close` is called or this is cancelled, then end gracefully.

        Raises:
            RuntimeError: The server belongs to another event loop, and cannot serve in this one.
        """
        if other_loop(self._connections.loop, "server"):
            raise RuntimeError("the event loop of this server has ended: start another server")
        try:
            await self._closed.wait()
        finally:
            self.close()
            await self.wait_closed()

    async def listen(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Bind and listen.

        Raises:
            OSError: The address cannot be resolved or bound.
            ValueError: The system cannot share a port.
        """
        listening = await listening_socket(host, port, reuse_port=reuse_port)
        keep_read_block()
        connections = self._connections
        acceptor = Acceptor(connections.gate, connections.new_number, proxied=self._proxied)
        self._listener = Listener(
            listening,
            acceptor,
            connections.gate,
            self._begin,
            lambda: connections.count + self._unintroduced,
        )
        self.address = self._listener.address

    def _begin(self, accepted: Accepted) -> Coroutine[Any, Any, None]:
        if self._proxied:
            self._unintroduced += 1
        return self._serve(accepted)

    async def _serve(self, accepted: Accepted) -> None:
        """Give a connection its protocol, once its proxy has said whose it is."""
        try:
            origin = await self._origin(accepted)
            if origin is None:
                accepted.socket.close()
                return
            protocol = self._new_protocol(accepted, origin)
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: protocol, accepted.socket)
        except Exception as error:  # Whatever it is, it ends one connection, not the listener.
            trace = describe_exception(error)
            log = self._connections.gate.log
            log.event(logging.ERROR, "connection_failed", accepted.number, trace=trace)
            accepted.socket.close()

    async def _origin(self, accepted: Accepted) -> Origin | None:
        """Where a connection comes from; None if it must be closed."""
        if not self._proxied:
            return Origin(accepted.peer)
        introduction = Introduction(accepted, self._connections.gate)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout or None) as limit:
                self._introducing.add(limit)
                try:
                    while not introduction.is_done:
                        data = await _received(loop, accepted.socket, introduction.wanted)
                        introduction.receive(data)
                finally:
                    self._introducing.discard(limit)
                    self._unintroduced -= 1
        except TimeoutError:
            if self._closed.is_set():
                introduction.stop()
            else:
                introduction.overdue()
        return introduction.origin

    def _hasten_introductions(self) -> None:
        for limit in list(self._introducing):
            limit.reschedule(asyncio.get_running_loop().time())

    def _new_protocol(self, accepted: Accepted, origin: Origin) -> asyncio.Protocol:
        tls = self._tls

        def new_connection() -> asyncio.Protocol:
            self._connections.reserve(accepted.number)
            protocol = self._new_connection()
            if isinstance(protocol, ServedConnection):
                protocol.come_from(origin)
            return protocol

        if tls is None:
            return new_connection()
        session = TlsSession(tls, server_side=True)
        log = self._connections.gate.log
        return SecureLayer(new_connection, session, timeout=self._timeout, log=log)


async def _received(loop: asyncio.AbstractEventLoop, connected: socket.socket, size: int) -> bytes:
    """Up to `size` bytes; none at the end, orderly or not."""
    try:
        return await loop.sock_recv(connected, size)
    except OSError:  # Also the system's TimeoutError; that of the caller is a cancellation.
        return b""


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
    allow: Iterable[str] | None = None,
    reuse_port: bool = False,
    proxy_protocol: str = "off",
    name: str = "",
    executor: Executor | None = None,
    handler_timeout: float = 0.0,
    stop_timeout: float = config.DEFAULT_STOP_TIMEOUT,
    local_time: bool = False,
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
        host: Address or name to listen on; ``*`` is every address of the machine, IPv4 and IPv6.
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
        allow: Networks that peers may connect from; not given: any peer may. An empty list is an
            error.
        reuse_port: Listen on a port that other processes with this option listen on as well.
        proxy_protocol: ``off``, or ``required`` for a header of the PROXY protocol at the beginning
            of each connection, as for `fastmllp.Server`.
        name: Tells the records of this server from those of others; see `fastmllp.logging.Log`.
        executor: Where a plain handler runs, instead of on the loop. One that may block needs it:
            on the loop it holds up every connection, and a stop as well, which then has no end.
        handler_timeout: Seconds for a coroutine, or for a plain handler in the executor; the answer
            is AE then, and the result that comes late is logged. 0 turns it off.
        stop_timeout: Seconds that a graceful stop may take before connections are aborted. 0: no
            limit. It cannot end a plain handler that blocks the loop: see `executor`.
        local_time: Write the local time with its offset into MSH-7 of acknowledgments, as for
            `fastmllp.Server`.

    Raises:
        OSError: The address cannot be resolved or bound.
        ValueError: A setting is out of bounds.
    """
    gate = Gate(Log(name), AllowList(allow), max_connections)
    limits = ConnectionLimits(
        timeout=config.seconds("timeout", timeout),
        frame_timeout=config.seconds("frame_timeout", frame_timeout),
        max_size=config.size("max_size", max_size),
        profile=profile,
        scan=scan,
        policy=policy,
        over_limit=over_limit,
        local_time=local_time,
    )
    # Just as for each connection: settings that it does not take are the caller's error, now.
    limits.new_link(0.0)
    encoding = config.encoding("encoding", encoding)
    service = Service(
        handler,
        limits,
        Answerer(cast(Any, handler), encoding, scan, policy, gate.log, local_time),
        executor=executor,
        handler_timeout=config.seconds("handler_timeout", handler_timeout),
        log=gate.log,
    )
    connections = Connections(gate, config.seconds("stop_timeout", stop_timeout))
    server = AsyncServer(
        lambda: ServedConnection(service, connections),
        connections,
        tls=tls,
        timeout=limits.timeout,
        proxied=is_proxied(proxy_protocol),
    )
    await server.listen(host, config.port("port", port), reuse_port=reuse_port)
    return server
