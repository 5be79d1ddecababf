"""When a link that dials tries again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastmllp.serving.sockets.back_off import BackOff


@dataclass(frozen=True, slots=True)
class Reconnect(BackOff):
    """Waits that double with every attempt in a row, and are a little different each time.

    A part of each wait is left to chance, so that many links to a server that was restarted do not
    all come at once.

    Example:
        >>> half = Reconnect(first=1.0, cap=10.0, jitter=0.5, random=lambda: 0.5)
        >>> [half.delay(attempts) for attempts in range(6)]
        [0.75, 1.5, 3.0, 6.0, 7.5, 7.5]
    """

    first: float = 1.0
    """Seconds before the first attempt after a failure, or after a connection has ended."""
    cap: float = 60.0
    """Seconds that no wait exceeds."""
    steady: float = 10.0
    """Seconds that a connection must have lasted for the next wait to be the first again."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    """Waits so many seconds."""
    clock: Callable[[], float] = time.monotonic
    """Seconds of a clock that never goes back."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: A setting is out of bounds.
        """
        BackOff.__post_init__(self)  # Slots make another class of this one: `super` finds none.
        if not self.steady >= 0:
            raise ValueError(f"steady must be at least 0, not {self.steady}")
