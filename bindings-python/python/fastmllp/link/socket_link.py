"""A link to analyzers, whichever side opens the connection."""

import asyncio
import contextvars
import dataclasses
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, TypeAlias, Unpack, overload

from fastmllp.aio.connections import Connections
from fastmllp.aio.loops import other_loop
from fastmllp.aio.server import AsyncServer
from fastmllp.link.dialer import Dialer
from fastmllp.link.protocol import new_protocol
from fastmllp.link.reconnect import Reconnect
from fastmllp.serving.handler import server_name
from fastmllp.serving.options import Hl7LinkKeywords, LinkKeywords, ServerOptions, names_of
from fastmllp.tls.session import TlsSession, reloaded

State: TypeAlias = Literal["stopped", "listening", "connecting", "connected", "waiting"]

Mode: TypeAlias = Literal["server", "client"]

# Off: an analyzer may have nothing to say all night.
_IDLE_TIMEOUT = 0.0
_MAX_SIZE = 10 * 1_048_576
_DEFAULTS: dict[str, Any] = {"idle_timeout": _IDLE_TIMEOUT, "max_size": _MAX_SIZE}
# What every protocol is told, see `register`.
_OF_PROTOCOL = (
    "timeout",
    "idle_timeout",
    "frame_timeout",
    "max_size",
    "encoding",
    "executor",
    "handler_timeout",
)


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

    @overload
    def __init__(
        self,
        handler: Callable[[Any], Any] | None = None,
        host: str = ...,
        port: int = ...,
        *,
        mode: Mode = ...,
        protocol: Literal["hl7"] = ...,
        reconnect: Reconnect | None = ...,
        server_hostname: str | None = ...,
        **options: Unpack[Hl7LinkKeywords],
    ) -> None: ...
    @overload
    def __init__(
        self,
        handler: Callable[[Any], Any] | None = None,
        host: str = ...,
        port: int = ...,
        *,
        mode: Mode = ...,
        protocol: str,
        reconnect: Reconnect | None = ...,
        server_hostname: str | None = ...,
        **options: Any,
    ) -> None: ...
    @ServerOptions.shown(Hl7LinkKeywords, **_DEFAULTS)
    def __init__(
        self,
        handler: Callable[[Any], Any] | None = None,
        host: str = ServerOptions.host,
        port: int = ServerOptions.port,
        *,
        mode: Mode = "server",
        protocol: str = "hl7",
        reconnect: Reconnect | None = None,
        server_hostname: str | None = None,
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
            server_hostname: The name in the peer's certificate, where it is not `host`.
            options: See `fastmllp.server.ServerOptions`, which says what each is for. Those of no
                link are for the protocol; ``hl7`` takes ``profile``, ``scan``, ``policy``,
                ``over_limit`` and ``local_time``. On a link `timeout` is for an attempt to connect
                as well, and does not count between frames. There `idle_timeout` counts, which is
                off (0) unless given: an analyzer may have nothing to say all night, and a peer that
                is gone without a word is noticed by the probes of the system within two minutes.
                `max_size` is 10 MiB. `tls` is a context for a server or a client, as the mode is.

        Raises:
            ValueError: A setting is out of bounds.
            TypeError: A setting is of a wrong type, or not one of the protocol.
        """
        if mode not in ("server", "client"):
            raise ValueError(f"mode must be 'server' or 'client', not {mode!r}")
        given = _DEFAULTS | options
        own = {name: given.pop(name) for name in names_of(LinkKeywords) & given.keys()}
        self._options = ServerOptions.of(LinkKeywords, own, host=host, port=port)
        self._gate = self._options.new_gate()
        self.address = (host, self._options.port)
        """Host and port that the link listens on, once it does, or that it dials."""
        self._mode = mode
        self._reconnect = reconnect or Reconnect()
        self._server_hostname = server_hostname
        of_protocol = {name: getattr(self._options, name) for name in _OF_PROTOCOL}
        if self._options.name:
            of_protocol["name"] = self._options.name
        self._protocol = new_protocol(protocol, handler, **of_protocol, **given)
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
        connections = self._connections = Connections(self._gate, self._options.stop_timeout)

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
                timeout=self._options.timeout,
                tls=self._options.tls,
                server_hostname=self._server_hostname,
            )
            return
        self._side = server = AsyncServer(new_connection, connections, self._options)
        try:
            await server.listen()
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
            context = reloaded(self._options.tls, context)
        elif self._options.tls is None:
            raise ValueError("tls: the link does not speak TLS")
        else:
            TlsSession(context, server_hostname=self._server_hostname or self._options.host)
        self._options = dataclasses.replace(self._options, tls=context)
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
