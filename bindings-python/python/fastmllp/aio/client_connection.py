"""A client's connection under asyncio: bytes out, and how many of them have left; bytes in."""

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from typing import Protocol, cast

from fastmllp.tls_failure import TLS_CLOSED, TlsFailure
from fastmllp.tls_session import TlsSession

__all__ = ["ClientConnection", "Owner", "SecureClientConnection"]

# One record of TLS holds no more (RFC 8446, 5.1). The server has nothing of a record before it has
# all of it, so it cannot answer what has not left.
_RECORD_SIZE = 16_384


class Owner(Protocol):
    """Who uses the connection."""

    def received(self, connection: "ClientConnection", data: bytes) -> None:
        """Bytes of the server."""

    def written(self, connection: "ClientConnection", unsent: int) -> None:
        """All that was written has left, except for this many bytes."""

    def resumed(self) -> None:
        """There is room to write again."""

    def ended(self, connection: "ClientConnection", error: Exception | None) -> None:
        """The connection is gone, or the server will send nothing more."""


class ClientConnection(asyncio.Protocol):
    """Moves bytes for a client, from `adopt` on; what comes before that waits.

    Attributes:
        transport: The connection itself.
        socket: The socket below, for the end of a connection whose loop is gone.
        writes: Everything has left, and more may be written.
        closed: Set when the connection is gone.
        early: What has come before there was an owner.
        has_ended: The connection is gone, or the server will send nothing more.
        error: Why, if not by the server's own end.
        failure: Why TLS has failed, if it has.
    """

    transport: asyncio.Transport
    failure: TlsFailure | None = None

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.writes = True
        self.closed = asyncio.Event()
        self.early = b""
        self.has_ended = False
        self.error: Exception | None = None
        self._owner: Owner | None = None

    async def open(self) -> None:
        """Wait until bytes of the program can flow.

        Raises:
            OSError: They never will; `failure` may say why.
        """

    def adopt(self, owner: Owner) -> None:
        """Report to this owner, beginning with what has come since the connection was made."""
        self._owner = owner
        early, self.early = self.early, b""
        if early:
            owner.received(self, early)

    def write(self, data: bytes) -> None:
        """Write, and tell the owner how much has left."""
        self.transport.write(data)
        self._tell_written()

    @property
    def unsent(self) -> int:
        """How many bytes of what was written have not left."""
        return 0 if self.writes else self.transport.get_write_buffer_size()

    def hang_up(self) -> None:
        """Close at once; what has not left is lost."""
        try:
            self.transport.abort()
        except RuntimeError:  # Its loop is closed: nobody else closes the socket.
            self.socket.close()

    async def end(self, seconds: float) -> None:
        """Close when the server has closed its end, or after this many seconds."""
        try:
            self._say_end()
            async with asyncio.timeout(seconds):
                await self.closed.wait()
        except OSError:  # TimeoutError among them.
            pass
        finally:
            self.hang_up()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are no subclasses.
        self.transport = transport = cast(asyncio.Transport, transport)
        # A message counts as written once the transport holds none of it.
        transport.set_write_buffer_limits(high=0, low=0)

    def data_received(self, data: bytes) -> None:
        owner = self._owner
        if owner is None:
            self.early += data
            return
        if not self.writes:
            # What this answers has left, and the transport has perhaps not come to say so.
            owner.written(self, self.unsent)
        owner.received(self, data)

    def pause_writing(self) -> None:
        self.writes = False

    def resume_writing(self) -> None:
        self.writes = True
        self._tell_written()
        if self._owner is not None:
            self._owner.resumed()

    def eof_received(self) -> None:
        self._finish(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()
        self._finish(error)

    def _finish(self, error: Exception | None) -> None:
        if not self.has_ended:
            self.has_ended, self.error = True, error
            if self._owner is not None:
                self._owner.ended(self, error)

    def _say_end(self) -> None:
        self.transport.write_eof()

    def _tell_written(self) -> None:
        if self._owner is not None:
            self._owner.written(self, self.unsent)


class SecureClientConnection(ClientConnection):
    """A `ClientConnection` whose bytes are those of a `TlsSession`.

    Not the TLS of the loop, which tells nobody why a handshake has failed, and counts what it holds
    itself as sent.
    """

    def __init__(self, connected: socket.socket, session: TlsSession) -> None:
        super().__init__(connected)
        self._tls = session
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Lengths of what the transport holds: inside of TLS, and on the wire.
        self._held: deque[tuple[int, int]] = deque()
        self._held_inside = self._held_outside = 0

    async def open(self) -> None:
        await self._opened
        if not self._tls.is_open:
            raise OSError((self.failure or TLS_CLOSED).text)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        with contextlib.suppress(ssl.SSLError):  # It has failed, and `failure` says why.
            for begin in range(0, len(view), _RECORD_SIZE):
                part = view[begin : begin + _RECORD_SIZE]
                self._tls.write(bytes(part))
                self._push(len(part))
        self._tell_written()

    @property
    def unsent(self) -> int:
        held = 0 if self.writes else self.transport.get_write_buffer_size()
        while self._held and self._held_outside - self._held[0][1] >= held:
            inside, outside = self._held.popleft()
            self._held_inside -= inside
            self._held_outside -= outside
        return self._held_inside

    def hang_up(self) -> None:
        self._tls.close()
        with contextlib.suppress(RuntimeError):
            self._push(0)
        super().hang_up()

    def _say_end(self) -> None:
        self._tls.close()
        self._push(0)
        super()._say_end()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._push(0)

    def data_received(self, data: bytes) -> None:
        data = self._tls.receive(data)
        self._push(0)
        if data:
            super().data_received(data)
        if self._tls.is_ended:
            self._finish(None)
        elif self._tls.is_open:
            self._settle()

    def _finish(self, error: Exception | None) -> None:
        self.failure = self._tls.failure
        self._settle()
        super()._finish(error)

    def _settle(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _push(self, inside: int) -> None:
        outgoing = self._tls.outgoing()
        if outgoing:
            self._held.append((inside, len(outgoing)))
            self._held_inside += inside
            self._held_outside += len(outgoing)
            self.transport.write(outgoing)
