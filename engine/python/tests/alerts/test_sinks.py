"""Where alerts go, over real processes and sockets; and that no sink disturbs another."""

import json
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from fastmllp_engine.alerts import Episode, Kind, Notice, sinks
from fastmllp_engine.alerts.sinks import QUEUED, Sink, describe
from fastmllp_engine.graph.settings import AlertSettings

DEADLINE = 30.0
STALLED = Episode(Kind.STALLED, "OB_LAB", "nothing done for 301 s", 1_764_547_200_000)
BEGINS = Notice(STALLED, begins=True, at=1_764_547_201_500)
ENDS = Notice(STALLED, begins=False, at=1_764_547_300_000)
AS_JSON = {
    "alert": "begins",
    "kind": "stalled",
    "connection": "OB_LAB",
    "text": "nothing done for 301 s",
    "since": "2025-12-01T00:00:00Z",
    "at": "2025-12-01T00:00:01Z",
    "engine": "feeds",
}


def only(settings: AlertSettings) -> Sink:
    (sink,) = sinks.sinks(settings, "feeds")
    return sink


def without_host(text: str | bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    assert found.pop("host")
    return found


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


class Web(BaseHTTPRequestHandler):
    """Answers with the statuses that a test has put there, then 204."""

    got: "queue.Queue[bytes]"
    statuses: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.statuses.pop(0) if self.statuses else 204
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        if status == 204:
            self.got.put(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def web(*statuses: int) -> Iterator[tuple[str, "queue.Queue[bytes]"]]:
    handler = type("Handler", (Web,), {"got": queue.Queue(), "statuses": list(statuses)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", handler.got  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def test_a_command_reads_the_alert_from_its_standard_input(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"
    sink = only(AlertSettings(command=[sys.executable, "-c", code, str(tmp_path / "got")]))
    sink.tell(BEGINS)
    sink.tell(ENDS)
    sink.close(DEADLINE)
    first, second = (tmp_path / "got").read_text().splitlines()
    assert without_host(first) == AS_JSON
    assert without_host(second)["alert"] == "ends"
    assert (sink.failed, sink.trouble) == (0, None)


def test_a_webhook_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "FIRST_WAIT", 0.01)
    with web(500, 503) as (address, got):
        sink = only(AlertSettings(webhook=address))
        sink.tell(BEGINS)
        assert without_host(got.get(timeout=DEADLINE)) == AS_JSON
        sink.close(DEADLINE)
    assert (sink.failed, sink.trouble) == (0, None)


def test_a_webhook_that_has_moved_has_not_got_the_alert() -> None:
    with web(301, 301, 301, 301) as (address, got):
        sink = only(AlertSettings(webhook=address))
        sink.tell(BEGINS)
        until(lambda: sink.trouble)
        assert sink.trouble == "HTTP 301"
        sink.close(DEADLINE)
        assert got.empty()


def test_mail_goes_to_the_server() -> None:
    got: queue.Queue[Any] = queue.Queue()

    class Mailbox:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            got.put(envelope)
            return "250 OK"

    # Made by hand, so that it takes a free port.
    controller = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        sink = only(
            AlertSettings(
                email_to=["night@example.org", "day@example.org"],
                email_from="engine@example.org",
                smtp_host="127.0.0.1",
                smtp_port=controller.port,
            )
        )
        sink.tell(BEGINS)
        envelope = got.get(timeout=DEADLINE)
        sink.close(DEADLINE)
    finally:
        controller.stop()
    text = envelope.content.decode()
    assert envelope.rcpt_tos == ["night@example.org", "day@example.org"]
    assert "Subject: [fastmllp] OB_LAB stalled\r\n" in text
    assert "text: nothing done for 301 s\r\n" in text


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_a_sink_that_hangs_takes_no_more_than_its_time_and_its_queue() -> None:
    hangs = threading.Event()
    sink = Sink("the test", lambda _: hangs.wait(DEADLINE) and None)
    for _ in range(3 * QUEUED):
        sink.tell(BEGINS)
    assert 2 * QUEUED - 1 <= sink.failed <= 2 * QUEUED
    hangs.set()
    sink.close(DEADLINE)
    code = "import time; time.sleep(600)"
    slow = only(AlertSettings(command=[sys.executable, "-c", code], timeout_seconds=0.2))
    slow.tell(BEGINS)
    until(lambda: slow.trouble)
    assert slow.trouble == "it took too long"
    slow.close(DEADLINE)
    assert slow.failed == 1


@pytest.mark.parametrize(
    ("settings", "trouble"),
    [
        ({"command": ["/nowhere/at/all"]}, "No such file or directory"),
        ({"command": ["/bin/false"]}, "the program has ended with 1"),
        ({"webhook": "http://127.0.0.1:1/secret"}, "Connection refused"),
    ],
)
def test_what_is_not_reached_says_so(settings: dict[str, Any], trouble: str) -> None:
    sink = only(AlertSettings(**settings))
    sink.tell(BEGINS)
    until(lambda: sink.trouble)
    assert sink.trouble == trouble
    sink.close(DEADLINE)
    assert sink.failed == 1


def test_the_text_of_an_error_may_hold_a_secret() -> None:
    assert describe(ValueError("http://user:secret@host")) == "ValueError"
