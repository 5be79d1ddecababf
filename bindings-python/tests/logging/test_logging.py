"""Log records as text and as JSON, and payloads in them when they are asked for."""

import base64
import io
import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import fastmllp.logging
import pytest
from conftest import Records, Serve
from fastmllp import Message
from fastmllp.logging import (
    JsonFormatter,
    add_observer,
    configure,
    describe_exception,
    is_heard,
    log_event,
    message_fields,
    remove_observer,
)
from peers import Peer, framed

TIME = r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{3}Z"
MARK = "4711 EVERYWOMAN"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The logger of the package as it was before."""
    logger = fastmllp.logging.LOGGER
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    configure()  # Payloads are off again.
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate


def lines(**options: Any) -> io.StringIO:
    stream = io.StringIO()
    configure(stream=stream, **options)
    return stream


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_text() -> None:
    stream = lines()
    log_event(logging.INFO, "connect", 7, peer="192.0.2.1:50312")
    log_event(logging.DEBUG, "discarded", 7, length=2)
    log_event(logging.WARNING, "accept_failed", error="not a plain word")
    pattern = rf"""{TIME} INFO event=connect connection=7 peer=192\.0\.2\.1:50312
{TIME} WARNING event=accept_failed error="not a plain word"
"""
    assert re.fullmatch(pattern, stream.getvalue())


def test_json() -> None:
    stream = lines(format="json", level="debug")
    log_event(logging.INFO, "ack_sent", 7, code=fastmllp.AckCode.AE, length=66)
    log_event(logging.DEBUG, "accept_failed", error='a "b"\n\u2028\udcff')
    sent, failed = entries(stream)
    assert re.fullmatch(TIME, sent.pop("time"))
    assert sent == dict(level="info", event="ack_sent", connection=7, code="AE", length=66)
    assert list(failed) == ["time", "level", "event", "connection", "error"]
    assert failed["connection"] is None and failed["error"] == 'a "b"\n\u2028\udcff'
    assert stream.getvalue().isascii()


def test_the_time_of_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", lambda *seconds: pytest.fail("not UTC"))
    record = logging.LogRecord("fastmllp", logging.INFO, "", 0, "text", (), None)
    record.created, record.msecs = 1706702400.0, 7.9
    assert json.loads(JsonFormatter().format(record)) == {
        "time": "2024-01-31T12:00:00.007Z",
        "level": "info",
        "message": "text",
    }


@pytest.mark.parametrize("format", ["text", "json"])
def test_an_exception_is_written_without_its_text(format: str) -> None:
    stream = lines(format=format)
    try:
        {}[MARK]
    except KeyError as error:
        log_event(logging.ERROR, "handler_failed", 7, trace=describe_exception(error))
        fastmllp.logging.LOGGER.exception("of other code")
    text = stream.getvalue()
    assert MARK not in text
    assert text.count("builtins.KeyError") == text.count("test_logging.py") == 2
    if format == "json":
        ours, others = entries(stream)
        assert ours["event"] == "handler_failed" and ours["trace"].startswith("Traceback")
        assert others["message"] == "of other code" and others["trace"] == ours["trace"]


def test_no_payload_unless_asked_for() -> None:
    stream = lines(level="debug")
    assert message_fields(b"MSH|4711") == {} and message_fields(memoryview(b"x")) == {}
    log_event(logging.INFO, "message_received", 7, length=8, **message_fields(b"MSH|4711"))
    assert "4711" not in stream.getvalue() and "payload" not in stream.getvalue()


def test_a_payload_in_a_text_is_whole_and_on_one_line() -> None:
    stream = lines(log_message=True)
    payload = bytes(range(256)) + 'MSH|"^~\\&|\r'.encode("shift_jis")
    log_event(logging.INFO, "message_received", 7, length=267, **message_fields(payload))
    (line,) = stream.getvalue().splitlines()
    start, _, literal = line.partition(" length=267 payload=")
    assert start.endswith("connection=7") and eval(literal) == payload


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_payload_in_json_is_whole(kind: Any) -> None:
    stream = lines(format="json", log_message=True)
    plain, latin = "PID|1||JOSÉ^\u2028\x00\r".encode(), "PID|1||JOSÉ\\xe9\r".encode("latin-1")
    for payload in (plain, latin):
        log_event(logging.INFO, "message_received", 7, **message_fields(kind(payload)))
    utf_8, other = entries(stream)
    assert utf_8["payload"].encode() == plain and "payload_base64" not in utf_8
    assert other["payload"] == "PID|1||JOS\\xc9\\xe9\r"
    assert base64.b64decode(other["payload_base64"]) == latin


def test_a_record_holds_the_values(records: Records) -> None:
    log_event(logging.ERROR, "handler_failed", 7, trace="lines", length=5)
    record: Any = records.wait_for("handler_failed")
    assert (record.event, record.connection, record.trace) == ("handler_failed", 7, "lines")
    assert record.fields == {"length": 5}
    assert record.getMessage() == "event=handler_failed connection=7 length=5\nlines"
    assert (record.filename, record.funcName) == (
        "test_logging.py",
        "test_a_record_holds_the_values",
    )


@pytest.mark.parametrize("wrong", [{"level": "loud"}, {"format": "xml"}, {"level": "notset"}])
def test_a_setting_that_is_none_changes_nothing(wrong: dict[str, str]) -> None:
    stream = lines()
    with pytest.raises(ValueError, match="must be one of"):
        configure(log_message=True, **wrong)  # type: ignore[arg-type]
    log_event(logging.INFO, "connect", 7, **message_fields(b"x"))
    assert stream.getvalue().endswith("event=connect connection=7\n")


def test_the_events_of_a_server_in_json(serve: Serve) -> None:
    stream = lines(format="json")

    def handler(message: Message) -> str:
        raise ValueError(MARK)

    server = serve(handler)
    with Peer.connect(server.address) as peer:
        peer.send(framed(b"MSH|^~\\&|") + b"junk")
        peer.receive_frame()
        peer.half_close()
        peer.receive_end()
    server.shutdown()
    written = {entry["event"]: entry for entry in entries(stream)}
    assert set(written) == {
        "connect",
        "message_received",
        "handler_failed",
        "ack_sent",
        "discarded",
        "disconnect",
    }
    assert all(entry["connection"] == 1 for entry in written.values())
    assert written["message_received"]["length"] == 9 and written["ack_sent"]["code"] == "AE"
    assert written["disconnect"]["messages"] == 1 and "ValueError" in str(written["handler_failed"])
    assert MARK not in stream.getvalue()


def test_is_heard() -> None:
    lines(level="info")
    assert is_heard(logging.INFO) and not is_heard(logging.DEBUG)
    add_observer(print)
    assert is_heard(logging.DEBUG)
    remove_observer(print)
    assert not is_heard(logging.DEBUG)
