"""The handler of `configure`: a line without a record says what the record says, and whoever would
see a record gets one.
"""

import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fastmllp
import fastmllp.logging
import pytest
from fastmllp.logging import (
    LOGGER,
    add_observer,
    configure,
    log_event,
    log_events,
    remove_observer,
)
from fastmllp.logging.format import JsonFormatter, TextFormatter, words

EVENTS: list[tuple[int, str, int | None, dict[str, Any]]] = [
    (logging.INFO, "connect", 7, {"peer": "192.0.2.1:50312"}),
    (logging.WARNING, "accept_failed", None, {"error": 'a "b"\n\u2028 c', "empty": ""}),
    (logging.INFO, "ack_sent", 7, {"code": fastmllp.AckCode.AE, "length": 66, "flag": True}),
    (logging.INFO, "ack_sent", 7, {"seconds": 0.000012, "many": 86400.5, "none": None}),
    (logging.INFO, "message_received", 7, {"length": 4, "payload": b"MSH|\xe4\r"}),
    (logging.ERROR, "handler_failed", 7, {"trace": "Traceback:\n  lines", "type": "Müller"}),
    (25, "other", 0, {}),
]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The logger of the package as it was before."""
    handlers, level, propagate = LOGGER.handlers[:], LOGGER.level, LOGGER.propagate
    yield
    configure()
    LOGGER.filters.clear()
    LOGGER.handlers[:] = handlers
    LOGGER.setLevel(level)
    LOGGER.propagate = propagate


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    """The records that are made from now on."""
    records: list[logging.LogRecord] = []
    make = LOGGER.makeRecord

    def note(*args: Any, **kwargs: Any) -> logging.LogRecord:
        records.append(make(*args, **kwargs))
        return records[-1]

    monkeypatch.setattr(LOGGER, "makeRecord", note)
    return records


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_line_without_a_record_is_that_of_the_record(
    format: str, made: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def written() -> str:
        for level, event, connection, fields in EVENTS:
            log_event(level, event, connection, **fields)
        return stream.getvalue()

    monkeypatch.setattr(time, "time", lambda: 1706702400.0625)
    stream = io.StringIO()
    configure(format=format, stream=stream)
    direct = written()
    assert made == []
    stream = io.StringIO()
    configure(format=format, stream=stream)
    LOGGER.addFilter(lambda record: True)
    assert written() == direct and len(made) == len(EVENTS)
    assert "2024-01-31T12:00:00.062Z" in direct


@pytest.mark.parametrize("format", ["text", "json"])
def test_each_line_has_its_own_time(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    configure(format=format, stream=stream)
    for now in (1706702400.0, 1706702400.001, 1706702401.001, 1706702400.001):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        log_event(logging.INFO, "test")
    times = [line.partition("2024-01-31T")[2][:13] for line in stream.getvalue().splitlines()]
    assert times == ["12:00:00.000Z", "12:00:00.001Z", "12:00:01.001Z", "12:00:00.001Z"]


class Collector(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.emit = records.append  # type: ignore[method-assign]


def keeping(records: list[logging.LogRecord]) -> Callable[[logging.LogRecord], bool]:
    def keep(record: logging.LogRecord) -> bool:
        records.append(record)
        return True

    return keep


class Watching(TextFormatter):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def format(self, record: logging.LogRecord) -> str:
        self._records.append(record)
        return super().format(record)


def a_second_handler(seen: list[logging.LogRecord]) -> None:
    LOGGER.addHandler(Collector(seen))


def another_handler(seen: list[logging.LogRecord]) -> None:
    LOGGER.handlers[:] = [Collector(seen)]


def a_filter_of_the_logger(seen: list[logging.LogRecord]) -> None:
    LOGGER.addFilter(keeping(seen))


def a_filter_of_the_handler(seen: list[logging.LogRecord]) -> None:
    LOGGER.handlers[0].addFilter(keeping(seen))


def a_formatter_of_another_kind(seen: list[logging.LogRecord]) -> None:
    LOGGER.handlers[0].setFormatter(Watching(seen))


def a_record_factory(seen: list[logging.LogRecord]) -> None:
    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        seen.append(logging.LogRecord(*args, **kwargs))
        return seen[-1]

    logging.setLogRecordFactory(make)


def a_parent(seen: list[logging.LogRecord]) -> None:
    LOGGER.propagate = True
    logging.root.addHandler(Collector(seen))


@pytest.mark.parametrize(
    "attach",
    [
        a_second_handler,
        another_handler,
        a_filter_of_the_logger,
        a_filter_of_the_handler,
        a_formatter_of_another_kind,
        a_record_factory,
        a_parent,
    ],
)
def test_whoever_looks_at_records_gets_one(
    attach: Callable[[list[logging.LogRecord]], None],
) -> None:
    seen: list[Any] = []
    configure(stream=io.StringIO())
    before = logging.root.handlers[:]
    try:
        attach(seen)
        log_event(logging.INFO, "connect", 7, peer="A")
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
        logging.root.handlers[:] = before
    (record,) = seen
    assert (record.event, record.connection, record.fields) == ("connect", 7, {"peer": "A"})
    assert record.funcName == "test_whoever_looks_at_records_gets_one"
    assert record.getMessage() == "event=connect connection=7 peer=A"


def test_a_filter_of_the_handler_refuses_a_line() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    LOGGER.handlers[0].addFilter(lambda record: False)
    log_event(logging.INFO, "connect", 7)
    assert stream.getvalue() == ""


def test_levels_of_the_logger_and_of_the_handler() -> None:
    stream = io.StringIO()
    configure("info", stream=stream)
    log_event(logging.DEBUG, "below_the_logger")
    LOGGER.handlers[0].setLevel(logging.ERROR)
    log_event(logging.WARNING, "below_the_handler")
    logging.disable(logging.ERROR)
    log_event(logging.ERROR, "disabled")
    logging.disable(logging.NOTSET)
    log_event(logging.ERROR, "written")
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["event=written"]


def test_another_formatter_of_ours_is_used() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    LOGGER.handlers[0].setFormatter(JsonFormatter())
    log_event(logging.INFO, "connect", 7)
    assert json.loads(stream.getvalue())["event"] == "connect"


def test_many_events_are_written_with_one_write(made: list[logging.LogRecord]) -> None:
    class Counting(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    heard: list[tuple[str, int | None, dict[str, Any]]] = []

    def hear(event: str, connection: int | None, fields: Mapping[str, Any]) -> None:
        heard.append((event, connection, dict(fields)))

    stream = Counting()
    configure(stream=stream)
    each = [{"code": "AA", "length": length} for length in range(3)]
    add_observer(hear)
    try:
        log_events(logging.INFO, "ack_sent", 7, each)
        log_events(logging.DEBUG, "ack_sent", 7, each)
        log_events(logging.INFO, "ack_sent", 7, [])
    finally:
        remove_observer(hear)
    texts = [f"event=ack_sent connection=7 code=AA length={length}" for length in range(3)]
    assert [line.split(" INFO ")[1] for line in stream.getvalue().splitlines()] == texts
    assert stream.writes == 1 and made == []
    assert heard == [("ack_sent", 7, fields) for fields in each] * 2
    LOGGER.addFilter(lambda record: record.__dict__["fields"]["length"] != 1)
    log_events(logging.INFO, "ack_sent", 7, each)
    assert [record.getMessage() for record in made] == texts
    assert {record.funcName for record in made} == {"test_many_events_are_written_with_one_write"}
    assert len(stream.getvalue().splitlines()) == 5


def test_a_stream_that_fails_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    configure(stream=Full())
    log_event(logging.INFO, "connect", 7)
    # As the standard module tells it, with the place of the call.
    told = capsys.readouterr().err
    assert "No space left on device" in told and "event=connect connection=7" in told
    assert "in test_a_stream_that_fails_ends_nothing" in told


def test_lines_of_many_threads_stay_whole() -> None:
    class Dawdling(io.StringIO):
        def write(self, text: str) -> int:
            return sum(super(Dawdling, self).write(character) for character in text)

    stream = Dawdling()
    configure(stream=stream)
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        for _ in range(100):
            log_event(logging.INFO, "connect", number, peer="A" * 40)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 400
    assert all(line.endswith(f" peer={'A' * 40}") and line.count("event=") == 1 for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("AA", "AA"),
        ("192.0.2.1:50312", "192.0.2.1:50312"),
        ("a/b-c_d%20^[x]+@", "a/b-c_d%20^[x]+@"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ("Müller", '"M\\u00fcller"'),
        ("\udcff", '"\\udcff"'),
        (0, "0"),
        (-(2**63), str(-(2**63))),
        (2**70, str(2**70)),
        (0.000012, "0.000012"),
        (1e300, f"{1e300:.6f}"),
        (-0.0, "-0.000000"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, "True"),
        (None, "None"),
        (b"\x0b", "b'\\x0b'"),
        (fastmllp.AckCode.AE, "AE"),
    ],
)
def test_a_value_in_words(value: object, text: str) -> None:
    """The same whether one native call writes them, or another value sends all of them around."""
    assert words("e", 7, {"key": value}) == f"event=e connection=7 key={text}"
    assert words("e", None, {"key": value, "x": None}) == f"event=e key={text} x=None"
    assert words("e", 7, {}, "lines") == "event=e connection=7\nlines"
