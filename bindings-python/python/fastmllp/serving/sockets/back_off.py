"""How long to wait before the next attempt to connect."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

# More doublings than this make no difference to any time, and the number would be too large.
_MAX_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits that double with every attempt in a row, and are a little different each time.

    A part of each wait is left to chance, so that many clients of a server that was restarted do
    not all come at once.

    Example:
        >>> half = BackOff(first=1.0, cap=10.0, jitter=0.5, random=lambda: 0.5)
        >>> [half.delay(attempts) for attempts in range(6)]
        [0.75, 1.5, 3.0, 6.0, 7.5, 7.5]
    """

    first: float = 0.5
    """Seconds before the attempt that follows a failed one."""
    cap: float = 30.0
    """Seconds that no wait exceeds."""
    jitter: float = 0.5
    """The part of each wait that is left to chance, from 0 (none) to 1 (all of it)."""
    random: Callable[[], float] = random.random
    """A new number from 0 to 1, exclusive, with every call."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: A setting is out of bounds.
        """
        # Not without any wait: a peer that accepts and closes at once would keep its client busy.
        if not 0 < self.first <= self.cap < math.inf:
            raise ValueError(f"first must be above 0 and at most cap, not {self.first}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be from 0 to 1, not {self.jitter}")

    def delay(self, attempts: int) -> float:
        """Seconds to wait after so many attempts in a row before this one, from 0."""
        longest = min(self.cap, self.first * 2.0 ** min(attempts, _MAX_DOUBLINGS))
        return longest * (1 - self.jitter * self.random())


class Attempts:
    """The attempts of one client to connect."""

    def __init__(self, back_off: BackOff, timeout: float) -> None:
        """Begin with none.

        Args:
            back_off: The waits.
            timeout: Seconds that no wait exceeds either; 0 for no such limit.
        """
        self._back_off = back_off
        self._longest = timeout or math.inf
        self._failed = 0
        self._not_before = 0.0

    def remaining(self) -> float:
        """Seconds until the next attempt may begin; 0 when it may at once."""
        if not self._failed:
            return 0.0
        return max(0.0, self._not_before - time.monotonic())

    def failed(self) -> None:
        """The server could not be reached."""
        delay = min(self._back_off.delay(self._failed), self._longest)
        self._failed += 1
        self._not_before = time.monotonic() + delay

    def succeeded(self) -> None:
        """The server was reached: its next failure is the first again."""
        self._failed = 0
