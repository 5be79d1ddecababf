"""Accepting connections: the same for servers with threads, asyncio servers and links.

Nothing here waits. The caller waits for the listening socket, calls `Acceptor.waiting` when it is
readable, and then leaves the socket alone for `Acceptor.pause` seconds.
"""

import errno
import logging
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fastmllp.serving.sockets.addresses import peer_of, place
from fastmllp.serving.sockets.gate import Gate
from fastmllp.serving.sockets.listening import BACKLOG
from fastmllp.serving.sockets.options import set_options

__all__ = ["Accepted", "Acceptor"]

# Out of descriptors or memory: accept cannot succeed until some connection has ended. The waiting
# connection keeps the listener readable, so without a pause its owner would spin.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_EXHAUSTED_SECONDS = 0.2
# The peer gave up between connect and accept; its successor may be waiting.
_FAILED_SECONDS = 0.02


class Accepted(NamedTuple):
    """A connection that may be served, unless its PROXY header says otherwise."""

    socket: socket.socket
    number: int
    host: str
    peer: str


class Acceptor:
    """Accepts what waits at a listening socket.

    Attributes:
        pause: Seconds to leave the listening socket alone now; usually 0.
    """

    def __init__(self, gate: Gate, next_number: Callable[[], int], *, proxied: bool) -> None:
        """Begin.

        Args:
            gate: Who may connect.
            next_number: Gives the number of each connection.
            proxied: The peers are proxies, which tell the address of the sender. The gate is asked
                about that address, later, and not about theirs.
        """
        self.pause = 0.0
        self._gate = gate
        self._next_number = next_number
        self._proxied = proxied
        self._exhausted = False

    def waiting(
        self,
        listener: socket.socket,
        open_connections: Callable[[], int],
        at_most: int = BACKLOG,
    ) -> Iterator[Accepted]:
        """Accept what waits in the backlog, without blocking.

        Args:
            listener: A socket that does not block.
            open_connections: How many connections there are; asked before each further one.
            at_most: How many to accept.
        """
        self.pause = 0.0
        for _ in range(at_most):
            try:
                connected, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self.failed(error)
                return
            accepted = self.admitted(connected, address, open_connections())
            if accepted is not None:
                yield accepted

    def failed(self, error: OSError) -> None:
        """The system has refused to accept: there is a `pause` now."""
        text = os.strerror(error.errno) if error.errno else type(error).__name__
        if error.errno not in _EXHAUSTED:
            self._gate.log.event(logging.INFO, "accept_failed", error=text)
            self.pause = _FAILED_SECONDS
            return
        if not self._exhausted:  # One record for the whole shortage.
            self._gate.log.event(logging.ERROR, "accept_paused", error=text)
        self._exhausted = True
        self.pause = _EXHAUSTED_SECONDS

    def admitted(
        self, connected: socket.socket, address: tuple[Any, ...], open_connections: int
    ) -> Accepted | None:
        """A connection that was accepted, with its options set; None if it had to be closed."""
        self._exhausted = False
        self.pause = 0.0
        number, (host, port) = self._next_number(), peer_of(address)
        peer, gate = place(host, port), self._gate
        allowed = self._proxied or gate.allows(host, number, peer=peer)
        if not (allowed and gate.has_room(open_connections, number, peer=peer)):
            connected.close()
            return None
        connected.setblocking(False)
        set_options(connected)
        return Accepted(connected, number, host, peer)
