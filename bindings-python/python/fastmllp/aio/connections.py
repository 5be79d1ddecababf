"""The open connections of a server or a link: numbered, limited, and stopped together."""

import asyncio
import contextlib
import itertools
from typing import Protocol

from fastmllp.serving.sockets.gate import Gate

# How long connections that are aborted may need to notice.
_ABORT_SECONDS = 1.0


class OpenConnection(Protocol):
    """What is asked of a connection, whatever protocol it speaks."""

    def stop(self) -> None:
        """Answer every message that has been received, then close. Returns at once."""

    def abort(self) -> None:
        """Close at once: the time for a graceful end is over."""


class Connections:
    """Takes connections until it is stopped, and knows when the last one has ended.

    Attributes:
        gate: How many are taken, and where refusals go on record.
        loop: The event loop that they belong to.
    """

    def __init__(self, gate: Gate, stop_timeout: float) -> None:
        """Begin without connections; belongs to the loop that is running.

        Args:
            gate: How many are taken.
            stop_timeout: Seconds that a graceful stop may take; 0: no limit.
        """
        self.loop = asyncio.get_running_loop()
        self.gate = gate
        self._stop_timeout = stop_timeout
        self._numbers = itertools.count(1)
        self._reserved: int | None = None
        self._open: set[OpenConnection] = set()
        self._stopping = False
        self._empty = asyncio.Event()
        self._empty.set()

    # What the connections ask for.

    def next_number(self) -> int:
        """The number of a new connection, from 1."""
        number, self._reserved = self._reserved, None
        return self.new_number() if number is None else number

    def takes(self, connection: OpenConnection, number: int, peer: str) -> bool:
        """Whether there is room for one more connection. One that is taken must be forgotten."""
        if not self.gate.has_room(len(self._open), number, peer=peer):
            return False
        self._open.add(connection)
        self._empty.clear()
        if self._stopping:
            # A peer of the backlog has a connection, and perhaps has sent its message already.
            self.loop.call_soon(connection.stop)
        return True

    def forget(self, connection: OpenConnection) -> None:
        """The connection has ended, and no message of it is worked on any more."""
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    # What their owner asks for.

    def new_number(self) -> int:
        """A number for a connection that has just been accepted, and may yet be refused."""
        return next(self._numbers)

    def reserve(self, number: int) -> None:
        """The next connection that is made gets this number, which `new_number` gave before."""
        self._reserved = number

    @property
    def count(self) -> int:
        """How many connections there are."""
        return len(self._open)

    @property
    def is_empty(self) -> bool:
        """Whether there is no connection."""
        return not self._open

    async def wait_empty(self) -> None:
        """Wait until there is no connection."""
        await self._empty.wait()

    def stop(self) -> None:
        """Let every connection answer what it has received, and close. Returns at once."""
        self._stopping = True
        # Later, because a handler that asks for this is in the midst of its connection's work.
        self.loop.call_soon(self._stop_all)

    async def wait_stopped(self) -> None:
        """Wait until every connection has ended; abort those that take too long."""
        if await self._is_empty_within(self._stop_timeout or None):
            return
        late = len(self._open)
        for connection in list(self._open):
            connection.abort()
        # What does not end even now has caught its cancellation, and nothing can interrupt it.
        await self._is_empty_within(_ABORT_SECONDS)
        self.gate.stop_timed_out(late, len(self._open))

    async def _is_empty_within(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def abandon(self) -> None:
        """The loop has ended without a stop: leave everything that belongs to it."""
        for connection in list(self._open):
            # Nobody can be told any more; the sockets close when nothing holds them.
            with contextlib.suppress(RuntimeError):
                connection.abort()
        self._open.clear()
        with contextlib.suppress(RuntimeError):
            self._empty.set()

    def _stop_all(self) -> None:
        for connection in list(self._open):
            connection.stop()
