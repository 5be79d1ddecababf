"""Raw TCP through an engine of its own process: what is framed otherwise, and what is not HL7."""

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastmllp_engine.cli.client import Client
from fastmllp_engine.graph import ConfigurationError, load
from running_engines import until
from serving import Server

STX, ETX = b"\x02", b"\x03"

FEED = """
from fastmllp_engine import MLLP, Message, RawMessage, RetryPolicy, Send, Tcp
from fastmllp_engine import handler, inbound, outbound, router

inbound("IB", Tcp(port=0), router="all", content_type="json")
outbound(
    "OB", Tcp(host="127.0.0.1", port={port}{options}),
    retry=RetryPolicy(backoff_seconds=0.05, max_backoff_seconds=0.1, max_attempts=100),
)


@router("all")
def route(msg: RawMessage):
    return ["pass_on"]


@handler("pass_on")
def pass_on(msg: RawMessage):
    if msg.json().get("end"):
        return Send("OB", b"with \\x03 in it")
    return Send("OB", msg)
"""


class Device:
    """Takes frames and keeps what is in them; with a reply it answers each."""

    def __init__(self, reply: bytes | None = None, port: int = 0) -> None:
        self.received: list[bytes] = []
        self._reply = reply
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        rest = b""
        with contextlib.suppress(OSError), connection:
            while received := connection.recv(65536):
                rest += received
                while ETX in rest:
                    payload, _, rest = rest.partition(ETX)
                    self.received.append(payload.removeprefix(STX))
                    if self._reply is not None:
                        connection.sendall(STX + self._reply + ETX)


class Link:
    """A served feed between a sender and a device."""

    def __init__(self, folder: Path, device: Device, options: str = "") -> None:
        (folder / "feed.py").write_text(FEED.format(port=device.port, options=options))
        self.device = device
        self.server = Server(str(folder))
        self.port = self.server.port()
        self.client = Client(folder / "data")

    def send(self, *payloads: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(b"".join(STX + it + ETX for it in payloads))
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b"", "nothing is acknowledged"

    def dispositions(self, count: int) -> list[str]:
        """Of the newest messages, once none is open: the oldest first."""
        final = {"PROCESSED", "ERROR", "FILTERED", "UNROUTED", "DUPLICATE"}

        def found() -> list[str]:
            return [it["disposition"] for it in self.client.get("/messages")["messages"]][::-1]

        return until(found, lambda it: len(it) == count and set(it) <= final)


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.close()


@contextlib.contextmanager
def serving(folder: Path, device: Device, options: str = "") -> Iterator[Link]:
    link = Link(folder, device, options)
    try:
        yield link
    finally:
        status = link.server.end(signal.SIGTERM)
    assert status == 0


def test_what_is_not_hl7_goes_through_byte_for_byte(tmp_path: Path, device: Device) -> None:
    payloads = [json.dumps({"k": number, "name": "M\u00fcller"}).encode() for number in range(50)]
    # The same again is another result: nothing tells it from one.
    payloads.append(payloads[0])
    with serving(tmp_path, device) as link:
        link.send(*payloads)
        assert link.dispositions(51) == ["PROCESSED"] * 51
        assert device.received == payloads


def test_what_is_no_message_of_its_kind_ends_in_error(tmp_path: Path, device: Device) -> None:
    with serving(tmp_path, device) as link:
        link.send(b'{"k": 1}', STX + b"half" + STX + b'{"k": 2}', b'{"end": true}', b'{"k": 3}')
        # Fused, not to be framed, and the two that are good.
        assert link.dispositions(4) == ["PROCESSED", "ERROR", "ERROR", "PROCESSED"]
        assert device.received == [b'{"k": 1}', b'{"k": 3}']
        assert "half" not in "".join(link.server.errors)


def test_a_reply_of_any_kind_ends_a_delivery(tmp_path: Path) -> None:
    device = Device(b"thanks")
    with serving(tmp_path, device, ", expect_reply=True") as link:
        link.send(b'{"k": 1}', b'{"k": 2}')
        assert link.dispositions(2) == ["PROCESSED", "PROCESSED"]
        journey = link.client.get("/messages/1/journey")
        said = [it["said"] for it in journey["events"] if it["kind"] == "delivered"]
        assert said == ["a reply of 6 bytes"]
    device.close()


def test_a_device_that_is_away_gets_everything_in_order_later(
    tmp_path: Path, device: Device
) -> None:
    device.close()
    with serving(tmp_path, device) as link:
        payloads = [b'{"k": %d}' % number for number in range(10)]
        link.send(*payloads)
        until(lambda: link.client.get("/status")["lanes"][2]["lost"])
        assert link.client.get("/messages/1")["disposition"] == "ROUTED"
        back = Device(port=device.port)
        assert link.dispositions(10) == ["PROCESSED"] * 10
        assert back.received == payloads
        back.close()


def test_what_tcp_cannot_do_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "feed.py").write_text(
        """
from fastmllp_engine import Send, Tcp, handler, inbound, outbound, router
inbound("IB", Tcp(port=2700), router="all", ack_after="delivered")
outbound("OB", Tcp(host="127.0.0.1", port=2701))
@router("all")
def route(msg):
    return ["pass_on"]
@handler("pass_on")
def pass_on(msg):
    return Send("OB", msg)
"""
    )
    with pytest.raises(ConfigurationError, match="feed.py:3: .*Tcp acknowledges nothing"):
        load(tmp_path)
