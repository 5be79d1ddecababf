"""Many tasks, few connections."""

import asyncio
import functools
import operator
from types import TracebackType
from typing import Any

from fastmllp import config
from fastmllp.aio.client import AsyncClient
from fastmllp.reply import ConnectionLost, Reply


class Pool:
    """Connections to one server; each message takes the one with the fewest on their way.

    A message is given to a connection when there is room for it, not before, so none waits behind
    another that is not answered while a different connection is free. A connection that broke is
    opened anew by the next message that takes it; nothing is sent twice. Messages have no order.

    Example:
        >>> async def deliver(messages):
        ...     async with Pool("127.0.0.1", 2575, size=4, window=8) as pool:
        ...         return await asyncio.gather(*(pool.send(one) for one in messages))
        >>> [reply.accepted for reply in asyncio.run(deliver(messages))]
        [True, True]
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = config.DEFAULT_PORT,
        size: int = 4,
        *,
        window: int = 1,
        **options: Any,
    ) -> None:
        """Keep the settings; each connection is opened when it has a message.

        Args:
            host: Address or name of the server.
            port: TCP port of the server.
            size: How many connections there may be, at least 1.
            window: How many messages may wait for their replies on one connection, from 1 to 64.
            options: As for `AsyncClient`.

        Raises:
            ValueError: A setting is out of bounds.
        """
        size = operator.index(size)
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        clients = [AsyncClient(host, port, window=window, **options) for _ in range(size)]
        # Messages on their way, by connection.
        self._busy = dict.fromkeys(clients, 0)
        self._room = asyncio.Semaphore(size * window)
        self._closings = 0

    async def __aenter__(self) -> "Pool":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def send(self, message: str | bytes | bytearray | memoryview) -> Reply:
        """Send one message and wait for its reply, as `AsyncClient.send` does."""
        closings = self._closings
        await self._room.acquire()
        client = min(self._busy, key=self._busy.__getitem__)
        self._busy[client] += 1
        settled = functools.partial(self._settled, client)
        try:
            if closings != self._closings:
                raise ConnectionLost("the pool was closed")
            future = client._begin(message)
        except BaseException:
            settled()
            raise
        try:
            reply = await future
        except BaseException:
            # A message that is on its way keeps its place: another would have to wait behind it.
            client._give_up(future, settled)
            raise
        settled()
        return reply

    def _settled(self, client: AsyncClient) -> None:
        self._busy[client] -= 1
        self._room.release()

    async def close(self) -> None:
        """Close every connection. Messages without a reply fail; the pool stays usable."""
        self._closings += 1
        await asyncio.gather(*(client.close() for client in self._busy))
