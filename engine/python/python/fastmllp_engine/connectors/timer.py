"""A clock that receives: a message of its own at times."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from fastmllp_engine.graph import Spec
from fastmllp_engine.graph.kinds import Seconds, Text


class Timer(Spec):
    """Receives a message at times: every so many seconds, or once after the start."""

    body: Text
    """The message."""
    interval_seconds: Seconds | None = None
    """From one message to the next."""
    run_once: bool = False
    """One message after the start of the connection, and no other."""
    encoding: Text = "utf-8"
    """The character set that the body is written in."""

    transport: ClassVar[str] = "timer"
    receives: ClassVar[bool] = True
    refused: ClassVar[Mapping[str, str]] = {
        "cron_expression": "times of day belong to a later version; say interval_seconds",
        "timezone": "times of day belong to a later version; say interval_seconds",
    }

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.run_once == (self.interval_seconds is not None):
            yield "interval_seconds", "Timer needs either interval_seconds or run_once"

    def summary(self) -> str:
        return "once" if self.run_once else f"every {self.interval_seconds:g} s"
