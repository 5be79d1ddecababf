"""A clock that receives: a message of its own at times."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from fastmllp_engine.connectors.contract import Connection, Connector, Intake, NotStored, Receiver
from fastmllp_engine.graph.kinds import Seconds, Text

AGAIN_SECONDS = 1.0
"""After a message that could not be stored."""
_IDLE_SECONDS = 3600.0


class Timer(Connector):
    """Receives a message at times: every so many seconds, or once after the start of the engine.

    Each is a message of its own, though all are the same: duplicates are not looked for.
    """

    body: Text
    """The message."""
    interval_seconds: Seconds | None = None
    """From one message to the next, and from the start to the first."""
    run_once: bool = False
    """One message after the start of the engine, and no other until it is started again."""
    encoding: Text = "utf-8"
    """The character set that the body is written in."""

    transport: ClassVar[str] = "timer"
    repeats: ClassVar[bool] = True
    refused: ClassVar[Mapping[str, str]] = {
        "cron_expression": "times of day belong to a later version; say interval_seconds",
        "timezone": "times of day belong to a later version; say interval_seconds",
    }

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.run_once == (self.interval_seconds is not None):
            yield "interval_seconds", "Timer needs either interval_seconds or run_once"
        try:
            self.body.encode(self.encoding)
        except LookupError:
            yield "encoding", "there is no such character set"
        except UnicodeError:
            yield "body", "body has characters that its encoding lacks"

    def wanted_of_content(self, content_type: str) -> Iterator[str]:
        if content_type == "hl7v2" and not self.body.startswith("MSH"):
            yield 'the body is no HL7 message: say its content_type, such as "text"'

    def summary(self) -> str:
        return "once" if self.run_once else f"every {self.interval_seconds:g} s"

    def receiver(self, connection: Connection) -> Receiver:
        return TimerReceiver(self, connection)


class TimerReceiver(Receiver):
    """Submits the body when it is time, by a clock that nobody sets.

    What cannot be stored is submitted again until it is. Times that pass meanwhile, or while the
    machine sleeps, are left out: the next message comes when it would have come anyway.
    """

    def __init__(
        self, spec: Timer, connection: Connection, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._body = spec.body.encode(spec.encoding)
        self._interval = spec.interval_seconds
        self._life = connection.life
        self._ran = connection.folder / "ran"
        """Holds the life of the engine in which the only message was stored."""
        self._clock = clock

    def run(self, intake: Intake) -> None:
        """Tick."""
        if self._interval is None:
            self._once(intake)
        else:
            self._repeatedly(intake, self._interval)

    def _once(self, intake: Intake) -> None:
        if not self._ran.exists() or self._ran.read_text(encoding="utf-8") != self._life:
            if not self._submit(intake):
                return
            self._ran.write_text(self._life, encoding="utf-8")
        while intake.wait(_IDLE_SECONDS):
            pass

    def _repeatedly(self, intake: Intake, interval: float) -> None:
        start, tick = self._clock(), 1
        while intake.wait(max(0.0, start + tick * interval - self._clock())):
            if self._clock() < start + tick * interval:
                continue
            if not self._submit(intake):
                return
            tick = max(tick, int((self._clock() - start) // interval)) + 1

    def _submit(self, intake: Intake) -> bool:
        """Store a message, however often it takes. False: the connection has to end."""
        while True:
            try:
                intake.submit(self._body)
            except NotStored as error:
                intake.say(f"not stored: {error}")
            else:
                return True
            if not intake.wait(AGAIN_SECONDS):
                return False
