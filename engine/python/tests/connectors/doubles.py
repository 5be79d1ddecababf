"""The engine's side of the contract, in memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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
        self.refused: bytes | None = None
        """What begins so is recorded in ERROR."""
        self.dies: str | None = None
        """``before`` or ``after`` the commit of the next message."""
        self._clock = clock
        self._on_wait = on_wait

    def submit(self, payload: bytes | Iterable[bytes]) -> Receipt:
        whole = payload if isinstance(payload, bytes) else b"".join(payload)
        if self.refuses is not None:
            raise NotStored(self.refuses)
        if self.dies == "before":
            raise Killed
        if self.refused is not None and whole.startswith(self.refused):
            return Receipt(1, "refused")
        self.stored.append(whole)
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
    """One delivery, read in parts."""

    content: bytes
    message: int = 7
    control_id: bytes = b""
    attempt: int = 1
    was_read_whole: bool = False
    longest: int = 0
    """The most bytes that were asked for at a time."""
    _at: int = 0

    def __len__(self) -> int:
        return len(self.content)

    def read(self, size: int = 262_144, /) -> bytes:
        self.longest = max(self.longest, size)
        part = self.content[self._at : self._at + size]
        self._at += len(part)
        return part

    @property
    def payload(self) -> bytes:
        self.was_read_whole = True
        return self.content
