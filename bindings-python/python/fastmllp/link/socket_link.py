"""A link to analyzers, whichever side opens the connection."""

import asyncio
import contextvars
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, Literal, TypeAlias

from fastmllp import config
from fastmllp.aio.connections import Connections
from fastmllp.aio.loops import other_loop
from fastmllp.aio.server import AsyncServer
from fastmllp.config.allow import AllowList
from fastmllp.link.dialer import Dialer
from fastmllp.link.protocol import new_protocol
from fastmllp.link.reconnect import Reconnect
from fastmllp.logging import Log
from fastmllp.serving.handler import server_name
from fastmllp.serving.sockets.gate import Gate
from fastmllp.serving.sockets.introduction import is_proxied
from fastmllp.tls.session import TlsSession, reloaded

State: TypeAlias = Literal["stopped", "listening", "connecting", "connected", "waiting"]

_MAX_SIZE = 10 * 1_048_576


class SocketLink:
    """Receives messages and answers them, on connections that it accepts or dials itself.

    In mode ``server`` it listens, and several analyzers may connect. In mode ``client`` it dials
    the analyzer, answers what comes on that connection just as a server does, and dials again when
    the connection has ended and its last message is answered. It sends no messages of its own: use
    `fastmllp.Client` or `fastmllp.aio.connect`, on a connection of theirs.

    A link that was stopped may be started again, in another event loop too, and so may one whose
    loop has ended without a stop. While that loop still runs, the use in another one is a
    RuntimeError.

    Example:
        >>> async def main():
        ...     async with SocketLink(store, "127.0.0.1", 0) as link:
        ...         async with fastmllp.aio.connect(*link.address) as analyzer:
        ...             print(link.state, await analyzer.send(result))
        ...     print(link.state)
        >>> asyncio.run(main())
        listening Reply(code='AA', accepted=True, payload_len=...)
        stopped
    """

    def __init__(
        self,
        handler: Callable[[Any], Any] | None = None,
        host: str = "0.0.0.0",
        port: int = config.DEFAULT_PORT,
        *,
        mode: Literal["server", "client"] = "server",
        protocol: str = "hl7",
        reconnect: Reconnect | None = None,
        timeout: float = config.DEFAULT_TIMEOUT,
        idle_timeout: float = 0.0,
        frame_timeout: float = config.DEFAULT_FRAME_TIMEOUT,
        max_size: int = _MAX_SIZE,
        max_connections: int = config.DEFAULT_MAX_CONNECTIONS,
        encoding: str = "utf-8",
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        executor: Executor | None = None,
        handler_timeout: float = 0.0,
        stop_timeout: float = 10.0,
        allow: Iterable[str] | None = None,
        proxy_protocol: str = "off",
        name: str = "",
        **options: Any,
    ) -> None:
        """Keep the settings; neither listens nor dials, and needs no loop.

        Args:
            handler: Called with each message, one after the other on a connection; a plain function
                or a coroutine function, as for `fastmllp.aio.start_server`. Without one, every
                message is accepted.
            host: Address or name to listen on, or to dial.
            port: TCP port to listen on, where 0 takes a free one, or to dial.
            mode: ``server`` or ``client``.
            protocol: The name of a protocol that is registered, such as ``hl7``.
            reconnect: When a link that dials tries again; without it, `Reconnect` as it is.
            timeout: Seconds to connect, seconds between two bytes of a frame, and seconds that the
                peer has to take an answer. 0 turns it off.
            idle_timeout: Seconds without a byte between frames, after which a connection is closed.
                Off (0) unless given: an analyzer may have nothing to say all night. A peer that is
                gone without a word is noticed by the probes of the system within two minutes.
            frame_timeout: Seconds that a message may take from its first byte on. 0 turns it off.
            max_size: Largest message, in bytes of its payload. A larger one is not acknowledged,
                and its connection is closed.
            max_connections: Connections at a time in mode ``server``; further ones are closed.
            encoding: For an acknowledgment that the handler returns as ``str``.
            tls: For connections over TLS: a context for a server or a client, as the mode is.
            server_hostname: The name in the peer's certificate, where it is not `host`.
            executor: Where a plain handler runs, instead of on the loop. One that may block needs
                it, as for `fastmllp.aio.start_server`.
            handler_timeout: Seconds for a coroutine, or for a plain handler in the executor. 0
                turns it off.
            stop_timeout: Seconds that a graceful stop may take before connections are aborted. 0:
                no limit.
            allow: Networks that peers may connect from in mode ``server``; not given: any peer
                may. An empty list is an error.
            proxy_protocol: In mode ``server``: ``off``, or ``required`` for a header of the PROXY
                protocol at the beginning of each connection, as for `fastmllp.Server`.
            name: Tells the records of this link from those of others; see `fastmllp.logging.Log`.
            options: Of the protocol; for ``hl7`` they are ``profile``, ``scan`` and ``local_time``
                as for `Hl7`.

        Raises:
            ValueError: A setting is out of bounds.
            TypeError: A setting is of a wrong type, or not one of the protocol.
        """
        if mode not in ("server", "client"):
            raise ValueError(f"mode must be 'server' or 'client', not {mode!r}")
        self._gate = Gate(Log(name), AllowList(allow), max_connections)
        self._proxied = is_proxied(proxy_protocol)
        self.address = (host, config.port("port", port))
        """Host and port that the link listens on, once it does, or that it dials."""
        self._mode = mode
        self._host, self._port = self.address
        self._reconnect = reconnect or Reconnect()
        self._timeout = config.seconds("timeout", timeout)
        self._tls = tls
        self._server_hostname = server_hostname
        self._stop_timeout = config.seconds("stop_timeout", stop_timeout)
        self._protocol = new_protocol(
            protocol,
            handler,
            timeout=self._timeout,
            idle_timeout=config.seconds("idle_timeout", idle_timeout),
            frame_timeout=config.seconds("frame_timeout", frame_timeout),
            max_size=config.size("max_size", max_size),
            encoding=config.encoding("encoding", encoding),
            executor=executor,
            handler_timeout=config.seconds("handler_timeout", handler_timeout),
            **({"name": name} if name else {}),
            **options,
        )
        self._side: AsyncServer | Dialer | None = None
        self._connections: Connections | None = None

    @property
    def state(self) -> State:
        """What the link is doing.

        ``stopped``; ``listening`` in mode ``server``; in mode ``client`` ``connecting``,
        ``connected``, or ``waiting`` for the next attempt.
        """
        if isinstance(self._side, Dialer):
            return self._side.state
        return "listening" if self._side is not None and self._side.is_listening else "stopped"

    async def __aenter__(self) -> "SocketLink":
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, or begin to dial. Returns when the link listens, or at once.

        A peer that cannot be reached is not an error: it is logged, and dialed again.

        Raises:
            RuntimeError: The link is started already, perhaps in another event loop.
            OSError: The address cannot be resolved or bound.
        """
        if self._connections is not None and other_loop(self._connections.loop, "link"):
            # It was not stopped before its loop ended.
            self.close()
            self._side = None
        if self._side is not None:
            raise RuntimeError("the link is started already")
        connections = self._connections = Connections(self._gate, self._stop_timeout)

        def new_connection() -> asyncio.Protocol:
            return self._protocol.new_connection(connections)

        if self._mode == "client":
            # What a handler logs carries the name: all that happens on the link is begun here.
            context = contextvars.copy_context()
            context.run(server_name.set, self._gate.log.name)
            self._side = context.run(
                Dialer,
                new_connection,
                connections,
                self.address,
                reconnect=self._reconnect,
                timeout=self._timeout,
                tls=self._tls,
                server_hostname=self._server_hostname,
            )
            return
        self._side = server = AsyncServer(
            new_connection,
            connections,
            tls=self._tls,
            timeout=self._timeout,
            proxied=self._proxied,
        )
        try:
            await server.listen(self._host, self._port)
        except BaseException:
            self._side = None
            raise
        self.address = server.address

    def reload_tls(self, context: ssl.SSLContext) -> None:
        """Use other certificates from the next connection on; one that is open stays.

        Args:
            context: As for the constructor.

        Raises:
            ValueError: The context is not one for this end, or the link has no TLS. The link goes
                on with the one that it has.
        """
        if self._mode == "server":
            self._tls = reloaded(self._tls, context)
        elif self._tls is None:
            raise ValueError("tls: the link does not speak TLS")
        else:
            TlsSession(context, server_hostname=self._server_hostname or self._host)
            self._tls = context
        if self._side is not None:
            self._side.reload_tls(context)

    def close(self) -> None:
        """Begin to stop, and return at once: `run` and `stop` wait for the end.

        A handler may call this.
        """
        if self._side is not None:
            self._side.close()

    async def stop(self) -> None:
        """Stop: accept and dial nothing new, answer every message that was received, close.

        Returns when every connection has ended; those that have not after `stop_timeout` seconds
        are aborted. May be called more than once. A handler calls `close` instead, because this
        waits for the handler.
        """
        side = self._side
        if side is None:
            return
        side.close()
        try:
            await side.wait_closed()
        finally:
            if self._side is side:
                self._side = None

    async def run(self) -> None:
        """Serve until the link is stopped or this is cancelled, then end gracefully.

        Starts the link if it is not started.

        Raises:
            OSError: As for `start`.
        """
        if self._side is None:
            await self.start()
        side = self._side
        assert side is not None
        try:
            await side.wait_closed()
        finally:
            await self.stop()
