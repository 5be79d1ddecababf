"""A client's connection under asyncio: bytes out, and how many of them have left; bytes in."""

import asyncio
import contextlib
import socket
from typing import Protocol, cast

from fastmllp.serving.sockets.addresses import reason
from fastmllp.tls.failure import TlsFailure
from fastmllp.tls.session import TlsSession

__all__ = ["ClientConnection", "Owner"]


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

    def __init__(self, connected: socket.socket, session: TlsSession | None = None) -> None:
        """Prepare.

        Args:
            connected: The socket.
            session: What decrypts below, if anything does.
        """
        self.failure: TlsFailure | None = None
        self.socket = connected
        self._session = session
        self.writes = True
        self.closed = asyncio.Event()
        self.early = b""
        self.has_ended = False
        self.error: Exception | None = None
        self._owner: Owner | None = None
        self._refused = 0

    def adopt(self, owner: Owner) -> None:
        """Report to this owner, beginning with what has come since the connection was made."""
        self._owner = owner
        early, self.early = self.early, b""
        if early:
            owner.received(self, early)

    def write(self, data: bytes) -> None:
        """Write, and tell the owner how much has left."""
        if not self.has_ended and not self.transport.is_closing():
            self.transport.write(data)
        else:
            # Bytes given to a transport that has failed have not left.
            self._refused += len(data)
        if self._owner is not None:
            self._owner.written(self, self.unsent)

    @property
    def unsent(self) -> int:
        """How many bytes of what was written have not left."""
        held = 0 if self.writes else self.transport.get_write_buffer_size()
        return held + self._refused

    def hang_up(self) -> None:
        """Close at once; what has not left is lost."""
        try:
            with contextlib.suppress(OSError):  # The other side has gone first.
                self.transport.write_eof()
            self.transport.abort()
        except RuntimeError:  # Its loop is closed and cannot close the socket.
            self.socket.close()

    async def end(self, grace: float, seconds: float) -> str:
        """Close when the server has closed its end, or after this many seconds.

        Args:
            grace: Seconds before our end in which the server's end would come first.
            seconds: How long to wait at most for the server's end after ours.

        Returns:
            Why the server may not have read everything, in words; empty if it has.
        """
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.closed.wait(), grace)
                return self._breakage or "closed by the server first"
            if self.has_ended:
                return self._breakage or "closed by the server first"
            self.transport.write_eof()
            await asyncio.wait_for(self.closed.wait(), seconds)
        except TimeoutError:
            return f"not closed by the server within {seconds:g} s"
        except OSError as error:
            return self._breakage or reason(error)
        finally:
            self.hang_up()
        return self._breakage

    @property
    def _breakage(self) -> str:
        """Why the connection ended otherwise than by the server's own end."""
        if self.failure is not None:
            return self.failure.text
        if self.error is None:
            return ""
        return reason(self.error) if isinstance(self.error, OSError) else type(self.error).__name__

    # What a `SecureLayer` calls.

    def secured(self, version: str) -> None:
        """The handshake is done."""

    def insecure(self, failure: TlsFailure) -> None:
        """TLS has failed: nothing more comes."""
        self.failure = failure

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are not subclasses.
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
        if self._owner is not None:
            self._owner.written(self, self.unsent)
            self._owner.resumed()

    def eof_received(self) -> None:
        self._finish(None)

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None and not self.has_ended:
            self._listen_once_more()
        self.closed.set()
        self._finish(error)

    def _listen_once_more(self) -> None:
        """A server that refuses to go on has perhaps said why before it closed."""
        try:
            data = self.socket.recv(65_536)
        except OSError:  # BlockingIOError too: nothing has come.
            return
        if self._session is not None:
            data = self._session.receive(data)
            self.failure = self._session.failure
        if data:
            self.data_received(data)

    def _finish(self, error: Exception | None) -> None:
        if not self.has_ended:
            self.has_ended, self.error = True, error
            if self._owner is not None:
                self._owner.ended(self, error)
