"""An engine of its own process between a source and a sink."""

import os
import signal
from pathlib import Path
from typing import Any

from distributions import LINES, install
from ends import Sink, Source
from fastmllp_engine.cli.client import Client
from running_engines import until
from serving import Server

FEED = """
from fastmllp_engine import MLLP, File, RetryPolicy, Send, Tcp, Timer, handler, inbound, outbound
from fastmllp_engine import router
from lines_of_tests import Lines

inbound("IB", {source}, router="all"{options})
outbound("OB", {sink}, retry=RetryPolicy(backoff_seconds=0.05, max_backoff_seconds=0.1))


@router("all")
def route(msg):
    return ["to_ob"]


@handler("to_ob")
def to_ob(msg):
    return Send("OB", msg)
"""
SECONDS = 40.0
"""For everything that was offered to arrive, on a machine that is busy."""


class World:
    """IB -> all -> to_ob -> OB."""

    def __init__(self, folder: Path, source: Source, sink: Sink, options: str = "") -> None:
        self.source = source
        self.sink = sink
        self.folder = folder / "feeds"
        self.data = self.folder / "data"
        self.folder.mkdir()
        feed = FEED.format(source=source.declared, sink=sink.declared, options=options)
        (self.folder / "feed.py").write_text(feed)
        self._packages = install(folder / "packages", "lines_of_tests", {}, LINES)
        self.server: Server | None = None
        self.client = Client(self.data)

    def start(self) -> None:
        """Start the engine, or start it again."""
        path = os.pathsep.join(filter(None, [str(self._packages), os.environ.get("PYTHONPATH")]))
        self.server = Server(str(self.folder), PYTHONPATH=path)
        lines = self.server.lines()
        assert lines and lines[-1] == "ready", self.server.errors

    def end(self, number: int = signal.SIGTERM) -> int:
        """The exit status of the engine, after a signal."""
        assert self.server is not None
        server, self.server = self.server, None
        return server.end(number)

    def close(self) -> None:
        """End everything that still runs."""
        if self.server is not None:
            self.end(signal.SIGKILL)
        self.source.close()
        self.sink.close()

    def arrived(self, wanted: set[str]) -> None:
        """Wait until the sink has all of them, and the source may forget them."""
        until(lambda: wanted - set(self.sink.received()), lambda left: not left, SECONDS)
        until(lambda: wanted - self.source.let_go(), lambda left: not left, SECONDS)

    def at_rest(self) -> None:
        """Wait until no message is open."""
        until(lambda: self.open(), lambda it: not it, SECONDS)

    def open(self) -> list[int]:
        """Messages that are not final."""
        return [it["id"] for it in self.stored() if it["disposition"] in ("RECEIVED", "ROUTED")]

    def stored(self) -> list[Any]:
        """Every message, oldest first."""
        found: list[Any] = []
        before: int | None = None
        while True:
            page = self.client.get("/messages", {"limit": 1000, "before": before})
            found += page["messages"]
            before = page["next"]
            if before is None:
                return found[::-1]

    def possibly_sent(self) -> set[str]:
        """Control IDs of what is listed as possibly sent: after a crash, or without an answer."""
        listed = set()
        for one in self.stored():
            events = self.client.get(f"/messages/{one['id']}/journey")["events"]
            unanswered = ("no_reply", "transport")
            if any(it["kind"] == "possibly_sent" or it["failure"] in unanswered for it in events):
                listed.add(one["control_id"])
        return listed

    def verify(self) -> None:
        """Prove from the store that nothing is lost."""
        assert self.client.post("/verify")["findings"] == []

    def connection_processes(self) -> list[int]:
        """The processes of connections."""
        assert self.server is not None
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if (
                int(status[1]) == self.server.pid
                and b"fastmllp_engine.workers.connection" in command
            ):
                found.append(int(entry.name))
        return found
