"""Accepting connections on an event loop."""

import asyncio
import contextlib
import contextvars
import ipaddress
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from fastmllp.serving.handler import server_name
from fastmllp.serving.sockets.accepting import Accepted, Acceptor
from fastmllp.serving.sockets.addresses import ANY_HOST, unbracketed
from fastmllp.serving.sockets.gate import Gate
from fastmllp.serving.sockets.listening import BACKLOG, listen

# How often the counts of refused peers are looked at.
_LOOK_SECONDS = 5.0
# How many connections are accepted in one turn of the loop. Each has a task until it has its
# protocol: a thousand at once would take a kilobyte each that is never given back, and would hold
# up the connections that are served already.
_AT_ONCE = 16

Begin = Callable[[Accepted], Coroutine[Any, Any, None]]


class Listener:
    """Waits for a listening socket, and begins each connection in a task of its own.

    asyncio's own server would keep the failures of accept to itself, or print a traceback for each.

    Attributes:
        address: Host and port that it listens on.
    """

    def __init__(
        self,
        listening: socket.socket,
        acceptor: Acceptor,
        gate: Gate,
        begin: Begin,
        open_connections: Callable[[], int],
    ) -> None:
        """Begin to accept.

        Args:
            listening: The socket; closed by `close`.
            acceptor: Accepts.
            gate: Keeps the counts of refused peers.
            begin: Serves a connection; returns as soon as that has its protocol.
            open_connections: How many connections there are.
        """
        listening.setblocking(False)
        address = listening.getsockname()
        self.address: tuple[str, int] = (address[0], address[1])
        self._loop = asyncio.get_running_loop()
        self._socket = listening
        self._acceptor = acceptor
        self._gate = gate
        self._begin = begin
        self._open_connections = open_connections
        self._beginning: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None
        self._paused: asyncio.TimerHandle | None = None
        # What a handler logs carries the name: all that happens on the connections is begun here.
        self._context = contextvars.copy_context()
        self._context.run(server_name.set, gate.log.name)
        self._context.run(self._watch)
        self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)

    def close(self) -> None:
        """Accept what waits in the backlog, and nothing more. Returns at once.

        A peer of the backlog has a connection, and perhaps has sent its message already.
        """
        self._looking.cancel()
        if self._paused is not None:
            self._paused.cancel()
        if self._accepting is None:
            self._loop.remove_reader(self._socket)
            self._finish()
        else:
            # Until the task has ended the loop watches the socket. If it were closed before, its
            # number could be that of another one, and the loop would then forget about that.
            self._accepting.add_done_callback(self._finish)
            self._accepting.cancel()

    def _finish(self, _: object = None) -> None:
        self._context.run(self._accept, BACKLOG)
        self._socket.close()
        self._gate.finish()

    def abandon(self) -> None:
        """The loop has ended without a stop: free the port."""
        self._socket.close()
        self._gate.finish()

    async def wait_begun(self) -> None:
        """After `close`, wait until every connection that was accepted has its protocol, or is
        closed."""
        if self._accepting is not None:
            await asyncio.wait([self._accepting])
        while self._beginning:
            await asyncio.wait(self._beginning)

    def _watch(self) -> None:
        self._paused = None
        try:
            self._loop.add_reader(self._socket, self._on_readable)
        except NotImplementedError:  # The loop of Windows.
            self._accepting = self._loop.create_task(self._accept_one_by_one())

    def _on_readable(self) -> None:
        self._accept(_AT_ONCE)
        if self._acceptor.pause:
            self._loop.remove_reader(self._socket)
            self._paused = self._loop.call_later(self._acceptor.pause, self._watch)

    def _accept(self, at_most: int) -> None:
        for accepted in self._acceptor.waiting(self._socket, self._open_connections, at_most):
            self._start(accepted)

    async def _accept_one_by_one(self) -> None:
        while True:
            try:
                connected, address = await self._loop.sock_accept(self._socket)
            except OSError as error:
                self._acceptor.failed(error)
            else:
                count = self._open_connections()
                accepted = self._acceptor.admitted(connected, address, count)
                if accepted is not None:
                    self._start(accepted)
            # A socket that is ready at once would not let anything else run.
            await asyncio.sleep(self._acceptor.pause)

    def _start(self, accepted: Accepted) -> None:
        task = self._loop.create_task(self._begin(accepted))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    def _look(self) -> None:
        self._gate.on_time()
        self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)


async def listening_socket(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """A listening socket, as `fastmllp.serving.sockets.listening.listen` makes it.

    A name is looked up in another thread, because that can take seconds.
    """
    address = host in ("", ANY_HOST)
    with contextlib.suppress(ValueError):
        address = address or bool(ipaddress.ip_address(unbracketed(host)))
    if address:
        return listen(host, port, reuse_port=reuse_port)
    return await asyncio.to_thread(listen, host, port, reuse_port=reuse_port)
