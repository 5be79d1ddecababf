"""Many tasks, few connections."""

import asyncio
import contextlib
import functools
import operator
from types import TracebackType
from typing import Unpack

from fastmllp.aio.client import AsyncClient
from fastmllp.aio.loops import other_loop
from fastmllp.client.failure import closed
from fastmllp.client.options import ClientKeywords, ClientOptions
from fastmllp.client.reply import ConnectionLost, Reply
from fastmllp.client.settings import Payload


class Pool:
    """Connections to one server; each message takes the one with the fewest in progress.

    A message is assigned only when a connection has room, so it never queues behind an unanswered
    one while another connection is idle. A connection that broke is opened again by the next
    message that takes it; nothing is sent twice. Messages have no order. A pool belongs to an event
    loop as an `AsyncClient` does.

    Example:
        >>> async def deliver(messages):
        ...     async with Pool("127.0.0.1", 2575, size=4, window=8) as pool:
        ...         return await asyncio.gather(*(pool.send(one) for one in messages))
        >>> [reply.accepted for reply in asyncio.run(deliver(messages))]
        [True, True]
    """

    @ClientOptions.shown(ClientKeywords)
    def __init__(
        self,
        host: str = ClientOptions.host,
        port: int = ClientOptions.port,
        size: int = 4,
        *,
        window: int = ClientOptions.window,
        **options: Unpack[ClientKeywords],
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
        self._clients = [AsyncClient(host, port, window=window, **options) for _ in range(size)]
        self._size = size * window
        self._places: _Places | None = None
        self._closings = 0

    async def __aenter__(self) -> "Pool":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(*(() if error is None else (ConnectionLost,))):
            await self.close()

    async def send(self, message: Payload) -> Reply:
        """Send one message and wait for its reply, as `AsyncClient.send` does."""
        closings, places = self._closings, self._current()
        await places.room.acquire()
        client = min(places.busy, key=places.busy.__getitem__)
        places.busy[client] += 1
        settled = functools.partial(places.settled, client)
        try:
            if closings != self._closings:
                raise closed("pool", "not_sent")
            exchange = client._current()
            future = exchange.begin(message)
        except BaseException:
            settled()
            raise
        try:
            reply = await future
        except BaseException:
            # A message that was written keeps its place: another would have to wait behind it.
            exchange.give_up(future, settled)
            raise
        settled()
        return reply

    def _current(self) -> "_Places":
        """The places of the loop that runs."""
        places = self._places
        if places is None or other_loop(places.loop, "pool"):
            places = self._places = _Places(self._clients, self._size)
        return places

    async def close(self) -> None:
        """Close every connection, as `AsyncClient.close` does. The pool stays usable.

        Messages without a reply fail.

        Raises:
            ConnectionLost: As `AsyncClient.close` does, after every connection is closed.
            RuntimeError: The pool belongs to another event loop, which still runs.
        """
        if self._places is not None:
            other_loop(self._places.loop, "pool")
        self._closings += 1
        self._places = None
        closings = (client.close() for client in self._clients)
        for ended in await asyncio.gather(*closings, return_exceptions=True):
            if ended is not None:
                raise ended


class _Places:
    """Who may send, in one event loop."""

    def __init__(self, clients: list[AsyncClient], size: int) -> None:
        self.loop = asyncio.get_running_loop()
        # Messages without a reply, by connection.
        self.busy = dict.fromkeys(clients, 0)
        self.room = asyncio.Semaphore(size)

    def settled(self, client: AsyncClient) -> None:
        """A message of that client has its verdict."""
        self.busy[client] -= 1
        self.room.release()
