"""The end of a connection that must not cost the peer what we sent last."""

import asyncio
import contextlib

# After our side is shut down for writing, the peer gets this long, and we throw away this much, so
# that its acknowledgments arrive: closing with unread input makes the kernel send a reset, and a
# reset destroys what the peer has not read yet.
_SECONDS = 1.0
MAX_BYTES = 16 * 1_048_576
"""Bytes that are read and thrown away."""


class Linger:
    """Shuts a transport down for writing, and closes it when the peer is done or was too slow."""

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, timeout: float
    ) -> None:
        """Begin.

        Args:
            transport: With all bytes to send already written to it.
            loop: Its loop.
            timeout: Seconds that the peer may take for what the transport still holds; 0: no limit.
        """
        self._transport = transport
        self._loop = loop
        self._left = MAX_BYTES
        self._until = loop.time() + timeout if timeout else None
        self._timer = loop.call_later(_SECONDS, self._on_timer)
        # The peer has perhaps reset the connection, and the loop has not noticed yet (ENOTCONN).
        with contextlib.suppress(OSError):
            transport.write_eof()

    def received(self, length: int) -> None:
        """The peer goes on sending; nobody reads it."""
        self._left -= length
        if self._left < 0:
            self._transport.abort()

    def ended(self) -> None:
        """The peer is done."""
        self._transport.close()

    def cancel(self) -> None:
        """The transport is closed."""
        self._timer.cancel()

    def _on_timer(self) -> None:
        holds = self._transport.get_write_buffer_size() > 0
        if holds and (self._until is None or self._loop.time() < self._until):
            self._timer = self._loop.call_later(_SECONDS, self._on_timer)
        else:
            self._transport.abort()
