"""The graph of one loaded configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from fastmllp_engine.graph.code_sets import CodeSet
from fastmllp_engine.graph.connections import Inbound, Outbound
from fastmllp_engine.graph.findings import Finding
from fastmllp_engine.graph.functions import Handler, Router
from fastmllp_engine.graph.settings import Settings


@dataclass(frozen=True)
class Registry:
    """Connections, routers and handlers by their names, in the order of the names.

    Two registries are equal if their wiring and their settings are; the functions are not compared.
    """

    inbounds: Mapping[str, Inbound] = field(default_factory=dict)
    outbounds: Mapping[str, Outbound] = field(default_factory=dict)
    routers: Mapping[str, Router] = field(default_factory=dict)
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    code_sets: Mapping[str, CodeSet] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    environment: str = ""
    """What it was loaded for, such as ``dev``."""
    hash: str = ""
    """Of all files that it was loaded from: the same files have the same hash everywhere."""
    folder: str = field(default="", compare=False)
    """Where it was loaded from."""
    notes: tuple[Finding, ...] = field(default=(), compare=False)
    """What a reader of the configuration should know."""

    def __post_init__(self) -> None:
        for name in ("inbounds", "outbounds", "routers", "handlers", "code_sets"):
            in_order: dict[str, Any] = dict(sorted(getattr(self, name).items()))
            object.__setattr__(self, name, MappingProxyType(in_order))

    @property
    def summary(self) -> str:
        """Such as ``2 connections, 1 router, 1 handler``."""
        connections = len(self.inbounds) + len(self.outbounds)
        return ", ".join(
            (
                counted(connections, "connection"),
                counted(len(self.routers), "router"),
                counted(len(self.handlers), "handler"),
            )
        )


def counted(count: int, what: str) -> str:
    """A number of things, such as ``1 router`` or ``3 golden tests``."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
