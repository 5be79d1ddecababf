"""One configuration in a process of its own, and what becomes of a message there."""

import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, cast

from fastmllp_engine.comparison import frames

LOAD_SECONDS = 60.0
"""For a configuration to load."""
MAX_LOST = 10
"""How many messages may end the process, or hang in it, until no more are run."""


class Broken(Exception):
    """A configuration cannot be run any more. The text has nothing of a message."""


@dataclass(frozen=True)
class Outcome:
    """What becomes of a message in one configuration."""

    sent: tuple[tuple[str, str, bytes], ...] = ()
    """Handler, outbound and payload of each, in order."""
    failure: str = ""
    """Why it would end in ERROR, without anything of the message; empty: it would not."""
    known: bool = True
    """Whether the configuration has the inbound."""


def wiring(old: str, new: str, environment: str | None) -> Any:
    """What a process of its own says of two configurations: `differences`, or who is `refused`.

    Raises:
        Broken: their code ends the process, or does not come to an end.
    """
    process = _Process(["wiring", old, new, *([environment] if environment else [])])
    try:
        return process.answer(2 * LOAD_SECONDS, "the code of a configuration")[0]
    finally:
        process.end()


class Trial:
    """A configuration in a process of its own. It is a context manager.

    Args:
        folder: The configuration.
        environment: What it is loaded for.
        timeout: Seconds that all functions together have for a message.
    """

    def __init__(self, folder: str, environment: str | None, timeout: float) -> None:
        self._arguments = ["run", folder, *([environment] if environment else [])]
        self._timeout = timeout
        self._process: _Process | None = None
        self._lost = 0

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *raised: object) -> None:
        if self._process:
            self._process.end()

    def begin(self, inbound: str, payload: bytes, received: int) -> None:
        """Give it a message. `outcome` has to follow.

        Raises:
            Broken: the configuration does not load, or too many messages have ended its process.
        """
        if self._process is None:
            self._process = self._started()
        self._process.tell([inbound, received], payload)

    def outcome(self) -> Outcome:
        """What has become of the message that was begun."""
        process = self._process
        assert process is not None, "nothing was begun"
        try:
            said, bodies = process.answer(self._timeout, "a function")
        except Broken as error:
            self._lost += 1
            process.end()
            self._process = None
            return Outcome(failure=str(error))
        sent = ((*names, body) for names, body in zip(said["sent"], bodies, strict=True))
        return Outcome(tuple(sent), "; ".join(said["failures"]), said["known"])

    def _started(self) -> "_Process":
        if self._lost >= MAX_LOST:
            raise Broken(f"{MAX_LOST} messages before have hung, or ended the process")
        process = _Process(self._arguments)
        try:
            said, _ = process.answer(LOAD_SECONDS, "the code of the configuration")
            if said:
                raise Broken(said["refused"])
        except Broken:
            process.end()
            raise
        return process


class _Process:
    """The other end of `fastmllp_engine.comparison.program`."""

    def __init__(self, arguments: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "fastmllp_engine.comparison", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def tell(self, said: Any, payload: bytes) -> None:
        """Give it a message. That it is gone is told by `answer`."""
        try:
            frames.write(self._stream(self._process.stdin), said, [payload])
        except OSError:
            pass

    def answer(self, seconds: float, whose: str) -> tuple[Any, list[bytes]]:
        """What it says. Raises `Broken` if that takes longer, or it ends."""
        stream = self._stream(self._process.stdout)
        if not _readable(self._process.stdout, seconds):
            raise Broken(f"{whose} has not returned within {seconds:g} s")
        got = frames.read(stream)
        if got is None:
            status = self._process.wait()
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
            raise Broken(f"{whose} has ended its process ({how})")
        return got

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            try:
                self._stream(stream).close()
            except OSError:
                pass

    @staticmethod
    def _stream(stream: IO[bytes] | None) -> BinaryIO:
        return cast(BinaryIO, stream)


def _readable(stream: Any, seconds: float) -> bool:
    """Whether there is something to read in time. Nothing is left in a buffer between frames."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return bool(selector.select(max(0.0, deadline - time.monotonic())))
