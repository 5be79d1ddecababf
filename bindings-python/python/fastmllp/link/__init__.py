"""Links to analyzers: one object that listens or dials, and receives either way.

>>> async def main():
...     link = SocketLink(store, "192.168.1.100", 5000, mode="client")
...     await link.run()
"""

from fastmllp.link.hl7 import Hl7
from fastmllp.link.protocol import LinkProtocol, register
from fastmllp.link.reconnect import Reconnect
from fastmllp.link.socket_link import SocketLink, State

__all__ = ["Hl7", "LinkProtocol", "Reconnect", "SocketLink", "State", "register"]
