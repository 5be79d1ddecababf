"""The engine's side of the contract, in memory."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from fastmllp_engine.connectors import NotStored, Receipt


class Killed(BaseException):
    """The process ends here, without another line of its own."""


@dataclass
class Clock:
    """A steady clock that goes on when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Intake:
    """Stores in a list. `on_wait` runs at each wait, and ends the connection by returning False."""

    def __init__(self, clock: Clock, on_wait: Callable[[float], bool | None]) -> None:
        self.stored: list[bytes] = []
        self.said: list[str] = []
        self.refuses: str | None = None
        self.dies: str | None = None
        """``before`` or ``after`` the commit of the next message."""
        self._clock = clock
        self._on_wait = on_wait

    def submit(self, payload: bytes) -> Receipt:
        if self.refuses is not None:
            raise NotStored(self.refuses)
        if self.dies == "before":
            raise Killed
        self.stored.append(payload)
        if self.dies == "after":
            raise Killed
        return Receipt(len(self.stored))

    def wait(self, seconds: float) -> bool:
        if not seconds:
            return True
        self._clock.now += seconds
        return self._on_wait(seconds) is not False

    def say(self, note: str) -> None:
        self.said.append(note)


@dataclass
class Delivery:
    """One delivery."""

    payload: bytes
    message: int = 7
    sequence: int = 3
    received: int = 1_796_000_000_123
    possibly_sent: bool = False
    reads: list[int] = field(default_factory=list)
    """How much was asked for at a time; the payload as a whole is -1."""

    def __len__(self) -> int:
        return len(self.payload)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.payload)
