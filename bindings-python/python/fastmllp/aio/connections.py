"""The open connections of a server or a link: numbered, limited, and stopped together."""

import asyncio
import itertools
import logging
from typing import Protocol

from fastmllp.logging import log_event


class OpenConnection(Protocol):
    """What is asked of a connection, whatever protocol it speaks."""

    def stop(self) -> None:
        """Answer every message that has been received, then close. Returns at once."""

    def abort(self) -> None:
        """Close at once: the time for a graceful end is over."""


class Connections:
    """Takes connections until it is stopped, and knows when the last one has ended."""

    def __init__(self, max_connections: int, stop_timeout: float) -> None:
        """Begin without connections; belongs to the loop that is running.

        Args:
            max_connections: Further ones are not taken.
            stop_timeout: Seconds that a graceful stop may take; 0: no limit.
        """
        self._loop = asyncio.get_running_loop()
        self._max_connections = max_connections
        self._stop_timeout = stop_timeout
        self._numbers = itertools.count(1)
        self._open: set[OpenConnection] = set()
        self._stopping = False
        self._empty = asyncio.Event()
        self._empty.set()

    # What the connections ask for.

    def next_number(self) -> int:
        """The number of a new connection, from 1."""
        return next(self._numbers)

    def takes(self, connection: OpenConnection, number: int, peer: str) -> bool:
        """Whether there is room for one more connection. One that is taken must be forgotten."""
        if len(self._open) >= self._max_connections:
            log_event(logging.WARNING, "too_many_connections", number, peer=peer)
            return False
        self._open.add(connection)
        self._empty.clear()
        if self._stopping:
            # A peer of the backlog has a connection, and perhaps has sent its message already.
            self._loop.call_soon(connection.stop)
        return True

    def forget(self, connection: OpenConnection) -> None:
        """The connection has ended, and no message of it is worked on any more."""
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    # What their owner asks for.

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
        self._loop.call_soon(self._stop_all)

    async def wait_stopped(self) -> None:
        """Wait until every connection has ended; abort those that take too long."""
        try:
            async with asyncio.timeout(self._stop_timeout or None):
                await self._empty.wait()
        except TimeoutError:
            for connection in list(self._open):
                connection.abort()
            await self._empty.wait()

    def _stop_all(self) -> None:
        for connection in list(self._open):
            connection.stop()
