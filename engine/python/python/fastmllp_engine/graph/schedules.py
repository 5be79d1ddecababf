"""When connections work."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from fastmllp_engine._native import schedule_fault
from fastmllp_engine.graph.checked import Checked


class ActiveWindow(Checked):
    """A time of the day on some days of the week.

    One that ends at or before its start ends the next day.
    """

    days: str = ""
    """Days on which it begins, such as ``mon-fri`` or ``sat,sun``; empty: all."""
    start: str
    """Such as ``06:00`` or ``22:30:15``, as the clocks show it."""
    end: str
    """The same; ``24:00`` is midnight."""

    refused: ClassVar[Mapping[str, str]] = {"timezone": "say timezone of the schedule"}


class Schedule(Checked):
    """Windows in which a connection works, in a time zone.

    Outside of them an outbound keeps its queue, and an inbound does not listen.
    """

    windows: Sequence[ActiveWindow]
    timezone: str = "UTC"
    """Such as ``Europe/Berlin``."""
    invert: bool = False
    """Whether the connection works outside of the windows instead."""

    @property
    def given(self) -> list[tuple[str, str, str]]:
        """The windows as the native engine wants them."""
        return [(one.days, one.start, one.end) for one in self.windows]

    def faults(self) -> Iterator[tuple[str, str]]:
        for window in self.given:
            if fault := schedule_fault([window], "UTC"):
                yield "windows", f"windows: {fault}"
                return
        if fault := schedule_fault(self.given, self.timezone, self.invert):
            yield fault.partition(":")[0], fault
