"""The dialing side of a link: one connection, opened again whenever it ends."""

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from typing import Literal, TypeAlias

from fastmllp.aio.connections import Connections
from fastmllp.link.reconnect import Reconnect
from fastmllp.logging import log_event
from fastmllp.sockets.options import set_options
from fastmllp.tls_failure import TLS_CLOSED, TlsFailure

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
            timeout: Seconds for each attempt, that of TLS included. 0 turns it off.
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
        self._closed.set()
        self._connections.stop()
        # A connection that was made just now may have received something: it ends by itself.
        if self._connections.is_empty:
            self._dialing.cancel()

    async def wait_closed(self) -> None:
        """Wait until this is closed and its connection has ended."""
        await self._closed.wait()
        await self._connections.wait_stopped()
        # What ended it, if that was not `close`: a random source that raises, for example.
        await asyncio.wait({self._dialing})
        if not self._dialing.cancelled():
            self._dialing.result()

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
                log_event(logging.INFO, "redial", peer=self._peer, seconds=f"{delay:.3f}")
                await self._reconnect.sleep(delay)
        finally:
            self.state = "stopped"

    async def _dial(self) -> bool:
        """Open a connection; False when the peer cannot be reached."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout or None):
                transport, _ = await loop.create_connection(
                    self._new_connection,
                    *self.address,
                    ssl=self._tls,
                    server_hostname=self._server_hostname,
                )
        except (OSError, UnicodeError) as error:
            log_event(logging.WARNING, "dial_failed", peer=self._peer, error=_reason(error))
            return False
        set_options(transport.get_extra_info("socket"))
        return True

    @property
    def _peer(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, UnicodeError):
        return "not a host name"
    if isinstance(error, ssl.SSLError):
        return TlsFailure.of(error, b"").text
    # asyncio adds the address to the text of an error; the number has the plain one.
    number = error.errno or 0
    text = os.strerror(number) if number > 0 else error.strerror
    return text or TLS_CLOSED.text
