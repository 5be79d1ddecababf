"""An engine that runs a graph, and what is asked of the two together."""

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fastmllp_engine.graph import Registry
from fastmllp_engine.runtime.backups import Backups
from fastmllp_engine.runtime.building import Functions, build, stop_what_waits

if TYPE_CHECKING:
    from fastmllp_engine._native import Engine

Stage = Literal["ingress", "routed", "outbound"]

RELOAD_SECONDS = 60.0
"""How long what was received may take to be answered before the graph is exchanged."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What the engine runs after its configuration was loaded again."""

    configuration: str
    """The hash of its files."""
    summary: str
    """Such as `2 connections, 1 router, 1 handler`."""
    moved: int
    """Deliveries or messages of lanes that have vanished."""
    cancelled: int


@dataclass
class Running:
    """A running engine, and the graph that it runs."""

    engine: "Engine"
    registry: Registry
    data: Path
    functions: Functions
    """Where the routers and handlers of its graph run."""
    folder: str = ""
    """The configuration's folder, as it was given."""
    load: Callable[[], Registry] | None = None
    """Loads the configuration again; None: it is no folder's."""
    life: str = ""
    """Differs from one start to the next."""
    started_at: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    is_stopping: bool = False
    """Nothing may be asked of the engine any more."""
    backups: Backups = field(default_factory=Backups, repr=False)
    _reloading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def start(
        cls,
        registry: Registry,
        data: str | os.PathLike[str],
        functions: Functions,
        folder: str = "",
        load: Callable[[], Registry] | None = None,
    ) -> "Running":
        """Start an engine with this graph.

        Raises:
            ConfigurationError: the graph is refused.
            EngineError: the engine does not start; `exit_status` says of what kind that is.
        """
        path = Path(data)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        life = secrets.token_hex(8)
        engine = build(registry, path, functions, life).start()
        stop_what_waits(engine, registry)
        return cls(engine, registry, path, functions, folder, load, life)

    def stop(self, deadline_seconds: float) -> None:
        """Accept nothing new, answer what was received, and close the store.

        Raises:
            EngineError: the deadline came first, or the store has ended.
        """
        self.is_stopping = True
        self.engine.stop(deadline_seconds)

    def reload(
        self, moves: Mapping[str, str], cancels: Sequence[str], by: str, because: str
    ) -> Reloaded:
        """Load the configuration again, and go on with it: all of it, or nothing has changed.

        Args:
            moves: Lanes that vanish, and the lane that gets what each of them holds.
            cancels: Lanes that vanish, and what they hold ends with them.
            by: Who wants it.
            because: Why.

        Raises:
            ConfigurationError: the configuration is refused.
            EngineError: a lane that holds something would vanish, one that is to vanish does not,
                or the engine refuses the graph.
            ValueError: a lane that is to vanish is not there, or is both moved and cancelled.
        """
        if self.load is None:
            raise ValueError("this engine was not started from a folder")
        if both := [name for name in cancels if name in moves]:
            raise ValueError(f"{both[0]} is either moved or cancelled")
        with self._reloading:
            stages = {name: self.stage_of(name) for name in (*moves, *cancels)}
            if missing := [name for name, stage in stages.items() if stage is None]:
                raise ValueError(f"there is no inbound, handler or outbound {missing[0]}")
            registry = self.load()
            builder = build(registry, self.data, self.functions, self.life)
            leaving = [
                (stage, name, moves.get(name))
                for name, stage in stages.items()
                if stage is not None
            ]
            moved, cancelled = self.engine.reload(
                builder, leaving, RELOAD_SECONDS, by=by, because=because
            )
            self.registry = registry
            stop_what_waits(self.engine, registry)
            return Reloaded(registry.hash, registry.summary, moved, cancelled)

    def listening(self) -> list[tuple[str, str]]:
        """Each inbound, and where it listens."""
        return [
            (name, _shown(*address))
            for name in self.registry.inbounds
            if (address := self.engine.address(name)) is not None
        ]

    def stage_of(self, name: str) -> Stage | None:
        """What an inbound, handler or outbound is to the engine; None: the graph has none."""
        if name in self.registry.inbounds:
            return "ingress"
        if name in self.registry.outbounds:
            return "outbound"
        return "routed" if name in self.registry.handlers else None


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
