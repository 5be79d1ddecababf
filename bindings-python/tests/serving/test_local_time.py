"""MSH-7 of acknowledgments: UTC, or local time with its offset."""

import re
import time
from collections.abc import Iterator

import pytest
from conftest import Serve
from fastmllp import Ack, Message
from peers import Peer, framed, message


@pytest.fixture(autouse=True)
def kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of this system cannot be changed")
    monkeypatch.setenv("TZ", "IST-05:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def with_text(message: Message) -> Ack:
    return Ack("AA", text="stored")


@pytest.mark.parametrize("handler", [None, lambda message: None, with_text])
@pytest.mark.parametrize(
    ("options", "form"),
    [
        ({}, rb"\d{14}"),
        ({"local_time": True}, rb"\d{14}\+0530"),
    ],
)
def test_time(serve_all: Serve, handler: object, options: dict[str, bool], form: bytes) -> None:
    server = serve_all(handler, **options)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        stamp = peer.receive_frame().split(b"|")[6]
    assert re.fullmatch(form, stamp)


@pytest.mark.parametrize("handler", [None, with_text])
@pytest.mark.parametrize(("local_time", "offset"), [(False, b"+0000"), (True, b"+0530")])
def test_conformant(serve_both: Serve, handler: object, local_time: bool, offset: bytes) -> None:
    server = serve_both(handler, policy="conformant", local_time=local_time)
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        stamp = peer.receive_frame().split(b"|")[6]
    assert stamp[14:] == offset
