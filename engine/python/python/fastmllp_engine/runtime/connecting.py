"""Connectors written in Python: the engine starts a process for each connection."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastmllp_engine.connectors import Connector
from fastmllp_engine.graph import Inbound, Outbound, Registry
from fastmllp_engine.graph.snapshot import CONFIGURATIONS
from fastmllp_engine.runtime.options import receiver_options, sender_options

if TYPE_CHECKING:
    from fastmllp_engine._native import Builder

MODULE = "fastmllp_engine.workers.connection"


def copy_of(registry: Registry, data: Path) -> Path:
    """The copy of a configuration that is kept in the data folder: what processes load."""
    return (data / CONFIGURATIONS / registry.hash).absolute()


class Program:
    """What runs a connection of a graph."""

    def __init__(self, registry: Registry, data: Path, life: str) -> None:
        self._settings = registry.settings
        environment = [registry.environment] if registry.environment else []
        folder = str(copy_of(registry, data))
        self._arguments = ["-P", "-m", MODULE, folder, str(data.absolute()), life, *environment]

    def add_inbound(self, builder: "Builder", inbound: Inbound, spec: Connector) -> None:
        """Have a process receive for an inbound."""
        options = receiver_options(inbound, spec, self._settings)
        builder.inbound_by(inbound.name, inbound.router, sys.executable, self._arguments, **options)

    def add_outbound(self, builder: "Builder", outbound: Outbound, spec: Connector) -> None:
        """Have a process send for an outbound."""
        builder.outbound_by(
            outbound.name,
            sys.executable,
            self._arguments,
            timeout_seconds=getattr(spec, "timeout_seconds", None),
            **sender_options(outbound, self._settings),
        )
