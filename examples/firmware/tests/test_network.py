"""The gateway with TCP: real clients through QEMU's port forwarding, good input and bad."""

import contextlib
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hl7
import pytest
from hl7.client import MLLPClient
from network_board import PATIENCE, ROOT, Gateway, frame
from rows import FIVE_MEGABYTES, GOOD, ROWS, large, message, without_made_ids

POLICIES = ["always", "conformant"]


@pytest.fixture(scope="module", params=POLICIES)
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def gateway(policy: str) -> Iterator[Gateway]:
    gateway = Gateway(policy=policy, measure="stack", limit=FIVE_MEGABYTES)
    yield gateway
    gateway.stop()


@pytest.fixture(autouse=True)
def goes_on_answering(gateway: Gateway) -> Iterator[None]:
    """After everything, a good message on a new connection is answered."""
    yield
    answers_a_good_message(gateway)


def answers_a_good_message(gateway: Gateway) -> None:
    """There are two sockets: whoever comes while both are busy is reset, and comes again."""
    gateway.wait_until_free()
    deadline = time.monotonic() + PATIENCE
    answer = ""
    while not answer:
        assert time.monotonic() < deadline
        peer = gateway.connect()
        with contextlib.suppress(ConnectionError):
            peer.send(GOOD)
            answer = peer.answer()
        peer.close()
    assert answer == "AA GOOD"
    gateway.wait_until_free()


def test_every_row(gateway: Gateway, policy: str) -> None:
    peer = gateway.connect()
    for name, row in ROWS.items():
        peer.send(row.sent + GOOD)
        expected = [*(row.always if policy == "always" else row.conformant), "AA GOOD"]
        assert without_made_ids(peer.answers_until("GOOD")) == expected, name
    peer.close()


def test_byte_by_byte(gateway: Gateway) -> None:
    peer = gateway.connect()
    for byte in frame(message("M1")) + GOOD:
        peer.send(bytes([byte]))
    assert peer.answers_until("GOOD") == ["AA M1", "AA GOOD"]
    peer.close()


def test_without_a_trailer_the_answer_comes_when_the_line_is_idle(gateway: Gateway) -> None:
    peer = gateway.connect()
    peer.send(frame(message("M1"))[:-1])
    assert peer.answer() == "AA M1"
    peer.close()


def test_five_megabytes(gateway: Gateway) -> None:
    peer = gateway.connect()
    peer.send(large("L1"))
    assert peer.answer() == "AA L1"
    gateway.wait_for(f"message: {FIVE_MEGABYTES} bytes, answer: AA")
    peer.close()


def test_one_byte_more_is_rejected(gateway: Gateway) -> None:
    peer = gateway.connect()
    peer.send(large("L2", FIVE_MEGABYTES + 1) + GOOD)
    assert peer.answers_until("GOOD") == ["AR L2", "AA GOOD"]
    peer.close()


@pytest.mark.parametrize("cut", [1, 20, 100, 1_000_000])
def test_a_truncated_message_is_not_answered(gateway: Gateway, cut: int) -> None:
    peer = gateway.connect()
    peer.send(large("L3")[:cut])
    peer.socket.shutdown(1)
    assert peer.answer() == ""
    gateway.wait_for("lost: truncated")


def test_an_answer_reaches_a_client_that_has_closed_its_side(gateway: Gateway) -> None:
    peer = gateway.connect()
    peer.send(frame(message("M1")))
    peer.socket.shutdown(1)
    assert [peer.answer(), peer.answer()] == ["AA M1", ""]


@pytest.mark.parametrize(
    "hello",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\x0bMSH|\x1c\r",
        b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n" + frame(message("M1")),
    ],
    ids=["TLS", "GET", "POST"],
)
def test_another_protocol_is_hung_up_on(gateway: Gateway, hello: bytes) -> None:
    peer = gateway.connect()
    peer.send(hello)
    assert peer.answer() == ""


def test_two_connections_at_once(gateway: Gateway) -> None:
    first, second = gateway.connect(), gateway.connect()
    first.send(frame(message("M1"))[:70])
    second.send(frame(message("M2")))
    assert second.answer() == "AA M2"
    first.send(frame(message("M1"))[70:])
    assert first.answer() == "AA M1"
    first.close()
    second.close()


def test_fastmllp_send(gateway: Gateway) -> None:
    samples = sorted((ROOT / "examples/samples").glob("*.hl7"))
    command = [sys.executable, "-m", "fastmllp", "send", "--host", "127.0.0.1"]
    command += ["--port", str(gateway.port), *map(str, samples)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(samples) > 5


def test_python_hl7(gateway: Gateway, policy: str) -> None:
    sample = Path(ROOT / "examples/samples" / "oru_r01.hl7").read_bytes().replace(b"\n", b"\r")
    with MLLPClient("127.0.0.1", gateway.port) as client:
        answer = hl7.parse(client.send_message(sample).strip(b"\x0b\x1c\r").decode())
    sent = hl7.parse(sample.decode())
    assert str(answer["MSA"][0][2]) == str(sent["MSH"][0][10])
    assert str(answer["MSA"][0][1]) in ("AA", "CA")


def test_a_silent_client_is_hung_up_on() -> None:
    gateway = Gateway(idle=700)
    idle, cut = gateway.connect(), gateway.connect()
    cut.send(frame(message("M1"))[:-20])
    assert [idle.answer(), cut.answer()] == ["", ""]
    answers_a_good_message(gateway)
    gateway.stop()


def test_clients_that_vanish() -> None:
    """Some are noticed at once, the others when they have been silent for too long."""
    gateway = Gateway(idle=700)
    for sent in (b"", frame(message("M1"))[:50], frame(message("M1")) * 20):
        peer = gateway.connect()
        peer.send(sent)
        # Closed like this, the kernel resets the connection.
        at_once = struct.pack("ii", 1, 0)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        peer.close()
    answers_a_good_message(gateway)
    gateway.stop()


def test_the_stack(gateway: Gateway) -> None:
    """Last, so that it has seen everything above."""
    call, everything = gateway.stack()
    print(f"network: {call} bytes of stack for a call, {everything} in all")
    assert call <= 1024
    assert everything <= 4096
