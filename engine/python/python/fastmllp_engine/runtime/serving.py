"""`serve`: from a folder to an engine that listens, until it is told to end."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from fastmllp_engine.runtime.running import Running

if TYPE_CHECKING:
    from fastmllp_engine._native import EngineError

POLL_SECONDS = 0.2
"""How soon the end of the store is seen. Signals are seen at once."""


class Served(Protocol):
    """What answers commands while the engine runs."""

    def close(self) -> None:
        """End it. Called once."""


def serve(
    running: Running, wakes: "Wakes", answer: Callable[[Running], Served], stop_seconds: float
) -> int:
    """Serve until SIGTERM, SIGINT or the end of the store.

    Prints ``listening NAME HOST:PORT`` for each inbound and then ``ready``. SIGHUP has certificates
    read again.

    Args:
        running: The engine.
        wakes: The signals, taken before the engine was started.
        answer: Starts what answers commands.
        stop_seconds: How long what was received may take to be stored and answered at the end.

    Returns:
        The exit status: 0, 1 if the time was too short, 5 if the store has failed.
    """
    served = answer(running)
    for name, address in running.listening():
        print(f"listening {name} {address}", flush=True)
    print("ready", flush=True)
    while not wakes.end and not running.engine.has_ended():
        wakes.wait(POLL_SECONDS)
        if wakes.take_hangup():
            _read_certificates(running)
    status = _stop(running, stop_seconds)
    served.close()
    return status


class Wakes:
    """The signals of this process. Belongs to the main thread."""

    def __init__(self) -> None:
        self.end = False
        self._hangup = False
        self._event = threading.Event()
        signal.signal(signal.SIGTERM, self._on_end)
        signal.signal(signal.SIGINT, self._on_end)
        signal.signal(signal.SIGHUP, self._on_hangup)

    def wait(self, seconds: float) -> None:
        """Until a signal comes, or for so long."""
        self._event.wait(seconds)
        self._event.clear()

    def take_hangup(self) -> bool:
        """Whether SIGHUP has come since this was asked last."""
        hangup, self._hangup = self._hangup, False
        return hangup

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        self.end = True
        self._event.set()

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        self._hangup = True
        self._event.set()


def _read_certificates(running: Running) -> None:
    from fastmllp_engine._native import EngineError

    for inbound in running.registry.inbounds.values():
        if not getattr(inbound.spec, "tls", False):
            continue
        try:
            running.engine.reload_tls(inbound.name)
        except EngineError as error:
            print(f"{inbound.name}: the earlier certificate stays: {error}", file=sys.stderr)


def _stop(running: Running, seconds: float) -> int:
    from fastmllp_engine._native import EngineError

    try:
        running.stop(seconds)
    except EngineError as error:
        return _said(error)
    return 0


def _said(error: "EngineError") -> int:
    print(f"fastmllp-engine: {error}", file=sys.stderr, flush=True)
    return error.exit_status
