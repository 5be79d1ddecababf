"""What belongs to an event loop, used in another one: it starts again, or says what is wrong."""

import asyncio
import contextlib
import gc
import os
import selectors
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from conftest import Serve
from fastmllp.aio import Pool, connect, start_server
from fastmllp.link import SocketLink
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message

# A loop that has ended with work in it leaves that to the collector, which complains.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

Work = Callable[[], Awaitable[Any]]
MAKERS = pytest.mark.parametrize("make", [connect, Pool], ids=["client", "pool"])


def run(work: Work) -> Any:
    """In a loop of its own, to its end."""

    async def bounded() -> Any:
        async with asyncio.timeout(DEADLINE):
            return await work()

    return asyncio.run(bounded())


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let the collector complain here, and in no other test."""
    yield
    gc.collect()


@pytest.fixture
def running() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    loop.close()


def elsewhere(loop: asyncio.AbstractEventLoop, work: Work) -> Any:
    async def call() -> Any:
        return await work()

    return asyncio.run_coroutine_threadsafe(call(), loop).result(DEADLINE)


@MAKERS
def test_one_loop_for_each_message(serve: Serve, make: Any) -> None:
    client = make(*serve().address, timeout=DEADLINE)
    for control_id in "ABCD":
        assert run(lambda name=control_id: client.send(message(name))).control_id == control_id
    run(client.close)


@MAKERS
def test_a_message_that_waits_in_a_loop_that_ends(make: Any) -> None:
    """The next loop has a connection of its own, and all of the places of a pool."""
    heard = threading.Event()

    def first(peer: Peer) -> None:
        peer.receive_frame()
        heard.set()
        assert begun.wait(DEADLINE)

    def second(peer: Peer) -> None:
        begun.set()
        assert peer.receive_frame() == message("B")
        peer.send(framed(acknowledgment("B")))

    begun = threading.Event()
    with ScriptedServer(first, second) as server:
        client = make(*server.address, **({"size": 1} if make is Pool else {}))
        loop = asyncio.new_event_loop()
        waiting = loop.create_task(client.send(message("A")))
        loop.run_until_complete(loop.run_in_executor(None, heard.wait, DEADLINE))
        assert not waiting.done()
        begun.set()
        loop.close()
        assert run(lambda: client.send(message("B"))).control_id == "B"
        run(client.close)
        waiting._log_destroy_pending = False  # type: ignore[attr-defined]


@MAKERS
@pytest.mark.parametrize("call", ["send", "close"])
def test_a_loop_that_still_runs(
    serve: Serve, make: Any, call: str, running: asyncio.AbstractEventLoop
) -> None:
    client = make(*serve().address)
    assert elsewhere(running, lambda: client.send(message("A"))).accepted
    with pytest.raises(RuntimeError, match="another event loop"):
        run(lambda: client.send(message("B")) if call == "send" else client.close())
    assert elsewhere(running, lambda: client.send(message("C"))).accepted
    elsewhere(running, client.close)
    assert run(lambda: client.send(message("D"))).accepted
    run(client.close)


@MAKERS
def test_closed_in_another_loop(serve: Serve, make: Any) -> None:
    client = make(*serve().address)
    assert run(lambda: client.send(message("A"))).accepted
    run(client.close)
    run(client.close)


def test_a_server_whose_loop_has_ended() -> None:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(start_server(None, "127.0.0.1", 0))
    loop.close()

    async def work() -> None:
        with pytest.raises(RuntimeError, match="has ended"):
            await server.serve_forever()
        server.close()
        await server.wait_closed()
        # Its port is free again.
        async with await start_server(None, *server.address):
            pass

    run(work)


def test_a_server_whose_loop_still_runs(running: asyncio.AbstractEventLoop) -> None:
    server = elsewhere(running, lambda: start_server(None, "127.0.0.1", 0))

    async def work() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            server.close()
        with pytest.raises(RuntimeError, match="another event loop"):
            await server.wait_closed()

    run(work)

    async def end() -> None:
        server.close()
        await server.wait_closed()

    elsewhere(running, end)


@pytest.mark.parametrize("stops", [False, True])
def test_a_link_that_listens_and_whose_loop_has_ended(stops: bool) -> None:
    link = SocketLink(None, "127.0.0.1", 0)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(link.start())
    loop.close()

    async def work() -> None:
        if stops:
            await link.stop()
        async with link, connect(*link.address) as client:
            assert (await client.send(message("A"))).accepted

    run(work)


@pytest.mark.parametrize("stops", [False, True])
def test_a_link_that_dials_and_whose_loop_has_ended(stops: bool) -> None:
    def first(peer: Peer) -> None:
        connected.set()

    def second(peer: Peer) -> None:
        peer.exchange("A")
        peer.half_close()
        peer.receive_end()

    connected = threading.Event()
    with ScriptedServer(first, second) as server:
        link = SocketLink(None, *server.address, mode="client")
        loop = asyncio.new_event_loop()
        loop.run_until_complete(link.start())
        loop.run_until_complete(loop.run_in_executor(None, connected.wait, DEADLINE))
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()

        async def work() -> None:
            if stops:
                await link.stop()
            async with link:
                while link.state != "waiting":
                    await asyncio.sleep(0.01)

        run(work)


def test_a_link_whose_loop_still_runs(running: asyncio.AbstractEventLoop) -> None:
    link = SocketLink(None, "127.0.0.1", 0)
    elsewhere(running, link.start)
    with pytest.raises(RuntimeError, match="another event loop"):
        run(link.start)
    with pytest.raises(RuntimeError, match="another event loop"):
        run(link.stop)
    elsewhere(running, link.stop)


class Watch(selectors.DefaultSelector):
    """Notes whether the loop ever waits for a descriptor that is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: set[int] = set()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        for number in self.get_map():
            try:
                os.fstat(number)
            except OSError:
                self.closed.add(number)
        return super().select(timeout)


class LoopWithoutReaders(asyncio.SelectorEventLoop):
    """As that of Windows: it accepts and receives by itself, and calls nobody for a socket."""

    def add_reader(self, *_: object) -> None:
        raise NotImplementedError


def test_a_listener_is_closed_when_the_loop_does_not_watch_it_any_more() -> None:
    watch = Watch()
    with contextlib.closing(LoopWithoutReaders(watch)) as loop:

        async def work() -> None:
            server = await start_server(None, "127.0.0.1", 0)
            with Peer.connect(server.address) as peer:
                await asyncio.to_thread(peer.exchange, "A")
                with Peer.connect(server.address) as other:
                    other.send(framed(message("B")))
                    server.close()
                    await server.wait_closed()
                    assert await asyncio.to_thread(other.receive_msa) == ("AA", "B")
            with pytest.raises(ConnectionRefusedError):
                Peer.connect(server.address)

        loop.run_until_complete(asyncio.wait_for(work(), DEADLINE))
    assert not watch.closed


def test_the_port_is_free_when_a_server_is_closed() -> None:
    with contextlib.closing(LoopWithoutReaders(Watch())) as loop:

        async def work() -> None:
            server = await start_server(None, "127.0.0.1", 0)
            await asyncio.sleep(0)
            server.close()
            await server.wait_closed()
            with pytest.raises(ConnectionRefusedError):
                Peer.connect(server.address)

        loop.run_until_complete(asyncio.wait_for(work(), DEADLINE))
