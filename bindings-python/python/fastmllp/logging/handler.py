"""The handlers that `fastmllp.logging.configure` installs: lines of text, one for each event."""

import logging
import os
from collections.abc import Sequence
from typing import Any, TextIO

from fastmllp.logging.format import JsonFormatter, TextFormatter
from fastmllp.logging.output import LogFile, LogOutput, LogStream, has_descriptor
from fastmllp.logging.writer import FLUSH_SECONDS, LogWriter, Trouble

__all__ = ["DirectHandler", "LineHandler", "QueuedHandler", "handler_for"]

# Their subclasses may see records: they are not these.
_FORMATTERS = (TextFormatter, JsonFormatter)


class LineHandler(logging.Handler):
    """A handler like any other, which can also write an event without a record.

    Making a record and passing it on takes several times as long as writing its line. So an event
    is written directly where that makes no difference: no other handler, filter, record factory or
    parent of the logger would see the record.
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

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record."""
        try:
            self.write(self.format(record) + "\n", 1)
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)

    def write_events(
        self,
        level: int,
        event: str,
        connection: int | None,
        trace: str | None,
        each: Sequence[dict[str, Any]],
    ) -> None:
        """Write the lines that the records of these events would give, together.

        Raises:
            Exception: A line could not be made or written.
        """
        formatter = self.formatter
        assert isinstance(formatter, _FORMATTERS)
        lines = ""
        for fields in each:
            lines += formatter.format_event(level, event, connection, trace, fields)
            lines += "\n"
        self.write(lines, len(each))

    def write(self, lines: str, records: int) -> None:
        """Write the lines of `records` records."""
        raise NotImplementedError

    def reopen(self) -> None:
        """Open a log file again by its name."""

    @property
    def dropped(self) -> int:
        """How many records were dropped."""
        return 0


class DirectHandler(LineHandler):
    """Writes to a stream before the thread of the event goes on."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream

    def write(self, lines: str, records: int) -> None:
        assert self.lock is not None
        with self.lock:
            self.stream.write(lines)
            self.stream.flush()


class QueuedHandler(LineHandler):
    """Leaves the lines to a `LogWriter`."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def createLock(self) -> None:
        # The writer has its own, and none may be held while the last lines are waited for.
        self.lock = None

    def write(self, lines: str, records: int) -> None:
        self._writer.put(lines, records)

    def flush(self) -> None:
        self._writer.flush(FLUSH_SECONDS)

    def close(self) -> None:
        # Without a flush: `logging.shutdown` has flushed, and must not wait a second time.
        self._writer.close()
        super().close()

    def reopen(self) -> None:
        self._writer.reopen()

    @property
    def dropped(self) -> int:
        return self._writer.dropped


def handler_for(
    stream: TextIO | None, file: str | os.PathLike[str], on_trouble: Trouble
) -> LineHandler | None:
    """A handler for the file, or else for the stream; None if the process has no such stream.

    Raises:
        OSError: The file cannot be opened.
    """
    output: LogOutput
    if file:
        output = LogFile(file)
    elif stream is None:
        return None
    elif has_descriptor(stream):
        output = LogStream(stream)
    else:
        return DirectHandler(stream)
    return QueuedHandler(LogWriter(output, on_trouble))
