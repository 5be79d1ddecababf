"""Server and client for asyncio, on the same native state machines as the blocking ones.

>>> async def main():
...     server = await fastmllp.aio.start_server(store, "127.0.0.1", 2575)
...     await server.serve_forever()
"""

from fastmllp.aio.client import AsyncClient, connect
from fastmllp.aio.pool import Pool
from fastmllp.aio.server import AsyncServer, start_server
from fastmllp.aio.service import AsyncHandler

__all__ = ["AsyncClient", "AsyncHandler", "AsyncServer", "Pool", "connect", "start_server"]
