"""The handler that `fastmllp.logging.configure` installs: lines of text, one for each event."""

import logging
from collections.abc import Sequence
from typing import Any, TextIO

from fastmllp.log_format import JsonFormatter, TextFormatter

__all__ = ["LineHandler"]

# Their subclasses may see records: they are not these.
_FORMATTERS = (TextFormatter, JsonFormatter)


class LineHandler(logging.StreamHandler[TextIO]):
    """A handler like any other, which can also write an event without a record.

    To make a record and to pass it on takes several times as long as to write its line. So an event
    is written directly where nobody could tell: no other handler, filter, record factory or parent
    of the logger would see the record.
    """

    def is_alone(self, logger: logging.Logger, level: int) -> bool:
        """Whether this handler, as it was made, is all that a record of the logger meets."""
        return (
            len(logger.handlers) == 1
            and logger.handlers[0] is self
            and not logger.propagate
            and not logger.filters
            and not self.filters
            and self.level <= level
            and type(self.formatter) in _FORMATTERS
            and type(logger) is logging.Logger
            and logging.getLogRecordFactory() is logging.LogRecord
        )

    def write_events(
        self,
        level: int,
        event: str,
        connection: int | None,
        trace: str | None,
        each: Sequence[dict[str, Any]],
    ) -> None:
        """Write the lines that the records of these events would give, with one write.

        Raises:
            Exception: A line could not be made or written.
        """
        formatter = self.formatter
        assert isinstance(formatter, _FORMATTERS)
        lines = ""
        for fields in each:
            lines += formatter.format_event(level, event, connection, trace, fields)
            lines += self.terminator
        assert self.lock is not None
        with self.lock:
            self.stream.write(lines)
            self.stream.flush()
