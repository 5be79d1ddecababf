"""The server's end of a connection, which knows who is at the other end."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from fastmllp_engine.api import door


class KnownPeer(H11Protocol):
    """HTTP of a client whose user the kernel tells, whatever it says: `request.state.peer`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connected = transport.get_extra_info("socket")
        self.app_state = {**self.app_state, "peer": door.peer(connected)}
