"""How a record is written: a line of words for people, an object for programs."""

import base64
import json
import logging
import re
import time
import traceback
from types import TracebackType
from typing import Any

from fastmllp._native import plain_words
from fastmllp.logging.printable import lines, one_line

__all__ = ["EventFormatter", "JsonFormatter", "TextFormatter", "describe_exception", "words"]

_PLAIN = re.compile(r"[\w.:/+@%^\[\]-]+", re.ASCII)
_MAX_CAUSES = 8

# Made once: `json.dumps` with a default makes one for each call.
_encode = json.JSONEncoder(default=str).encode

# The last second and the last millisecond that were written, with their texts: most records share
# one of them with the record before. Pairs, so that no thread sees the text of another time.
_second: tuple[int, str] = (-1, "")
_millisecond: tuple[int, str] = (-1, "")


def describe_exception(error: BaseException) -> str:
    """Tell where an exception came from: frames and types, without the texts of the exceptions.

    The names of files, functions and types are those of code that can be made at run time, even of
    a payload. So a name that cannot be printed on one line is left out.
    """
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < _MAX_CAUSES:
        frames = "".join(_frames(current))
        name = _name(f"{type(current).__module__}.{type(current).__qualname__}")
        parts.insert(0, f"Traceback (most recent call last):\n{frames}{name} (text left out)")
        suppressed = current.__suppress_context__
        current = current.__cause__ or (None if suppressed else current.__context__)
    return "\nwhich led to:\n".join(parts)


def _frames(error: BaseException) -> list[str]:
    """The lines of a traceback, safe for a terminal."""
    shown = [
        (_name(frame.filename), frame.lineno or 0, _name(frame.name), one_line(frame.line or ""))
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return traceback.StackSummary.from_list(shown).format()


def _name(name: str) -> str:
    return name if name.isprintable() else f"<name of {len(name)} characters left out>"


def words(
    event: str, connection: int | None, fields: dict[str, Any], trace: str | None = None
) -> str:
    """The text of a record: ``event=connect connection=1 peer=192.0.2.1:50312``."""
    text = plain_words(event, connection, fields) or _quoted_words(event, connection, fields)
    return f"{text}\n{trace}" if trace else text


def _quoted_words(event: str, connection: int | None, fields: dict[str, Any]) -> str:
    text = f"event={event}" if connection is None else f"event={event} connection={connection}"
    for key, value in fields.items():
        if type(value) is float:
            text = f"{text} {key}={value:.6f}"
        else:
            text = f"{text} {key}={_quoted(value)}"
    return text


def _time(second: int, milliseconds: int) -> str:
    """A time in UTC, ISO 8601 with milliseconds."""
    global _second
    known, text = _second
    if second != known:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second = second, text
    return f"{text}.{milliseconds:03d}Z"


def _now() -> str:
    global _millisecond
    now = int(time.time() * 1000)
    known, text = _millisecond
    if now != known:
        text = _time(*divmod(now, 1000))
        _millisecond = now, text
    return text


class EventFormatter(logging.Formatter):
    """Times in UTC, ISO 8601 with milliseconds; exceptions without their texts."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _time(int(record.created), int(record.msecs))

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return "" if ei[1] is None else describe_exception(ei[1])

    def format_event(
        self,
        level: int,
        event: str,
        connection: int | None,
        trace: str | None,
        fields: dict[str, Any],
    ) -> str:
        """What `format` writes for the record of this event, without a record."""
        raise NotImplementedError


class TextFormatter(EventFormatter):
    """One line for each record, and below it the traceback if there is one.

    A payload, which is there only if it was asked for, is written as a ``bytes`` literal.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # A handler before may have left a traceback here that shows the texts of exceptions.
        left, record.exc_text = record.exc_text, None
        try:
            return lines(super().format(record))
        finally:
            record.exc_text = left

    def format_event(
        self,
        level: int,
        event: str,
        connection: int | None,
        trace: str | None,
        fields: dict[str, Any],
    ) -> str:
        text = words(event, connection, fields, trace)
        return f"{_now()} {logging.getLevelName(level)} {text}"


class JsonFormatter(EventFormatter):
    """One object on one line for each record, in ASCII.

    Its members are ``time``, ``level``, ``event``, ``connection`` (null where there is none), the
    fields of the event by their names, and ``trace`` where an exception was caught. Records that
    other code writes have ``message`` in place of ``event`` and what follows it.

    A field of bytes, such as ``payload``, is a text. Where the bytes are not UTF-8, the text has an
    escape such as ``\\xe4`` for each byte that is none, and a member with ``_base64`` behind its
    name holds all of them.
    """

    def format(self, record: logging.LogRecord) -> str:
        time, level = self.formatTime(record), record.levelname
        if hasattr(record, "event"):
            connection = getattr(record, "connection", None)
            fields = getattr(record, "fields", {})
            trace = getattr(record, "trace", None)
            return _object(time, level, record.event, connection, trace, fields)
        entry = {"time": time, "level": level.lower(), "message": record.getMessage()}
        if record.exc_info and (trace := self.formatException(record.exc_info)):
            entry["trace"] = trace
        return _encode(entry)

    def format_event(
        self,
        level: int,
        event: str,
        connection: int | None,
        trace: str | None,
        fields: dict[str, Any],
    ) -> str:
        return _object(_now(), logging.getLevelName(level), event, connection, trace, fields)


def _object(
    time: str,
    level: str,
    event: str,
    connection: int | None,
    trace: str | None,
    fields: dict[str, Any],
) -> str:
    entry: dict[str, Any] = {
        "time": time,
        "level": level.lower(),
        "event": event,
        "connection": connection,
    }
    for name, value in fields.items():
        if isinstance(value, bytes):
            entry.update(_members(name, value))
        else:
            entry[name] = value
    if trace:
        entry["trace"] = trace
    return _encode(entry)


def _members(name: str, value: bytes) -> dict[str, object]:
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
