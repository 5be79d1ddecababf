"""How a record is written: a line of words for people, an object for programs."""

import base64
import json
import logging
import re
import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

__all__ = ["JsonFormatter", "TextFormatter", "describe_exception", "words"]

_PLAIN = re.compile(r"[\w.:/+@%^\[\]-]+", re.ASCII)
_MAX_CAUSES = 8


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


def words(event: str, connection: int | None, fields: Mapping[str, object]) -> str:
    """The text of a record: ``event=connect connection=1 peer=192.0.2.1:50312``."""
    start = [f"event={event}"]
    if connection is not None:
        start.append(f"connection={connection}")
    return " ".join(start + [f"{key}={_quoted(value)}" for key, value in fields.items()])


class _Formatter(logging.Formatter):
    """Times in UTC, ISO 8601 with milliseconds; exceptions without their texts."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{seconds}.{int(record.msecs):03d}Z"

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return "" if ei[1] is None else describe_exception(ei[1])


class TextFormatter(_Formatter):
    """One line for each record, and below it the traceback if there is one.

    A payload, which is there only if it was asked for, is written as a ``bytes`` literal.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")


class JsonFormatter(_Formatter):
    """One object on one line for each record, in ASCII.

    Its members are ``time``, ``level``, ``event``, ``connection`` (null where there is none), the
    fields of the event by their names, and ``trace`` where an exception was caught. Records that
    other code writes have ``message`` in place of ``event`` and what follows it.

    A field of bytes, such as ``payload``, is a text. Where the bytes are not UTF-8, the text has an
    escape such as ``\\xe4`` for each byte that is none, and a member with ``_base64`` behind its
    name holds all of them.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
        }
        if hasattr(record, "event"):
            entry["event"] = record.event
            entry["connection"] = getattr(record, "connection", None)
            for name, value in getattr(record, "fields", {}).items():
                entry.update(_members(name, value))
            trace = getattr(record, "trace", None)
        else:
            entry["message"] = record.getMessage()
            trace = self.formatException(record.exc_info) if record.exc_info else None
        if trace:
            entry["trace"] = trace
        return json.dumps(entry, default=str)


def _members(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, bytes):
        return {name: value}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        text = value.decode(errors="backslashreplace")
        return {name: text, f"{name}_base64": base64.b64encode(value).decode()}


def _quoted(value: object) -> str:
    if isinstance(value, bytes):
        return repr(value)
    text = str(value)
    # Quoting keeps one record on one line, whatever a name or an error text holds.
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
