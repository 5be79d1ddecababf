"""A configuration at work: the engine itself, with scripted partners in place of the real ones."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from fastmllp import Client
from fastmllp.testing import MockServer

from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Inbound, Outbound, Registry
from fastmllp_engine.graph.checked import changed
from fastmllp_engine.graph.options import Closed, ContentType, RetryPolicy
from fastmllp_engine.runtime import Running
from fastmllp_engine.runtime.threads import in_threads

if TYPE_CHECKING:
    from fastmllp_engine._native import Engine

BACKOFF_SECONDS = 0.02
REPLY_SECONDS = 0.5
"""For an answer: a partner that is silent is waited for no longer."""
PATIENCE_SECONDS = 20.0
OPEN = ("RECEIVED", "ROUTED")


class NotSettled(AssertionError):
    """Something is still open. The text says what it waits for, and nothing of a message."""


class RunningFeeds:
    """The engine with the graph of a configuration, for tests. It is a context manager.

    Every inbound listens for MLLP at a free port, and every outbound has a partner of its own, a
    `fastmllp.testing.MockServer`, which answers AA unless its script says otherwise: also those
    that are files in the hospital. Routers, handlers, order, the number of attempts, and what
    becomes of a delivery that is given up are those of the configuration. Waits between attempts
    are short; TLS, allow-lists and schedules are left out.

    Attributes:
        partners: The partner of each outbound.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._data = tempfile.TemporaryDirectory(prefix="fastmllp-engine-")
        self._running: Running | None = None
        self.partners: dict[str, MockServer] = {name: MockServer() for name in registry.outbounds}

    def __enter__(self) -> "RunningFeeds":
        try:
            graph = replace(
                self._registry,
                inbounds={name: _inbound(it) for name, it in self._registry.inbounds.items()},
                outbounds={
                    name: self._outbound(it) for name, it in self._registry.outbounds.items()
                },
            )
            folder = self._registry.folder
            self._running = Running.start(graph, Path(self._data.name), in_threads, folder)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, inbound: str, message: bytes) -> str:
        """Send a message to an inbound, and return the code of its acknowledgment.

        Raises:
            KeyError: there is no such inbound, or it takes only what handlers send.
        """
        address = self._engine.address(inbound) if inbound in self._registry.inbounds else None
        if address is None:
            raise KeyError(f"there is no inbound {inbound} that listens")
        with Client(*address) as client:
            return str(client.send(message).code)

    def settle(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until nothing is left to do.

        Raises:
            NotSettled: that takes longer.
        """
        deadline = time.monotonic() + seconds
        while not self._engine.status().is_idle:
            if time.monotonic() > deadline:
                waiting = [number for number, it in self._messages() if it in OPEN]
                raise NotSettled(
                    "; ".join(why.text for why in map(self._engine.why, waiting) if why)
                )
            time.sleep(0.005)

    def dispositions(self) -> list[str]:
        """What has become of each message, in the order in which they were received."""
        return [disposition for _, disposition in self._messages()]

    def close(self) -> None:
        """End the engine and the partners, and delete its data."""
        running, self._running = self._running, None
        if running is not None:
            running.stop(PATIENCE_SECONDS)
        for partner in self.partners.values():
            partner.close()
        self._data.cleanup()

    @property
    def _engine(self) -> "Engine":
        if self._running is None:
            raise RuntimeError("the engine runs inside a with statement")
        return self._running.engine

    def _messages(self) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        before: int | None = None
        while True:
            page = self._engine.search(before=before, limit=1_000)
            found += [(it.id, it.disposition) for it in page.messages]
            before = page.next
            if before is None:
                return sorted(found)

    def _outbound(self, outbound: Outbound) -> Outbound:
        host, port = self.partners[outbound.name].address
        spec = MLLP(
            host=host,
            port=port,
            reply_rules=getattr(outbound.spec, "reply_rules", ""),
            timeout_seconds=REPLY_SECONDS,
            reconnect_seconds=BACKOFF_SECONDS,
            max_reconnect_seconds=2 * BACKOFF_SECONDS,
        )
        retry = changed(
            outbound.retry or RetryPolicy(),
            backoff_seconds=BACKOFF_SECONDS,
            max_backoff_seconds=2 * BACKOFF_SECONDS,
        )
        return changed(outbound, spec=spec, retry=retry, auto_start=True, schedule=None)


def _inbound(inbound: Inbound) -> Inbound:
    if inbound.takes_sends:
        return inbound
    if inbound.content_type != ContentType.HL7V2:
        raise ValueError(f"inbound {inbound.name} is not for HL7 v2: call its functions instead")
    return changed(
        inbound,
        spec=MLLP(port=0, encoding=inbound.encoding),
        bind_address="127.0.0.1",
        source_ip_allowlist=(),
        auto_start=True,
        schedule=None,
        closed=Closed.UNREACHABLE,
    )
