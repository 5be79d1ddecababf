"""Many threads, few connections: a client for whoever sends."""

import operator
import queue
import threading
from types import TracebackType
from typing import Any

from fastmllp import config
from fastmllp.client.client import Client
from fastmllp.reply import Reply


class Pool:
    """Clients of one server that threads share; each message takes a free one, or waits for it.

    The client that was used last is taken first, so no more connections are open than messages
    are on their way at a time. A connection that broke is opened anew by the next message that
    takes its client; nothing is sent twice. Messages of different threads have no order.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with Pool("127.0.0.1", 2575, size=4) as pool, ThreadPoolExecutor(32) as threads:
        ...     replies = list(threads.map(pool.send, messages))
        >>> all(reply.accepted for reply in replies)
        True
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = config.DEFAULT_PORT,
        size: int = 4,
        **options: Any,
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
        self._free: queue.LifoQueue[Client] = queue.LifoQueue()
        for _ in range(self._size):
            self._free.put(Client(host, port, **options))
        self._closing = threading.Lock()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, message: str | bytes | bytearray | memoryview) -> Reply:
        """Send one message and wait for its reply, as `Client.send` does, on a free connection.

        The wait for a free connection has no limit of its own: it ends with the replies to the
        messages before, or with their times.
        """
        client = self._free.get()
        try:
            return client.send(message)
        finally:
            self._free.put(client)

    def close(self) -> None:
        """Close every connection, each after the message that is on its way. Stays usable."""
        # Two that close at a time would wait for the clients that the other one holds.
        with self._closing:
            taken: list[Client] = []
            try:
                while len(taken) < self._size:
                    taken.append(self._free.get())
                    taken[-1].close()
            finally:
                for client in taken:
                    self._free.put(client)
