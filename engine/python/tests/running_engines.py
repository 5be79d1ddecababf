"""Engines that run a small graph in threads, for the tests of several rooms."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fastmllp_engine._native import EngineError
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Handler, Inbound, Outbound, Registry, Router, Send
from fastmllp_engine.runtime import Running
from fastmllp_engine.runtime.threads import in_threads
from partners import send

T = TypeVar("T")


def until(found: Callable[[], T], wanted: Callable[[T], bool] = bool, seconds: float = 20.0) -> T:
    """What is found, once it is what is wanted."""
    deadline = time.monotonic() + seconds
    while True:
        value = found()
        if wanted(value):
            return value
        assert time.monotonic() < deadline, f"still {value}"
        time.sleep(0.01)


def routes_to(*names: str) -> Callable[[Any], Any]:
    """A router that names these handlers."""
    return lambda message: list(names)


def sends_to(*names: str) -> Callable[[Any], Any]:
    """A handler that sends what it gets to these."""
    return lambda message: [Send(name, message) for name in names]


class Feed:
    """IB_ADT -> adt -> to_lab -> OB_LAB. A test changes the graph before it starts the engine."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.inbounds = [Inbound("IB_ADT", MLLP(port=0), router="adt", index=["PID-3.1"])]
        self.outbounds = [Outbound("OB_LAB", MLLP(host="127.0.0.1", port=port))]
        self.routers: dict[str, Callable[[Any], Any]] = {"adt": routes_to("to_lab")}
        self.handlers: dict[str, Callable[[Any], Any]] = {"to_lab": sends_to("OB_LAB")}
        self.running: Running | None = None

    def registry(self) -> Registry:
        """The graph as it is now."""
        routers, handlers = {}, {}
        for name, route in self.routers.items():
            routers[name] = Router(name)
            routers[name](route)
        for name, handle in self.handlers.items():
            handlers[name] = Handler(name)
            handlers[name](handle)
        return Registry(
            inbounds={one.name: one for one in self.inbounds},
            outbounds={one.name: one for one in self.outbounds},
            routers=routers,
            handlers=handlers,
            environment="test",
            hash="9c41e02",
            folder=str(Path(__file__).parent),
        )

    def start(self) -> Running:
        """Start the engine, or start it again."""
        self.close()
        self.running = Running.start(self.registry(), self.data, in_threads, "feeds")
        return self.running

    @property
    def engine(self) -> Any:
        """The native engine."""
        assert self.running is not None
        return self.running.engine

    def send(self, *payloads: bytes, inbound: str = "IB_ADT") -> list[bytes]:
        """Send messages, and return the code of each answer."""
        return send(self.engine.address(inbound)[1], payloads)

    def idle(self) -> None:
        """Wait until nothing is left to do."""
        until(lambda: self.engine.status().is_idle)

    def close(self) -> None:
        """Stop the engine if it runs."""
        running, self.running = self.running, None
        if running is not None:
            with contextlib.suppress(EngineError):
                running.stop(5.0)
