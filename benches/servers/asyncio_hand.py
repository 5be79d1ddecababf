"""asyncio.Protocol with frames and answers written by hand, in Python alone."""

import asyncio
from typing import cast

from hand_written import answers
from listening import run, serve


class HandWritten(asyncio.Protocol):
    __slots__ = ("left", "transport")
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.left = b""

    def data_received(self, data: bytes) -> None:
        written, self.left = answers(self.left + data if self.left else data)
        if written:
            self.transport.write(written)


if __name__ == "__main__":
    run(serve(HandWritten))
