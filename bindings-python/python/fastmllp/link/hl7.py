"""HL7 over MLLP on a link."""

from typing import Unpack

from fastmllp.aio.connection import ServedConnection
from fastmllp.aio.connections import Connections
from fastmllp.aio.service import AsyncHandler, Service
from fastmllp.link.protocol import register
from fastmllp.logging import Log
from fastmllp.serving.options import Hl7Keywords, ServerOptions


class Hl7:
    """Serves each connection of a link as `fastmllp.aio.start_server` does."""

    @ServerOptions.shown(Hl7Keywords)
    def __init__(self, handler: AsyncHandler | None, **options: Unpack[Hl7Keywords]) -> None:
        """Keep the options.

        Args:
            handler: Called with a `Message` for every complete frame, an empty one or one without
                MSH included; without one, AA to all.
            options: See `fastmllp.server.ServerOptions`, which says what each is for.

        Raises:
            ValueError: One is out of bounds.
            TypeError: One is of a wrong type, or not one that HL7 has a use for.
        """
        given = ServerOptions.of(Hl7Keywords, options)
        self._service = Service(handler, given, Log(given.name))

    def new_connection(self, connections: Connections) -> ServedConnection:
        """A connection, as `LinkProtocol` wants it."""
        return ServedConnection(self._service, connections)


register("hl7", Hl7)
