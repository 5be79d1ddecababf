"""fastmllp.aio.connect with as many tasks as the window: argv PORT WINDOW SECONDS FRAME_FILE.

Prints messages per second. Every reply must accept its message by name.
"""

import asyncio
import itertools
import sys
import time
from pathlib import Path

import fastmllp.aio
from fastmllp.aio import AsyncClient

CONTROL_ID = b"MSG20261121000123"
WARMUP_SECONDS = 0.2


async def main(port: int, window: int, seconds: float, frame: bytes) -> float:
    head, tail = frame[1:-2].split(CONTROL_ID)
    numbers = itertools.count(1)
    answered = 0

    async def converse(client: AsyncClient, end: float) -> None:
        nonlocal answered
        while time.monotonic() < end:
            control_id = b"MSG%014d" % next(numbers)
            reply = await client.send(head + control_id + tail)
            if not reply.accepted or reply.control_id != control_id.decode():
                sys.exit(f"wrong answer to {control_id!r}")
            answered += 1

    async def converse_all(client: AsyncClient, seconds: float) -> float:
        nonlocal answered
        answered, start = 0, time.monotonic()
        await asyncio.gather(*(converse(client, start + seconds) for _ in range(window)))
        return answered / (time.monotonic() - start)

    async with fastmllp.aio.connect("127.0.0.1", port, window=window) as client:
        await converse_all(client, WARMUP_SECONDS)
        return await converse_all(client, seconds)


if __name__ == "__main__":
    port, window, seconds, file = sys.argv[1:]
    frame = Path(file).read_bytes()
    print(asyncio.run(main(int(port), int(window), float(seconds), frame)))
