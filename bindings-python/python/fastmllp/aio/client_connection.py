"""A client's connection under asyncio: bytes out, and how many of them have left; bytes in."""

import asyncio
from typing import Protocol, cast

from fastmllp.tls_failure import ALERT


class Owner(Protocol):
    """Who uses the connection."""

    def received(self, connection: "ClientConnection", data: bytes) -> None:
        """Bytes of the server."""

    def written(self, connection: "ClientConnection", unsent: int) -> None:
        """All that was written has left, but for so many bytes."""

    def resumed(self) -> None:
        """There is room to write again."""

    def ended(self, connection: "ClientConnection", error: Exception | None) -> None:
        """The connection is gone, or the server will send nothing more."""


class ClientConnection(asyncio.Protocol):
    """Moves bytes for a client.

    Attributes:
        transport: The connection itself.
        writes: Everything has left, and more may be written.
        closed: Set when the connection is gone.
        first: The first bytes that the server has sent, as many as tell what it speaks.
    """

    transport: asyncio.Transport

    def __init__(self, owner: Owner) -> None:
        self.writes = True
        self.closed = asyncio.Event()
        self.first = b""
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are no subclasses.
        self.transport = transport = cast(asyncio.Transport, transport)
        # A message counts as written once the transport holds none of it. A mark of 0 is reached by
        # an empty buffer under TLS, and by one byte without.
        secure = transport.get_extra_info("sslcontext") is not None
        transport.set_write_buffer_limits(high=1 if secure else 0, low=0)

    def write(self, data: bytes) -> None:
        """Write, and tell the owner how much has left."""
        self.transport.write(data)
        self._owner.written(self, self.unsent)

    @property
    def unsent(self) -> int:
        """How many bytes the transport still holds."""
        return 0 if self.writes else self.transport.get_write_buffer_size()

    def data_received(self, data: bytes) -> None:
        if len(self.first) < len(ALERT):
            self.first = (self.first + data[: len(ALERT)])[: len(ALERT)]
        if not self.writes:
            # What this answers has left, and the transport has perhaps not come to say so.
            self._owner.written(self, self.unsent)
        self._owner.received(self, data)

    def pause_writing(self) -> None:
        self.writes = False

    def resume_writing(self) -> None:
        self.writes = True
        self._owner.written(self, 0)
        self._owner.resumed()

    def eof_received(self) -> None:
        self._owner.ended(self, None)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()
        self._owner.ended(self, error)
