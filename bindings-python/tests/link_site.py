"""A link, and analyzers written with bare sockets at its other end."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from fastmllp.link import Reconnect, SocketLink
from peers import DEADLINE, Peer

LIMIT = 10 * 1_048_576


class Site:
    """A link and the analyzers at its other end, whichever of them dials."""

    def __init__(self, mode: Any, handler: Callable[..., Any] | None, **options: Any) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE)
        self.dials = mode == "client"
        address = self._listener.getsockname() if self.dials else ("127.0.0.1", 0)
        at_once = Reconnect(first=0.001, cap=0.001)
        self.link = SocketLink(handler, *address, mode=mode, reconnect=at_once, **options)
        self._analyzers: list[Peer] = []

    async def __aenter__(self) -> "Site":
        await self.link.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for analyzer in self._analyzers:
            analyzer.socket.close()
        await self.link.stop()
        self._listener.close()

    async def analyzer(self) -> Peer:
        """A connection to the link."""
        if self.dials:
            accepted, _ = await asyncio.to_thread(self._listener.accept)
            self._analyzers.append(Peer(accepted))
        else:
            self._analyzers.append(await asyncio.to_thread(Peer.connect, self.link.address))
        return self._analyzers[-1]


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(2 * DEADLINE):
            await work()

    asyncio.run(bounded())
