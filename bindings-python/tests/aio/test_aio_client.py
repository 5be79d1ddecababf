"""What the asyncio client writes, and when."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator

import pytest
from certificates import Authority
from fastmllp import ConnectionLost
from fastmllp.aio import connect
from fastmllp.aio.client_connection import ClientConnection
from fastmllp.tls import client_context, server_context
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message

Address = tuple[str, int]


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await work()

    asyncio.run(bounded())


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many frames each write of a client holds."""
    counts: list[int] = []
    write = ClientConnection.write

    def count(connection: ClientConnection, data: bytes) -> None:
        counts.append(data.count(b"\x1c\r"))
        write(connection, data)

    monkeypatch.setattr(ClientConnection, "write", count)
    yield counts


def test_what_is_sent_together_leaves_with_one_write(writes: list[int]) -> None:
    names = [f"M{number}" for number in range(40)]

    def script(peer: Peer) -> None:
        assert [peer.receive_frame() for _ in names] == [message(name) for name in names]
        peer.send(b"".join(framed(acknowledgment(name)) for name in names))
        for name in names:
            assert peer.receive_frame() == message(name)
        peer.send(b"".join(framed(acknowledgment(name)) for name in names))

    async def work(address: Address) -> None:
        async with connect(*address, window=64) as client:
            for _ in range(2):
                replies = await asyncio.gather(*(client.send(message(name)) for name in names))
                assert [reply.control_id for reply in replies] == names

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))
    assert writes == [40, 40]


def test_a_write_has_a_limit(writes: list[int]) -> None:
    names = [f"M{number}" for number in range(10)]

    def script(peer: Peer) -> None:
        for name in names:
            assert peer.receive_frame() == message(name).ljust(20_000, b"x")
            peer.send(framed(acknowledgment(name)))

    async def work(address: Address) -> None:
        async with connect(*address, window=64) as client:
            sends = (client.send(message(name).ljust(20_000, b"x")) for name in names)
            assert all(reply.accepted for reply in await asyncio.gather(*sends))

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))
    assert sum(writes) == 10 and max(writes) == 4


def test_an_answer_counts_while_the_rest_of_its_write_waits(writes: list[int]) -> None:
    """The first message has left whole, the second fills the socket's buffer and ours."""
    answered = threading.Event()

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == message("A")
        peer.send(framed(acknowledgment("A")))
        assert answered.wait(DEADLINE)
        last = b""
        while not last.endswith(b"\x1c\r"):
            last = last[-1:] + peer.socket.recv(1 << 20)
        peer.send(framed(acknowledgment("B")))

    async def work(address: Address) -> None:
        async with connect(*address, window=2) as client:
            large = message("B").ljust(20_000_000, b"x")
            first, second = (asyncio.create_task(client.send(it)) for it in (message("A"), large))
            assert (await first).accepted and not second.done()
            answered.set()
            assert (await second).accepted

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))
    assert writes == [2]


def test_an_answer_to_what_has_not_left_is_none() -> None:
    stuck, proceed = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == message("A")
        peer.send(framed(acknowledgment("B")) + framed(acknowledgment("A")))
        stuck.set()
        assert proceed.wait(DEADLINE)

    async def work(address: Address) -> None:
        async with connect(*address, window=2) as client:
            large = message("B").ljust(20_000_000, b"x")
            first, second = (asyncio.create_task(client.send(it)) for it in (message("A"), large))
            assert (await first).accepted and not second.done()
            proceed.set()
            with pytest.raises(ConnectionLost):
                await second

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))


def test_inside_tls_an_answer_counts_while_the_rest_of_its_write_waits(
    authority: Authority,
) -> None:
    """What the transport holds is counted in bytes of the messages, not of the records."""
    identity = authority.issue("127.0.0.1")
    context = server_context(identity.certificate, identity.key)
    answered = threading.Event()

    def script(plain: Peer) -> None:
        with Peer(context.wrap_socket(plain.socket, server_side=True)) as peer:
            for name in "AB":
                assert peer.receive_frame() == message(name).ljust(20_000, b"x")
                peer.send(framed(acknowledgment(name)))
            assert answered.wait(DEADLINE)
            last = b""
            while not last.endswith(b"\x1c\r"):
                last = last[-1:] + peer.socket.recv(1 << 20)
            peer.send(framed(acknowledgment("C")))

    async def work(address: Address) -> None:
        tls = client_context(ca=authority.file)
        async with connect(*address, window=3, tls=tls) as client:
            payloads = [message(name).ljust(20_000, b"x") for name in "AB"]
            payloads.append(message("C").ljust(20_000_000, b"x"))
            first, second, third = (asyncio.create_task(client.send(it)) for it in payloads)
            assert (await first).accepted and (await second).accepted and not third.done()
            answered.set()
            assert (await third).accepted

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))


def test_what_is_sent_while_the_client_closes_is_for_the_next_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def script(peer: Peer) -> None:
        assert peer.receive_frame() == message("B")
        peer.send(framed(acknowledgment("B")))

    async def work(address: Address) -> None:
        dialling, proceed = asyncio.Event(), asyncio.Event()

        async def slow_to_end(*args: object, **options: object) -> ClientConnection:
            dialling.set()
            try:
                await asyncio.Event().wait()
            finally:
                monkeypatch.undo()
                await proceed.wait()
            raise AssertionError

        monkeypatch.setattr("fastmllp.aio.exchange.dial", slow_to_end)
        client = connect(*address)
        first = asyncio.create_task(client.send(message("A")))
        await dialling.wait()
        closing = asyncio.create_task(client.close())
        second = asyncio.create_task(client.send(message("B")))
        with pytest.raises(ConnectionLost):
            await first
        for _ in range(4):
            await asyncio.sleep(0)
        assert not closing.done()
        proceed.set()
        assert (await second).accepted
        await closing
        await client.close()

    with ScriptedServer(script) as server:
        run(lambda: work(server.address))


def test_a_client_goes_from_loop_to_loop() -> None:
    """A loop that ends before the message has left takes nothing with it but that message."""

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == message("B")
        peer.send(framed(acknowledgment("B")))
        peer.receive_end()

    async def deliver() -> None:
        assert (await client.send(message("B"))).accepted
        await client.close()

    with ScriptedServer(script) as server:
        client = connect(*server.address)
        sending = client.send(message("A"))
        loop = asyncio.new_event_loop()
        loop.call_soon(sending.send, None)
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
        sending.close()
        run(deliver)
