"""Which signals mean what. A system without one of them, such as Windows without SIGHUP, has fewer.

SIGINT is Ctrl-C, SIGTERM comes from service managers, and SIGHUP from a terminal that closes
or from the tools that rotate logs and renew certificates.
"""

import signal
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, TypeAlias

Handler: TypeAlias = Callable[[int, FrameType | None], Any]

HANG_UP: tuple[signal.Signals, ...] = tuple(
    getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name)
)
"""SIGHUP, where there is one."""
STOPPING: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
"""End a server."""


def heed(numbers: Iterable[int], handler: Handler) -> None:
    """Call a function when one of these signals comes."""
    for number in numbers:
        signal.signal(number, handler)


def heed_interruption(handler: Handler) -> Iterable[int]:
    """Call a function when a signal asks for the end of a work that has one.

    A program that was started by ``nohup`` is not to hear of a terminal that closes.

    Returns:
        The signals.
    """
    hang_up = [number for number in HANG_UP if signal.getsignal(number) != signal.SIG_IGN]
    numbers = (*STOPPING, *hang_up)
    heed(numbers, handler)
    return numbers


def ignore(numbers: Iterable[int]) -> None:
    """Ignore these signals from now on: what is left to do is short, and an exit status counts."""
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
