"""When a link that dials tries again."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

# More doublings than this make no difference to any time, and the number would be too large.
_MAX_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class Reconnect:
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
    jitter: float = 0.5
    """The part of each wait that is left to chance, from 0 (none) to 1 (all of it)."""
    steady: float = 10.0
    """Seconds that a connection must have lasted for the next wait to be the first again."""
    random: Callable[[], float] = random.random
    """A number from 0 to 1, exclusive, anew with every call."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    """Waits so many seconds."""
    clock: Callable[[], float] = time.monotonic
    """Seconds of a clock that never goes back."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: A setting is out of bounds.
        """
        # Not without any wait: a peer that accepts and closes at once would keep the loop busy.
        if not 0 < self.first <= self.cap < math.inf:
            raise ValueError(f"first must be above 0 and at most cap, not {self.first}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be from 0 to 1, not {self.jitter}")
        if not self.steady >= 0:
            raise ValueError(f"steady must be at least 0, not {self.steady}")

    def delay(self, attempts: int) -> float:
        """Seconds to wait after so many attempts in a row before this one, from 0."""
        longest = min(self.cap, self.first * 2.0 ** min(attempts, _MAX_DOUBLINGS))
        return longest * (1 - self.jitter * self.random())
