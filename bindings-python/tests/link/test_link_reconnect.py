"""A link that dials: when it tries again, and how it ends in each state."""

import asyncio
import math
import random
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from conftest import Records
from fastmllp import Message
from fastmllp.link import Reconnect, SocketLink
from peers import DEADLINE, Peer, ScriptedServer, framed, message


class Times:
    """A clock that stands still, and waits that end at once and are written down."""

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        self.delays: list[float] = []
        self.on_delay: Callable[[], None] = lambda: None
        options = {"first": 1.0, "cap": 8.0, "jitter": 0.0, **options}
        self.reconnect = Reconnect(sleep=self._sleep, clock=lambda: self.now, **options)

    async def _sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        self.on_delay()
        await asyncio.sleep(0)


@pytest.fixture
def refusing() -> Iterator[tuple[str, int]]:
    """An address where nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A listener that nobody serves: it connects, and no TLS handshake gets an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE)
        yield listener


def dialing(address: tuple[str, int], handler: Any = None, **options: Any) -> SocketLink:
    return SocketLink(handler, *address, mode="client", **options)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await work()

    asyncio.run(bounded())


def test_waits_double_up_to_the_cap(refusing: tuple[str, int], records: Records) -> None:
    times = Times()

    async def work() -> None:
        link = dialing(refusing, reconnect=times.reconnect)

        def on_delay() -> None:
            assert link.state == "waiting"
            if len(times.delays) == 6:
                link.close()

        times.on_delay = on_delay
        await link.run()
        assert link.state == "stopped"

    run(work)
    assert times.delays == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    failed = records.wait_for("dial_failed")
    assert failed.__dict__["fields"]["error"] == "Connection refused"
    assert failed.__dict__["fields"]["peer"] == f"127.0.0.1:{refusing[1]}"
    assert records.wait_for("redial").__dict__["fields"]["seconds"] == "1.000"


def test_a_part_of_each_wait_is_left_to_chance() -> None:
    chances = iter([0.0, 0.5, 0.999, 0.25])
    reconnect = Reconnect(first=2.0, cap=16.0, jitter=0.5, random=lambda: next(chances))
    assert [reconnect.delay(attempts) for attempts in range(4)] == [2.0, 3.0, 4.004, 14.0]
    source = random.Random(1)
    reconnect = Reconnect(random=source.random)
    for attempts in (0, 5, 6, 64, 10**9):
        longest = min(60.0, 2.0 ** min(attempts, 6))
        delays = [reconnect.delay(attempts) for _ in range(1000)]
        assert (
            longest / 2 < min(delays) < 0.51 * longest and 0.99 * longest < max(delays) <= longest
        )


def closes(peer: Peer) -> None:
    pass


def resets(peer: Peer) -> None:
    peer.reset()


def closes_in_a_message(peer: Peer) -> None:
    peer.send(framed(message("PART"))[:-20])


def resets_in_a_message(peer: Peer) -> None:
    peer.send(framed(message("PART"))[:-20])
    peer.reset()


def resets_before_the_answer(peer: Peer) -> None:
    peer.send(framed(message("UNHEARD")))
    peer.socket.recv(1, socket.MSG_PEEK)
    peer.reset()


def half_closes_before_the_answer(peer: Peer) -> None:
    peer.send(framed(message("HALF")))
    peer.half_close()
    assert peer.receive_msa() == ("AA", "HALF")
    assert peer.receive_end() == b""


def speaks_another_protocol(peer: Peer) -> None:
    peer.send(b"\x05\x15\x04" * 10)


def behaves(peer: Peer) -> None:
    peer.exchange("A")
    peer.exchange("B")


DEATHS = [
    closes,
    resets,
    closes_in_a_message,
    resets_in_a_message,
    resets_before_the_answer,
    half_closes_before_the_answer,
    speaks_another_protocol,
]


@pytest.mark.parametrize("waits", [False, True])
def test_a_peer_that_dies_in_any_state_is_dialed_again(waits: bool) -> None:
    times = Times()
    received: list[bytes] = []

    def plain(message: Message) -> None:
        received.append(message.header.message_control_id)

    async def coroutine(message: Message) -> None:
        await asyncio.sleep(0)
        plain(message)

    async def work(address: tuple[str, int]) -> None:
        handler = coroutine if waits else plain
        ended = asyncio.Event()
        times.on_delay = lambda: len(times.delays) > len(DEATHS) and ended.set()
        async with dialing(address, handler, reconnect=times.reconnect):
            await ended.wait()

    with ScriptedServer(*DEATHS, behaves) as server:
        run(lambda: work(server.address))
    assert received == [b"UNHEARD", b"HALF", b"A", b"B"]
    assert times.delays[: len(DEATHS) + 1] == [1.0, 2.0, 4.0] + [8.0] * (len(DEATHS) - 2)


def test_a_connection_that_lasted_ends_the_doubling() -> None:
    times = Times(steady=30.0)

    def handler(message: Message) -> None:
        times.now += {b"LONG": 30.0}.get(message.header.message_control_id, 29.0)

    def lasts(name: str) -> Callable[[Peer], None]:
        return lambda peer: peer.exchange(name)

    scripts = [lasts(name) for name in ("SHORT", "SHORT", "LONG", "SHORT", "SHORT")]

    async def work(address: tuple[str, int]) -> None:
        ended = asyncio.Event()
        times.on_delay = lambda: len(times.delays) == len(scripts) and ended.set()
        async with dialing(address, handler, reconnect=times.reconnect):
            await ended.wait()

    with ScriptedServer(*scripts) as server:
        run(lambda: work(server.address))
    assert times.delays[:5] == [1.0, 2.0, 1.0, 2.0, 4.0]


def test_the_next_connection_waits_for_the_last_message_of_the_one_before(
    records: Records,
) -> None:
    times = Times()
    calls: list[bytes] = []

    def dies(peer: Peer) -> None:
        peer.send(framed(message("A")))
        assert entered.wait(DEADLINE)
        peer.reset()

    entered = threading.Event()

    async def work(address: tuple[str, int]) -> None:
        proceed, ended = asyncio.Event(), asyncio.Event()

        async def handler(message: Message) -> None:
            calls.append(message.header.message_control_id)
            entered.set()
            await proceed.wait()
            calls.append(b"done")

        times.on_delay = lambda: len(times.delays) == 2 and ended.set()
        async with dialing(address, handler, reconnect=times.reconnect) as link:
            await asyncio.to_thread(records.wait_for, "connection_lost")
            assert link.state == "connected" and times.delays == []
            proceed.set()
            await ended.wait()

    with ScriptedServer(dies, behaves) as server:
        run(lambda: work(server.address))
    assert calls == [b"A", b"done", b"A", b"done", b"B", b"done"]


def test_stopping_while_a_handler_works_for_a_peer_that_died(records: Records) -> None:
    def dies(peer: Peer) -> None:
        peer.send(framed(message("A")))
        assert entered.wait(DEADLINE)
        peer.reset()

    entered = threading.Event()
    finished: list[bool] = []

    async def work(address: tuple[str, int]) -> None:
        proceed = asyncio.Event()

        async def handler(message: Message) -> None:
            entered.set()
            await proceed.wait()
            finished.append(True)

        link = dialing(address, handler)
        await link.start()
        await asyncio.to_thread(records.wait_for, "connection_lost")
        stop = asyncio.create_task(link.stop())
        await asyncio.sleep(0)
        assert not stop.done()
        proceed.set()
        await stop
        assert link.state == "stopped"

    with ScriptedServer(dies) as server:
        run(lambda: work(server.address))
    assert finished == [True]


def test_stopping_while_dialing(silent: socket.socket) -> None:
    async def work() -> None:
        link = dialing(silent.getsockname(), tls=ssl.create_default_context())
        await link.start()
        with Peer((await asyncio.to_thread(silent.accept))[0]) as peer:
            assert (await asyncio.to_thread(peer.socket.recv, 1, socket.MSG_PEEK)) == b"\x16"
            assert link.state == "connecting"
            await link.stop()
            assert link.state == "stopped"
            await asyncio.to_thread(peer.receive_end)

    run(work)


def test_stopping_before_the_first_attempt(refusing: tuple[str, int]) -> None:
    async def work() -> None:
        link = dialing(refusing)
        await link.start()
        await link.stop()
        await link.stop()
        assert link.state == "stopped"

    run(work)


def test_stopping_while_waiting(refusing: tuple[str, int]) -> None:
    async def work() -> None:
        waiting = asyncio.Event()

        async def sleep(seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        link = dialing(refusing, reconnect=Reconnect(sleep=sleep))
        await link.start()
        await waiting.wait()
        assert link.state == "waiting"
        await link.stop()
        assert link.state == "stopped"

    run(work)


def test_an_attempt_has_a_time(silent: socket.socket, records: Records) -> None:
    times = Times()

    async def work() -> None:
        link = dialing(
            silent.getsockname(),
            reconnect=times.reconnect,
            timeout=0.05,
            tls=ssl.create_default_context(),
        )
        times.on_delay = lambda: len(times.delays) == 2 and link.close()
        await link.run()

    run(work)
    assert times.delays == [1.0, 2.0]
    assert records.wait_for("dial_failed").__dict__["fields"]["error"] == "no answer in time"


def test_a_name_that_is_none(records: Records) -> None:
    times = Times()

    async def work() -> None:
        link = dialing(("a..b", 1), reconnect=times.reconnect)
        times.on_delay = link.close
        await link.run()

    run(work)
    assert records.wait_for("dial_failed").__dict__["fields"]["error"] == "not a host name"


def test_a_source_of_chance_that_fails(refusing: tuple[str, int]) -> None:
    def fail() -> float:
        raise ZeroDivisionError

    async def work() -> None:
        link = dialing(refusing, reconnect=Reconnect(random=fail))
        with pytest.raises(ZeroDivisionError):
            await link.run()
        assert link.state == "stopped"

    run(work)


@pytest.mark.parametrize(
    "options",
    [
        {"first": 0},
        {"first": 2, "cap": 1},
        {"cap": math.inf},
        {"first": math.nan},
        {"jitter": -0.1},
        {"jitter": 1.1},
        {"steady": -1},
    ],
)
def test_settings_out_of_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Reconnect(**options)
