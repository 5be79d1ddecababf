"""The dialing side of a link: one connection, opened again whenever it ends."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Literal, TypeAlias

from fastmllp.aio.connections import Connections
from fastmllp.aio.dialing import NotSecure, attach, connect
from fastmllp.aio.loops import other_loop
from fastmllp.link.reconnect import Reconnect
from fastmllp.serving.sockets.addresses import place, reason, unbracketed
from fastmllp.tls.session import TlsSession

DialerState: TypeAlias = Literal["connecting", "connected", "waiting", "stopped"]


class Dialer:
    """Dials as long as it is not closed. Has the same methods to stop as a listening server."""

    def __init__(
        self,
        new_connection: Callable[[], asyncio.Protocol],
        connections: Connections,
        address: tuple[str, int],
        *,
        reconnect: Reconnect,
        timeout: float,
        tls: ssl.SSLContext | None,
        server_hostname: str | None,
    ) -> None:
        """Begin to dial; returns at once.

        Args:
            new_connection: Makes what serves the next connection.
            connections: Told of it by the connection.
            address: Host and port to dial.
            reconnect: When to try again.
            timeout: Seconds for each attempt, from the look-up of the name to the end of a TLS
                handshake. 0 turns it off.
            tls: For a connection over TLS.
            server_hostname: The name in the peer's certificate, where it is not the host.
        """
        self.state: DialerState = "connecting"
        self.address = address
        self._new_connection = new_connection
        self._connections = connections
        self._reconnect = reconnect
        self._timeout = timeout
        self._tls = tls
        self._server_hostname = server_hostname if tls is not None else None
        self._closed = asyncio.Event()
        self._dialing = asyncio.get_running_loop().create_task(self._stay_connected())
        self._dialing.add_done_callback(lambda task: self.close())

    def close(self) -> None:
        """Stop: dial no more, answer every message that was received, close. Returns at once."""
        if self._closed.is_set():
            return
        if other_loop(self._connections.loop, "link"):
            self._abandon()
            return
        self._closed.set()
        self._connections.stop()
        # A connection that was made just now may have received something: it ends by itself.
        if self._connections.is_empty:
            self._dialing.cancel()

    async def wait_closed(self) -> None:
        """Wait until this is closed and its connection has ended."""
        if other_loop(self._connections.loop, "link"):
            self._abandon()
            return
        await self._closed.wait()
        await self._connections.wait_stopped()
        # What ended it, if that was not `close`: a random source that raises, for example.
        await asyncio.wait({self._dialing})
        if not self._dialing.cancelled():
            self._dialing.result()

    def _abandon(self) -> None:
        self.state = "stopped"
        self._connections.abandon()

    async def _stay_connected(self) -> None:
        clock = self._reconnect.clock
        attempts = 0
        try:
            while True:
                self.state = "connecting"
                if await self._dial():
                    self.state = "connected"
                    since = clock()
                    await self._connections.wait_empty()
                    if self._closed.is_set():
                        return
                    if clock() - since >= self._reconnect.steady:
                        attempts = 0
                delay = self._reconnect.delay(attempts)
                attempts += 1
                self.state = "waiting"
                log = self._connections.gate.log
                log.event(logging.INFO, "redial", peer=self._peer, seconds=f"{delay:.3f}")
                await self._reconnect.sleep(delay)
        finally:
            self.state = "stopped"

    def reload_tls(self, context: ssl.SSLContext) -> None:
        """Use another context from the next attempt on."""
        self._tls = context

    async def _dial(self) -> bool:
        """Open a connection; False when the peer cannot be reached."""
        log = self._connections.gate.log
        try:
            session = self._new_session()
            async with asyncio.timeout(self._timeout or None):
                connected = await connect(*self.address)
                await attach(connected, self._new_connection, session, log)
        except (OSError, ValueError) as error:
            log.event(logging.WARNING, "dial_failed", peer=self._peer, error=_reason(error))
            return False
        return True

    def _new_session(self) -> TlsSession | None:
        if self._tls is None:
            return None
        name = self._server_hostname or unbracketed(self.address[0])
        return TlsSession(self._tls, server_hostname=name)

    @property
    def _peer(self) -> str:
        return place(*self.address)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, NotSecure):
        return error.failure.text
    # TLS takes no certificate for such a name.
    return reason(error) if isinstance(error, OSError) else "not a host name"
