"""asyncio.Protocol, the same answer to every frame: the limit of a Python event loop."""

import asyncio
from typing import cast

from fixed_answer import ANSWER, ends
from listening import run, serve


class FixedAnswer(asyncio.Protocol):
    __slots__ = ("last", "transport")
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.last = 0

    def data_received(self, data: bytes) -> None:
        count = ends(data, self.last)
        self.last = data[-1]
        if count:
            self.transport.write(ANSWER * count)


if __name__ == "__main__":
    run(serve(FixedAnswer))
