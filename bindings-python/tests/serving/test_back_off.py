"""A client does not hammer at a server that is not there."""

import asyncio
import doctest
import math
import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import fastmllp.serving.sockets.back_off
import pytest
from conftest import ClientClass
from fastmllp import BackOff, Client, ConnectError, ConnectionLost
from fastmllp.aio import connect
from fastmllp.serving.sockets.back_off import Attempts
from peers import (
    DEADLINE,
    Noting,
    Peer,
    ScriptedServer,
    acknowledgment,
    framed,
    message,
    wait_until,
)

Address = tuple[str, int]


@pytest.fixture
def refusing() -> Iterator[Address]:
    """An address where nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()


def test_examples() -> None:
    result = doctest.testmod(fastmllp.serving.sockets.back_off)
    assert result.attempted > 0 and result.failed == 0


def test_the_waits_double_up_to_a_cap() -> None:
    steady = BackOff(first=1.0, cap=5.0, jitter=0)
    assert [steady.delay(attempts) for attempts in (0, 1, 2, 3, 10**9)] == [1, 2, 4, 5, 5]
    chances = iter((0.0, 0.75))
    half = BackOff(first=1.0, cap=5.0, jitter=0.5, random=lambda: next(chances))
    assert [half.delay(3), half.delay(3)] == [5.0, 3.125]


@pytest.mark.parametrize(
    "options",
    [
        {"first": 0},
        {"first": 2, "cap": 1},
        {"cap": math.inf},
        {"first": math.nan},
        {"jitter": -0.1},
        {"jitter": 1.1},
    ],
)
def test_settings_out_of_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        BackOff(**options)


def test_the_next_attempt_waits_until_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(
        "fastmllp.serving.sockets.back_off.time", SimpleNamespace(monotonic=lambda: clock.now)
    )
    attempts = Attempts(BackOff(first=1.0, cap=60.0, jitter=0), timeout=10.0)
    assert attempts.remaining() == 0
    for expected in (1.0, 2.0, 4.0, 8.0, 10.0, 10.0):
        attempts.failed()
        assert attempts.remaining() == expected
        clock.now += expected / 2
        assert attempts.remaining() == expected / 2
        clock.now += expected
        assert attempts.remaining() == 0
    attempts.failed()
    attempts.succeeded()
    assert attempts.remaining() == 0
    attempts.failed()
    assert attempts.remaining() == 1.0
    without = Attempts(BackOff(first=20.0, cap=60.0, jitter=0), timeout=0)
    without.failed()
    assert without.remaining() == 20.0


def test_a_success_is_a_new_beginning(client_class: ClientClass) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A")))

    waits = Noting()
    with ScriptedServer(script) as server:
        client = client_class(*server.address, back_off=waits)
        assert client.send(message("A")).accepted
        client.close()
    assert waits.attempts == []
    # The server is gone.
    for _ in range(3):
        with pytest.raises(ConnectError):
            client.send(message("A"))
    with pytest.raises(ConnectError):
        client.connect()
    assert waits.attempts == [0, 1, 2, 3]
    with socket.create_server(server.address) as listener:
        client.connect()
        listener.accept()[0].close()
    client.close()
    with pytest.raises(ConnectError):
        client.connect()
    assert waits.attempts == [0, 1, 2, 3, 0]
    client.close()


def test_a_client_waits_before_its_next_attempt(
    client_class: ClientClass, refusing: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []
    remaining = Attempts.remaining

    def note(attempts: Attempts) -> float:
        asked.append((time.monotonic(), attempts._not_before))
        return remaining(attempts)

    monkeypatch.setattr(Attempts, "remaining", note)
    client = client_class(*refusing, back_off=BackOff(first=0.01, cap=0.04, jitter=0))
    for _ in range(5):
        with pytest.raises(ConnectError):
            client.send(message("A"))
    client.close()
    # Each asks when the one before it has failed, and what it is told counts from then.
    for delay, ((began, _), (_, until)) in zip(
        (0.01, 0.02, 0.04, 0.04), pairwise(asked), strict=True
    ):
        assert until - began >= delay
    # Each has waited when the next one asks.
    assert all(later >= until for (_, until), (later, _) in pairwise(asked))


def test_close_ends_the_wait_of_a_thread(refusing: Address) -> None:
    client = Client(*refusing, back_off=BackOff(first=600, cap=600), timeout=0)
    with pytest.raises(ConnectError, match="refused"):
        client.connect()
    caught: list[Exception] = []

    def send() -> None:
        try:
            client.send(message("A"))
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    wait_until(client._lock.locked, "the thread waits")
    while thread.is_alive():
        client.close()
        thread.join(0.01)
    (error,) = caught
    assert isinstance(error, ConnectError) and "closed" in str(error)


def test_close_ends_the_wait_of_a_task(refusing: Address) -> None:
    async def work() -> None:
        client = connect(*refusing, back_off=BackOff(first=600, cap=600), timeout=0)
        with pytest.raises(ConnectError, match="refused"):
            await client.connect()
        sends = [asyncio.create_task(client.send(message(name))) for name in "AB"]
        while client._exchange is None or client._exchange._connecting is None:
            await asyncio.sleep(0)
        await client.close()
        for outcome in await asyncio.gather(*sends, return_exceptions=True):
            assert isinstance(outcome, ConnectionLost)

    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await work()

    asyncio.run(bounded())
