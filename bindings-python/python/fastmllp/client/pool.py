"""Many threads, few connections."""

import contextlib
import operator
import queue
import threading
import time
from types import TracebackType
from typing import Unpack

from fastmllp.client.client import Client
from fastmllp.client.options import ClientKeywords, ClientOptions
from fastmllp.client.reply import ConnectionLost, Reply
from fastmllp.client.settings import Payload

# How long `close` waits for messages in progress, and for their ends once it has closed them.
_CLOSE_SECONDS, _LAST_SECONDS = 10.0, 1.0


class Pool:
    """Clients of one server that threads share; each message takes a free one, or waits for it.

    The client that was used last is taken first, so no more connections are open than messages are
    in progress at a time. A connection that broke is opened again by the next message that takes
    its client; nothing is sent twice. Messages of different threads have no order.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with Pool("127.0.0.1", 2575, size=4) as pool, ThreadPoolExecutor(32) as threads:
        ...     replies = list(threads.map(pool.send, messages))
        >>> all(reply.accepted for reply in replies)
        True
    """

    @ClientOptions.shown(ClientKeywords)
    def __init__(
        self,
        host: str = ClientOptions.host,
        port: int = ClientOptions.port,
        size: int = 4,
        **options: Unpack[ClientKeywords],
    ) -> None:
        """Keep the settings; each client connects when it has a message.

        Args:
            host: Address or name of the server.
            port: TCP port of the server.
            size: How many connections there may be, at least 1.
            options: As for `Client`.

        Raises:
            ValueError: A setting is out of bounds.
        """
        self._size = operator.index(size)
        if self._size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self._clients = [Client(host, port, **options) for _ in range(self._size)]
        self._free: queue.LifoQueue[Client] = queue.LifoQueue()
        for client in self._clients:
            self._free.put(client)
        self._close_seconds = max(_CLOSE_SECONDS, options.get("timeout", 0.0))
        self._closing = threading.Lock()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(*(() if error is None else (ConnectionLost,))):
            self.close()

    def send(self, message: Payload) -> Reply:
        """Send one message and wait for its reply, as `Client.send` does, on a free connection.

        The wait for a free connection has no limit of its own: it ends when a message before this
        one has its reply, or when the time of that message is over. With ``timeout=0`` a server
        that does not answer keeps its connections busy for ever.
        """
        client = self._free.get()
        try:
            return client.send(message)
        finally:
            self._free.put(client)

    def close(self) -> None:
        """Close every connection, each after the message in progress. The pool stays usable.

        A message that takes more than ten seconds, or more than ``timeout`` if that is longer, is
        not waited for: its connection is closed, and its `send` raises `ConnectionLost`.

        Raises:
            ConnectionLost: As `Client.close` does, after every connection is closed.
        """
        # Two that close at a time would wait for the clients that the other one holds.
        with self._closing:
            taken: list[Client] = []
            lost: list[ConnectionLost] = []
            try:
                self._take_free(taken, self._close_seconds, lost)
                for client in self._clients:
                    _close(client, lost)
                # Those that were in use end now, but for one that is just connecting.
                self._take_free(taken, _LAST_SECONDS, lost)
            finally:
                for client in taken:
                    self._free.put(client)
        if lost:
            raise lost[0]

    def _take_free(self, taken: list[Client], seconds: float, lost: list[ConnectionLost]) -> None:
        """Take the clients that are free or become so, for this many seconds at most."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while len(taken) < len(self._clients):
                timeout = max(0.0, deadline - time.monotonic())
                taken.append(self._free.get(timeout=timeout))
                _close(taken[-1], lost)


def _close(client: Client, lost: list[ConnectionLost]) -> None:
    try:
        client.close()
    except ConnectionLost as error:
        lost.append(error)
