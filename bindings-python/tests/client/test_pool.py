"""Pools: many senders, few connections, servers that die."""

import asyncio
import contextlib
import doctest
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fastmllp.aio
import fastmllp.aio.pool
import fastmllp.client
import fastmllp.client.pool
import pytest
from conftest import Serve
from fastmllp import ConnectionLost, DeliveryError, NoReply, Reply
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message, wait_until
from threaded_server import Address, ThreadedServer, faithful


class Blocking:
    """The senders are threads."""

    pool = fastmllp.client.Pool

    @staticmethod
    def run(
        address: Address, work: Callable[..., Iterator[Any]], count: int, **options: Any
    ) -> None:
        """Let `count` senders work; each yields messages and is sent replies or errors."""

        def sender(pool: fastmllp.client.Pool, number: int) -> None:
            steps = work(number)
            with contextlib.suppress(StopIteration):
                outgoing = next(steps)
                while True:
                    try:
                        result: object = pool.send(outgoing)
                    except DeliveryError as error:
                        result = error
                    outgoing = steps.send(result)

        with Blocking.pool(*address, **options) as pool, ThreadPoolExecutor(count) as threads:
            for future in [threads.submit(sender, pool, number) for number in range(count)]:
                future.result(3 * DEADLINE)


class Async:
    """The senders are tasks."""

    pool = fastmllp.aio.Pool

    @staticmethod
    def run(
        address: Address, work: Callable[..., Iterator[Any]], count: int, **options: Any
    ) -> None:
        async def sender(pool: fastmllp.aio.Pool, number: int) -> None:
            steps = work(number)
            try:
                outgoing = next(steps)
                while True:
                    try:
                        result: object = await pool.send(outgoing)
                    except DeliveryError as error:
                        result = error
                    outgoing = steps.send(result)
            except StopIteration:
                pass

        async def main() -> None:
            async with asyncio.timeout(3 * DEADLINE), Async.pool(*address, **options) as pool:
                await asyncio.gather(*(sender(pool, number) for number in range(count)))

        asyncio.run(main())


both = pytest.mark.parametrize("kind", [Blocking, Async])


@both
def test_few_connections_for_many_senders(kind: Any) -> None:
    def work(number: int) -> Iterator[bytes]:
        for turn in range(5):
            reply = yield message(f"{number}.{turn}")
            assert isinstance(reply, Reply) and reply.accepted
            assert reply.control_id == f"{number}.{turn}"

    with ThreadedServer(faithful) as server:
        kind.run(server.address, work, 40, size=3)
        assert server.received.total() == 200 and set(server.received.values()) == {1}
        assert server.accepted == server.most_open <= 3


@both
def test_servers_that_die_under_many_senders(kind: Any) -> None:
    deaths = itertools.cycle(["closes", "resets", "swallows", "cuts"])

    def mortal(server: ThreadedServer, peer: Peer) -> None:
        for _ in range(4):
            peer.send(framed(acknowledgment(server.receive(peer))))
        match next(deaths):
            case "resets":
                peer.reset()
            case "swallows":
                server.receive(peer)
            case "cuts":
                peer.send(framed(acknowledgment(server.receive(peer)))[:-9])

    lost: Counter[str] = Counter()

    def work(number: int) -> Iterator[bytes]:
        for turn in range(5):
            for attempt in itertools.count():
                name = f"{number}.{turn}.{attempt}"
                result = yield message(name)
                if isinstance(result, Reply):
                    assert result.control_id == name
                    break
                assert isinstance(result, ConnectionLost)
                lost[name] += 1

    with ThreadedServer(mortal) as server:
        kind.run(server.address, work, 20, size=4)
        # Each was sent once at most, and what was accepted has arrived.
        assert set(server.received.values()) == {1}
        assert lost and server.accepted > 4 and server.most_open <= 5
        assert server.received.total() >= 100


@both
def test_a_silent_connection_does_not_hold_the_others(kind: Any) -> None:
    numbers = itertools.count()

    def script(server: ThreadedServer, peer: Peer) -> None:
        if next(numbers) == 0:
            server.receive(peer)
            peer.receive_end()
        else:
            faithful(server, peer)

    outcomes: list[object] = []

    def work(number: int) -> Iterator[bytes]:
        outcomes.append((yield message(str(number))))

    with ThreadedServer(script) as server:
        kind.run(server.address, work, 40, size=2, timeout=1)
    assert [type(outcome) for outcome in outcomes] == [Reply] * 39 + [NoReply]


def test_one_sender_needs_one_connection() -> None:
    with ThreadedServer(faithful) as server, fastmllp.client.Pool(*server.address) as pool:
        for turn in range(10):
            assert pool.send(message(str(turn))).accepted
        assert server.accepted == 1


def test_close_waits_for_messages_on_their_way_and_the_pool_stays_usable() -> None:
    received = threading.Barrier(3)
    proceed = {"A": threading.Event(), "B": threading.Event()}

    def script(server: ThreadedServer, peer: Peer) -> None:
        name = server.receive(peer)
        if name in proceed:
            received.wait(DEADLINE)
            assert proceed[name].wait(DEADLINE)
        peer.send(framed(acknowledgment(name)))
        faithful(server, peer)

    with ThreadedServer(script) as server, ThreadPoolExecutor() as threads:
        pool = fastmllp.client.Pool(*server.address, size=2)
        replies = [threads.submit(pool.send, message(name)) for name in "AB"]
        received.wait(DEADLINE)
        closings = [threading.Thread(target=pool.close, daemon=True) for _ in range(4)]
        for closing in closings:
            closing.start()
        proceed["A"].set()
        wait_until(lambda: server.open == 1, "one connection is closed")
        assert all(closing.is_alive() for closing in closings)
        proceed["B"].set()
        assert all(reply.result(DEADLINE).accepted for reply in replies)
        for closing in closings:
            closing.join(DEADLINE)
            assert not closing.is_alive()
        wait_until(lambda: server.open == 0, "both connections are closed")
        assert pool.send(message("C")).accepted
        pool.close()


@both
@pytest.mark.parametrize("options", [{"size": 0}, {"timeout": -1}, {"port": 65536}])
def test_settings_out_of_bounds(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        kind.pool(**options)
    with pytest.raises(TypeError):
        kind.pool(size=1.5)


@pytest.mark.parametrize("module", [fastmllp.client.pool, fastmllp.aio.pool])
def test_examples(module: Any, serve: Serve) -> None:
    address = serve().address
    names = {
        "messages": [message("A"), message("B")],
        "Pool": lambda host, port, pool=module.Pool, **options: pool(*address, **options),
    }
    result = doctest.testmod(module, extraglobs=names)
    assert result.attempted > 0 and result.failed == 0


def test_close_ends_a_message_that_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time of its own, and a server that does not answer: the stop has an end all the same."""
    monkeypatch.setattr("fastmllp.client.pool._CLOSE_SECONDS", 0.1)
    received, caught = threading.Event(), []

    def script(peer: Peer) -> None:
        peer.receive_frame()
        received.set()
        peer.receive_end()

    def send() -> None:
        try:
            pool.send(message("A"))
        except fastmllp.ConnectionLost as error:
            caught.append(error.fate)

    with ScriptedServer(script) as server:
        pool = fastmllp.Pool(*server.address, size=2, timeout=0)
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        assert received.wait(DEADLINE)
        pool.close()
        thread.join(DEADLINE)
    assert caught == ["uncertain"]


def test_threads_that_wait_for_a_connection_get_one_when_a_message_was_stored() -> None:
    """Nothing follows the CA, and the connection ends: the place is free at once."""

    def script(peer: Peer) -> None:
        control_id = peer.receive_frame().split(b"|")[9].decode()
        peer.send(framed(acknowledgment(control_id, "CA")))

    replies = []
    with ScriptedServer(*[script] * 3) as server:
        with fastmllp.Pool(*server.address, size=1, timeout=0) as pool:
            threads = [
                threading.Thread(
                    target=lambda name=name: replies.append(
                        pool.send(message(name).replace(b"|P|2.5\r", b"|P|2.5|||AL|AL\r"))
                    ),
                    daemon=True,
                )
                for name in "ABC"
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(DEADLINE)
    assert [reply.stored for reply in replies] == [True] * 3
