"""What every server here has in common: `--uvloop`, a free port, and one line that names it."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

BACKLOG = 4096


def announce(port: int) -> None:
    """Tell who started us where we listen."""
    print(port, flush=True)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run an asyncio server, on uvloop with ``--uvloop``."""
    if "--uvloop" in sys.argv:
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)


async def serve(protocol: type[asyncio.Protocol]) -> None:
    """Serve with one protocol object for each connection."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=BACKLOG)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()
