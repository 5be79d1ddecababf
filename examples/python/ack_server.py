"""A server that acknowledges every message it has taken: asyncio, thousands of connections.

    python ack_server.py [PORT]

Prints where it listens, and at SIGTERM or SIGINT, when it has answered what it has read, how many
messages there were. The same program: ../c/ack_server.c, ../rust/src/bin/ack_server.rs.
"""

import asyncio
import signal
import sys

import fastmllp.aio
from fastmllp import AckCode, Message


async def main(port: int) -> None:
    taken = 0

    def take(message: Message) -> AckCode:
        nonlocal taken
        taken += 1  # here the message is stored, before it is answered: AA says that it is safe
        return AckCode.AA

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await fastmllp.aio.start_server(take, "127.0.0.1", port)
    print(f"listening 127.0.0.1:{server.address[1]}", flush=True)
    await stop.wait()
    server.close()
    await server.wait_closed()
    print(f"{taken} messages")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2575))
