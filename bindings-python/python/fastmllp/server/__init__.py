"""The server with a thread for each connection."""

from fastmllp.server.server import Handler, Server
from fastmllp.serving.options import ServerKeywords, ServerOptions

__all__ = ["Handler", "Server", "ServerKeywords", "ServerOptions"]
