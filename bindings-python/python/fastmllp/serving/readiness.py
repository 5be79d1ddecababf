"""Waiting for a socket and for the end of service at the same time.

A thread that blocks in a read cannot be told that the server stops. So no thread blocks in a read:
each waits here for its own non-blocking socket together with the *wake* socket that the whole
server shares. When the server stops, one byte on the wake socket, which nobody ever reads, ends
every wait.
"""

import math
import select
import socket
import time

_POLL = hasattr(select, "poll")


class Readiness:
    """What one thread waits for: its socket, and the wake socket until that has spoken.

    Attributes:
        stopping: The wake socket has spoken. From then on only the thread's own socket is watched.
    """

    def __init__(self, own: socket.socket, wake: socket.socket) -> None:
        self.stopping = False
        self._own = own
        self._wake = wake
        if _POLL:
            self._poller = select.poll()
            self._own_number, self._wanted = own.fileno(), select.POLLIN
            self._poller.register(own, select.POLLIN)
            self._poller.register(wake, select.POLLIN)

    def wait(self, timeout: float | None, *, read: bool = True, write: bool = False) -> bool:
        """Wait until the socket is ready, the server stops, or the time is over.

        The first wait that sees the server stop returns early, with `stopping` set.

        Args:
            timeout: Seconds, or None for no limit.
            read: Wait for something to read. An error on the socket makes it ready in any case:
                the following read or write reports it.
            write: Wait for room to write.

        Returns:
            Whether the socket is ready.
        """
        if _POLL:
            return self._wait_poll(timeout, read, write)
        return self._wait_select(timeout, read, write)

    def _wait_poll(self, timeout: float | None, read: bool, write: bool) -> bool:
        wanted = (select.POLLIN if read else 0) | (select.POLLOUT if write else 0)
        if wanted != self._wanted:
            self._poller.modify(self._own, wanted)
            self._wanted = wanted
        # Rounded up: a poll that returns a fraction early would make its caller spin.
        ready = self._poller.poll(None if timeout is None else math.ceil(timeout * 1000))
        own_is_ready = False
        for descriptor, _ in ready:
            if descriptor == self._own_number:
                own_is_ready = True
            else:
                self.stopping = True
                self._poller.unregister(self._wake)
        return own_is_ready

    def _wait_select(self, timeout: float | None, read: bool, write: bool) -> bool:
        # Windows has no poll, and its select has no limit on the value of a descriptor.
        wake = [] if self.stopping else [self._wake]
        readers = [*wake, self._own] if read else wake
        writers = [self._own] if write else []
        readable, writable, failed = select.select(readers, writers, writers, timeout)
        if self._wake in readable:
            self.stopping = True
        return self._own in readable or bool(writable) or bool(failed)


def pause(wake: socket.socket, seconds: float) -> None:
    """Let time pass, or return at once when the server stops."""
    deadline = time.monotonic() + seconds
    while (remaining := deadline - time.monotonic()) > 0:
        if _POLL:
            poller = select.poll()
            poller.register(wake, select.POLLIN)
            ready = bool(poller.poll(math.ceil(remaining * 1000)))
        else:
            ready = bool(select.select([wake], [], [], remaining)[0])
        if ready:
            return
