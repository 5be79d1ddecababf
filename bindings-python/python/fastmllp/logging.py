"""Structured log records: an event, the number of the connection, and key=value text.

Records go to the standard logger ``fastmllp``. Payloads are health data: no record holds a byte of
one, only lengths. A traceback is written without the text of its exceptions, because a handler's
``KeyError`` or ``ValueError`` often quotes the field that it stumbled over.
"""

import json
import logging
import re
import sys
import time
import traceback
from typing import TextIO

__all__ = ["LOGGER", "configure", "describe_exception", "log_event"]

LOGGER = logging.getLogger("fastmllp")

LEVELS = ("debug", "info", "warning", "error", "critical")

_PLAIN = re.compile(r"[\w.:/+@%^\[\]-]+", re.ASCII)
_MAX_CAUSES = 8


def log_event(
    level: int,
    event: str,
    connection: int | None = None,
    *,
    trace: str | None = None,
    **fields: object,
) -> None:
    """Write one record.

    Args:
        level: One of the numbers of the standard module, `logging.INFO` and so on.
        event: Stable name of what happened, such as ``message_received``. The record carries it as
            attribute ``event``.
        connection: Number of the connection, attribute ``connection``.
        trace: Lines from `describe_exception`, written below the record.
        fields: Further values, attribute ``fields``. Never a payload or a part of one.
    """
    if not LOGGER.isEnabledFor(level):
        return
    words = [f"event={event}"]
    if connection is not None:
        words.append(f"connection={connection}")
    words += [f"{key}={_quoted(value)}" for key, value in fields.items()]
    text = " ".join(words)
    if trace:
        text = f"{text}\n{trace}"
    extra = {"event": event, "connection": connection, "fields": fields}
    LOGGER.log(level, text, extra=extra, stacklevel=2)


def describe_exception(error: BaseException) -> str:
    """Tell where an exception came from: frames and types, without the texts of the exceptions."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < _MAX_CAUSES:
        frames = "".join(traceback.format_tb(current.__traceback__))
        name = f"{type(current).__module__}.{type(current).__qualname__}"
        parts.insert(0, f"Traceback (most recent call last):\n{frames}{name} (text left out)")
        suppressed = current.__suppress_context__
        current = current.__cause__ or (None if suppressed else current.__context__)
    return "\nwhich led to:\n".join(parts)


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send the records of this package to a text stream, one line each.

    Meant for programs, such as the command line. A program with a logging configuration of its own
    does not call this: the records reach its handlers like those of any other library.

    Args:
        level: The lowest level that is written, one of `LEVELS`.
        stream: Where to write; standard error if not given.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s")
    formatter.datefmt = "%Y-%m-%dT%H:%M:%S"
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False


def _quoted(value: object) -> str:
    text = str(value)
    # Quoting keeps one record on one line, whatever a name or an error text holds.
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
