"""The asyncio server: accepts connections, and stops gracefully."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Unpack

from fastmllp.aio.connection import ServedConnection
from fastmllp.aio.connections import Connections
from fastmllp.aio.listener import Listener, listening_socket
from fastmllp.aio.loops import other_loop
from fastmllp.aio.read_block import keep_read_block
from fastmllp.aio.secure import SecureLayer
from fastmllp.aio.service import AsyncHandler, Service
from fastmllp.logging import describe_exception
from fastmllp.serving.options import AsyncServerKeywords, ServerOptions
from fastmllp.serving.sockets.accepting import Accepted, Acceptor
from fastmllp.serving.sockets.introduction import Introduction, Origin
from fastmllp.tls.session import TlsSession, reloaded


class AsyncServer:
    """A listening server; `start_server` makes it."""

    def __init__(
        self,
        new_connection: Callable[[], asyncio.Protocol],
        connections: Connections,
        options: ServerOptions,
    ) -> None:
        """Prepare; `listen` begins.

        Args:
            new_connection: Makes the protocol of a connection.
            connections: Told of it by the protocol.
            options: Those of the server or the link.

        Raises:
            ValueError: The context of TLS is not one for a server.
        """
        self.address: tuple[str, int] = ("", 0)
        """Host and port that the server listens on; stays readable after it stopped."""
        if options.tls is not None:
            TlsSession(options.tls, server_side=True)  # One for the other end is an error, now.
        self._tls = options.tls
        self._options = options
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

    async def listen(self) -> None:
        """Bind and listen.

        Raises:
            OSError: The address cannot be resolved or bound.
            ValueError: The system cannot share a port.
        """
        options = self._options
        listening = await listening_socket(
            options.host, options.port, reuse_port=options.reuse_port
        )
        keep_read_block()
        connections = self._connections
        acceptor = Acceptor(
            connections.gate, connections.new_number, proxied=self._options.is_proxied
        )
        self._listener = Listener(
            listening,
            acceptor,
            connections.gate,
            self._begin,
            lambda: connections.count + self._unintroduced,
        )
        self.address = self._listener.address

    def _begin(self, accepted: Accepted) -> Coroutine[Any, Any, None]:
        if self._options.is_proxied:
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
        if not self._options.is_proxied:
            return Origin(accepted.peer)
        introduction = Introduction(accepted, self._connections.gate)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._options.timeout or None) as limit:
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
        return SecureLayer(new_connection, session, timeout=self._options.timeout, log=log)


async def _received(loop: asyncio.AbstractEventLoop, connected: socket.socket, size: int) -> bytes:
    """Up to `size` bytes; none at the end, orderly or not."""
    try:
        return await loop.sock_recv(connected, size)
    except OSError:  # Also the system's TimeoutError; that of the caller is a cancellation.
        return b""


@ServerOptions.shown(AsyncServerKeywords)
async def start_server(
    handler: AsyncHandler | None = None,
    host: str = ServerOptions.host,
    port: int = ServerOptions.port,
    **options: Unpack[AsyncServerKeywords],
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
        options: See `fastmllp.server.ServerOptions`, which says what each is for.

    Raises:
        OSError: The address cannot be resolved or bound.
        ValueError: A setting is out of bounds.
        TypeError: A setting is of a wrong type.
    """
    given = ServerOptions.of(AsyncServerKeywords, options, host=host, port=port)
    gate = given.new_gate()
    service = Service(handler, given, gate.log)
    connections = Connections(gate, given.stop_timeout)
    server = AsyncServer(lambda: ServedConnection(service, connections), connections, given)
    await server.listen()
    return server
