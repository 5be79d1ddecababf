"""What reaches a log is safe for a terminal, and a record stays on its line."""

import io
import json
import logging
from pathlib import Path

import pytest
from conftest import Serve
from fastmllp import Message
from fastmllp.logging import configure, describe_exception, log_event
from fastmllp.logging.format import JsonFormatter, TextFormatter
from peers import Peer, framed

# ESC, DEL, a control character of C1, a bidirectional mark, line ends, what is no character.
UNSAFE = "a\x1b[2J\x7f\x9b\u202e\u2066\u2028\x85\r\n\x00\ud800\U000e0001b"
PAYLOAD = "MSH|^~\\&|LAB\rPID|1||4711\r"


pytestmark = pytest.mark.usefixtures("restored_log")


def caught(name: str, function: str = "f", kind: str = "Bad") -> BaseException:
    """An exception of code whose names are these."""
    made = compile("def f(): raise kind('x')", name, "exec")
    namespace: dict[str, object] = {"kind": type(kind, (Exception,), {"__module__": "made"})}
    exec(made, namespace)
    f = namespace["f"]
    f.__code__ = f.__code__.replace(co_name=function)  # type: ignore[attr-defined]
    try:
        f()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("unsafe", ["\x1b[2J", *"\x7f\x9b\u202e\u2066\u2028\x85\r\n", PAYLOAD])
def test_names_in_a_traceback(unsafe: str) -> None:
    text = describe_exception(caught(f"<{unsafe}>", f"f{unsafe}", f"Bad{unsafe}"))
    lines = text.split("\n")
    assert all(line.isprintable() for line in lines)
    assert f'  File "<name of {len(unsafe) + 2} characters left out>", line 1, in <name of ' in text
    assert len(lines) == 5 and lines[-1].endswith(" characters left out> (text left out)")
    assert "4711" not in text


def test_names_that_can_be_printed_stay() -> None:
    text = describe_exception(caught("<Müller 1>", "größe", "Ungültig"))
    assert '  File "<Müller 1>", line 1, in größe\n' in text
    assert text.endswith("\nmade.Ungültig (text left out)")


def test_a_line_of_source_in_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text("def f(): raise kind('x')  # \x1b[2J \u202e \x0c\n", encoding="utf-8")
    text = describe_exception(caught(str(path)))
    assert "    def f(): raise kind('x')  # \\x1b[2J \\u202e" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_deep_recursion_is_told_briefly() -> None:
    def deeper() -> None:
        deeper()

    try:
        deeper()
    except RecursionError as error:
        text = describe_exception(error)
    assert text.count("\n") < 30 and "Previous line repeated" in text


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("character", UNSAFE)
def test_values(format: str, character: str) -> None:
    stream = io.StringIO()
    configure(format=format, stream=stream)
    log_event(
        logging.INFO,
        "test",
        peer=f"a{character}b",
        data=f"a{character}b".encode("utf-8", "surrogatepass"),
    )
    log_event(logging.INFO, "test", peer=f"a{character}b")
    text = stream.getvalue()
    assert text.isascii() and all(line.isprintable() for line in text.splitlines())
    assert text.count("\n") == len(text.splitlines()) == 2
    if format == "json":
        assert json.loads(text.splitlines()[1])["peer"] == f"a{character}b"


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_a_record_of_other_code(formatter: logging.Formatter) -> None:
    record = logging.LogRecord("other", logging.INFO, "", 0, f"one\ntwo {UNSAFE}", (), None)
    record.stack_info = f"stack {UNSAFE}"
    text = formatter.format(record)
    assert all(line.isprintable() for line in text.split("\n"))
    if isinstance(formatter, JsonFormatter):
        assert "\n" not in text


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_the_text_of_an_exception_that_another_formatter_has_left(
    formatter: logging.Formatter,
) -> None:
    try:
        raise ValueError("4711 EVERYWOMAN")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("other", logging.INFO, "", 0, "text", (), info)
    theirs = logging.Formatter().format(record)
    assert "4711" in theirs and "4711" not in formatter.format(record).replace('"4711', "")
    assert logging.Formatter().format(record) == theirs


def test_a_handler_whose_code_is_named_like_a_payload(serve_both: Serve) -> None:
    stream = io.StringIO()
    configure(stream=stream)

    def handler(message: Message) -> None:
        exec(compile("raise ValueError", message.payload.decode(), "exec"))

    server = serve_both(handler)
    with Peer.connect(server.address) as peer:
        peer.send(framed(PAYLOAD.encode()))
        peer.receive_frame()
        peer.half_close()
        peer.receive_end()
    server.shutdown()
    text = stream.getvalue()
    assert "event=handler_failed" in text and "\r" not in text and "4711" not in text
