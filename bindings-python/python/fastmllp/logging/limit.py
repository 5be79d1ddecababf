"""A limit to the records of events that anyone can cause, such as refused connections."""

import logging
from typing import Any

from fastmllp.logging import Log

__all__ = ["LimitedEvent"]


class LimitedEvent:
    """An event of which one record in an interval is written at its level; the rest is counted.

    The first event is written as it is, and begins an interval. Those that follow in the interval
    are of level debug, so that observers and metrics still hear of each one. When the interval is
    over, a record ``repeated`` says how many those were: ``event=repeated of=too_many_connections
    count=4711``. Not safe for use by several threads at once.

    Example:
        >>> refused = LimitedEvent(Log("adt-in"), logging.WARNING, "too_many_connections")
        >>> refused.happened(time.monotonic(), 7, peer="192.0.2.1:50312")
    """

    __slots__ = ("_begun", "_common", "_count", "_event", "_level", "_log", "_seconds")

    def __init__(
        self, log: Log, level: int, event: str, seconds: float = 60.0, **common: Any
    ) -> None:
        """Make one for each kind of event.

        Args:
            log: Where the records go.
            level: Level of the first record, and of the one with the count.
            event: Name of the event.
            seconds: Length of the interval.
            common: Fields that all these events have in common, for the record with the count.
        """
        self._log = log
        self._level = level
        self._event = event
        self._seconds = seconds
        self._common = common
        # When the interval began; None while there is none.
        self._begun: float | None = None
        self._count = 0

    def happened(self, now: float, connection: int | None = None, **fields: Any) -> None:
        """The event has happened: write it, or count it.

        Args:
            now: The time in seconds, of any clock that only moves forward.
            connection: As for `Log.event`.
            fields: As for `Log.event`.
        """
        self.on_time(now)
        if self._begun is None:
            self._begun = now
            self._log.event(self._level, self._event, connection, **fields)
        else:
            self._count += 1
            self._log.event(logging.DEBUG, self._event, connection, **fields)

    def on_time(self, now: float) -> None:
        """Write the count, if the interval is over. To be called now and then."""
        if self._begun is not None and now - self._begun >= self._seconds:
            self.finish()

    def finish(self) -> None:
        """Write the count of an interval that is not over: the server stops."""
        count, self._count, self._begun = self._count, 0, None
        if count:
            self._log.event(self._level, "repeated", of=self._event, **self._common, count=count)
