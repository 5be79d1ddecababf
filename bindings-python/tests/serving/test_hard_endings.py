"""Handlers that end in unusual ways, peers that do not read, and clients closed in mid-work."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import Records, Serve
from fastmllp import ConnectionLost, Message, Reply
from fastmllp.aio import connect, start_server
from fastmllp.client import Client
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, answering, framed, message, silent


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await work()

    asyncio.run(bounded())


@pytest.fixture
def quiet() -> Any:
    """No record of each message is wanted: the servers take the native way."""
    logger = logging.getLogger("fastmllp")
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)


def test_who_does_not_read_costs_no_processor_time(serve_both: Serve, quiet: None) -> None:
    long = "MSH|^~\\&|\rMSA|AA|A\rZZZ|" + "x" * 1_000_000
    server = serve_both(lambda message: long, timeout=0.6)
    with Peer.connect(server.address) as deaf:
        deaf.send(framed(message("A")) * 15)
        began = time.process_time()
        assert not threading.Event().wait(0.4)
        used = time.process_time() - began
        with Peer.connect(server.address) as other:
            other.send(framed(message("A")))
            assert other.receive_frame() == long.encode()
        # It is given up when its time is over; what it had by then is less than everything.
        with contextlib.suppress(ConnectionError):
            assert not threading.Event().wait(1.0)
            assert deaf.receive_end().count(b"\x1c\r") < 15
    assert used < 0.3


class Later:
    """A plain callable whose result is awaited."""

    def __init__(self) -> None:
        self.running = 0

    def __call__(self, message: Message) -> Awaitable[str]:
        return self._answer(message)

    async def _answer(self, message: Message) -> str:
        self.running += 1
        for _ in range(20):  # Turns of the loop, in which another message could begin.
            await asyncio.sleep(0)
        assert self.running == 1, "two messages of a connection at a time"
        self.running -= 1
        return "AR" if message.header.message_control_id == b"7" else "AA"


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_a_callable_that_returns_a_coroutine(level: int) -> None:
    logging.getLogger("fastmllp").setLevel(level)

    async def work() -> None:
        async with await start_server(Later(), "127.0.0.1", 0) as server:
            async with connect(*server.address, window=64) as client:
                names = [str(number) for number in range(100)]
                replies = await asyncio.gather(*(client.send(message(name)) for name in names))
        assert [reply.code for reply in replies] == ["AR" if n == "7" else "AA" for n in names]

    try:
        run(work)
    finally:
        logging.getLogger("fastmllp").setLevel(logging.NOTSET)


class Panic(BaseException):
    """Like that of native code: no Exception."""


@pytest.mark.parametrize("failure", [Panic, SystemExit, KeyboardInterrupt, StopIteration])
@pytest.mark.parametrize("where", ["coroutine", "executor", "loop"])
def test_what_a_handler_raises_costs_no_other_answer(
    failure: type[BaseException], where: str, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(message: Message) -> None:
        if message.header.message_control_id == b"0":
            raise failure("MARK" + str(4711))

    async def coroutine(message: Message) -> None:
        await asyncio.sleep(0)
        handler(message)

    async def work() -> None:
        with ThreadPoolExecutor() as executor:
            chosen: Any = coroutine if where == "coroutine" else handler
            options: dict[str, Any] = {"executor": executor} if where == "executor" else {}
            async with await start_server(chosen, "127.0.0.1", 0, **options) as server:
                async with connect(*server.address, window=3) as client:
                    replies = await asyncio.gather(
                        *(client.send(message(str(number))) for number in range(3))
                    )
        assert [reply.code for reply in replies] == ["AE", "AA", "AA"]

    run(work)
    assert "MARK4711" not in caplog.text


def test_a_stop_that_takes_too_long_calls_no_further_handler(records: Records) -> None:
    called: list[bytes] = []

    async def work() -> None:
        stopped = asyncio.Event()

        async def handler(message: Message) -> None:
            called.append(message.payload)
            await stopped.wait()
            raise ValueError("MARK" + str(4711))

        server = await start_server(handler, "127.0.0.1", 0, stop_timeout=0.1)
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(framed(message("A")) * 40)
        while not called:
            await asyncio.sleep(0.01)
        server.close()
        await server.wait_closed()
        assert await reader.read() == b""
        writer.close()
        stopped.set()
        await asyncio.to_thread(records.wait_for, "late_result")

    run(work)
    assert len(called) == 1


def test_close_by_another_thread_ends_a_send() -> None:
    received = threading.Event()

    with (
        ScriptedServer(silent(received), answering("B")) as server,
        Client(*server.address) as client,
    ):
        failures: list[BaseException] = []

        def send() -> None:
            try:
                client.send(message("A"))
            except ConnectionLost as failure:
                failures.append(failure)

        thread = threading.Thread(target=send)
        thread.start()
        assert received.wait(DEADLINE)
        client.close()
        thread.join(DEADLINE)
        assert not thread.is_alive() and len(failures) == 1
        assert client.send(message("B")).accepted


def test_close_ends_every_send_of_an_asyncio_client() -> None:
    stored = message("STORED").replace(b"|P|2.5", b"|P|2.5|||AL|AL", 1)
    received = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("STORED", "CA")))
        received.set()
        peer.receive_end()

    async def work(address: tuple[str, int]) -> None:
        client = connect(*address, timeout=0)
        sends = [asyncio.create_task(client.send(stored))]
        await asyncio.to_thread(received.wait, DEADLINE)
        sends += [asyncio.create_task(client.send(message(str(n)))) for n in range(3)]
        await asyncio.sleep(0)
        await client.close()
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        # What the server has stored is not to be sent again, so it does not count as lost.
        assert isinstance(outcomes[0], Reply) and outcomes[0].stored
        assert [type(outcome) for outcome in outcomes[1:]] == [ConnectionLost] * 3
        assert (await client.send(message("NEXT"))).accepted
        await client.close()

    with ScriptedServer(script, answering("NEXT")) as server:
        run(lambda: work(server.address))


def test_messages_leave_in_the_order_of_the_calls() -> None:
    received: list[bytes] = []

    async def handler(message: Message) -> None:
        received.append(message.header.message_control_id)

    async def work() -> None:
        async with await start_server(handler, "127.0.0.1", 0) as server:
            async with connect(*server.address, window=8) as client:
                sends = []
                for number in range(20):
                    sends.append(asyncio.create_task(client.send(message(str(number)))))
                    await asyncio.sleep(0)
                await asyncio.gather(*sends)

    run(work)
    assert received == [str(number).encode() for number in range(20)]
