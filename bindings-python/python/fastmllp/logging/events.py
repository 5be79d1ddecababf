"""Writing a record, telling the observers, and where the records of this package go."""

import itertools
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeAlias

from fastmllp.logging.format import JsonFormatter, TextFormatter, describe_exception, words
from fastmllp.logging.handler import LineHandler, handler_for

__all__ = [
    "FORMATS",
    "LEVELS",
    "LOGGER",
    "Log",
    "Observer",
    "add_observer",
    "configure",
    "is_heard",
    "log_event",
    "log_events",
    "message_fields",
    "records_dropped",
    "remove_observer",
    "reopen",
]

LOGGER = logging.getLogger("fastmllp")

LEVELS = ("debug", "info", "warning", "error", "critical")
FORMATS = ("text", "json")

# A name is written without quotes in a text log, and is safe on a terminal and in a label.
_NAME = re.compile(r"[\w.:/@+-]{1,64}", re.ASCII)

Observer: TypeAlias = Callable[[str, int | None, Mapping[str, Any]], object]
"""Called with the event, the number of the connection or None, and the fields."""


@dataclass(slots=True)
class _Observation:
    observer: Observer
    # Counted without a lock, which a signal handler might find taken by its own thread.
    failures: Iterator[int] = field(default_factory=itertools.count)


# Replaced, never changed: other threads may be going through it.
_observations: tuple[_Observation, ...] = ()
_observations_lock = threading.Lock()
_log_message = False
# The handler of `configure`. Another may have taken its place in the logger.
_lines: LineHandler | None = None


def log_event(
    level: int,
    event: str,
    connection: int | None = None,
    *,
    trace: str | None = None,
    **fields: object,
) -> None:
    """Write one record, and tell the observers.

    Costs two tests when nobody hears the event: one of the level, one for observers.

    Args:
        level: One of the numbers of the standard module, `logging.INFO` and so on.
        event: Stable name of what happened, such as ``message_received``. The record carries it as
            attribute ``event``.
        connection: Number of the connection, attribute ``connection``.
        trace: Lines from `describe_exception`, attribute ``trace``; written below the record.
        fields: Further values, attribute ``fields``. Never a payload or a part of one, except what
            `message_fields` gives.
    """
    if LOGGER.isEnabledFor(level):
        _write(level, event, connection, trace, fields)
    if _observations:
        _tell(event, connection, fields)


def log_events(
    level: int, event: str, connection: int | None, each: Sequence[dict[str, Any]]
) -> None:
    """Write a record for each of these fields, and tell the observers, as `log_event` does for one.

    The handler of `configure` writes their lines with one write.

    Args:
        level: As for `log_event`, and so are `event` and `connection`.
        event: Stable name of what happened.
        connection: Number of the connection.
        each: The fields of each record.
    """
    if each and LOGGER.isEnabledFor(level):
        _write(level, event, connection, None, *each)
    if _observations:
        for fields in each:
            _tell(event, connection, fields)


class Log:
    """The records of one server or link: the field ``name``, which comes first, says which.

    Numbers of connections begin with 1 in each server, so in a process with several only the name
    tells them apart. Without a name the records are those of `log_event`, at the same cost.

    Attributes:
        name: The name; empty if there is none.

    Example:
        >>> configure(stream=sys.stdout)
        >>> log = Log("adt-in")
        >>> log.event(logging.INFO, "connect", 1, peer="192.0.2.1:50312")
        20...Z INFO event=connect connection=1 name=adt-in peer=192.0.2.1:50312
    """

    __slots__ = ("name",)

    def __init__(self, name: str = "") -> None:
        """Check the name.

        Args:
            name: At most 64 ASCII letters, digits, and ``. _ - : / @ +``; empty for no name.

        Raises:
            ValueError: The name is too long, or has a blank or any other character.
        """
        if name and not _NAME.fullmatch(name):
            allowed = "up to 64 ASCII letters, digits and . _ - : / @ +"
            raise ValueError(f"name must be {allowed}, not {name!a}")
        self.name = name

    def event(
        self,
        level: int,
        event: str,
        connection: int | None = None,
        *,
        trace: str | None = None,
        **fields: object,
    ) -> None:
        """Write one record, and tell the observers, as `log_event` does."""
        enabled = LOGGER.isEnabledFor(level)
        if not (enabled or _observations):
            return
        if self.name:
            fields = {"name": self.name, **fields}
        if enabled:
            _write(level, event, connection, trace, fields)
        if _observations:
            _tell(event, connection, fields)

    def events(
        self, level: int, event: str, connection: int | None, each: Sequence[dict[str, Any]]
    ) -> None:
        """Write a record for each of these fields, as `log_events` does."""
        enabled = each and LOGGER.isEnabledFor(level)
        if not (enabled or _observations):
            return
        if self.name:
            each = [{"name": self.name, **fields} for fields in each]
        if enabled:
            _write(level, event, connection, None, *each)
        if _observations:
            for fields in each:
                _tell(event, connection, fields)


def is_heard(level: int) -> bool:
    """Whether an event of this level is written or observed by anyone.

    For loops that would prepare an event for nobody. The answer may change at any time.
    """
    return bool(_observations) or LOGGER.isEnabledFor(level)


def message_fields(payload: bytes | bytearray | memoryview) -> dict[str, Any]:
    """The payload as a field of ``message_received`` or ``ack_sent``, if payloads are logged.

    Args:
        payload: What was received, or the acknowledgment that was sent, without framing bytes.

    Returns:
        Nothing, unless `configure` was told to log messages; costs one test then.

    Example:
        >>> payload = b"MSH|"
        >>> log_event(logging.DEBUG, "message_received", 1, length=4, **message_fields(payload))
        >>> message_fields(payload)
        {}
    """
    return {"payload": bytes(payload)} if _log_message else {}


def add_observer(observer: Observer) -> None:
    """Call a function for every event from now on, whatever the log level.

    It runs in the thread of the event, before that thread goes on, so it must be quick and must not
    block. What it raises is logged as ``observer_failed``, once, and goes no further. Added twice,
    it is called once for each event.

    Args:
        observer: Gets the event, the number of the connection or None, and the fields of the
            record, which it must not change. Numbers count the connections of one server. The
            fields hold no payload, unless `configure` was told to log messages.

    Example:
        >>> lengths = []
        >>> def measure(event, connection, fields):
        ...     if event == "message_received":
        ...         lengths.append(fields["length"])
        >>> add_observer(measure)
        >>> log_event(logging.DEBUG, "message_received", 1, length=120)
        >>> remove_observer(measure)
        >>> lengths
        [120]
    """
    global _observations
    with _observations_lock:
        if all(known.observer != observer for known in _observations):
            _observations = (*_observations, _Observation(observer))


def remove_observer(observer: Observer) -> None:
    """Call it no more. Events that other threads are just telling may still reach it."""
    global _observations
    with _observations_lock:
        _observations = tuple(known for known in _observations if known.observer != observer)


def configure(
    level: str = "info",
    format: str = "text",
    log_message: bool = False,
    stream: TextIO | None = None,
    file: str | os.PathLike[str] = "",
) -> None:
    """Send the records of this package to a text stream or to a file.

    Meant for programs, such as the command line. A program with a logging configuration of its own
    does not call this: the records reach its handlers like those of any other library, and it can
    give these a `TextFormatter` or a `JsonFormatter`.

    No connection waits for the reader of the log: a thread writes the lines, up to 10 milliseconds
    later, and in order. Where the reader takes no more and 65,536 records or 16 MiB wait, further
    ones are dropped, and ``records_dropped`` says how many as soon as it takes lines again. The end
    of the program waits up to two seconds for the last lines. A process that ends by `os._exit`
    calls `logging.shutdown` before, or loses them.

    Args:
        level: The lowest level that is written, one of `LEVELS`.
        format: ``text``, words on one line, or ``json``, one object on one line.
        log_message: Add each payload to ``message_received`` and each answer to ``ack_sent``, as it
            is on the wire. Payloads are health data: the log is then to be kept like them.
        stream: Where to write; standard error if not given. A stream without a descriptor, such as
            one in memory, is written by the thread of the event.
        file: A file to append to, in place of a stream; created, if need be, for its owner to write
            and its group to read. Several processes may share it. See `reopen`.

    Raises:
        ValueError: There is no such level or format, or both a stream and a file are given.
        OSError: The file cannot be opened.

    Example:
        >>> configure(format="json", stream=sys.stdout)
        >>> log_event(logging.INFO, "connect", 1, peer="192.0.2.1:50312")
        {"time": "20...Z", "level": "info", "event": "connect", "connection": 1, "peer": "192...2"}
    """
    global _log_message, _lines
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    if file and stream is not None:
        raise ValueError("stream and file cannot both be given")
    before, _lines = _lines, handler_for(stream or sys.stderr, file, _say_of_the_log)
    if before is not None:
        before.flush()
        before.close()
    handler = _lines or logging.NullHandler()
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False
    _log_message = log_message


def reopen() -> None:
    """Close the file of `configure` and open it again by its name, as after a rotation.

    May be called in a signal handler, and returns at once. The records before it are written to the
    old file, those after it to the new one. If that cannot be opened, the old one stays, and
    ``log_reopen_failed`` says why.
    """
    if _lines is not None:
        _lines.reopen()


def records_dropped() -> int:
    """How many records were dropped since `configure`, because the log did not take them."""
    return 0 if _lines is None else _lines.dropped


def _say_of_the_log(event: str, fields: dict[str, Any]) -> None:
    log_event(logging.ERROR, event, **fields)


def _write(
    level: int,
    event: str,
    connection: int | None,
    trace: str | None,
    *each: dict[str, Any],
) -> None:
    if _lines is not None and _lines.is_alone(LOGGER, level):
        try:
            _lines.write_events(level, event, connection, trace, each)
        except RecursionError:
            raise
        except Exception:
            # The standard module says what is wrong, or not, as it was told.
            _lines.handleError(_record(level, event, connection, trace, each[0]))
        return
    for fields in each:
        LOGGER.handle(_record(level, event, connection, trace, fields))


def _record(
    level: int,
    event: str,
    connection: int | None,
    trace: str | None,
    fields: dict[str, Any],
) -> logging.LogRecord:
    # The place of a record is the caller of `log_event`. `LOGGER.log` finds it by the names of the
    # files on the stack, which takes as long as all the rest.
    caller = sys._getframe(3)
    file, line, function = caller.f_code.co_filename, caller.f_lineno, caller.f_code.co_name
    text = words(event, connection, fields, trace)
    extra = {"event": event, "connection": connection, "fields": fields, "trace": trace}
    return LOGGER.makeRecord(LOGGER.name, level, file, line, text, (), None, function, extra)


def _tell(event: str, connection: int | None, fields: dict[str, Any]) -> None:
    for observation in _observations:
        try:
            observation.observer(event, connection, fields)
        except KeyboardInterrupt:
            # Not of the observer: the main thread may be here when the user interrupts.
            raise
        except BaseException as error:
            if next(observation.failures) == 0:
                try:
                    trace = describe_exception(error)
                    _write(logging.ERROR, "observer_failed", connection, trace, {"during": event})
                except RecursionError:
                    # The caller of this has more of the stack left, and its turn comes now.
                    observation.failures = itertools.count()
                    raise
