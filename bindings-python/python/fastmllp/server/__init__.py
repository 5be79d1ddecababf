"""The server with a thread for each connection."""

from fastmllp.server.server import Handler, Server

__all__ = ["Handler", "Server"]
