"""HL7 over MLLP on a link."""

from concurrent.futures import Executor
from typing import Any, cast

from fastmllp.aio.connection import ServedConnection
from fastmllp.aio.connections import Connections
from fastmllp.aio.service import AsyncHandler, Service
from fastmllp.link.protocol import register
from fastmllp.logging import Log
from fastmllp.serving.handler import Answerer
from fastmllp.serving.limits import ConnectionLimits


class Hl7:
    """Serves each connection of a link as `fastmllp.aio.start_server` does."""

    def __init__(
        self,
        handler: AsyncHandler | None,
        *,
        timeout: float,
        idle_timeout: float,
        frame_timeout: float,
        max_size: int,
        encoding: str,
        executor: Executor | None,
        handler_timeout: float,
        name: str = "",
        profile: str = "permissive",
        scan: str = "single_byte",
        local_time: bool = False,
    ) -> None:
        """Keep the settings; those without a default are as for `SocketLink`, and checked there.

        Args:
            handler: Called with a `Message` for every complete frame, an empty one or one without
                MSH included; without one, AA to all.
            timeout: Seconds for a byte of a frame, and for the peer to take an answer.
            idle_timeout: Seconds between frames.
            frame_timeout: Seconds for a whole frame.
            max_size: Largest payload, in bytes.
            encoding: For an acknowledgment that the handler returns as ``str``.
            executor: Where a plain handler runs.
            handler_timeout: Seconds for the handler.
            name: Name of the link in records.
            profile: Framing rules: ``permissive``, ``resync`` or ``strict``.
            scan: How delimiters are found, as for `Message`.
            local_time: Write the local time with its offset into MSH-7 of acknowledgments, as for
                `fastmllp.Server`.

        Raises:
            ValueError: There is no such profile or scan.
        """
        limits = ConnectionLimits(
            timeout=timeout,
            idle_timeout=idle_timeout,
            frame_timeout=frame_timeout,
            max_size=max_size,
            profile=profile,
            scan=scan,
            local_time=local_time,
        )
        # Just as for each connection: settings that it does not take are the caller's error, now.
        limits.new_link(0.0)
        log = Log(name)
        self._service = Service(
            handler,
            limits,
            Answerer(cast(Any, handler), encoding, scan, log=log, local_time=local_time),
            executor=executor,
            handler_timeout=handler_timeout,
            log=log,
        )

    def new_connection(self, connections: Connections) -> ServedConnection:
        """A connection, as `LinkProtocol` wants it."""
        return ServedConnection(self._service, connections)


register("hl7", Hl7)
